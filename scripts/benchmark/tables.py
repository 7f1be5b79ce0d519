"""Turn figures into tables: medians of runs, ratios, and costs per touched user."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Figures = Mapping[str, Any]

USED = ("seconds", "cpu", "memory", "bytes")


@dataclass(frozen=True)
class Grid:
    """A table of texts; the first column names the row."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def to_tables(all_figures: Sequence[Figures]) -> list[Grid]:
    """All tables that the figures fill, those of the events by size first."""
    sized = sorted(
        (each for each in all_figures if "size" in each),
        key=lambda each: (each["size"]["events"], each["size"]["days"]),
    )
    plain = [each for each in sized if each["size"]["case"] == "plain"]
    grids = [grid for each in plain for grid in (*_steps(each), *_ratios(each), *_peers(each))]
    return [*grids, *_histories(plain), *_bad_inputs(sized), *_kmeans(all_figures)]


def median_run(runs: Sequence[Figures]) -> dict[str, Any]:
    """One run with the median of each figure, also of each step."""
    steps = [
        {"steps": parts[0]["steps"], **{name: median(part[name] for part in parts) for name in USED}}
        for parts in zip(*(run["steps"] for run in runs), strict=True)
    ]
    return {**{name: median(run[name] for run in runs) for name in USED}, "steps": steps}


def describe_size(figures: Figures) -> str:
    """The size in words."""
    size = figures["size"]
    return f"{size['events']:,} events, {size['days']:,} days, {size['users']:,} users"


def _steps(figures: Figures) -> Iterator[Grid]:
    """The full build beside the median night, a row for the steps that run at the same time."""
    if not ("build" in figures and "nights" in figures):
        return
    build, nights = figures["build"], figures["nights"]
    night = median_run(nights)
    header = ("", *(f"{run}: {unit}" for run in ("build", "night") for unit in ("s", "CPU s", "GiB", "MB")))
    rows = [
        (", ".join(one["steps"]), *_used(one), *_used(two))
        for one, two in zip(build["steps"], night["steps"], strict=True)
    ]
    rows.append(("all steps", *_used(build), *_used(night)))
    users = median(run["touched_users"] for run in nights)
    starts = (
        f"{figures['build_session']:.1f}",
        "",
        "",
        "",
        f"{figures['nights_session']:.1f}",
        "",
        "",
        "",
    )
    rows.append(("session start", *starts))
    first = nights[0]
    rows.append(("first night, cold JVM", "", "", "", "", *_used(first)))
    per_user = (
        f"{night['seconds'] * 1000 / max(users, 1):,.2f} ms",
        f"{night['cpu'] * 1000 / max(users, 1):,.2f} ms",
        "",
        f"{night['bytes'] / max(users, 1) / 1000:,.1f} kB",
    )
    rows.append((f"per touched user ({users:,.0f})", "", "", "", "", *per_user))
    yield Grid(f"{describe_size(figures)}: the steps", header, rows)


def _ratios(figures: Figures) -> Iterator[Grid]:
    """Late rows against none, and twelve dates against one."""
    rows = []
    if "late" in figures and "nights" in figures:
        rows.append(
            _ratio_row("night with 1 % late rows, to one without", figures["late"], figures["nights"])
        )
    if "months" in figures:
        months = figures["months"]
        rows.append(_ratio_row("twelve month-ends in one backfill, to one", months["twelve"], months["one"]))
    if rows:
        header = ("median of 3", "s", "to s", "ratio", "CPU s", "to CPU s", "ratio")
        yield Grid(f"{describe_size(figures)}: ratios", header, rows)


def _ratio_row(title: str, runs: Sequence[Figures], others: Sequence[Figures]) -> tuple[str, ...]:
    one, two = median_run(runs), median_run(others)
    figures = (
        f"{one[name]:.1f}|{two[name]:.1f}|{_ratio(one[name], two[name])}" for name in ("seconds", "cpu")
    )
    return (title, *(text for each in figures for text in each.split("|")))


