"""A starter project: commented configuration, three months of synthetic data, and new keys."""

import csv
import hashlib
import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

SAMPLE_BEGINS_ON = date(2026, 1, 1)
SAMPLE_ENDS_ON = date(2026, 3, 31)
ZONE = ZoneInfo("Europe/Berlin")
KEY_FILES = ("pseudonym.key", "quarantine.key")
KEY_BYTES = 32
N_CUSTOMERS = 24
N_VISITORS = 4
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
class Habit:
    """How a synthetic customer shops: on every n-th day, from a first to a last day of the sample."""

    first_day: int
    last_day: int
    every: int


HABITS = (
    Habit(0, 89, 9),  # regular
    Habit(4, 89, 14),
    Habit(2, 89, 30),  # now and then
    Habit(1, 30, 7),  # gone silent
    Habit(62, 89, 10),  # new
    Habit(89, 0, 1),  # registered, never bought
)


def create(folder: Path) -> None:
    """Write configuration, sample files and new keys into an empty folder. Only the keys differ between calls."""
    folder.mkdir(parents=True, exist_ok=True)
    _copy(files("lifestage") / "services" / "starter_project", folder)
    for path, text in sample_files().items():
        file = folder / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text("/out/\n/keys/\n", encoding="utf-8")
    _write_keys(folder / "keys")


def sample_files() -> dict[str, str]:
    """Text of each sample file, by path below the landing folder. Every call gives the same files."""
    found = {f"products/products_{SAMPLE_BEGINS_ON}.csv": _products()}
    orders, events = [*_orders(), *BROKEN], list(_events())
    for month in ("2026-01", "2026-02", "2026-03"):
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
        habit = HABITS[customer % len(HABITS)]
        for number, day in enumerate(
            range(habit.first_day + customer // len(HABITS), habit.last_day + 1, habit.every)
        ):
            yield from _order(f"A{customer:02d}{number:02d}", _email(customer), day)
    for number, day in enumerate((12, 40, 75)):
        yield from _order(f"G{number:04d}", "", day)


def _order(order_no: str, email: str, day: int) -> Iterator[Order]:
    at = _local(day, order_no)
    for line_no in range(1, 2 + int(_chance(order_no, "lines") * 1.4)):
        product = list(PRODUCTS)[int(_chance(order_no, line_no) * len(PRODUCTS))]
        price, quantity = Decimal(PRODUCTS[product][1]), 1 + int(_chance(order_no, line_no, "quantity") * 2)
        discount = price / 10 if _chance(order_no, line_no, "discount") < DISCOUNT_SHARE else Decimal(0)
        amount = (price - discount) * quantity
        yield order_no, line_no, at, email, product, quantity, f"{amount:.2f}", f"{discount * quantity:.2f}"
        if email and day < 80 and _chance(order_no, line_no, "return") < RETURN_SHARE:
            back = _local(day + 7, order_no)
            yield f"R{order_no}", line_no, back, email, product, quantity, f"{-amount:.2f}", "0.00"


def _events() -> Iterator[dict[str, str]]:
    """Registrations, logins and views of every other customer, and devices that never log in."""
    for customer in range(0, N_CUSTOMERS, 2):
        habit, device = HABITS[customer % len(HABITS)], f"d-{customer:03d}"
        joined = min(habit.first_day, 60) + customer // len(HABITS)
        yield _event(f"{customer:02d}-register", "register", joined, device, _email(customer))
        for number, day in enumerate(range(joined + 1, 88, max(habit.every * 2, 24))):
            yield _event(f"{customer:02d}-{number:02d}-login", "login", day, device, _email(customer))
            yield _event(
                f"{customer:02d}-{number:02d}-view",
                "product_view",
                day,
                device,
                _email(customer),
                "coffee-02",
            )
    for visitor in range(N_VISITORS):
        yield _event(f"v{visitor}-open", "app_open", 20 + 9 * visitor, f"d-{900 + visitor}")
        yield _event(
            f"v{visitor}-view", "product_view", 21 + 9 * visitor, f"d-{900 + visitor}", product="tea-03"
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
    """A number from 0 to 1 that depends on the names alone: the sample is the same on every computer."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _csv(header: tuple[str, ...], rows: object) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()
