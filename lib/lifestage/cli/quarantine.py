"""quarantine list, quarantine replay: rejected rows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    Now,
    console,
    grid,
    open_conf,
    parse_now,
    print_json,
    show_status,
)
from lifestage.ingestion.events.rejected import RejectedRows
from lifestage.ingestion.events.replay import ReplayFilter, ReplayResult
from lifestage.services.quarantine import (
    RejectedRow,
    keep_reference_tables,
    list_rejected,
    read_rejected,
    replay_rejected,
)

app = typer.Typer(no_args_is_help=True, help="List rejected rows, and replay those of events.")

SourceName = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
Limit = Annotated[int, typer.Option(help="With --show: print at most this many rows.", min=1)]
NOTHING_WAITS = "no rows wait in quarantine"


@app.command("list")
def list_rows(
    conf: Conf = DEFAULT_CONF,
    source: SourceName = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the rows, decrypted with the quarantine key.")
    ] = False,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List rejected rows by source and reason.

    Example: lifestage quarantine list --source pos --show --conf conf/prod.yaml
    """
    project = open_conf(conf, needs_keys=show)
    with show_status("reading"):
        found = list_rejected(project, source)
        rows = read_rejected(project, source, limit) if show else []
    if as_json:
        print_json({"sources": found, **({"rows": rows} if show else {})})
        return
    if not any(item.n_waiting for item in found):
        console.print(NOTHING_WAITS)
        return
    _print_summary(found)
    _print_rows(rows)
    console.print()
    references = keep_reference_tables(project, found)
    if any(item.n_waiting for item in found if item not in references):
        console.print("to replay them, once the configuration accepts them: lifestage quarantine replay")
    _print_not_replayed(references)
    if not show:
        console.print("to see them: lifestage quarantine list --show")


@app.command()
def replay(
    conf: Conf = DEFAULT_CONF,
    source: SourceName = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only rows with this reason.")] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Process rejected rows of events again with the current configuration, as a new delivery.

    Rows of reference tables are not replayed: deliver an extract that corrects them.

    Example: lifestage quarantine replay --source pos --reason malformed
    """
    moment = parse_now(now)
    project = open_conf(conf)
    with show_status("replaying"):
        done = replay_rejected(project, ReplayFilter(source, reason), moment, wall_clock=datetime.now(UTC))
        left = list_rejected(project, source) if project.references else []
    if as_json:
        print_json([_to_json(item) for item in done])
        return
    references = keep_reference_tables(project, left)
    if done:
        console.print(_replay_grid(done))
        console.print(f"\nTo build on these events: lifestage run --conf {conf}", soft_wrap=True)
    elif not references:
        console.print(NOTHING_WAITS)
    _print_not_replayed(references)


def _print_rows(rows: Iterable[RejectedRow]) -> None:
    for row in rows:
        file = row.path.rpartition("/")[2] if row.path else "a replay"
        title = f"{row.source}, delivery {row.delivery_no}, {file}: {', '.join(row.reasons)}"
        console.print()
        console.print(title)
        console.print(f"  {_escape(row.raw)}", soft_wrap=True)


def _print_summary(found: Iterable[RejectedRows]) -> None:
    numbers = ["rows waiting", "replayed", "corrected"]
    sources = grid("source", *numbers, numbers=numbers)
    reasons = grid("source", "reason", "rows", "first read", "last read", numbers=["rows"], wraps=["reason"])
    for item in found:
        sources.add_row(item.source, f"{item.n_waiting:,}", f"{item.n_replayed:,}", f"{item.n_corrected:,}")
        for reason in item.reasons:
            reasons.add_row(
                item.source,
                reason.reason,
                f"{reason.n_rows:,}",
                str(reason.first_read_on),
                str(reason.last_read_on),
            )
    console.print(sources)
    console.print()
    console.print(reasons)


def _print_not_replayed(extracts: Iterable[RejectedRows]) -> None:
    for item in extracts:
        console.print(
            f"{item.source} is a reference table. Its rows ({item.n_waiting:,}) are not replayed: "
            "their keys keep their earlier values until an extract corrects them",
            soft_wrap=True,
        )


def _replay_grid(done: Sequence[ReplayResult]) -> Any:
    names = ("accepted", "replaced", "superseded", "duplicate", "rejected")
    rows = grid("source", "delivery", "rows", *names, numbers=["delivery", "rows", *names])
    for item in done:
        outcomes = item.counts.outcomes
        rows.add_row(
            item.source,
            str(item.delivery_no),
            str(item.counts.n_rows),
            *[str(outcomes.get(name, 0)) for name in names],
        )
    return rows


def _to_json(item: ReplayResult) -> dict[str, Any]:
    return {"source": item.source, "delivery_no": item.delivery_no, "tally": item.counts}


def _escape(text: str) -> str:
    """Escape characters that would move the cursor or colour the screen."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
