"""snapshot list, show, export, diff: published snapshots."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.activation.publish.export import ExportFormat
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    answer,
    console,
    format_minute,
    grid,
    load_conf,
    open_conf,
    print_json,
    show_status,
)
from lifestage.services.completed import LATEST
from lifestage.services.diff import Difference, compare_snapshots, list_compared_kinds
from lifestage.services.export import ExportRequest, check_destination, check_target, export_snapshot
from lifestage.services.snapshots import Summary, find_manifest, list_kinds, list_snapshots

app = typer.Typer(no_args_is_help=True, help="List, show, export and compare published snapshots.")

SnapshotId = Annotated[
    str, typer.Argument(metavar="ID", help="An id such as 2026-11-21.r1, a date, or latest.")
]
CHANGE = "change"
# Words for the changes of users between two snapshots; those of users who merged or split say what they are.
CHANGES = {"in": "joined", "out": "left", "both": "in both"}
N_MOVES = 12


@app.command("list")
def print_list(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """List every published snapshot, the latest first.

    Example: lifestage snapshot list --conf conf/prod.yaml
    """
    found = answer(conf, list_snapshots)
    if as_json:
        print_json(found)
    elif not found:
        console.print(f"no snapshot yet: lifestage run --conf {conf}")
    else:
        console.print(_list_grid(found))


@app.command()
def show(snapshot_id: SnapshotId, conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """Show the manifest of a snapshot: its checks, and how many users each stage, RFM name, tier, segment and audience has.

    Example: lifestage snapshot show latest --conf conf/prod.yaml
    """
    manifest, kinds = answer(conf, lambda project: (find_manifest(project, snapshot_id), list_kinds(project)))
    if as_json:
        print_json(manifest)
        return
    _print_manifest(manifest, kinds)


@app.command()
def export(
    snapshot_id: SnapshotId,
    to: Annotated[Path, typer.Option("--to", help="File to write; it must not exist.")],
    file_format: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            help="csv, json (JSON lines) or parquet; by default the one that the file name indicates.",
        ),
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="Only the users of this audience; all users by default.")
    ] = None,
    destination: Annotated[
        str, typer.Option("--destination", help="The entry of publish.destinations that lists the columns.")
    ] = "default",
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Write a snapshot to a file, with a manifest beside it.

    Example: lifestage snapshot export latest --to out.csv --audience win_back
    """
    request = ExportRequest(snapshot_id, to, file_format, audience, destination)
    check_target(request)
    check_destination(load_conf(conf), request)
    project = open_conf(conf, needs_keys=False)
    with show_status("writing"):
        done = export_snapshot(project, request)
    if as_json:
        print_json(done)
        return
    console.print(f"users     {done.n_rows:,}")
    console.print(f"file      {done.path}", soft_wrap=True)
    console.print(f"manifest  {done.manifest_path}", soft_wrap=True)
    console.print(f"sha256    {done.sha256}")


@app.command()
def diff(before: SnapshotId, after: SnapshotId, conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """Compare two snapshots: users who joined, left or moved between stages, tiers and segments, and their net spend.

    Example: lifestage snapshot diff 2026-10-31 latest --conf conf/prod.yaml
    """
    project = open_conf(conf, needs_keys=False)
    with show_status("comparing"):
        found = compare_snapshots(project, before, after)
    if as_json:
        print_json(found)
        return
    console.print(f"{found.before} to {found.after}")
    for kind in (CHANGE, *list_compared_kinds(project)):
        console.print()
        console.print(_diff_grid(found, kind) or f"nobody moved between {kind}s")


def _diff_grid(found: Difference, kind: str) -> Any:
    """Users who entered and left, or the largest moves of one kind; None if nobody moved."""
    if kind == CHANGE:
        rows = grid("users", "before", "after", "net spend", numbers=["before", "after", "net spend"])
        for row in found.changes:
            rows.add_row(
                CHANGES.get(row["change"], row["change"]),
                f"{row['n_before']:,}",
                f"{row['n_after']:,}",
                f"{row['value']:,.2f}",
            )
        return rows
    moved = [row for row in found.moves if row["kind"] == kind]
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
        rows.add_row(f"{len(moved) - N_MOVES} more, see --json", "", "", "")
    return rows


def _list_grid(found: Sequence[Summary]) -> Any:
    rows = grid("snapshot", "as of", "published (UTC)", "users", "checks", "", numbers=["users"])
    for row in found:
        rows.add_row(
            row.snapshot_id,
            str(row.as_of),
            format_minute(row.published_at),
            f"{row.n_users:,}",
            f"{row.n_checks_passed} of {row.n_checks}",
            LATEST if row.is_latest else "",
        )
    return rows


def _print_manifest(manifest: Mapping[str, Any], kinds: Iterable[str]) -> None:
    facts = grid("", "", wraps=[""])
    facts.show_header = False
    facts.add_row("snapshot", manifest["snapshot_id"])
    facts.add_row("published", f"{format_minute(manifest['published_at'])} UTC, by run {manifest['run_id']}")
    facts.add_row("users", f"{manifest['n_users']:,}")
    if manifest["erased"]:
        facts.add_row("erased", f"{manifest['erased']:,}")
    for name in ("model_id", "digest", "config_hash", "code_version"):
        facts.add_row(name.replace("_", " "), str(manifest[name] or "none"))
    console.print(facts)
    console.print()
    checks = grid("check", "result", "detail", wraps=["detail"])
    for check in manifest["checks"] or ():
        checks.add_row(check["name"], "passed" if check["passed"] else "failed", check["detail"])
    console.print(checks)
    for kind in kinds:
        console.print()
        console.print(_count_grid(manifest, kind))


def _count_grid(manifest: Mapping[str, Any], kind: str) -> Any:
    """Users by group of one kind, the largest first."""
    counts = {
        name.partition(":")[2]: n
        for name, n in (manifest["counts"] or {}).items()
        if name.startswith(f"{kind}:")
    }
    rows = grid(kind, "users", "share", numbers=["users", "share"])
    for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        rows.add_row(name, f"{n:,}", f"{n / max(manifest['n_users'], 1):.1%}")
    return rows
