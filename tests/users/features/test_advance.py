"""A state that is advanced day by day equals one that is rebuilt: as frames, and in runs over random nights."""

import logging
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from lifestage.users.activity.tables import CATEGORY_DAYS
from lifestage.users.features.build import build_later_state, build_state
from support.frames import assert_frames, build
from support.projects import MAIN, copy_of, make_project
from users.features.builders import D, before, catalogue, day, identities, purchase, subject_days

WINDOWS = {
    "net_amount": {"days": [7, 30, "all"], "before": [7, 30]},
    "occasions": {"days": [7, 365, "all"], "before": [7]},
    "active_days": {"days": [1, 7]},
    "quantity": {"days": [7]},
    "occasion_units": {"days": [7]},
    "dearest": {"days": [7, "all"]},
    "cheapest": {"days": [7], "before": [7]},
    "used_features": {"days": [7], "before": [7]},
}
SMALL = catalogue({**WINDOWS, "net_amount": {"days": [7, 30, 365, "all"], "before": [7, 30]}})


def random_days(random, users=40, days=420):
    """Subject-days of users with one or two subjects; some users begin on the last days."""
    rows = []
    for number in range(users):
        first = days if number % 4 else 3
        for ago in random.sample(range(-2, first), min(first, random.choice([1, 3, 12]))):
            for subject in random.choice([["a"], ["a", "b"]]):
                rows.append(random_day(random, f"s{number}{subject}", before(ago)))
    return rows


def random_day(random, subject, on):
    amount = random.choice(["0.00", "-5.00", "20.00", "49.99"])
    if random.random() < 0.4:
        return day(subject, on, n_actions=1, used_features=random.sample("abcd", 2))
    return purchase(
        subject,
        on,
        amount,
        purchase_channel=random.choice(["store", "web", None]),
        quantity=random.choice(["0", "1.500"]),
        dearest=amount,
        cheapest=amount,
    )


def categories_of(random, rows):
    """Subject-days by category for the purchases of the rows."""
    return [
        {
            "subject": row["subject"],
            "event_date": row["event_date"],
            "event_month": row["event_date"].replace(day=1),
            "category": category,
            "n_purchases": random.choice([0, 1, 2]),
            "quantity": Decimal(random.choice([0, 1, 3])),
            "gross_amount": Decimal(random.randrange(100)),
            "net_amount": Decimal(random.randrange(-50, 100)),
        }
        for row in rows
        if "net_amount" in row
        for category in random.sample(["A", "B", "C", None], 2)
    ]


@pytest.mark.parametrize("gap", [0, 1, 2, 9])
def test_an_advanced_state_is_the_rebuilt_one(spark, gap):
    random = Random(gap)
    rows = random_days(random)
    users = identities(spark, {row["subject"]: row["subject"][:-1] for row in rows})
    activity = subject_days(spark, rows, SMALL).localCheckpoint()
    categories = build(spark, CATEGORY_DAYS, categories_of(random, rows)).localCheckpoint()
    since = before(gap)
    of_day = [build_state(activity, categories, users, [each], SMALL) for each in (since, D)]
    advanced = build_later_state(of_day[0].drop("as_of"), activity, categories, users, since, D, SMALL)
    assert_frames(advanced.select(*of_day[1].columns), of_day[1])


SOURCE = """
path: shop/*.csv
format: csv
columns: {receipt: string, version: int, deleted: boolean, cookie: string, member: string, at: timestamp, kind: string,
          product: string, feature: string, quantity: "decimal(18,3)", amount: "decimal(18,2)"}
key: [receipt]
version: version
delete_when: deleted
lookback_days: 400
identifiers: {cookie: cookie, member: member}
map: {event_type: kind, event_at: at, channel: "'web'", amount: amount, quantity: quantity, product_id: product, category: product}
attributes: {feature: feature}
gate: 0
"""
MAIN_WITH_CATEGORIES = (
    MAIN + "activity: {lookups: {products: {product: product_id}}, category: products.category}\n"
)
PRODUCTS = """
path: products/*.csv
format: csv
columns: {product: string, category: string}
key: [product]
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {product: product, category: category}
gate: 0
"""
COLUMNS = (
    "receipt",
    "version",
    "deleted",
    "cookie",
    "member",
    "at",
    "kind",
    "product",
    "feature",
    "quantity",
    "amount",
)
TO_FEATURES = ("reference", "ingest", "identity", "activity", "profiles", "features")
TABLES = ("user_state", "norms", "user_features")
FIRST_NIGHT = date(2026, 3, 9)


