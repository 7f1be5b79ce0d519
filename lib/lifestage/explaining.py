"""Why one user is where they are, and what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage import runner
from lifestage.audiences.definitions import Definition, rules_on
from lifestage.core.errors import NoDataError
from lifestage.core.local_rows import local_rows
from lifestage.core.pseudonyms import add_normalised, pseudonym, with_pads, without_pads
from lifestage.features.user_days import to_user_days
from lifestage.hypotheses import SILENT, History, Purchase, held_on, hypothetical_features
from lifestage.reading import read_stage_history, read_table, resolved_date
from lifestage.segments.assignment import assign
from lifestage.segments.model import SegmentModel
from lifestage.stages.ladder import assign_stages
from lifestage.value.index import add_index, components, parts_of
from lifestage.value.rfm import add_scores, to_rfm
from lifestage.value.tiers import add_tier

# What a hypothesis may change, each by the column that tells it.
RESULTS = ("stage", "rfm_name", "tier", "segment")
OF_USER = ("user_stages", "user_value", "user_segments")


@dataclass(frozen=True)
class _Asked:
    """The question: whose, and when."""

    user_id: str
    as_of: date


def explain(project: runner.Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """Stage, RFM, tier, segment and audiences of one user with their reasons, the history, and what would change them.

    Args:
        project: an open project; with keys where `user` is a raw identifier.
        user: a user_id, a pseudonym, or a raw identifier, which becomes a pseudonym in memory and is kept nowhere.
        as_of: the date; the newest one by default.

    Raises:
        NoDataError: where nobody is known by that name, or the user came after as_of.
    """
    day = resolved_date(project, "user_features", as_of or "latest")
    asked = _Asked(_user_id(project, user), day)
    features = _of_user(project, "user_features", asked)
    if features.isEmpty():
        raise NoDataError(_came_later(project, asked))
    found = {name: _row(_of_user(project, name, asked)) for name in OF_USER}
    return {
        "user_id": asked.user_id,
        "as_of": day,
        "stage": _stage(project, asked, found["user_stages"]),
        "rfm": _rfm(project, asked, found["user_value"]),
        "tier": _tier(project, asked, features, found["user_value"]),
        "segment": found["user_segments"],
        "audiences": _audiences(project, asked),
        "would_change": _would_change(project, asked, found),
    }


def _user_id(project: runner.Project, user: str) -> str:
    """The user of a user_id, of a pseudonym, or of a raw identifier."""
    identities = read_table(project, "identity_map")
    names = [user, *(_pseudonyms(project, user) if project.secrets else ())]
    wanted = F.broadcast(local_rows(project.store.spark, [(name,) for name in names], "name string"))
    met = (F.col("identifier") == F.col("name")) | (F.col("user_id") == F.col("name"))
    rows = identities.join(wanted, on=met).select("user_id").distinct().collect()
    if not rows:
        kinds = ", ".join(project.config.main.identifiers)
        raise NoDataError(f"nobody is known by that name: give a user_id, a pseudonym, or a raw {kinds}")
    if len(rows) > 1:
        raise NoDataError(f"{len(rows)} users are known by that name: give the user_id of one")
    return str(rows[0]["user_id"])


def _pseudonyms(project: runner.Project, raw: str) -> list[str]:
    """What the raw identifier would be called as each type of identifier."""
    assert project.secrets is not None
    rows = with_pads(local_rows(project.store.spark, [(raw,)], "raw string"), project.secrets.pseudonym_key)
    kinds = project.config.main.identifiers
    for kind, rules in kinds.items():
        rows = add_normalised(rows, "raw", f"_id_{kind}", rules)
    found = without_pads(
        rows.select("*", *[pseudonym(kind, F.col(f"_id_{kind}")).alias(f"_ps_{kind}") for kind in kinds])
    )
    row = found.select(*[f"_ps_{kind}" for kind in kinds]).first()
    return [value for value in row or () if value is not None]


def _of_user(project: runner.Project, name: str, asked: _Asked) -> DataFrame:
    rows = read_table(project, name)
    return rows.where((F.col("user_id") == asked.user_id) & (F.col("as_of") == F.lit(asked.as_of)))


def _row(frame: DataFrame) -> dict[str, Any]:
    row = frame.first()
    return row.asDict(recursive=True) if row else {}


def _came_later(project: runner.Project, asked: _Asked) -> str:
    later = read_table(project, "user_features").where(F.col("user_id") == asked.user_id)
    first = later.agg(F.min("as_of").alias("as_of")).first()
    if first is None or first["as_of"] is None:
        return f"user {asked.user_id} is on no date that is kept"
    return f"user {asked.user_id} was not known as of {asked.as_of}: the first date with them is {first['as_of']}"


def _stage(project: runner.Project, asked: _Asked, now: Mapping[str, Any]) -> dict[str, Any]:
    """The stage with its rule and values, and the user's stage on every date that is kept."""
    own = read_stage_history(project).where(
        (F.col("user_id") == asked.user_id) & (F.col("as_of") <= F.lit(asked.as_of))
    )
    # A row a date that is kept.
    history = [row.asDict() for row in own.orderBy("as_of").collect()]
    newest = history[-1] if history else {}
    return {
        "name": now.get("stage"),
        "rule": now.get("rule"),
        "matched": now.get("matched"),
        "observed_since": newest.get("observed_since"),
        "previous": newest.get("previous_stage"),
        "history": [{"as_of": row["as_of"], "stage": row["stage"]} for row in history],
    }


