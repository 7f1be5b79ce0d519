"""A starter project: commented configuration, a year of synthetic data, and new keys; or an empty one."""

import csv
import hashlib
import io
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

SAMPLE_BEGINS_ON = date(2025, 4, 1)
SAMPLE_ENDS_ON = date(2026, 3, 31)
ZONE = ZoneInfo("Europe/Berlin")
_SYSTEMS = files("lifestage") / "services" / "export_sources"
KEY_FILES = ("pseudonym.key", "quarantine.key")
KEY_BYTES = 32
N_CUSTOMERS = 300
N_VISITORS = 40
N_GUEST_ORDERS = 36
LAST_DAY = (SAMPLE_ENDS_ON - SAMPLE_BEGINS_ON).days
RETURN_SHARE = 0.05
DISCOUNT_SHARE = 0.3
PRODUCTS = {
    "tea-01": ("tea", "4.50"), "tea-02": ("tea", "5.20"), "tea-03": ("tea", "12.00"),
    "coffee-01": ("coffee", "7.90"), "coffee-02": ("coffee", "11.40"), "coffee-03": ("coffee", "24.00"),
    "cup-01": ("kitchen", "9.00"), "pot-01": ("kitchen", "34.00"), "filter-01": ("kitchen", "3.60"),
    "mill-01": ("kitchen", "79.00"), "honey-01": ("food", "6.80"), "biscuit-01": ("food", "2.90"),
}  # fmt: skip
# Two rows that cannot become events, so that the quarantine has something to show: an amount that is not a number, and
# a time that clocks skipped when daylight saving time began.
BROKEN = (
    ("A9001", 1, "2026-02-11T10:15:00", "customer03@example.com", "tea-01", 1, "n/a", "0.00"),
    ("A9002", 1, "2026-03-29T02:30:00", "customer05@example.com", "cup-01", 1, "9.00", "0.00"),
)
ORDER_COLUMNS = ("order_no", "line_no", "ordered_at", "email", "product", "quantity", "amount", "discount")
Order = tuple[str, int, str, str, str, int, str, str]


@dataclass(frozen=True)
class Span:
    """A purchase about every n-th day, from a first to a last day of the sample."""

    first_day: int
    last_day: int
    every: int


# How synthetic customers shop, one after the other.
HABITS: tuple[tuple[Span, ...], ...] = (
    (Span(0, LAST_DAY, 21),),  # regular
    (Span(20, LAST_DAY, 16),),
    (Span(5, LAST_DAY, 45),),  # now and then
    (Span(0, 150, 18),),  # gone silent
    (Span(300, LAST_DAY, 20),),  # new
    (Span(0, 250, 14), Span(260, LAST_DAY, 40)),  # buys less and less
    (Span(60, 250, 40), Span(260, LAST_DAY, 12)),  # buys more and more
    (Span(10, 120, 20), Span(345, LAST_DAY, 9)),  # came back
    (Span(100, 100, 1),),  # bought once
    (),  # registered, never bought
)


def list_systems() -> list[str]:
    """The systems whose exports a new project can read from the start."""
    return sorted(
        file.name.removesuffix(".yaml") for file in _SYSTEMS.iterdir() if file.name.endswith(".yaml")
    )


def read_system(system: str) -> dict[str, str]:
    """The YAML files that read the exports of a system, by path in a project: its source, further sources, reference tables."""
    found = {f"sources/{system}.yaml": _SYSTEMS / f"{system}.yaml"}
    for kind in ("sources", "reference"):
        files = sorted((_SYSTEMS / kind).iterdir(), key=lambda file: file.name)
        found |= {f"{kind}/{file.name}": file for file in files if file.name.startswith(f"{system}_")}
    return {path: file.read_text(encoding="utf-8") for path, file in found.items()}


