"""Which numbers of users a page may show without telling of a few people."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from lifestage.platform.reporting.disclosure import BUYERS, SIDES, Cell, Equation
from lifestage.users.identity.regrouping import Regrouped

if TYPE_CHECKING:
    from lifestage.activation.report.content import ReportData

MODELLED = ("all", "modelled")


def cells_of(data: "ReportData") -> dict[Cell, int]:
    """Every number of users on the page that may be small, of all figures."""
    scored = {(c.r_score, c.f_score): c.n_users for c in data.rfm if c.r_score and c.f_score}
    names: dict[Cell, int] = {}
    for (r, f), n in scored.items():
        name = ("name", data.name_of(r or 0, f or 0))
        names[name] = names.get(name, 0) + n
    modelled: dict[Cell, int] = {
        ("segment", s.segment_id): s.n_users for s in data.segments if s.segment_id is not None
    }
    return {
        **{("stage", s.as_of, s.stage): s.n_users for s in data.stages},
        **{("move", f.moved_from, f.moved_to): f.n_users for f in data.stage_flows},
        **{
            ("regrouped", change, side): n
            for change, ns in data.regrouped.items()
            for side, n in zip(SIDES, ns, strict=True)
        },
        **{("mix", mix): n for mix, n in data.mix_users.items()},
        **{("mixed", c.mix, c.stage): c.n_users for c in data.channels},
        **{("rfm", *place): n for place, n in scored.items()},
        **names,
        BUYERS: sum(scored.values()),
        **{("unscored", c.status): c.n_users for c in data.rfm if c.r_score is None},
        **{("tier", tier.tier): tier.n_users for tier in data.tiers},
        **modelled,
        MODELLED: sum(modelled.values()),
        **{("outside", s.status): s.n_users for s in data.segments if s.segment_id is None},
    }


def equations_of(data: "ReportData", cells: Collection[Cell]) -> list[Equation]:
    """What a reader of the whole page knows of its cells."""
    return [*_populations(data, cells), *_names(data, cells), *_moves(data, cells), *_mixes(data, cells)]


def _populations(data: "ReportData", cells: Collection[Cell]) -> Iterator[Equation]:
    """All users of a date, and of them the buyers and the modelled ones, whose groups add up to them."""
    for day in sorted({s.as_of for s in data.stages}):
        yield {cell: 1 for cell in _of(cells, "stage") if cell[1] == day}
    for whole, rest, kinds in (
        (BUYERS, "unscored", ("rfm", "name", "tier")),
        (MODELLED, "outside", ("segment",)),
    ):
        yield {whole: 1, **dict.fromkeys(_of(cells, rest), 1)}
        for kind in kinds:
            if groups := [*_of(cells, kind)]:
                yield {whole: -1, **dict.fromkeys(groups, 1)}


def _names(data: "ReportData", cells: Collection[Cell]) -> Iterator[Equation]:
    for name in _of(cells, "name"):
        of_name = [cell for cell in _of(cells, "rfm") if data.name_of(*cell[1:]) == name[1]]
        yield {name: -1, **dict.fromkeys(of_name, 1)}


def _moves(data: "ReportData", cells: Collection[Cell]) -> Iterator[Equation]:
    """Who was in a stage went somewhere, and who is in it came from somewhere; so did those who merged or were split."""
    for side, day in zip(SIDES, (data.before, data.header.as_of), strict=True):
        for stage in sorted({cell[side] for cell in _of(cells, "move")} - {None, *Regrouped}):
            moves = [cell for cell in _of(cells, "move") if cell[side] == stage]
            whole = [cell for cell in _of(cells, "stage") if cell[1:] == (day, stage)]
            yield {**dict.fromkeys(moves, 1), **dict.fromkeys(whole, -1)}
    for _, change, side in [*_of(cells, "regrouped")]:
        moves = [cell for cell in _of(cells, "move") if change in cell[1:] and cell[side] != change]
        yield {**dict.fromkeys(moves, 1), ("regrouped", change, side): -1}


def _mixes(data: "ReportData", cells: Collection[Cell]) -> Iterator[Equation]:
    """Channel mixes add up to all users, and their stages to each mix and to each stage."""
    if data.mix_users:
        yield dict.fromkeys(_of(cells, "mix"), 1)
    for mix in data.mix_users:
        stages = [cell for cell in _of(cells, "mixed") if cell[1] == mix]
        yield {("mix", mix): -1, **dict.fromkeys(stages, 1)}
    for stage in sorted({cell[2] for cell in _of(cells, "mixed")}):
        mixes = [cell for cell in _of(cells, "mixed") if cell[2] == stage]
        whole = ("stage", data.header.as_of, stage)
        yield {**dict.fromkeys(mixes, 1), **({whole: -1} if whole in cells else {})}


def _of(cells: Iterable[Cell], kind: str) -> Iterator[Cell]:
    return (cell for cell in cells if cell[0] == kind)
