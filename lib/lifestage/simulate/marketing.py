"""Advertisements and what they cost, messages with coupons and what became of them."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.channels import CAMPAIGNS
from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.identifiers import cookies, emails
from lifestage.simulate.people import Days
from lifestage.simulate.state import Mailing, State
from lifestage.simulate.text import chosen, csv_lines, instants, joined, mixed, money, padded, whole
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import Case, World, date_of, midnight

ADS_HEADER = "ad_id,shown_at,cookie,campaign,action"
SPEND_HEADER = "day,campaign,impressions,clicks,spend"
MESSAGES_HEADER = "message_id,sent_to,campaign,status,at"
PAID = ("search", "social", "partner")
# What a customer costs by way of each, in cents.
COSTS = np.array([1_800, 1_500, 600])
COSTS_WITHOUT = np.array([1_800, 1_500, 1_800])
EVERY, FIRST, LASTS = 30, 10, 7


def ad_lines(state: State, visits: Visits, day: int) -> tuple[pa.Array, pa.Array]:
    """Impressions and clicks of who comes to the shop for the first time, and each campaign's day."""
    world, people = state.world, state.people
    rng = world.rng("ads", day)
    came = visits.is_first & (people.origin[visits.person] < len(PAID))
    who, second = visits.person[came], visits.second[came]
    origin = people.origin[who]
    seen = np.repeat(np.arange(len(who)), 1 + rng.poisson(2, len(who)))
    # As many see an advertisement and do not come.
    others = rng.integers(0, len(people), len(who)).astype(np.int32)
    shown = np.concatenate([who[seen], others])
    campaign = np.concatenate([origin[seen], rng.integers(0, len(PAID), len(others))])
    before = np.concatenate([second[seen], np.full(len(others), 43_200)])
    at = np.maximum(before - rng.integers(30, 3_000, len(shown)), 0)
    impressions = _ads(state, shown, campaign, at, "impression", day, 0)
    clicks = _ads(state, who, origin, np.maximum(second - 1, 0), "click", day, len(shown))
    costs = COSTS if world.has(Case.CHEAP_CHANNEL) else COSTS_WITHOUT
    n_clicks = np.bincount(origin, minlength=len(PAID))
    spend = csv_lines(
        {
            "day": pa.array([str(date_of(day))] * len(PAID)),
            "campaign": chosen(PAID, np.arange(len(PAID))),
            "impressions": whole(np.bincount(campaign, minlength=len(PAID))),
            "clicks": whole(n_clicks),
            "spend": money(n_clicks * costs),
        }
    )
    return pa.concat_arrays([impressions, clicks]), spend


def mail(state: State, day: int) -> pa.Array:
    """Once a month half of the members get a coupon; what was sent, opened, clicked or came back."""
    world, people = state.world, state.people
    if day % EVERY != FIRST:
        return pa.array([], pa.string())
    rng = world.rng("messages", day)
    eligible = np.flatnonzero(people.registers <= day - 14).astype(np.int32)
    chosen_ones = rng.random(len(eligible)) < 0.5
    mailing = Mailing(f"coupon_{date_of(day):%Y_%m}", day, eligible[chosen_ones], eligible[~chosen_ones])
    who = mailing.treated
    bad, _ = has_bad_contact(world, who)
    arrives = ~bad & (rng.random(len(who)) > 0.01)
    if world.has(Case.COUPON_WORKS):
        state.coupon_until[who[arrives]] = day + LASTS
    opens = arrives & (rng.random(len(who)) < 0.4)
    clicks = opens & (rng.random(len(who)) < 0.25)
    sent = np.full(len(who), 8 * 3600)
    later = sent + rng.integers(60, 12 * 3600, len(who))
    steps = [
        _messages(world, who, mailing, "sent", sent, day),
        _messages(world, who[~arrives], mailing, "bounced", sent[~arrives] + 5, day),
        _messages(world, who[opens], mailing, "opened", later[opens], day),
        _messages(world, who[clicks], mailing, "clicked", later[clicks] + 20, day),
    ]
    state.mailings.append(mailing)
    return pa.concat_arrays(steps)


def _ads(
    state: State,
    who: Days,
    origin: npt.NDArray[np.integer],
    at: npt.NDArray[np.integer],
    action: str,
    day: int,
    first: int,
) -> pa.Array:
    world = state.world
    return csv_lines(
        {
            "ad_id": joined("A", padded(np.full(len(who), day), 4), padded(first + np.arange(len(who)), 8)),
            "shown_at": instants(midnight(day) + at),
            "cookie": cookies(world, who, state.cookie[who]),
            "campaign": chosen(CAMPAIGNS, origin),
            "action": chosen([action], np.zeros(len(who), np.int8)),
        }
    )


def _messages(
    world: World, who: Days, mailing: Mailing, status: str, at: npt.NDArray[np.integer], day: int
) -> pa.Array:
    number = mixed(world.seed, 31, who, day) % np.uint64(10**10)
    return csv_lines(
        {
            "message_id": joined(f"{mailing.name}-", padded(number.astype(np.int64), 10)),
            "sent_to": emails(world, who),
            "campaign": chosen([mailing.name], np.zeros(len(who), np.int8)),
            "status": chosen([status], np.zeros(len(who), np.int8)),
            "at": instants(midnight(day) + at),
        }
    )
