"""Five sentences: what happened, and what to do about it. Each leads to the figure behind it."""

from collections.abc import Iterator
from dataclasses import dataclass

from lifestage.activation.report.audiences import is_shown, label
from lifestage.activation.report.content import ReportData
from lifestage.activation.report.lifecycle import newest_stages, seen_stages, stage_order
from lifestage.activation.report.quality import accuracy
from lifestage.activation.report.value import told_shares
from lifestage.platform.reporting.words import Words

LOST = ("dormant", "churned")
BEST = 10


@dataclass(frozen=True)
class Sentence:
    """One sentence, and the figure or section behind it."""

    text: str
    target: str


def sentences(data: ReportData, words: Words) -> tuple[Sentence, ...]:
    """The sentences that the data allow, in the order of the page."""
    return (
        *_lifecycle(data, words),
        *_silence(data, words),
        *_value(data, words),
        *_audience(data, words),
        *_quality(data, words),
    )


def _lifecycle(data: ReportData, words: Words) -> Iterator[Sentence]:
    newest, seen = newest_stages(data), seen_stages(data)
    total = sum(s.n_users for s in newest.values())
    largest = max(newest.values(), key=lambda s: (s.n_users, s.stage), default=None)
    if largest and (largest.as_of, largest.stage) in seen:
        benefits = next((rule.benefits for rule in data.rules if rule.stage == largest.stage), "")
        values = {
            "stage": words.translate(largest.stage),
            "share": words.share(largest.n_users, total),
            "planned": _planned(benefits, words),
        }
        yield Sentence(words("summary.lifecycle", n=total, **values), "stages-chart")


def _silence(data: ReportData, words: Words) -> Iterator[Sentence]:
    """Who fell silent against who came back; where a move is withheld, how many are silent. Not for other ladders."""
    if not data.before or not set(LOST) & set(stage_order(data)):
        return
    known = [flow for flow in data.stage_flows if flow.moved_from and flow.moved_to]
    crossing = [flow for flow in known if (flow.moved_from in LOST) != (flow.moved_to in LOST)]
    if any(("move", flow.moved_from, flow.moved_to) not in data.seen for flow in crossing):
        yield from _silent(data, words)
        return
    fell = sum(flow.n_users for flow in crossing if flow.moved_to in LOST)
    came = sum(flow.n_users for flow in crossing if flow.moved_from in LOST)
    told = {"before": words.day(data.before), "fell": words.count(fell), "came": words.count(came)}
    yield Sentence(words("summary.fell" if fell > came else "summary.came", **told), "lifecycle")


def _silent(data: ReportData, words: Words) -> Iterator[Sentence]:
    """How many are dormant or churned, and how many more than on the date before, as far as it may be told."""
    lost = [s for s in data.stages if s.stage in LOST and s.as_of in (data.before, data.header.as_of)]
    if data.before and lost and all((s.as_of, s.stage) in seen_stages(data) for s in lost):
        now = sum(s.n_users for s in lost if s.as_of == data.header.as_of)
        change = now - sum(s.n_users for s in lost if s.as_of == data.before)
        told = {"change": words.change(change), "before": words.day(data.before)}
        yield Sentence(words("summary.silent", n=now, **told), "lifecycle")


def _value(data: ReportData, words: Words) -> Iterator[Sentence]:
    best = next((top for top in told_shares(data) if top.percent == BEST), None)
    whole = data.top_shares[-1].amount if data.top_shares else 0
    if best and whole > 0:
        values = {
            "share": words.share(best.amount, whole),
            "best": words.share(BEST, 100, 0),
            "amount": words.short_money(best.amount),
        }
        yield Sentence(words("summary.value", n=best.n_users, **values), "concentration-chart")


def _audience(data: ReportData, words: Words) -> Iterator[Sentence]:
    """The audience whose users stand for most money."""
    known = [audience for audience in data.audiences if audience.n_users and is_shown(audience, data)]
    if known:
        first = max(known, key=lambda audience: (audience.amount, audience.audience))
        values = {
            "audience": label(first.audience, words),
            "amount": words.short_money(first.amount),
            "owner": words.translate(first.owner) or words("word.nobody"),
            "planned": _planned(first.benefits, words),
        }
        yield Sentence(words("summary.audience", n=first.n_users, **values), "audiences-chart")


def _planned(benefits: str, words: Words) -> str:
    """What configuration plans for a group of users."""
    return words("word.planned", benefits=words.translate(benefits)) if benefits else ""


def _quality(data: ReportData, words: Words) -> Iterator[Sentence]:
    new = [delivery for delivery in data.deliveries if delivery.is_new]
    passed, received = accuracy(new or data.deliveries)
    checks = data.snapshots[0].checks if data.snapshots else ()
    failed = sum(not check.passed for check in checks)
    if received:
        told = words("summary.failed", n=failed) if failed else words("summary.passed", n=len(checks))
        share = words.share(passed, received, digits=2)
        yield Sentence(words("summary.data", share=share, rows=words.count(received), checks=told), "data")
