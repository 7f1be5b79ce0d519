"""Five sentences: what happened, and what to do about it. Each leads to the figure behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lifestage.report.audiences import label
from lifestage.report.content import ReportData
from lifestage.report.grids import count, money, plural, share
from lifestage.report.quality import accuracy

LOST = ("dormant", "churned")


@dataclass(frozen=True)
class Sentence:
    """One sentence, and the section that shows its figures."""

    text: str
    section: str


def sentences(data: ReportData) -> tuple[Sentence, ...]:
    """The sentences that the data allow, in the order of the page."""
    return (*_lifecycle(data), *_silence(data), *_value(data), *_audience(data), *_quality(data))


def _lifecycle(data: ReportData) -> Iterator[Sentence]:
    newest = {s.stage: s.n_users for s in data.stages if s.as_of == data.stages[-1].as_of}
    if newest:
        total = sum(newest.values())
        stage, n = max(newest.items(), key=lambda item: (item[1], item[0]))
        yield Sentence(
            f"{count(total)} users are in a lifecycle stage; the largest is {stage} with {share(n, total)} of them.",
            "stages",
        )


def _silence(data: ReportData) -> Iterator[Sentence]:
    """Who fell silent against who came back, between the last two dates."""
    if not (data.flows and data.stages):
        return
    known = [flow for flow in data.flows if flow.moved_from and flow.moved_to]
    fell = sum(f.n_users for f in known if f.moved_to in LOST and f.moved_from not in LOST)
    came = sum(f.n_users for f in known if f.moved_from in LOST and f.moved_to not in LOST)
    before = sorted({s.as_of for s in data.stages})[-2:][0]
    act = "win them back while the cycle is fresh" if fell > came else "keep what brings them back"
    yield Sentence(
        f"Since {before}, {plural(fell, 'user')} fell silent (dormant or churned) and {count(came)} came back: {act}.",
        "stages",
    )


def _value(data: ReportData) -> Iterator[Sentence]:
    if len(data.top_shares) < 2 or not data.top_shares[-1].amount:
        return
    top = next(top for top in data.top_shares if top.percent == 10)
    yield Sentence(
        f"The best 10 % of buyers ({count(top.n_users)}) account for {share(top.amount, data.top_shares[-1].amount)} of "
        "net spend: know them by name.",
        "value",
    )


def _audience(data: ReportData) -> Iterator[Sentence]:
    """The audience whose users stand for most money."""
    known = [audience for audience in data.audiences if audience.n_users]
    if not known:
        return
    first = max(known, key=lambda audience: (audience.amount, audience.audience))
    owner = f": {first.owner} looks after them" if first.owner else ""
    yield Sentence(
        f"The audience that stands for most spend is {label(first.audience)} with {plural(first.n_users, 'user')} and "
        f"{money(first.amount.quantize(Decimal(1)), data.header.currency).replace('.00', '')}{owner}.",
        "audiences",
    )


def _quality(data: ReportData) -> Iterator[Sentence]:
    new = [delivery for delivery in data.deliveries if delivery.is_new]
    passed, received = accuracy(new or data.deliveries)
    checks = data.snapshots[0].checks if data.snapshots else ()
    failed = [check.name for check in checks if not check.passed]
    if received:
        told = (
            f"{plural(len(failed), 'check')} failed" if failed else f"{plural(len(checks), 'check')} passed"
        )
        yield Sentence(
            f"{share(passed, received, digits=2)} of the rows received are accurate, and {told}.", "quality"
        )
