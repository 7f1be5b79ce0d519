"""Why one user is where they are, and what would change it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.activation.audiences.definitions import Definition, rules_on
from lifestage.analytics.segments.assignment import assign_few
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.step import in_force
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.history import add_history
from lifestage.analytics.stages.ladder import assign_stages
from lifestage.analytics.value.config import ValueConfig
from lifestage.analytics.value.index import add_index, components, parts_of
from lifestage.analytics.value.rfm import add_scores, to_rfm
from lifestage.analytics.value.tiers import add_tier
from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import NoDataError
from lifestage.platform.runtime.frames import collect_to_driver
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.project import runner
from lifestage.services.persons import find
from lifestage.services.readers import LATEST, known_date, reader, run_of
from lifestage.services.what_if import History, Purchase, first_change, held_on, hypothetical_features
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.features.user_days import to_user_days
from lifestage.users.resolution import resolve_current_users

# What a hypothesis may change, each by the column that tells it.
RESULTS = ("stage", "rfm_name", "tier", "segment")
RFM = (
    "rfm_status",
    "rfm_name",
    "rfm_period_days",
    "r_score",
    "f_score",
    "m_score",
    "recency_days",
    "frequency",
    "monetary_amount",
)
OF_USER = ("user_features", "user_profiles", "user_value", "user_segments", "user_audiences")
OF_DATE = ("norms", "rfm_cuts", "value_scales", "tier_cuts")
OF_HISTORY = ("activity_days", "category_days")
# A row a change of a rule, and a row a training.
SMALL = ("audience_definitions", "segment_models")

Read = Callable[[str], DataFrame]
Kept = Mapping[str, DataFrame]


@dataclass(frozen=True)
class _Asked:
    """The question: whose, and when."""

    user_id: str
    as_of: date


def explain(project: runner.Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """Stage, RFM, tier, segment and audiences of one user with their reasons, the history, and what would change them.

    Where the configuration has changed since a run built the date, that is said in place of what would change them.

    Args:
        project: an open project; with keys where `user` is a raw identifier.
        user: a user_id, a pseudonym, or a raw identifier, which becomes a pseudonym in memory and is kept nowhere.
        as_of: the date; the newest one by default.

    Raises:
        NoDataError: where nobody is known by that name, or the user came after as_of.
    """
    read = reader(project)
    day = known_date("user_features", read("user_features"), as_of or LATEST)
    identity = find(project, read, user, day)
    asked = _Asked(identity.first()["user_id"], day)  # type: ignore[index]
    kept = _kept(read, identity, asked)
    if kept["user_features"].isEmpty():
        raise NoDataError(_came_later(read, asked))
    built = run_of(project, day)
    # What is stored has its reasons in the rules of then; today's would compare it with something else.
    is_changed = built is not None and built.config_hash != project.config.hash
    return {
        "user_id": asked.user_id,
        "as_of": day,
        "identifiers": _identifiers(kept, identity),
        "profile": _profile(kept),
        "stage": _stage(kept, asked),
        "rfm": _rfm(kept),
        "tier": _tier(project.config, kept),
        "segment": _row(kept["user_segments"]),
        "audiences": _audiences(kept, day),
        "is_config_changed": is_changed,
        "would_change": {} if is_changed else _would_change(project, read, asked, kept),
    }


def _kept(read: Read, identity: DataFrame, asked: _Asked) -> dict[str, DataFrame]:
    """The rows that explain the user, of each table: read once and all at the same time, as each takes planning."""
    is_user = F.col("user_id") == asked.user_id
    on_date = F.col("as_of") == F.lit(asked.as_of)
    where = {
        **dict.fromkeys(OF_USER, is_user & on_date),
        "user_stages": is_user & (F.col("as_of") <= F.lit(asked.as_of)),
        **dict.fromkeys(OF_DATE, on_date),
        **dict.fromkeys(SMALL, F.lit(True)),
    }
    rows = {name: read(name).where(condition) for name, condition in where.items()}
    subjects = F.broadcast(identity.select(F.col("identifier").alias("subject")))
    for name in OF_HISTORY:
        days = read(name).where(F.col("event_date") <= F.lit(asked.as_of))
        rows[name] = days.join(subjects, on="subject", how="left_semi")
    frames = run_in_parallel([partial(collect_to_driver, frame) for frame in rows.values()])
    return {**dict(zip(rows, frames, strict=True)), "users": resolve_current_users(identity)}


def _row(frame: DataFrame) -> dict[str, Any]:
    row = frame.first()
    return row.asDict(recursive=True) if row else {}


def _came_later(read: Read, asked: _Asked) -> str:
    later = read("user_features").where(F.col("user_id") == asked.user_id)
    first = later.agg(F.min("as_of").alias("as_of")).first()
    if first is None or first["as_of"] is None:
        return f"user {asked.user_id} is on no date that is kept"
    return f"user {asked.user_id} was not known as of {asked.as_of}: the first date with them is {first['as_of']}"


def _identifiers(kept: Kept, identity: DataFrame) -> list[dict[str, Any]]:
    """What the user did under each identifier, most active days first: what there would be without joining them."""
    days = kept["activity_days"].groupBy(F.col("subject").alias("identifier"))
    done = days.agg(
        F.count_if(F.col("n_actions") > 0).alias("active_days"), F.sum("net_amount").alias("net_amount")
    )
    rows = identity.select("identifier", "type").join(done, on="identifier", how="left")
    found = rows.fillna(0, ["active_days"]).withColumn("net_amount", F.coalesce("net_amount", F.lit(0)))
    # The identifiers of one user.
    return [row.asDict() for row in found.orderBy(F.desc("active_days"), "identifier").collect()]


def _profile(kept: Kept) -> list[dict[str, Any]]:
    """What customer records say of the user: each attribute with the record that is believed."""
    known = _row(kept["user_profiles"])
    return [{"name": name, "value": known[name], **why} for name, why in (known.get("because") or {}).items()]


def _stage(kept: Kept, asked: _Asked) -> dict[str, Any]:
    """The stage with its rule and values, and the user's stage on every date that is kept."""
    # A row a date that is kept.
    history = [row.asDict() for row in add_history(kept["user_stages"]).orderBy("as_of").collect()]
    now = history[-1] if history and history[-1]["as_of"] == asked.as_of else {}
    return {
        "name": now.get("stage"),
        "rule": now.get("rule"),
        "matched": now.get("matched"),
        "observed_since": now.get("observed_since"),
        "previous": now.get("previous_stage"),
        "history": [{"as_of": row["as_of"], "stage": row["stage"]} for row in history],
    }