class Shop:
    """A shop whose nights bring new, late, corrected and deleted receipts, cookies that turn out to be members, and new
    categories of products."""

    def __init__(self, spark, folder, seed):
        self.random, self.receipts, self.versions, self.n_files = Random(seed), {}, Counter(), 0
        sources = {"shop": SOURCE, "reference/products": PRODUCTS}
        self.test = make_project(spark, folder, sources, MAIN_WITH_CATEGORIES)

    def deliver(self, night, n, late=0):
        lines = [",".join(COLUMNS)]
        for number in range(n):
            ago = self.random.randrange(1, 120) if number < late else 0
            lines.append(self._line(f"r{night}-{number}", night - timedelta(days=ago)))
        for receipt in self.random.sample(sorted(self.receipts), min(late, len(self.receipts))):
            lines.append(self._line(receipt, self.receipts[receipt], is_deleted=self.random.random() < 0.5))
        # Two runs may get files of one day, and a file must not be replaced.
        self.n_files += 1
        self.test.write(f"shop/{night}-{self.n_files}.csv", "\n".join(lines) + "\n")

    def _line(self, receipt, on, is_deleted=False):
        self.receipts.setdefault(receipt, on)
        self.versions[receipt] += 1
        random, person = self.random, self.random.randrange(9)
        member = f"m{person}" if random.random() < 0.3 else ""
        cookie = f"c{person}{random.randrange(3)}"
        kind = random.choice(["purchase", "purchase", "return", "page_view", "feature_use"])
        amount = {"purchase": random.choice(["20.00", "3.50"]), "return": "-5.00"}.get(kind, "")
        at = datetime(on.year, on.month, on.day, random.randrange(13, 22)).isoformat() + "Z"
        feature = random.choice("abc") if kind == "feature_use" else ""
        product = f"p{random.randrange(4)}" if amount else ""
        values = (
            receipt,
            self.versions[receipt],
            str(is_deleted).lower(),
            cookie,
            member,
            at,
            kind,
            product,
            feature,
            1,
            amount,
        )
        return ",".join(map(str, values))

    def name_products(self, night):
        lines = [f"p{number},{self.random.choice('AB')}" for number in range(4)]
        self.test.write(f"products/{night}.csv", "\n".join(["product,category", *lines]) + "\n")

    def run(self, night):
        self.test.run(str(night), steps=TO_FEATURES)


def rebuilt(shop, folder, night):
    """The same deliveries on an empty root, built at once."""
    fresh = copy_of(shop.test, folder)
    fresh.run(str(night), steps=TO_FEATURES)
    return fresh


def assert_same_tables(shop, fresh, night):
    for name in TABLES:
        actual = shop.test.read(name)
        if "as_of" in actual.columns:
            actual = actual.where(f"as_of = DATE'{night}'")
        assert_frames(actual, fresh.read(name))


def check_nights(spark, folder, caplog, seed, nights):
    """Nights of (days since the last, late receipts); returns what the features step told of the state."""
    shop = Shop(spark, folder / "shop", seed)
    shop.name_products(FIRST_NIGHT)
    shop.deliver(FIRST_NIGHT, 80, late=70)
    shop.run(FIRST_NIGHT)
    night = FIRST_NIGHT
    for gap, late in nights:
        # A second run of a date gets files of the day after it.
        shop.deliver(night + timedelta(days=gap or 1), 4, late)
        night += timedelta(days=gap)
        if gap > 1:
            shop.name_products(night)
        with caplog.at_level(logging.INFO, logger="lifestage.users.features"):
            shop.run(night)
    assert_same_tables(shop, rebuilt(shop, folder / "fresh", night), night)
    return [record.getMessage().split(",")[0] for record in caplog.records if "state" in record.getMessage()]


def test_a_night_advances_the_state_to_what_a_rebuild_gives(spark, tmp_path, caplog):
    told = check_nights(spark, tmp_path, caplog, 1, [(1, 2)])
    assert told == [f"user_state: advance from {FIRST_NIGHT}"]


def test_a_map_ahead_of_the_state_leads_to_a_rebuild(spark, tmp_path, caplog):
    """A run that got no further than identity merged users on a later date than that of the next state."""
    shop = Shop(spark, tmp_path / "shop", 1)
    shop.name_products(FIRST_NIGHT)
    shop.deliver(FIRST_NIGHT, 80, late=70)
    shop.run(FIRST_NIGHT)
    between, later = FIRST_NIGHT + timedelta(days=1), FIRST_NIGHT + timedelta(days=2)
    shop.deliver(later, 30)
    shop.test.run(str(later), steps=("reference", "ingest", "identity"))
    with caplog.at_level(logging.INFO, logger="lifestage.users.features"):
        shop.run(between)
        shop.run(later)
    assert_same_tables(shop, rebuilt(shop, tmp_path / "fresh", later), later)
    assert [record for record in caplog.records if "advance" in record.getMessage()] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_random_nights_too(spark, tmp_path, caplog, seed):
    told = check_nights(spark, tmp_path, caplog, seed, [(1, 0), (1, 2), (4, 1), (0, 2), (1, 1)])
    assert told
