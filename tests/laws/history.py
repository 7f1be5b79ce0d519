"""Till lines that laws are tried on: small, seeded, and with everything that can happen to a line."""

from datetime import date, timedelta
from random import Random


def line(receipt, card, day, amount="10.00", version=1, deleted=False, hour=12):
    """One line of the till at noon UTC, so that its business date in New York is its date."""
    kind = "purchase" if float(amount) >= 0 else "return"
    return {
        "receipt": receipt,
        "line": 1,
        "version": version,
        "deleted": str(deleted).lower(),
        "card": card,
        "at": f"{day}T{hour}:00:00Z",
        "kind": kind,
        "product": f"p{len(card)}",
        "quantity": 1,
        "amount": amount,
    }


def random_lines(seed, first, last, cards=8, lines=60):
    """Purchases and returns of some cards on random days."""
    random = Random(seed)
    days = (last - first).days
    return [
        line(
            f"r{seed}-{number}",
            f"c{random.randrange(cards)}",
            first + timedelta(days=random.randrange(days + 1)),
            random.choice(["10.00", "25.50", "99.99", "0.00", "-10.00"]),
        )
        for number in range(lines)
    ]


def as_date(text):
    return date.fromisoformat(text)