def create(folder: Path, is_empty: bool = False, systems: Sequence[str] = ()) -> None:
    """Write configuration, sample files and new keys into an empty folder. Only the keys differ between calls.

    An empty project has a main file, keys and folders, but no data, and no sources but those of the given systems.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _copy(files("lifestage") / "services" / ("empty_project" if is_empty else "starter_project"), folder)
    for name in ("sources", "reference", "landing"):
        (folder / name).mkdir(exist_ok=True)
    for path, text in {} if is_empty else sample_files().items():
        file = folder / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for system in systems:
        for path, text in read_system(system).items():
            (folder / path).write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text("/out/\n/keys/\n", encoding="utf-8")
    _write_keys(folder / "keys")


def sample_files() -> dict[str, str]:
    """Text of each sample file, by path below the landing folder. Every call gives the same files."""
    found = {f"products/products_{SAMPLE_BEGINS_ON}.csv": _products()}
    orders, events = [*_orders(), *BROKEN], list(_events())
    for month in sorted({row[2][:7] for row in orders}):
        of_month = sorted(
            (row for row in orders if row[2].startswith(month)), key=lambda row: (row[2], row[0], row[1])
        )
        found[f"orders/orders_{month}.csv"] = _csv(ORDER_COLUMNS, of_month)
        lines = sorted(
            (event for event in events if event["at"].startswith(month)),
            key=lambda event: (event["at"], event["id"]),
        )
        found[f"app/app_{month}.jsonl"] = "".join(json.dumps(event) + "\n" for event in lines)
    return found


def _write_keys(folder: Path) -> None:
    """Write new key files. Only their owner can read them, and Git ignores them."""
    folder.mkdir(mode=0o700)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in KEY_FILES:
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(KEY_BYTES) + "\n", encoding="utf-8")


def _copy(source: Traversable, target: Path) -> None:
    for item in source.iterdir():
        if item.is_dir():
            (target / item.name).mkdir(exist_ok=True)
            _copy(item, target / item.name)
        else:
            (target / item.name).write_text(item.read_text(encoding="utf-8"), encoding="utf-8")


def _products() -> str:
    return _csv(("product", "category", "price"), [(name, *values) for name, values in PRODUCTS.items()])


def _orders() -> Iterator[Order]:
    """Purchases by habit, a few returns a week later, and guests without an address."""
    for customer in range(N_CUSTOMERS):
        for number, day in enumerate(_purchase_days(customer)):
            yield from _order(f"A{customer:03d}{number:02d}", _email(customer), day)
    for number in range(N_GUEST_ORDERS):
        yield from _order(f"G{number:04d}", "", 5 + 10 * number)


def _purchase_days(customer: int) -> list[int]:
    """The days on which a customer buys: about as often as the habit says, each customer on days of their own."""
    days = {
        day + int(_chance(customer, day, "shift") * span.every * 0.9)
        for span in HABITS[customer % len(HABITS)]
        for day in range(span.first_day, span.last_day + 1, span.every)
    }
    return sorted(day for day in days if day <= LAST_DAY)


def _order(order_no: str, email: str, day: int) -> Iterator[Order]:
    at = _local(day, order_no)
    for line_no in range(1, 2 + int(_chance(order_no, "lines") * 1.4)):
        product = list(PRODUCTS)[int(_chance(order_no, line_no) * len(PRODUCTS))]
        price, quantity = Decimal(PRODUCTS[product][1]), 1 + int(_chance(order_no, line_no, "quantity") * 2)
        discount = price / 10 if _chance(order_no, line_no, "discount") < DISCOUNT_SHARE else Decimal(0)
        amount = (price - discount) * quantity
        yield order_no, line_no, at, email, product, quantity, f"{amount:.2f}", f"{discount * quantity:.2f}"
        if email and day <= LAST_DAY - 7 and _chance(order_no, line_no, "return") < RETURN_SHARE:
            back = _local(day + 7, order_no)
            yield f"R{order_no}", line_no, back, email, product, quantity, f"{-amount:.2f}", "0.00"


def _events() -> Iterator[dict[str, str]]:
    """Registrations, logins and views of every other customer, and devices that never log in."""
    for customer in range(0, N_CUSTOMERS, 2):
        device, bought = f"d-{customer:03d}", _purchase_days(customer)
        joined = bought[0] if bought else customer
        yield _event(f"{customer:03d}-register", "register", joined, device, _email(customer))
        for number, day in enumerate(bought[1::2]):
            yield _event(f"{customer:03d}-{number:02d}-login", "login", day, device, _email(customer))
            yield _event(
                f"{customer:03d}-{number:02d}-view",
                "product_view",
                day,
                device,
                _email(customer),
                "coffee-02",
            )
    for visitor in range(N_VISITORS):
        yield _event(f"v{visitor:02d}-open", "app_open", 2 + 9 * visitor, f"d-{900 + visitor}")
        yield _event(
            f"v{visitor:02d}-view", "product_view", 3 + 9 * visitor, f"d-{900 + visitor}", product="tea-03"
        )


def _event(name: str, kind: str, day: int, device: str, email: str = "", product: str = "") -> dict[str, str]:
    local = datetime.fromisoformat(_local(day, name)).replace(tzinfo=ZONE)
    event = {"id": name, "type": kind, "at": f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "device": device}
    return event | ({"email": email} if email else {}) | ({"product": product} if product else {})


def _local(day: int, name: str) -> str:
    """Wall time between 8 and 22 on a day of the sample."""
    minutes = 8 * 60 + int(_chance(name, day, "time") * 14 * 60)
    at = datetime.combine(SAMPLE_BEGINS_ON + timedelta(days=day), time()) + timedelta(minutes=minutes)
    return at.isoformat()


def _email(customer: int) -> str:
    return f"customer{customer:02d}@example.com"


def _chance(*parts: object) -> float:
    """A number from 0 to 1 that depends only on the names, so that the sample is the same on every computer."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _csv(header: tuple[str, ...], rows: object) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()
