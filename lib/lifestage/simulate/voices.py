"""Feedback: reviews, survey answers, support tickets, and shared links."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.identifiers import emails, members, phones
from lifestage.simulate.online import TYPES, OnlineVisits
from lifestage.simulate.people import Days
from lifestage.simulate.products import DISH
from lifestage.simulate.state import BasketLines, State
from lifestage.simulate.text import (
    concat_text,
    format_hex,
    format_instants,
    format_integers,
    hash_parts,
    pick_names,
    to_csv_lines,
    to_json_lines,
    zero_pad,
)
from lifestage.simulate.world import Case, midnight

SURVEY_HEADER = "answer_id,email,question,score,answered_at"
TICKETS_HEADER = "ticket_no,phone,opened_at,topic"
# The two weeks in which the dish has another supplier.
FALLS_FROM, FALLS_TO = 90, 104
REVIEWS, REVIEWED_AFTER = 0.12, range(2, 9)
PRAISE = ("Would buy it again", "Just right", "Better than I expected", "As described", "Good for its price")
BLAME = (
    "Not what it used to be",
    "Arrived late and cold",
    "Too salty this time",
    "I gave it back",
    "Would not buy it again",
)
TOPICS = ("delivery", "payment", "product", "account")


def schedule_reviews(state: State, bought: BasketLines, day: int) -> None:
    """Schedule reviews of some purchases, a few days later; the dish is reviewed more often."""
    world = state.world
    rng = world.rng("reviewed", day)
    share = np.where(bought.product == DISH, 4 * REVIEWS, REVIEWS)
    state.reviewed.add(rng, bought.filter(rng.random(len(bought)) < share), day, REVIEWED_AFTER)


def review_lines(state: State, day: int) -> pa.Array:
    """Build the reviews of a day with e-mail addresses; only members write reviews."""
    world, people, products = state.world, state.people, state.products
    rng = world.rng("reviews", day)
    bought = state.reviewed.pop(day)
    bought = bought.filter(people.registers[bought.person] <= day)
    who, product = bought.person, bought.product
    falls = world.has(Case.RATING_FALLS) and FALLS_FROM <= day < FALLS_TO
    mean = np.where((product == DISH) & falls, 2.3, 4.2)
    rating = np.clip(np.round(mean + rng.normal(0, 0.8, len(who))), 1, 5).astype(np.int64)
    words = rng.integers(0, len(PRAISE), len(who))
    return to_json_lines(
        {
            "id": format_hex(hash_parts(world.seed, 41, day, np.arange(len(who)))),
            "at": format_instants(midnight(day) + rng.integers(7 * 3600, 22 * 3600, len(who))),
            "email": emails(world, who),
            "product": products.numbers().take(pa.array(product)),
            "rating": format_integers(rating),
            "text": pc.if_else(pa.array(rating >= 4), pick_names(PRAISE, words), pick_names(BLAME, words)),
        }
    )


def survey_lines(state: State, day: int) -> pa.Array:
    """Build survey answers, once a week: one in two hundred members says whether they recommend the shop."""
    world, people = state.world, state.people
    rng = world.rng("survey", day)
    asked = people.is_customer(day) & (people.registers <= day) & (day % 7 == 3)
    who = np.flatnonzero(asked & (rng.random(len(people), dtype=np.float32) < 0.005)).astype(np.int32)
    score = np.clip(np.round(4 - people.is_messy[who] * 1.5 + rng.normal(0, 0.9, len(who))), 1, 5)
    return to_csv_lines(
        {
            "answer_id": concat_text(
                "Q", zero_pad(np.full(len(who), day), 4), zero_pad(np.arange(len(who)), 7)
            ),
            "email": emails(world, who),
            "question": pick_names(["recommend"], np.zeros(len(who), np.int8)),
            "score": format_integers(score.astype(np.int64)),
            "answered_at": format_instants(midnight(day) + rng.integers(7 * 3600, 22 * 3600, len(who))),
        }
    )


def ticket_lines(state: State, undelivered: Days, day: int) -> pa.Array:
    """Build support tickets with phone numbers: of people whose delivery failed, and of some others."""
    world, people = state.world, state.people
    rng = world.rng("tickets", day)
    callers = (
        people.is_customer(day)
        & (people.registers <= day)
        & (rng.random(len(people), dtype=np.float32) < 0.0004)
    )
    who = np.concatenate([undelivered, np.flatnonzero(callers)]).astype(np.int32)
    who = who[people.registers[who] <= day]
    _, bad = has_bad_contact(world, who)
    return to_csv_lines(
        {
            "ticket_no": concat_text(
                "T", zero_pad(np.full(len(who), day), 4), zero_pad(np.arange(len(who)), 7)
            ),
            "phone": pc.if_else(pa.array(bad), None, phones(world, people, who)),
            "opened_at": format_instants(midnight(day) + rng.integers(9 * 3600, 18 * 3600, len(who))),
            "topic": pick_names(
                TOPICS, np.where(np.arange(len(who)) < len(undelivered), 0, rng.integers(0, 4, len(who)))
            ),
        }
    )


def referral_lines(state: State, browsed: OnlineVisits, day: int) -> pa.Array:
    """Build referrals: who shared with whom, if both are members."""
    world, people = state.world, state.people
    visits, clicks = browsed.visits, browsed.clicks
    of_share = clicks.type == TYPES.index("share")
    sharer = visits.person[clicks.visit[of_share]]
    friends = np.flatnonzero(np.isin(people.friend_of, sharer)).astype(np.int32)
    friends = friends[
        (people.registers[friends] <= day) & (people.registers[people.friend_of[friends]] <= day)
    ]
    return to_json_lines(
        {
            "id": format_hex(hash_parts(world.seed, 42, day, friends)),
            "at": format_instants(midnight(day) + np.full(len(friends), 86_399)),
            "member": members(world, people.friend_of[friends]),
            "friend": members(world, friends),
        }
    )
