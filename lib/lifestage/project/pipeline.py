"""THE MAP: every step with what it reads and writes.

CLI order, jobs, the picture in the README and `lifestage tables` derive from it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lifestage.activation.audiences import step as audiences
from lifestage.activation.publish import step as publish
from lifestage.activation.report import step as report
from lifestage.analytics.segments import step as segments
from lifestage.analytics.stages import step as stages
from lifestage.analytics.value import step as value
from lifestage.ingestion.events import step as ingest
from lifestage.ingestion.reference import step as reference
from lifestage.platform.job import Job
from lifestage.users.activity import step as activity
from lifestage.users.features import step as features
from lifestage.users.identity import step as identity
from lifestage.users.matching import step as matching
from lifestage.users.profiles import step as profiles

# Stands for the project's own reference tables, whose names are in its configuration.
REFERENCES = "<reference tables>"


@dataclass(frozen=True)
class Step:
    """One step: what it does, and the tables between which it stands."""

    name: str
    does: str
    run: Callable[[Job, Any], object]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


STEPS = (
    Step(
        "reference",
        "keyed extracts, versioned by date",
        reference.run,
        reads=("ingest_ledger",),
        writes=(REFERENCES, "rejected_events", "ingest_ledger"),
    ),
    Step(
        "ingest",
        "map, check, pseudonymise, deduplicate",
        ingest.run,
        reads=(REFERENCES, "ingest_ledger"),
        writes=("events", "event_versions", "rejected_events", "ingest_ledger"),
    ),
    Step(
        "identity",
        "who is who across channels",
        identity.run,
        reads=("events", "event_versions", "ingest_ledger", REFERENCES, "matches", "runs"),
        writes=("link_days", "links", "identity_map", "identity_changes", "identity_past"),
    ),
    Step(
        "activity",
        "one row per subject and day, mergeable",
        activity.run,
        reads=("events", "event_versions", "ingest_ledger", REFERENCES),
        writes=("activity_days", "category_days"),
    ),
    Step(
        "profiles",
        "what customer records say of a user",
        profiles.run,
        reads=(REFERENCES, "ingest_ledger", "identity_map", "identity_past"),
        writes=("user_profiles",),
    ),
    Step(
        "features",
        "one row per user, as of a date",
        features.run,
        reads=("activity_days", "category_days", "identity_map", "identity_past", "user_profiles"),
        writes=("user_state", "norms", "user_features"),
    ),
    Step(
        "stages",
        "ordered rules over features",
        stages.run,
        reads=("user_features",),
        writes=("user_stages", "stage_totals"),
    ),
    Step(
        "value",
        "RFM, value index, tiers",
        value.run,
        reads=("user_features",),
        writes=("rfm_cuts", "value_scales", "tier_cuts", "user_value"),
    ),
    Step(
        "segments",
        "distributed K-means",
        segments.run,
        reads=("user_features",),
        writes=("segment_models", "user_segments"),
    ),
    Step(
        "audiences",
        "rules over all of these",
        audiences.run,
        reads=(
            "user_features",
            "user_stages",
            "user_value",
            "user_segments",
            "runs",
        ),
        writes=("audience_definitions", "user_audiences"),
    ),
    Step(
        "publish",
        "check, freeze",
        publish.run,
        reads=(
            "user_features",
            "user_stages",
            "user_value",
            "value_scales",
            "user_segments",
            "audience_definitions",
            "user_audiences",
            "identity_map",
            "identity_past",
            "identity_changes",
        ),
        writes=("snapshot_users", "snapshots"),
    ),
    Step(
        "report",
        "one self-contained HTML file",
        report.run,
        reads=(
            "ingest_ledger",
            "events",
            "user_features",
            "user_stages",
            "stage_totals",
            "user_value",
            "value_scales",
            "user_segments",
            "audience_definitions",
            "user_audiences",
            "snapshots",
            "runs",
            "identity_map",
            "identity_past",
            "identity_changes",
        ),
        writes=(),
    ),
)

# No part of a run: somebody starts it, by `lifestage match`.
MATCHING = Step(
    "match",
    "records that are probably of one person",
    matching.run,
    reads=(REFERENCES,),
    writes=("matches",),
)

BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}


def groups() -> list[tuple[Step, ...]]:
    """The steps in order, in groups: no step of a group writes what another of it touches, so they run together."""
    found: list[tuple[Step, ...]] = []
    for step in STEPS:
        if found and not any(_meet(step, other) for other in found[-1]):
            found[-1] = (*found[-1], step)
        else:
            found.append((step,))
    return found


def _meet(one: Step, other: Step) -> bool:
    written = {*one.writes, *other.writes}
    return bool(written & {*one.reads, *one.writes} & {*other.reads, *other.writes})


def named(tables: Iterable[str], references: Iterable[str]) -> frozenset[str]:
    """Table names with the placeholder replaced by the project's reference tables."""
    return frozenset(name for table in tables for name in (references if table == REFERENCES else (table,)))


def writers_of(table: str, references: Iterable[str] = (REFERENCES,)) -> str:
    """The steps that write a table, or the run itself."""
    steps = [step.name for step in (*STEPS, MATCHING) if table in named(step.writes, references)]
    return ", ".join(steps) or "the run itself"


def picture() -> str:
    """The map as a Mermaid flow chart: steps as boxes, tables on the arrows between writer and reader."""
    lines = ["flowchart TD"]
    lines += [f'    {step.name}["<b>{step.name}</b><br/>{step.does}"]' for step in STEPS]
    for number, reader in enumerate(STEPS):
        for writer in STEPS[:number]:
            shared = [name for name in writer.writes if name in reader.reads and name != "ingest_ledger"]
            if shared:
                label = ", ".join(name.strip("<>") for name in shared)
                lines.append(f"    {writer.name} -->|{label}| {reader.name}")
    return "\n".join(lines)