def _rfm(kept: Kept) -> dict[str, Any]:
    """Scores with what is measured, and the cut points of the date."""
    value = _row(kept["user_value"])
    # At most five scores of three measures.
    cuts = kept["rfm_cuts"].select("measure", "score", "least_value").orderBy("measure", "score").collect()
    return {**{name: value.get(name) for name in RFM}, "cut_points": [row.asDict() for row in cuts]}


def _tier(config: Config, kept: Kept) -> dict[str, Any]:
    """The tier with the index, what each component gives to it, and the least index of each tier."""
    value = _row(kept["user_value"])
    scales = [row.asDict() for row in kept["value_scales"].collect()]
    given = _row(kept["user_features"].select(components(config.of(ValueConfig).index)))
    bounds = kept["tier_cuts"].orderBy("least_index").collect()
    return {
        "name": value.get("tier"),
        "value_index": value.get("value_index"),
        "parts": parts_of(given["components"], scales) if value.get("tier") else [],
        "least_index": {row["tier"]: row["least_index"] for row in bounds},
    }


def _audiences(kept: Kept, as_of: date) -> list[dict[str, Any]]:
    """The audiences with the rule of the date and the values that matched."""
    stored = kept["audience_definitions"].select("audience", "from_as_of", "sql").collect()
    rules = rules_on([Definition(*row) for row in stored], as_of)
    return [
        {"name": row["audience"], "rule": rules.get(row["audience"]), "matched": row["matched"]}
        for row in kept["user_audiences"].orderBy("audience").collect()
    ]


def _would_change(project: runner.Project, read: Read, asked: _Asked, kept: Kept) -> dict[str, Any]:
    """For each result, the first purchase and the first silent day after which it is another."""
    now: dict[str, Any] = {}
    for name in ("user_stages", "user_value", "user_segments"):
        now |= _row(kept[name].where(F.col("as_of") == F.lit(asked.as_of)))
    if "stage" not in now:
        return {}
    purchase = _purchase(project.config, read, asked, _history(kept))
    rows = _results(project, read, asked, kept, purchase)
    amount = {"amount": purchase.amount} if purchase else {}
    return {name: _changes(rows, name, now.get(name), amount) for name in RESULTS}