def _rfm(project: runner.Project, asked: _Asked, value: Mapping[str, Any]) -> dict[str, Any]:
    """Scores with what is measured, and the cut points of the date."""
    kept = (
        "rfm_status",
        "rfm_name",
        "r_score",
        "f_score",
        "m_score",
        "recency_days",
        "frequency",
        "monetary_amount",
    )
    cuts = read_table(project, "rfm_cuts").where(F.col("as_of") == F.lit(asked.as_of))
    # At most five scores of three measures.
    bounds = [
        row.asDict()
        for row in cuts.select("measure", "score", "least_value").orderBy("measure", "score").collect()
    ]
    return {**{name: value.get(name) for name in kept}, "cut_points": bounds}


def _tier(
    project: runner.Project, asked: _Asked, features: DataFrame, value: Mapping[str, Any]
) -> dict[str, Any]:
    """The tier with the index, what each component gives to it, and the least index of each tier."""
    index = project.config.value.index
    on_date = F.col("as_of") == F.lit(asked.as_of)
    cuts = read_table(project, "tier_cuts").where(on_date).select("tier", "least_index")
    scales = [row.asDict() for row in read_table(project, "value_scales").where(on_date).collect()]
    given = features.select(components(index)).first()
    return {
        "name": value.get("tier"),
        "value_index": value.get("value_index"),
        "parts": parts_of(given["components"] if given else {}, scales) if value.get("tier") else [],
        "least_index": {row["tier"]: row["least_index"] for row in cuts.orderBy("least_index").collect()},
    }


def _audiences(project: runner.Project, asked: _Asked) -> list[dict[str, Any]]:
    """The audiences with the rule of the date and the values that matched."""
    # A row an audience, and a row an audience and change of its rule.
    rows = _of_user(project, "user_audiences", asked).orderBy("audience").collect()
    stored = read_table(project, "audience_definitions").select("audience", "from_as_of", "sql").collect()
    rules = rules_on([Definition(*row) for row in stored], asked.as_of)
    return [
        {"name": row["audience"], "rule": rules.get(row["audience"]), "matched": row["matched"]}
        for row in rows
    ]


