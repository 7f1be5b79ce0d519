"""Write docs/performance.md from the figures of the benchmark."""

from collections.abc import Iterator, Sequence

from benchmark.tables import Figures, Grid, to_tables


def write_page(all_figures: Sequence[Figures]) -> str:
    """The page, with every table that the figures fill and the commands that measured them."""
    return "\n".join(_lines(all_figures)).rstrip() + "\n"


def _lines(all_figures: Sequence[Figures]) -> Iterator[str]:
    yield "# Performance"
    yield ""
    yield "`scripts/bench page` writes this page from the figures that other calls of `scripts/bench` left under `out/bench/`."
    yield "[Benchmark](benchmark.md) says what each figure means."
    yield ""
    machines = {
        f"{each['machine']['cores']} cores, {each['machine']['memory_gib']:.0f} GiB" for each in all_figures
    }
    yield f"Measured on: {'; '.join(sorted(machines))}. The commands:"
    yield ""
    yield from sorted({f"    {command_of(each)}" for each in all_figures})
    for grid in to_tables(all_figures):
        yield ""
        yield f"## {grid.title[0].upper()}{grid.title[1:]}"
        yield ""
        yield from _markdown(grid)


def command_of(figures: Figures) -> str:
    """The command that measures these figures again."""
    if "kmeans" in figures:
        return f"scripts/bench kmeans --users {figures['kmeans']['users']}"
    size = figures["size"]
    parts = [part for part in ("build", "nights", "late", "months", "peers") if part in figures]
    parts = parts if size["case"] == "plain" else ["bad-input"]
    options = f"--events {size['events']} --days {size['days']} --users {size['users']}"
    return f"scripts/bench {' '.join(parts)} {options}"


def _markdown(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(grid.header)} |"
    yield f"|{'|'.join(['---', *['---:'] * (len(grid.header) - 1)])}|"
    for row in grid.rows:
        yield f"| {' | '.join(row)} |"