def _changes(
    rows: Sequence[Mapping[str, Any]], name: str, now: Any, amount: Mapping[str, Decimal]
) -> dict[str, dict[str, Any] | None]:
    bought, silent = (first_change(rows, name, now, is_silent) for is_silent in (False, True))
    return {"purchase": bought and {**bought, **amount}, "silence": silent}


def _results(
    project: runner.Project, read: Read, asked: _Asked, kept: Kept, purchase: Purchase | None
) -> list[dict[str, Any]]:
    """Stage, RFM name, tier and segment under each hypothesis (at most 30 and the silent days).

    Norms, cut points, scales and model are those of as_of.
    """
    config = project.config
    lookups = {name: read(name).where("NOT is_ended") for name in config.of(ActivityConfig).lookups}
    features = collect_to_driver(
        hypothetical_features(
            _history(kept), purchase, asked.as_of, config.shared.explain.silent_days, kept["norms"], lookups, config,
            project.tables["user_features"],
        )
    )  # fmt: skip
    days = sorted({row["as_of"] for row in features.select("as_of").collect()})
    cuts, scales, tiers = (held_on(kept[name], days) for name in ("rfm_cuts", "value_scales", "tier_cuts"))
    rfm = to_rfm(features, config.of(ValueConfig).rfm, components(config.of(ValueConfig).index))
    scored = add_scores(rfm, cuts, config.of(ValueConfig).rfm, config.of(ValueConfig).history_starts_on)
    valued = add_tier(add_index(scored, scales, config.of(ValueConfig).index), tiers)
    model = _model(config, kept, asked.as_of)
    found: dict[tuple[str, date], dict[str, Any]] = defaultdict(dict)
    for frame in (assign_stages(features, config.of(StageLadder)), valued):
        for row in frame.collect():
            found[row["user_id"], row["as_of"]] |= row.asDict()
    for each in assign_few(features, dict.fromkeys(days, model), config.of(SegmentsConfig)):
        found[each["user_id"], each["as_of"]] |= each
    return list(found.values())


def _history(kept: Kept) -> History:
    return History(*[kept[name] for name in (*OF_HISTORY, "users", "user_profiles")])


def _model(config: Config, kept: Kept, as_of: date) -> SegmentModel | None:
    """The model that the user's own row was assigned with; the one in force for who was not eligible for any."""
    stored = {row["trained_on"]: SegmentModel.from_row(row) for row in kept["segment_models"].collect()}
    used = _row(kept["user_segments"]).get("model_id")
    own = next((model for model in stored.values() if model.model_id == used), None)
    return own or in_force(stored, as_of, config.of(SegmentsConfig))


def _purchase(config: Config, read: Read, asked: _Asked, history: History) -> Purchase | None:
    """One purchase of the user's median occasion value, or of the population's; None where nobody bought anything.

    The median is the least value with a cumulative share of at least one half. It is bought by the user's first
    identifier in order, on the channel of their last purchase.
    """
    days = to_user_days(history.activity, history.users, config.of(FeaturesConfig).catalogue)
    # A row an occasion of one user.
    nets = sorted(row["net_amount"] for row in days.where("occasions > 0").select("net_amount").collect())
    minor = nets[(len(nets) + 1) // 2 - 1] if nets else _median_of_all(read, asked)
    if minor is None:
        return None
    subject = min(row["identifier"] for row in history.users.collect())
    bought = history.activity.where("purchase_channel IS NOT NULL")
    last = bought.orderBy(F.col("event_date").desc(), "subject").first()
    return Purchase(subject, Decimal(minor).scaleb(-2), last["purchase_channel"] if last else None)


def _median_of_all(read: Read, asked: _Asked) -> int | None:
    """The median of users' mean occasion value in the period of RFM, in minor units."""
    value = read("user_value").where(F.col("as_of") == F.lit(asked.as_of))
    minor = "CAST(mean_occasion_amount * 100 AS BIGINT)"
    row = value.selectExpr(f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {minor}) AS median").first()
    return int(row["median"]) if row and row["median"] is not None else None
