"""Builders of candidates with fixed defaults, and of their audiences."""

from datetime import date

from lifestage.activation.audiences.membership import members, to_candidates
from lifestage.project.registry import results_of, tables_of
from support.frames import build
from support.projects import packaged_config

D = date(2026, 6, 30)
CONFIG = packaged_config()
TABLES = tables_of(CONFIG)
INPUTS = ("user_features", "user_stages", "user_value", "user_segments")


def user(user_id="u1", as_of=D, status="active", **columns):
    return {"user_id": user_id, "as_of": as_of, "status": status, "stage": "mature", **columns}


def candidates(spark, users):
    frames = {name: build(spark, TABLES[name], _rows(name, users)) for name in INPUTS}
    rules = {each.table.name: each.declaration.rules for each in results_of(CONFIG)}
    results = [(rules[name], frames[name]) for name in INPUTS[1:]]
    return to_candidates(frames["user_features"], results)


def chosen(spark, users, rules):
    """Return the members by rules that are the same on every date."""
    days = {row["as_of"] for row in users} | {D}
    return members(candidates(spark, users), dict.fromkeys(days, rules))


def _rows(name, users):
    columns = set(TABLES[name].names) - ({"status"} if name == "user_segments" else set())
    return [{key: value for key, value in row.items() if key in columns} for row in users]
