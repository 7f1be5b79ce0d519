"""Advertising with its costs, and coupon messages with their responses."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifestage.simulate.channels import CAMPAIGNS
from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.identifiers import cookies, emails
from lifestage.simulate.people import Days
from lifestage.simulate.state import Mailing, State
from lifestage.simulate.text import (
    concat_text,
    format_instants,
    format_integers,
    format_money,
    hash_parts,
    pick_names,
    to_csv_lines,
    zero_pad,
)
from lifestage.simulate.visits import Visits
from lifestage.simulate.world import Case, World, date_of, midnight

ADS_HEADER = "ad_id,shown_at,cookie,campaign,action"
SPEND_HEADER = "day,campaign,impressions,clicks,spend"
MESSAGES_HEADER = "message_id,sent_to,campaign,status,at"
PAID = ("search", "social", "partner")
# Cost of a new customer per paid channel, in cents.
COSTS = np.array([1_800, 1_500, 600])
COSTS_WITHOUT = np.array([1_800, 1_500, 1_800])
EVERY, FIRST, LASTS = 30, 10, 7


def ad_lines(state: State, visits: Visits, day: int) -> tuple[pa.Array, pa.Array]:
    """Build the ad impressions and clicks before first visits, and the daily spend of each campaign."""
    world, people = state.world, state.people
    rng = world.rng("ads", day)
    came = visits.is_first & (people.origin[visits.person] < len(PAID))
    who, second = visits.person[came], visits.second[came]
    origin = people.origin[who]
    seen = np.repeat(np.arange(len(who)), 1 + rng.poisson(2, len(who)))
    # Add impressions for random people who do not visit because of them.
    others = rng.integers(0, len(people), len(who)).astype(np.int32)
    shown = np.concatenate([who[seen], others])
    campaign = np.concatenate([origin[seen], rng.integers(0, len(PAID), len(others))])
    before = np.concatenate([second[seen], np.full(len(others), 43_200)])
    at = np.maximum(before - rng.integers(30, 3_000, len(shown)), 0)
    impressions = _ad_rows(state, shown, campaign, at, "impression", day, 0)
    clicks = _ad_rows(state, who, origin, np.maximum(second - 1, 0), "click", day, len(shown))
    costs = COSTS if world.has(Case.CHEAP_CHANNEL) else COSTS_WITHOUT
    n_clicks = np.bincount(origin, minlength=len(PAID))
    spend = to_csv_lines(
        {
            "day": pa.array([str(date_of(day))] * len(PAID)),
            "campaign": pick_names(PAID, np.arange(len(PAID))),
            "impressions": format_integers(np.bincount(campaign, minlength=len(PAID))),
            "clicks": format_integers(n_clicks),
            "spend": format_money(n_clicks * costs),
        }
    )
    return pa.concat_arrays([impressions, clicks]), spend


def send_coupons(state: State, day: int) -> pa.Array:
    """Send a coupon to half of the members, once every 30 days; build the messages with their responses."""
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
        _message_rows(world, who, mailing, "sent", sent, day),
        _message_rows(world, who[~arrives], mailing, "bounced", sent[~arrives] + 5, day),
        _message_rows(world, who[opens], mailing, "opened", later[opens], day),
        _message_rows(world, who[clicks], mailing, "clicked", later[clicks] + 20, day),
    ]
    state.mailings.append(mailing)
    return pa.concat_arrays(steps)


def _ad_rows(
    state: State,
    who: Days,
    origin: npt.NDArray[np.integer],
    at: npt.NDArray[np.integer],
    action: str,
    day: int,
    first: int,
) -> pa.Array:
    world = state.world
    return to_csv_lines(
        {
            "ad_id": concat_text(
                "A", zero_pad(np.full(len(who), day), 4), zero_pad(first + np.arange(len(who)), 8)
            ),
            "shown_at": format_instants(midnight(day) + at),
            "cookie": cookies(world, who, state.cookie[who]),
            "campaign": pick_names(CAMPAIGNS, origin),
            "action": pick_names([action], np.zeros(len(who), np.int8)),
        }
    )


def _message_rows(
    world: World, who: Days, mailing: Mailing, status: str, at: npt.NDArray[np.integer], day: int
) -> pa.Array:
    number = hash_parts(world.seed, 31, who, day) % np.uint64(10**10)
    return to_csv_lines(
        {
            "message_id": concat_text(f"{mailing.name}-", zero_pad(number.astype(np.int64), 10)),
            "sent_to": emails(world, who),
            "campaign": pick_names([mailing.name], np.zeros(len(who), np.int8)),
            "status": pick_names([status], np.zeros(len(who), np.int8)),
            "at": format_instants(midnight(day) + at),
        }
    )
