"""Candidates with fixed defaults, and their audiences."""

from datetime import date

from lifestage.activation.audiences.membership import members, to_candidates
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.project.registry import all_tables
from lifestage.users.catalogue.model import Catalogue
from support.frames import build

D = date(2026, 6, 30)
TABLES = all_tables(Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml")), ())
INPUTS = ("user_features", "user_stages", "user_value", "user_segments")


def user(user_id="u1", as_of=D, status="active", **columns):
    return {"user_id": user_id, "as_of": as_of, "status": status, "stage": "mature", **columns}


def candidates(spark, users):
    return to_candidates(*[build(spark, TABLES[name], _rows(name, users)) for name in INPUTS])


def chosen(spark, users, rules):
    """Members by rules that hold on every date."""
    days = {row["as_of"] for row in users} | {D}
    return members(candidates(spark, users), dict.fromkeys(days, rules))


def _rows(name, users):
    columns = set(TABLES[name].names) - ({"status"} if name == "user_segments" else set())
    return [{key: value for key, value in row.items() if key in columns} for row in users]
