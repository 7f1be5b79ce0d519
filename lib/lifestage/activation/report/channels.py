"""What the page says about channels: who acts where, and what joining them has changed."""

from lifestage.activation.report.content import ReportData
from lifestage.activation.report.lifecycle import stage_order
from lifestage.platform.reporting.disclosure import SIDES
from lifestage.platform.reporting.grids import Cell, Column, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words
from lifestage.users.identity.regrouping import Regrouped

MIXES = ("online only", "shop only", "both")


def channels_section(data: ReportData, words: Words) -> Chapter:
    """How much is of people who are known, users who merged or split, and users by channel with stages and value."""
    title, about = words("channels.title"), words("channels.about")
    notes = (*_reach_notes(data, words), *_regrouped_notes(data, words))
    if not data.channels:
        return Chapter("channels", title, about, notes or (words("channels.nobody"),))
    return Chapter(
        "channels", title, about, notes, drop_empty(_mix_grid(data, words), _stages_grid(data, words))
    )


def _reach_notes(data: ReportData, words: Words) -> tuple[str, ...]:
    found = data.reach
    if found is None:
        return ()
    parts = {
        "revenue_alone": words.share(found.net_alone, found.net),
        "revenue_joined": words.share(found.net_joined, found.net),
        "visits_alone": words.share(found.n_visits_alone, found.n_visits),
        "visits_joined": words.share(found.n_visits_joined, found.n_visits),
    }
    return (words("channels.reach", days=found.days, **parts),)


def _regrouped_notes(data: ReportData, words: Words) -> tuple[str, ...]:
    """Users who are others than on the date before, as far as they are not too few."""
    found = {change: data.regrouped[change] for change in Regrouped if change in data.regrouped}
    return tuple(
        words(f"channels.{change}", was=words.count(was), n=n, before=words.day(data.before))
        for change, (was, n) in found.items()
        if data.before and {("regrouped", change, side) for side in SIDES} <= data.seen
    )


def _mix_grid(data: ReportData, words: Words) -> Grid:
    users, spend = data.mix_users, data.mix_spend
    total, spent = sum(users.values()), sum(spend.values())
    rows: list[tuple[Cell, ...]] = []
    for mix in _mixes(data):
        is_shown = ("mix", mix) in data.seen
        rows.append((
            text(_name(mix, words)),
            figure(words.count(users[mix]), is_shown),
            figure(words.share(users[mix], total), is_shown),
            figure(words.money(spend[mix]), is_shown),
            figure(words.share(spend[mix], spent), is_shown),
            figure(words.price(spend[mix] / users[mix]), is_shown),
        ))  # fmt: skip
    names = ("mix", "users", "share", "spend", "share_of_spend", "spend_per_user")
    heads = columns(words, *names, period=data.period)
    return Grid(words("channels.grid", date=words.day(data.header.as_of)), heads, tuple(rows))


def _stages_grid(data: ReportData, words: Words) -> Grid:
    """Users of each stage by channel mix."""
    counts = {(count.mix, count.stage): count.n_users for count in data.channels}
    mixes = _mixes(data)
    rows = [
        (
            text(words.translate(stage)),
            *[
                figure(
                    words.count(counts.get((mix, stage), 0)),
                    ("mixed", mix, stage) in data.seen or (mix, stage) not in counts,
                )
                for mix in mixes
            ],
        )
        for stage in stage_order(data)
        if any((mix, stage) in counts for mix in mixes)
    ]
    heads = (*columns(words, "stage"), *[Column(_name(mix, words)) for mix in mixes])
    return Grid(words("channels.stages", date=words.day(data.header.as_of)), heads, tuple(rows))


def _mixes(data: ReportData) -> list[str | None]:
    """The mixes there are: first the usual ones, then those of the project, and at last who was nowhere."""
    others = sorted(mix for mix in data.mix_users if mix and mix not in MIXES)
    return [mix for mix in (*MIXES, *others, None) if mix in data.mix_users]


def _name(mix: str | None, words: Words) -> str:
    return words("channels.silent") if mix is None else words.translate(mix)
