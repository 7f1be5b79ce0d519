"""Each planted case shows in the files, and is absent from the world without it."""

import pandas as pd
import pytest

from lifestage.simulate.world import Case
from simulate.worlds import people_by, read, simulate_once, truth

# One world with every case, and one without any.
ALL, NONE = (), tuple(Case)


def cost_of_a_click(folder, campaign):
    spend = read(folder, "spend").astype({"spend": float, "clicks": int})
    of_campaign = spend[spend["campaign"] == campaign]
    return of_campaign["spend"].sum() / of_campaign["clicks"].sum()


def cheap_channel(folder):
    return cost_of_a_click(folder, "partner") / cost_of_a_click(folder, "search")


def lost_at_category(folder):
    """Return the share of new people's first visits that end at the category page."""
    web = read(folder, "web")
    web = web.assign(person=web["cookie"].map(people_by(folder, "cookie")))
    new = truth(folder, "people").query("joined_on >= '2026-01-01'")["person"]
    begins = web[web["person"].isin(new)].groupby(["person", "session"])["at"].min().reset_index()
    first = begins.sort_values("at").drop_duplicates("person")["session"]
    clicks = web[web["session"].isin(first)]
    reached = set(clicks[clicks["page"] == "category"]["session"])
    went_on = set(clicks[clicks["type"] == "product_view"]["session"])
    return 1 - len(reached & went_on) / len(reached)


def left_at_seats(folder):
    clicks = pd.concat([read(folder, "web"), read(folder, "app")])
    seats = set(clicks[clicks["page"] == "seats"]["session"])
    paid = set(clicks[clicks["page"] == "payment"]["session"])
    return 1 - len(seats & paid) / len(seats)


def purchases(folder):
    """Return purchase lines of identifiable people, with person, product and time."""
    web = read(folder, "web")
    app = read(folder, "app")
    pos = read(folder, "pos").query("version == '1' and quantity == '1'")
    found = [
        pd.DataFrame({"person": frame[name].map(people_by(folder, kind)), "product": frame[product], "at": frame[at].str[:19].str.replace(" ", "T"), "amount": frame["amount"].astype(float), "discount": frame["discount"].astype(float)})
        for frame, name, kind, product, at in (
            (web[web["type"] == "purchase"], "cookie", "cookie", "product", "at"),
            (app[app["type"] == "purchase"], "device", "device", "product", "at"),
            (pos, "card_no", "loyalty_card", "product_no", "sold_at"),
        )
    ]  # fmt: skip
    lines = pd.concat(found).dropna(subset="person")
    categories = read(folder, "products").set_index("product_no")["category"]
    return lines.assign(category=lines["product"].map(categories), on=pd.to_datetime(lines["at"].str[:10]))


def car_seat_follows(folder):
    """Return the share of stroller buyers who buy a car seat within three months, among identifiable buyers."""
    lines = purchases(folder)
    end = lines["on"].max() - pd.Timedelta(days=92)
    strollers = lines[(lines["category"] == "strollers") & (lines["on"] <= end)].groupby("person")["on"].min()
    seats = lines[lines["category"] == "car_seats"].merge(
        strollers.rename("since"), left_on="person", right_index=True
    )
    after = seats[(seats["on"] >= seats["since"]) & (seats["on"] <= seats["since"] + pd.Timedelta(days=92))]
    # Stores identify only people who show a card.
    places = truth(folder, "people").set_index("person")["registered_on"].notna()
    identifiable = strollers.index[places.reindex(strollers.index)]
    return after["person"][after["person"].isin(identifiable)].nunique() / len(identifiable)


def friends_visit(folder):
    """Return visits per customer day of friends, divided by those of others."""
    people = truth(folder, "people")
    is_friend = people["friend_of"].notna()
    return people[is_friend]["visits_a_day"].mean() / people[~is_friend]["visits_a_day"].mean()


def misjudged_cycle(folder):
    """Return mean days to the next purchase after a large pack, divided by those after anything else."""
    lines = purchases(folder).sort_values(["person", "at"])
    days = lines.groupby(["person", "on"])["product"].agg(lambda found: "P0095" in set(found)).reset_index()
    gap = -days.groupby("person")["on"].diff(-1).dt.days
    return gap[days["product"]].mean() / gap[~days["product"]].mean()