def _would_change(
    project: runner.Project, asked: _Asked, found: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """For each result, the first purchase and the first silent day after which it is another."""
    now = {**found["user_stages"], **found["user_value"], **found["user_segments"]}
    if not found["user_stages"]:
        return {}
    purchase = _purchase(project, asked)
    rows = _results(project, asked, purchase).collect()
    silent = [row for row in rows if row["user_id"] == str(SILENT)]
    bought = [row for row in rows if row["user_id"] != str(SILENT)]
    return {
        name: {
            "purchase": _first_other(bought, name, now.get(name), purchase),
            "silence": _first_other(silent, name, now.get(name), None),
        }
        for name in RESULTS
    }


def _first_other(
    rows: Sequence[Row], name: str, now: Any, purchase: Purchase | None
) -> dict[str, Any] | None:
    later = sorted(rows, key=lambda row: row["as_of"])
    first = next((row for row in later if row[name] != now), None)
    if first is None:
        return None
    found = {"on": first["as_of"], "to": first[name]}
    return {**found, "amount": purchase.amount} if purchase else found


def _results(project: runner.Project, asked: _Asked, purchase: Purchase | None) -> DataFrame:
    """Stage, RFM name, tier and segment under each hypothesis (at most 30 and the silent days).

    Norms, cut points, scales and model are those of as_of.
    """
    config = project.config
    on_date = F.col("as_of") == F.lit(asked.as_of)
    held = {
        name: read_table(project, name).where(on_date)
        for name in ("norms", "rfm_cuts", "value_scales", "tier_cuts")
    }
    lookups = {name: read_table(project, name).where("NOT is_ended") for name in config.activity.lookups}
    silent_days = config.main.explain.silent_days
    features = hypothetical_features(
        _history(project, asked), purchase, asked.as_of, silent_days, held["norms"], lookups, config,
        project.tables["user_features"],
    ).persist()  # fmt: skip
    days = [row["as_of"] for row in features.select("as_of").distinct().collect()]
    cuts, scales, tiers = (held_on(held[name], days) for name in ("rfm_cuts", "value_scales", "tier_cuts"))
    rfm = to_rfm(features, config.value.rfm, components(config.value.index))
    scored = add_scores(rfm, cuts, config.value.rfm, config.value.history_starts_on)
    valued = add_tier(add_index(scored, scales, config.value.index), tiers)
    model = _model(project, asked)
    segments = assign(features, dict.fromkeys(days, model), config.segments)
    key = ["user_id", "as_of"]
    staged = assign_stages(features, config.stages).select(*key, "stage")
    return staged.join(valued.select(*key, "rfm_name", "tier"), on=key).join(
        segments.select(*key, "segment"), on=key
    )


def _model(project: runner.Project, asked: _Asked) -> SegmentModel | None:
    """The model that the user's own row was assigned with."""
    used = _row(_of_user(project, "user_segments", asked)).get("model_id")
    if used is None:
        return None
    row = read_table(project, "segment_models").where(F.col("model_id") == used).first()
    return SegmentModel.from_row(row) if row else None


def _history(project: runner.Project, asked: _Asked) -> History:
    identity = read_table(project, "identity_map").where(F.col("user_id") == asked.user_id)
    subjects = identity.select(F.col("identifier").alias("subject"))
    days = F.col("event_date") <= F.lit(asked.as_of)
    activity, categories = (
        read_table(project, name).where(days).join(F.broadcast(subjects), on="subject", how="left_semi")
        for name in ("activity_days", "category_days")
    )
    return History(activity, categories, identity)


def _purchase(project: runner.Project, asked: _Asked) -> Purchase | None:
    """One purchase of the user's median occasion value, or of the population's; None where nobody bought anything.

    The median is the least value with a cumulative share of at least one half. It is bought by the user's first
    identifier in order, on the channel of their last purchase.
    """
    history = _history(project, asked)
    days = to_user_days(history.activity, history.identity, project.config.features.catalogue)
    # A row an occasion of one user.
    nets = sorted(row["net_amount"] for row in days.where("occasions > 0").select("net_amount").collect())
    subject = history.identity.agg(F.min("identifier").alias("subject")).first()
    last = (
        history.activity.where("purchase_channel IS NOT NULL")
        .orderBy(F.col("event_date").desc(), "subject")
        .first()
    )
    minor = nets[(len(nets) + 1) // 2 - 1] if nets else _median_of_all(project, asked)
    if minor is None or subject is None:
        return None
    return Purchase(subject["subject"], Decimal(minor) / 100, last["purchase_channel"] if last else None)


def _median_of_all(project: runner.Project, asked: _Asked) -> int | None:
    """The median of users' mean occasion value in the period of RFM, in minor units."""
    value = read_table(project, "user_value").where(F.col("as_of") == F.lit(asked.as_of))
    minor = "CAST(mean_occasion_amount * 100 AS BIGINT)"
    row = value.selectExpr(f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {minor}) AS median").first()
    return int(row["median"]) if row and row["median"] is not None else None
