"""snapshot list, show, export."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Annotated, Any

import typer
from pyspark.sql import DataFrame, Row

from lifestage.activation.publish.config import PublishSettings
from lifestage.activation.publish.diff import MOVES, changes, compared_groups, diff, moves
from lifestage.activation.publish.export import Export, ExportFormat, export
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    at_work,
    console,
    grid,
    loaded,
    minute,
    opened,
    refuse,
    say_json,
)
from lifestage.platform.errors import suggest_name
from lifestage.project import runner
from lifestage.project.registry import decided_of
from lifestage.services.readers import LATEST, manifest_of, manifests, reader, users_of
from lifestage.users.identity.regrouping import regrouped, users_of_one

app = typer.Typer(
    no_args_is_help=True, help="Published snapshots: frozen users with stage, value and segment."
)

SnapshotId = Annotated[str, typer.Argument(metavar="ID", help="Such as 2026-11-21.r1; a date, or latest.")]
KINDS = {"stage": "stage", "rfm": "RFM name", "tier": "tier", "segment": "segment", "audience": "audience"}
N_MOVES = 12
REMOTE = re.compile(r"[a-z][a-z0-9+.-]+:/")
SUFFIXES = {
    ".csv": ExportFormat.CSV,
    ".json": ExportFormat.JSON,
    ".jsonl": ExportFormat.JSON,
    ".parquet": ExportFormat.PARQUET,
}


@app.command("list")
def list_snapshots(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """Every published snapshot, newest first.

    Example: lifestage snapshot list --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=False, is_brief=True)
    with at_work("reading"):
        found = listed(manifests(project))
    if as_json:
        say_json(found)
    elif not found:
        console.print(f"no snapshot yet: lifestage run --conf {conf}")
    else:
        console.print(_list_grid(found))


