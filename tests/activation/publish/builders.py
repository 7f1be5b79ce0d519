"""Builders of the tables that publication reads, with fixed defaults."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from lifestage.activation.publish import step
from lifestage.activation.publish.config import PublishSettings
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.job import Job
from lifestage.platform.run import Run
from lifestage.platform.storage.store import Store
from lifestage.project.pipeline import STEPS, reads_of
from lifestage.project.registry import results_of, tables_of
from support.frames import build
from support.projects import packaged_config

D = date(2026, 6, 30)
CONFIG = packaged_config()
TABLES = tables_of(CONFIG)
DECIDED = results_of(CONFIG)
INPUTS = ("user_features", "user_stages", "user_value", "user_segments", "user_audiences")
SETTINGS = packaged_yaml("activation/publish/defaults.yaml")


def user(user_id="u1", as_of=D, status="active", stage="mature", **columns):
    """One user in every table that is published; a stage or audience of None leaves the user without one."""
    fixed = {
        "rule": "true",
        "matched": {},
        "rfm_name": "loyal",
        "segment": "regulars",
        "segment_id": 1,
        "audience": None,
    }
    return {"user_id": user_id, "as_of": as_of, "status": status, "stage": stage, **fixed, **columns}


def inputs(spark, users):
    """The features of the users, and the rows of each result."""
    frames = {name: build(spark, TABLES[name], rows_of(name, users)) for name in INPUTS}
    return frames["user_features"], [(each, frames[each.table.name]) for each in DECIDED]


def rows_of(name, users):
    needed = {"user_stages": "stage", "user_audiences": "audience"}.get(name, "user_id")
    rows = [row for row in users if row[needed] is not None]
    # user_features has the status of a user, user_segments one of its own.
    left_out = {"status"} if name == "user_segments" else set()
    columns = set(TABLES[name].names) - left_out
    return [{key: value for key, value in row.items() if key in columns} for row in rows]


def publish_config(**settings):
    """Return the packaged settings with changes."""
    return PublishSettings.model_validate({**SETTINGS, **settings})


@dataclass(frozen=True)
class Desk:
    """A storage root whose users can be changed and published."""

    store: Store

    def hold(self, users, as_of=D, names=("user_features", "user_stages")):
        """Write the users into these tables; value and segments may be missing."""
        for name in names:
            frame = build(self.store.spark, TABLES[name], rows_of(name, users))
            self.store.write(TABLES[name], frame, {}, {"as_of": [as_of]})

    def publish(self, run_id, as_of=D, built=INPUTS, **settings):
        """Publish in a run that has built these tables."""
        moment = datetime(as_of.year, as_of.month, as_of.day, 6, tzinfo=UTC)
        run = Run(run_id, (as_of,), moment, "confighash")
        reads, writes = frozenset(reads_of(STEPS["publish"])), frozenset(STEPS["publish"].writes)
        job = Job(
            "publish", run, self.store, TABLES, reads, writes, None, DECIDED, commits=dict.fromkeys(built, 0)
        )
        step.run(job, publish_config(**settings))

    def read(self, name):
        return self.store.read(TABLES[name])

    def manifests(self, *columns):
        return self.read("snapshots").select(*columns)
