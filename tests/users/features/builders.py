"""Subject-days, identities and catalogues with fixed defaults, so that a test states only what matters to it."""

from datetime import date, timedelta

from pyspark.sql import functions as F

from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.users.activity.tables import activity_days
from lifestage.users.catalogue.model import Aggregate, Catalogue
from lifestage.users.features.build import build_features, build_norms, build_state
from lifestage.users.features.config import FeaturesConfig, Rhythm
from lifestage.users.features.state import rebuild_state
from lifestage.users.features.tables import user_features
from lifestage.users.features.user_days import to_nonadditive_days, to_user_days
from support.frames import build

USERS = "identifier string, user_id string, status string"
D = date(2026, 6, 30)
LONG_AGO = date(2020, 1, 1)

SHIPPED = Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml"))

MEASURES = {
    "n_actions": {"aggregate": "count", "unit": "events"},
    "n_purchases": {"aggregate": "count", "unit": "events"},
    "net_amount": {"aggregate": "sum", "expression": "amount", "unit": "money"},
    "quantity": {"aggregate": "sum", "expression": "quantity", "unit": "units"},
    "dearest": {"aggregate": "max", "expression": "amount", "unit": "money"},
    "cheapest": {"aggregate": "min", "expression": "amount", "unit": "money"},
    "used_features": {"aggregate": "distinct", "expression": "attributes['feature']", "unit": "events"},
    "purchase_channel": {"aggregate": "min", "expression": "channel", "unit": "name"},
}
DAYS = {
    "active_days": {"expression": "n_actions > 0", "unit": "days"},
    "occasions": {"expression": "net_amount > 0", "unit": "days"},
    "occasion_units": {"expression": "CASE WHEN net_amount > 0 THEN quantity END", "unit": "units"},
}
DATES = {
    "first_seen_on": {"which": "first", "when": "true"},
    "last_occasion_on": {"which": "last", "when": "net_amount > 0"},
    "first_big_day_on": {"which": "first", "when": "net_amount >= 50"},
    "last_big_basket_on": {"which": "last", "when": "occasion_units >= 2.5"},
}


def catalogue(windows, measures=None, features=None):
    """A small catalogue; each description is the name."""
    sections = {
        "measures": {**MEASURES, **(measures or {})},
        "days": DAYS,
        "dates": DATES,
        "features": features or {},
    }
    described = {
        section: {name: {"description": name, **item} for name, item in items.items()}
        for section, items in sections.items()
    }
    return Catalogue.model_validate({**described, "windows": windows})


def before(days, from_day=D):
    """The date that many days before."""
    return from_day - timedelta(days=days)


def day(subject="s1", on=D, **measures):
    """One subject-day; measures not stated are zero."""
    return {"subject": subject, "event_date": on, **measures}


def purchase(subject="s1", on=D, net="10.00", **measures):
    """A subject-day with one purchase in the store."""
    return day(
        subject,
        on,
        **{"n_actions": 1, "n_purchases": 1, "purchase_channel": "store", "net_amount": net, **measures},
    )


def subject_days(spark, rows, of=SHIPPED):
    """A frame of activity_days: sums and counts not stated are 0; distinct measures are given as lists."""
    table = activity_days(of)
    kinds = {name: measure.aggregate for name, measure in of.measures.items()}
    zeros = {name: 0 for name, kind in kinds.items() if kind in (Aggregate.SUM, Aggregate.COUNT)}
    listed = [name for name, kind in kinds.items() if kind is Aggregate.DISTINCT]
    plain = [
        {
            **zeros,
            "event_month": row["event_date"].replace(day=1),
            **{k: v for k, v in row.items() if k not in listed},
        }
        for row in rows
    ]
    frame = build(spark, table, plain)
    for name in listed:
        frame = frame.drop(name).join(_sketches(spark, name, rows), on=["subject", "event_date"], how="left")
    return frame.select(*table.names)


def _sketches(spark, name, rows):
    values = [(row["subject"], row["event_date"], value) for row in rows for value in row.get(name, ())]
    frame = spark.createDataFrame(values, "subject string, event_date date, value string")
    return frame.groupBy("subject", "event_date").agg(F.theta_sketch_agg("value").alias(name))


def identities(spark, users):
    """Users of subjects on all dates, from subject to user, or to (user, status)."""
    rows = [
        (subject, *((user, "active") if isinstance(user, str) else user)) for subject, user in users.items()
    ]
    return spark.createDataFrame(rows, USERS).withColumn("only_on", F.lit(None).cast("date"))


def own_users(spark, rows):
    """Each subject is a user of the same name."""
    return identities(spark, {row["subject"]: row["subject"] for row in rows})


def user_days_of(spark, rows, of, users=None):
    return to_user_days(
        subject_days(spark, rows, of), identities(spark, users) if users else own_users(spark, rows), of
    )


def state_of(spark, rows, of, as_of=(D,), users=None):
    identity = identities(spark, users) if users else own_users(spark, rows)
    return rebuild(subject_days(spark, rows, of), identity, as_of, of)


def rebuild(activity, users, as_of, of):
    """The state without totals by category."""
    user_days = to_user_days(activity, users, of)
    return rebuild_state(user_days, to_nonadditive_days(activity, users, of), as_of, of)


def config_of(of=SHIPPED, history_starts_on=LONG_AGO, margin=0, **rhythm):
    return FeaturesConfig(
        catalogue=of,
        rhythm=Rhythm(**rhythm),
        history_starts_on=history_starts_on,
        left_censor_margin_days=margin,
    )


def features_of(activity, categories, users, as_of, config):
    """user_features, without tables in between."""
    state = build_state(activity, categories, users, as_of, config.catalogue)
    norms = build_norms(state, config.rhythm)
    return build_features(state, norms, config, user_features(config.catalogue))