def _peers(figures: Figures) -> Iterator[Grid]:
    """The state of all users: ours and the other engines."""
    if "peers" not in figures:
        return
    ours = {name: median(run[name] for run in figures["peers"]["ours"]) for name in USED[:3]}
    rows = []
    for engine, runs in figures["peers"].items():
        used = {name: median(run[name] for run in runs) for name in USED[:3]}
        ratios = (_ratio(ours["seconds"], used["seconds"]), _ratio(ours["cpu"], used["cpu"]))
        differing = figures["differing"].get(engine)
        rows.append((engine, *_used(used)[:3], *ratios, "" if differing is None else f"{differing:,}"))
    header = ("median of 3", "s", "CPU s", "GiB", "ours / it, s", "ours / it, CPU s", "users that differ")
    yield Grid(f"{describe_size(figures)}: the state of all users", header, rows)


def _histories(plain: Sequence[Figures]) -> Iterator[Grid]:
    """Nights of the same users and the same events per day, after histories of different lengths."""
    families: dict[tuple[int, int], list[Figures]] = {}
    for each in plain:
        if "nights" in each:
            size = each["size"]
            families.setdefault((size["users"], size["events"] // size["days"]), []).append(each)
    for (users, per_day), members in families.items():
        if len(members) > 1:
            nights = [median_run(each["nights"]) for each in members]
            rows = [
                (
                    f"{each['size']['days']:,} days",
                    *_used(night),
                    _ratio(night["seconds"], nights[0]["seconds"]),
                )
                for each, night in zip(members, nights, strict=True)
            ]
            header = ("history", "s", "CPU s", "GiB", "MB", "ratio")
            yield Grid(f"A night after histories of {per_day:,} events a day, {users:,} users", header, rows)


def _bad_inputs(sized: Sequence[Figures]) -> Iterator[Grid]:
    """Unusual inputs against the usual one of the same size."""
    measured = [each for each in sized if each["size"]["case"] != "plain" and "nights" in each]
    for usual in [each for each in measured if each["size"]["case"] == "usual"]:
        title = describe_size(usual)
        others = [each for each in measured if describe_size(each) == title and each is not usual]
        rows = []
        for each in [usual, *others]:
            build, night = each["build"], median_run(each["nights"])
            usual_build, usual_night = usual["build"], median_run(usual["nights"])
            rows.append(
                (
                    each["size"]["case"],
                    *_used(build)[:3],
                    _ratio(build["seconds"], usual_build["seconds"]),
                    *_used(night)[:3],
                    _ratio(night["seconds"], usual_night["seconds"]),
                )
            )
        units = ("s", "CPU s", "GiB", "ratio")
        header = ("", *(f"{run}: {unit}" for run in ("build", "night") for unit in units))
        yield Grid(f"{title}: unusual input", header, rows)


def _kmeans(all_figures: Sequence[Figures]) -> Iterator[Grid]:
    """Our k-means and the others."""
    for each in all_figures:
        if "kmeans" in each:
            found = each["kmeans"]
            ours = median(run["seconds"] for run in found["ours"]["runs"])
            rows = []
            for name in ("ours", "pyspark.ml", "scikit-learn"):
                used = {key: median(run[key] for run in found[name]["runs"]) for key in USED[:3]}
                inertia = found[name]["inertia"]
                ratios = (_ratio(ours, used["seconds"]), f"{found['ours']['inertia'] / inertia:.4f}")
                rows.append((name, *_used(used)[:3], *ratios))
            title = (
                f"k-means of {found['users']:,} users, {found['features']} features, k = {found['ours']['k']}"
            )
            yield Grid(title, ("", "s", "CPU s", "GiB", "ours / it, s", "ours / it, inertia"), rows)


def _used(figures: Figures) -> tuple[str, str, str, str]:
    return (
        f"{figures['seconds']:,.1f}",
        f"{figures['cpu']:,.1f}",
        f"{figures['memory'] / 2**30:,.1f}",
        f"{figures.get('bytes', 0) / 1e6:,.1f}",
    )


def _ratio(one: float, two: float) -> str:
    return f"{one / two:.2f}" if two else ""
