"""Measure the steps on generated events, and compare them with other engines on the same files."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark.clusters import compare_kmeans
from benchmark.figures import keep_figures, read_figures, show
from benchmark.measuring import (
    lay_out_project,
    measure_build,
    measure_months,
    measure_nights,
    open_and_measure,
)
from benchmark.page import write_page
from benchmark.peers import PEERS, count_differing_users, measure_peer, rebuild_state
from benchmark.processes import in_own_process
from benchmark.sizes import OUT, Size, bad_inputs, to_size
from benchmark.tables import to_tables

PARTS = ("build", "nights", "late", "months", "peers", "bad-input", "kmeans", "page")
DEFAULT = PARTS[:5]
PAGE = Path("docs/performance.md")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the chosen parts in order, and print their tables. Exits with code 1 if a result differs."""
    options = parse(arguments)
    size = to_size(options.events, options.days, options.users)
    measured: list[dict[str, Any]] = []
    for part in [part for part in PARTS if part in options.parts]:
        if part == "page":
            PAGE.write_text(write_page(read_figures()), encoding="utf-8")
        elif part == "kmeans":
            n_users = options.users or 1_000_000
            found = in_own_process(compare_kmeans, n_users)
            measured.append(keep_figures(OUT / f"kmeans-{n_users}", kmeans=found))
        elif part == "bad-input":
            for case in bad_inputs(size):
                measure_part("build", case)
                measured.append(measure_part("nights", case))
        else:
            measured = [measure_part(part, size)]
    for grid in to_tables(measured):
        show(grid)
    if any(n for each in measured for n in each.get("differing", {}).values()):
        raise SystemExit(1)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; the first five by default"
    )
    parser.add_argument("--events", type=int, default=5_000_000, metavar="N")
    parser.add_argument("--days", type=int, default=400, metavar="D")
    parser.add_argument("--users", type=int, metavar="U", help="46,000 for each million events by default")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}, expected some of {', '.join(PARTS)}")
    options.parts = options.parts or DEFAULT
    return options


def measure_part(part: str, size: Size) -> dict[str, Any]:
    """Measure one part of one size, and keep its figures. All parts but the build need the build."""
    if part != "build" and not (size.folder / "main.yaml").exists():
        raise SystemExit(f"{part}: there is no build of this size: measure `build` first")
    found: dict[str, Any] = {}
    match part:
        case "build":
            in_own_process(lay_out_project, size)
            found["build_session"], found["build"] = measure_alone(size, measure_build)
        case "nights":
            found["nights_session"], found["nights"] = measure_alone(size, measure_nights, size.nights)
        case "late":
            _, found["late"] = measure_alone(size, measure_nights, size.late_nights)
        case "months":
            _, found["months"] = measure_alone(size, measure_months)
        case "peers":
            peers = {"ours": in_own_process(rebuild_state, size)}
            peers |= {engine: in_own_process(measure_peer, size, engine) for engine in PEERS}
            differing = {engine: in_own_process(count_differing_users, size, engine) for engine in PEERS}
            found |= {"peers": peers, "differing": differing}
    return keep_figures(size.folder, size=size.to_json(), **found)


def measure_alone(size: Size, measure: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """The seconds of the session's start, and the figures of a measurement, in a process of its own."""
    found: tuple[float, Any] = in_own_process(open_and_measure, size, measure, *arguments)
    return found


if __name__ == "__main__":
    main()