@app.command()
def show(snapshot_id: SnapshotId, conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """The manifest of a snapshot: its checks, and how many users are in each stage, cell and segment.

    Example: lifestage snapshot show latest --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=False, is_brief=True)
    with at_work("reading"):
        manifest = manifest_of(project, snapshot_id).asDict(recursive=True)
    if as_json:
        say_json(manifest)
        return
    _show(manifest)


@app.command("export")
def export_file(
    snapshot_id: SnapshotId,
    to: Annotated[Path, typer.Option("--to", help="File to write; it must not exist.")],
    file_format: Annotated[
        ExportFormat | None,
        typer.Option("--format", help="csv, json (lines) or parquet; as the file's name says by default."),
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="Only the users of this audience; all by default.")
    ] = None,
    destination: Annotated[
        str, typer.Option("--destination", help="Where it goes, which decides its columns.")
    ] = "default",
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Write the columns that publish.destinations declares to a file, and a manifest beside it.

    Example: lifestage snapshot export latest --to out.csv --audience win_back
    """
    if REMOTE.match(str(to)):
        refuse(f"--to: {to} is no file on this computer: export to one, then copy it there")
    if to.exists():
        refuse(f"--to: {to} exists and is not overwritten: give another path, or remove it")
    destinations = loaded(conf).of(PublishSettings).destinations
    if destination not in destinations:
        refuse(f"--destination: {destination} is not declared: {suggest_name(destination, destinations)}")
    project = opened(conf, needs_keys=False)
    with at_work("writing"):
        done = export_snapshot(project, snapshot_id, to, destinations[destination], file_format, audience)
    if as_json:
        say_json(asdict(done))
        return
    console.print(f"users     {done.n_rows:,}", markup=False)
    console.print(f"file      {done.path}", markup=False, soft_wrap=True)
    console.print(f"manifest  {done.manifest_path}", markup=False, soft_wrap=True)
    console.print(f"sha256    {done.sha256}", markup=False)


@app.command("diff")
def show_diff(
    before: SnapshotId, after: SnapshotId, conf: Conf = DEFAULT_CONF, as_json: AsJson = False
) -> None:
    """Who came in, went out or moved between stages, tiers and segments, with the net spend they stand for.

    Example: lifestage snapshot diff 2026-10-31 latest --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=False)
    with at_work("comparing"):
        ids = [manifest_of(project, each)["snapshot_id"] for each in (before, after)]
        found = difference_of(project, *ids)
    if as_json:
        say_json(found)
        return
    console.print(f"{ids[0]} to {ids[1]}", markup=False)
    for kind in ("change", "stage", "tier", "segment"):
        console.print()
        console.print(_diff_grid(found, kind) or f"nobody moved between {kind}s")


def difference_of(project: runner.Project, before: str, after: str) -> dict[str, Any]:
    """Changes and moves between two snapshots, the largest first; bounded by stages, tiers and segments."""
    built = {row["snapshot_id"]: (row["as_of"], row["journal_version"]) for row in manifests(project)}
    users = {name: users_of(project, name) for name in (before, after)}
    dated = [users_of_one(rows, built[name]) for name, rows in users.items()]
    others = regrouped(reader(project), [built[name] for name in users], reduce(DataFrame.unionByName, dated))
    groups = compared_groups(decided_of(project.config))
    difference = diff(users[before], users[after], others, groups).persist()
    try:
        by_change = [row.asDict() for row in changes(difference).orderBy("change").collect()]
        by_move = [row.asDict() for row in moves(difference, groups).select(*MOVES).collect()]
    finally:
        difference.unpersist()
    by_move.sort(
        key=lambda move: (move["kind"], -move["n_users"], str(move["moved_from"]), str(move["moved_to"]))
    )
    return {"before": before, "after": after, "changes": by_change, "moves": by_move}


def _diff_grid(found: Mapping[str, Any], kind: str) -> Any:
    """Who came and went, or the largest moves of one kind; None where nobody moved."""
    if kind == "change":
        rows = grid("users", "before", "after", "net spend", numbers=["before", "after", "net spend"])
        for row in found["changes"]:
            rows.add_row(row["change"], f"{row['n_before']:,}", f"{row['n_after']:,}", f"{row['value']:,.2f}")
        return rows
    moved = [row for row in found["moves"] if row["kind"] == kind]
    if not moved:
        return None
    rows = grid(
        f"{kind} from",
        "to",
        "users",
        "net spend",
        numbers=["users", "net spend"],
        wraps=[f"{kind} from", "to"],
    )
    for row in moved[:N_MOVES]:
        ends = [row[end] or "none" for end in ("moved_from", "moved_to")]
        rows.add_row(*ends, f"{row['n_users']:,}", f"{row['value']:,.2f}")
    if len(moved) > N_MOVES:
        rows.add_row(f"{len(moved) - N_MOVES} more: --json", "", "", "")
    return rows


def listed(found: Sequence[Row]) -> list[dict[str, Any]]:
    """What a list shows of each manifest; the first is the latest."""
    return [
        {
            "snapshot_id": row["snapshot_id"],
            "as_of": row["as_of"],
            "published_at": row["published_at"],
            "n_users": row["n_users"],
            "n_checks": len(row["checks"] or ()),
            "n_checks_passed": sum(check["passed"] for check in row["checks"] or ()),
            "is_latest": number == 0,
        }
        for number, row in enumerate(found)
    ]


def export_snapshot(
    project: runner.Project,
    snapshot_id: str,
    to: Path,
    columns: Sequence[str],
    file_format: ExportFormat | None = None,
    audience: str | None = None,
) -> Export:
    """Export one snapshot; its format follows the name of the file unless it is given."""
    manifest = manifest_of(project, snapshot_id)
    users = users_of(project, manifest["snapshot_id"])
    chosen = file_format or SUFFIXES.get(to.suffix, ExportFormat.CSV)
    return export(users, manifest.asDict(), columns, to, chosen, audience)


def _list_grid(found: Sequence[Mapping[str, Any]]) -> Any:
    rows = grid("snapshot", "as of", "published (UTC)", "users", "checks", "", numbers=["users"])
    for row in found:
        rows.add_row(
            row["snapshot_id"],
            str(row["as_of"]),
            minute(row["published_at"]),
            f"{row['n_users']:,}",
            f"{row['n_checks_passed']} of {row['n_checks']}",
            LATEST if row["is_latest"] else "",
        )
    return rows


def _show(manifest: Mapping[str, Any]) -> None:
    facts = grid("", "", wraps=[""])
    facts.show_header = False
    facts.add_row("snapshot", manifest["snapshot_id"])
    facts.add_row("published", f"{minute(manifest['published_at'])} UTC, by run {manifest['run_id']}")
    facts.add_row("users", f"{manifest['n_users']:,}")
    if manifest["erased"]:
        facts.add_row("erased", f"{manifest['erased']:,}")
    for name in ("model_id", "digest", "config_hash", "code_version"):
        facts.add_row(name.replace("_", " "), str(manifest[name] or "none"))
    console.print(facts)
    console.print()
    checks = grid("check", "result", "what it saw", wraps=["what it saw"])
    for check in manifest["checks"] or ():
        checks.add_row(check["name"], "passed" if check["passed"] else "failed", check["detail"])
    console.print(checks)
    for kind, title in KINDS.items():
        console.print()
        console.print(_count_grid(manifest, kind, title))


def _count_grid(manifest: Mapping[str, Any], kind: str, title: str) -> Any:
    """Users of one kind of group, the largest first; a dash counts those in none."""
    counts = {
        name.partition(":")[2]: n
        for name, n in (manifest["counts"] or {}).items()
        if name.startswith(f"{kind}:")
    }
    rows = grid(title, "users", "share", numbers=["users", "share"])
    for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        rows.add_row(name, f"{n:,}", f"{n / max(manifest['n_users'], 1):.1%}")
    return rows
