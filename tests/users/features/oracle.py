"""Features in plain Python, straight from events and the definitions: slow and simple."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

CENT = Decimal("0.01")
FEATURES = {
    "first_occasion_on": "date",
    "last_occasion_on": "date",
    "joined_on": "date",
    "active_days_7d": "bigint",
    "active_days_90d": "bigint",
    "active_days_prior_90d": "bigint",
    "occasions_30d": "bigint",
    "occasions_prior_90d": "bigint",
    "occasions_365d": "bigint",
    "occasions_all": "bigint",
    "net_amount_90d": "decimal(18,2)",
    "net_amount_365d": "decimal(18,2)",
    "net_amount_all": "decimal(18,2)",
    "used_features_28d": "bigint",
    "silence_days": "bigint",
    "own_cycle_days": "bigint",
    "cycle_days": "bigint",
    "cycle_source": "string",
    "median_gap_days": "bigint",
    "returned_gap_days": "bigint",
    "returned_gap_cycle_days": "bigint",
    "is_below_median_spend": "boolean",
    "n_categories_365d": "bigint",
    "repeat_rate_365d": "double",
    "top_category_365d": "string",
    "price_level_365d": "double",
    "interaction_ratio_90d": "double",
    "consumption_ratio_90d": "double",
    "mean_occasion_amount_365d": "decimal(18,2)",
    "return_share_365d": "double",
    "weekend_share_365d": "double",
    "night_share_90d": "double",
}


def random_events(seed, first, last, users=30):
    """Random events of users with one to three subjects each."""
    random = Random(seed)
    days = (last - first).days
    events = []
    for number in range(users):
        user, pace = f"u{number:02}", random.choice([2, 6, 15, 40, 90])
        day, end = random.randrange(days), days - random.choice([0, 0, 0, 40, 120])
        while day <= end:
            for _ in range(random.choice([1, 1, 2, 3])):
                moment = datetime.combine(first + timedelta(days=day), datetime.min.time())
                moment += timedelta(minutes=random.randrange(24 * 60))
                events.append(
                    random_event(random, user, f"{user}-{random.randrange(1 + number % 3)}", moment)
                )
            day += random.choice([1, pace, pace, 2 * pace, 5 * pace]) + random.randrange(3)
    return events


def random_event(random, user, subject, moment):
    event = {
        "user": user,
        "subject": subject,
        "moment": moment,
        "amount": None,
        "quantity": None,
        "category": None,
    }
    event |= {"channel": random.choice(["store"] * 6 + ["web", None]), "feature": None}
    kind = random.choice(
        ["purchase"] * 5 + ["return", "page_view", "feature_use", "message_sent", "register"]
    )
    if kind == "feature_use":
        event["feature"] = random.choice("abcde")
    if kind in ("purchase", "return"):
        event["category"] = random.choice(["A", "B", "C", "D", None])
        event["quantity"] = Decimal(random.randrange(0, 4000)) / 1000
        sign = 1 if kind == "purchase" else -1
        event["amount"] = sign * random.choice(
            [Decimal(0), Decimal(20), Decimal(random.randrange(1, 9000)) / 100]
        )
    return {**event, "type": kind}


def features(events, as_of, min_channel_gaps):
    """(user, as_of, *FEATURES) of every user seen up to as_of."""
    by_user = defaultdict(list)
    for event in events:
        if event["moment"].date() <= as_of:
            by_user[event["user"]].append(event)
    people = {user: Person(rows, as_of) for user, rows in by_user.items()}
    population = Population(people.values(), min_channel_gaps)
    return [(user, as_of, *row(person, population)) for user, person in people.items()]


class Person:
    """One user up to a date."""

    def __init__(self, events, as_of):
        self.as_of, self.events = as_of, events
        self.net = defaultdict(Decimal)
        for event in self.of("purchase", "return"):
            self.net[event["moment"].date()] += event["amount"]
        self.active = {e["moment"].date() for e in events if e["type"] != "message_sent"}
        self.occasions = sorted(day for day, net in self.net.items() if net > 0)
        self.gaps = [(b - a).days for a, b in zip(self.occasions, self.occasions[1:], strict=False)]
        channels = [(e["moment"].date(), e["channel"]) for e in self.of("purchase") if e["channel"]]
        self.channel = min(channels)[1] if channels else None

    def of(self, *types):
        return [event for event in self.events if event["type"] in types]

    def within(self, days, shift=0):
        newest = self.as_of - timedelta(days=shift)
        return lambda day: newest - timedelta(days=days - 1) <= day <= newest

    def spend(self, days, shift=0):
        inside = self.within(days, shift)
        return sum((net for day, net in self.net.items() if inside(day)), Decimal("0.00"))

    def count(self, dates, days, shift=0):
        return sum(map(self.within(days, shift), dates))

    def year(self, *types):
        inside = self.within(365)
        return [event for event in self.of(*types) if inside(event["moment"].date())]


class Population:
    """Norms of all users as of a date."""

    def __init__(self, people, min_channel_gaps):
        people = list(people)
        self.cycle_of_all = quantile([gap for person in people for gap in person.gaps], 80)
        pooled = defaultdict(list)
        for person in people:
            pooled[person.channel] += person.gaps
        enough = {
            channel: gaps for channel, gaps in pooled.items() if channel and len(gaps) >= min_channel_gaps
        }
        self.cycle_of_channel = {channel: quantile(gaps, 80) for channel, gaps in enough.items()}
        self.middle = quantile([p.spend(365) for p in people if p.count(p.occasions, 365)], 50)
        spent, units = defaultdict(Decimal), defaultdict(Decimal)
        for event in (event for person in people for event in person.year("purchase")):
            spent[event["category"]] += event["amount"]
            units[event["category"]] += event["quantity"]
        # Millionths, rounded down.
        self.price = {c: int(spent[c] * 1_000_000 / units[c]) for c in spent if c and units[c] > 0}

    def cycle(self, gaps, channel):
        if len(gaps) >= 4:
            return quantile(gaps, 80), "own"
        if channel in self.cycle_of_channel:
            return self.cycle_of_channel[channel], "channel"
        return self.cycle_of_all, "all"


def row(person, population):
    """The values of FEATURES, in their order."""
    occasions, net = person.occasions, person.net
    joined = min((e["moment"].date() for e in person.of("purchase", "register")), default=None)
    covers_both = joined is not None and (person.as_of - joined).days >= 179
    cycle, source = population.cycle(person.gaps, person.channel)
    gap, gap_cycle = returned_gap(person, population)
    n_year = person.count(occasions, 365)
    gross = sum((e["amount"] for e in person.year("purchase")), Decimal(0))
    actions = [
        e for e in person.events if e["type"] != "message_sent" and person.within(90)(e["moment"].date())
    ]
    night = [e for e in actions if e["moment"].hour >= 22 or e["moment"].hour < 6]
    used = {e["feature"] for e in person.of("feature_use") if person.within(28)(e["moment"].date())}
    year = person.within(365)
    recent = [day for day in occasions if year(day)]
    return (
        min(occasions, default=None),
        max(occasions, default=None),
        joined,
        person.count(person.active, 7),
        person.count(person.active, 90),
        person.count(person.active, 90, 90),
        person.count(occasions, 30),
        person.count(occasions, 90, 90),
        n_year,
        len(occasions),
        person.spend(90),
        person.spend(365),
        sum(net.values(), Decimal("0.00")),
        len(used),
        silence(person),
        quantile(person.gaps, 80) if len(person.gaps) >= 4 else None,
        clamp(cycle),
        source,
        quantile(person.gaps, 50),
        gap,
        gap_cycle,
        population.middle is not None and person.spend(365) < population.middle,
        *categories(person, population),
        ratio(person.count(person.active, 90), person.count(person.active, 90, 90)) if covers_both else None,
        ratio(person.spend(90), person.spend(90, 90)) if covers_both and person.spend(90, 90) > 0 else None,
        (person.spend(365) / n_year).quantize(CENT, ROUND_HALF_UP) if n_year else None,
        ratio(-sum(e["amount"] for e in person.year("return")), gross),
        ratio(sum(day.weekday() >= 5 for day in recent), n_year),
        ratio(len(night), len(actions)),
    )


def returned_gap(person, population):
    """The longest gap that ended in the last 30 days, the latest of equals, and the cycle before it."""
    ended = [n for n, day in enumerate(person.occasions[1:]) if person.within(30)(day)]
    if not ended:
        return None, None
    number = max(ended, key=lambda n: (person.gaps[n], n))
    return person.gaps[number], clamp(population.cycle(person.gaps[:number], person.channel)[0])


def categories(person, population):
    """Number of categories, repeat rate, top category and price level, over 365 days."""
    net, days, gross, units = (
        defaultdict(Decimal),
        defaultdict(set),
        defaultdict(Decimal),
        defaultdict(Decimal),
    )
    for event in (e for e in person.year("purchase", "return") if e["category"]):
        net[event["category"]] += event["amount"]
        if event["type"] == "purchase":
            days[event["category"]].add(event["moment"].date())
            gross[event["category"]] += event["amount"]
            units[event["category"]] += event["quantity"]
    kept = sorted(category for category, amount in net.items() if amount > 0)
    again = [category for category in kept if len(days[category]) >= 2]
    top = min(kept, key=lambda category: (-net[category], category), default=None)
    priced = [category for category in net if category in population.price]
    expected = sum(int(units[category] * population.price[category]) for category in priced)
    paid = int(sum(gross[category] for category in priced) * 100)
    return len(kept), ratio(len(again), len(kept)), top, ratio(float(paid) * 10_000, expected)


def silence(person):
    sign = max(person.occasions or person.active, default=None)
    return (person.as_of - sign).days if sign else None


def quantile(values, percent):
    """The least value with a cumulative share of at least the percent."""
    ordered = sorted(values)
    reached = [value for n, value in enumerate(ordered, start=1) if n * 100 >= percent * len(ordered)]
    return reached[0] if reached else None


def clamp(cycle):
    return min(max(30 if cycle is None else cycle, 7), 180)


def ratio(part, whole):
    return float(part) / float(whole) if whole else None