def rating_falls(folder):
    reviews = read(folder, "reviews")
    dish = reviews[reviews["product"] == "P0032"]
    inside = dish["at"].str[:10].between("2026-04-02", "2026-04-14")
    return dish[~inside]["rating"].mean() - dish[inside]["rating"].mean()


def messy_addresses(folder):
    deliveries = read(folder, "deliveries")
    person = deliveries["member_no"].map(people_by(folder, "member"))
    messy = set(truth(folder, "people").query("has_messy_address")["person"])
    return (deliveries[person.isin(messy)]["status"] == "delivered").mean()


def late_night_cooks(folder):
    """Return the share of ingredients in purchases at night, relative to the day."""
    lines = purchases(folder)
    hour = lines["at"].str[11:13].astype(int)
    is_food = lines["category"] == "ingredients"
    night = hour.isin([21, 22, 23, 0, 1])
    return is_food[night].mean() / is_food[~night].mean()


def price_types(folder):
    """Return the share of discounted purchases of price buyers, relative to quality buyers."""
    lines = purchases(folder)
    kinds = truth(folder, "people").set_index("person")["kind"]
    is_off = (lines["discount"] > 0).groupby(lines["person"].map(kinds)).mean()
    return is_off.get("price", is_off["neutral"]) / is_off.get("quality", is_off["neutral"])


def coupon_works(folder):
    """Return online orders in the week after a coupon, treated relative to control."""
    arms = truth(folder, "treatments")
    members = people_by(folder, "member")
    lines = purchases(folder)
    counts = {"treated": 0, "control": 0}
    for (sent_on, arm), chosen in arms.groupby(["sent_on", "arm"]):
        since = pd.Timestamp(sent_on)
        inside = lines[lines["on"].between(since, since + pd.Timedelta(days=7))]
        who = set(chosen["member"].map(members))
        counts[arm] += inside[inside["person"].isin(who)].groupby(["person", "on"]).ngroups / len(chosen)
    return counts["treated"] / counts["control"]


# Bounds of each measure, with the case and without it.
EXPECTED = {
    Case.CHEAP_CHANNEL: (cheap_channel, (0.32, 0.35), (0.99, 1.01)),
    Case.LOST_AT_CATEGORY: (lost_at_category, (0.64, 0.76), (0.24, 0.36)),
    Case.LEFT_AT_SEATS: (left_at_seats, (0.3, 0.5), (0.0, 0.12)),
    Case.CAR_SEAT_FOLLOWS: (car_seat_follows, (0.45, 0.75), (0.0, 0.2)),
    Case.FRIENDS_VISIT: (friends_visit, (2.3, 3.7), (0.75, 1.3)),
    Case.MISJUDGED_CYCLE: (misjudged_cycle, (3, 100), (0.0, 2.0)),
    Case.RATING_FALLS: (rating_falls, (1.4, 2.6), (-0.4, 0.4)),
    Case.MESSY_ADDRESSES: (messy_addresses, (0.4, 0.6), (0.9, 1.0)),
    Case.LATE_NIGHT_COOKS: (late_night_cooks, (1.25, 10), (0.7, 1.2)),
    Case.PRICE_TYPES: (price_types, (10, 100), (0.9, 1.1)),
    Case.COUPON_WORKS: (coupon_works, (1.15, 1.5), (0.88, 1.12)),
}


def test_every_case_has_a_measure():
    assert set(EXPECTED) == set(Case)


@pytest.mark.parametrize("case", Case)
def test_a_planted_case_shows(case):
    measure, (least, greatest), _ = EXPECTED[case]
    assert least <= measure(simulate_once(*ALL)) <= greatest


@pytest.mark.parametrize("case", Case)
def test_a_case_is_absent_from_the_world_without_it(case):
    measure, _, (least, greatest) = EXPECTED[case]
    assert least <= measure(simulate_once(*NONE)) <= greatest
