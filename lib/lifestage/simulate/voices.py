"""What people say: reviews, answers to surveys, calls for help, and what they share."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifestage.simulate.crm import has_bad_contact
from lifestage.simulate.identifiers import emails, members, phones
from lifestage.simulate.online import TYPES, Browsed
from lifestage.simulate.people import Days
from lifestage.simulate.products import DISH
from lifestage.simulate.state import Lines, State
from lifestage.simulate.text import (
    chosen,
    csv_lines,
    hexes,
    instants,
    joined,
    json_lines,
    mixed,
    padded,
    whole,
)
from lifestage.simulate.world import Case, midnight

SURVEY_HEADER = "answer_id,email,question,score,answered_at"
TICKETS_HEADER = "ticket_no,phone,opened_at,topic"
# The two weeks in which the kitchen of the dish has another supplier.
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


def remember_reviews(state: State, bought: Lines, day: int) -> None:
    """Some of what is bought is reviewed a few days later; the dish more often than the rest."""
    world = state.world
    rng = world.rng("reviewed", day)
    share = np.where(bought.product == DISH, 4 * REVIEWS, REVIEWS)
    state.reviewed.put(rng, bought.of(rng.random(len(bought)) < share), day, REVIEWED_AFTER)


def review_lines(state: State, day: int) -> pa.Array:
    """Reviews of a day, by e-mail address: only members write any."""
    world, people, products = state.world, state.people, state.products
    rng = world.rng("reviews", day)
    bought = state.reviewed.take(day)
    bought = bought.of(people.registers[bought.person] <= day)
    who, product = bought.person, bought.product
    falls = world.has(Case.RATING_FALLS) and FALLS_FROM <= day < FALLS_TO
    mean = np.where((product == DISH) & falls, 2.3, 4.2)
    rating = np.clip(np.round(mean + rng.normal(0, 0.8, len(who))), 1, 5).astype(np.int64)
    words = rng.integers(0, len(PRAISE), len(who))
    return json_lines(
        {
            "id": hexes(mixed(world.seed, 41, day, np.arange(len(who)))),
            "at": instants(midnight(day) + rng.integers(7 * 3600, 22 * 3600, len(who))),
            "email": emails(world, who),
            "product": products.names().take(pa.array(product)),
            "rating": whole(rating),
            "text": pc.if_else(pa.array(rating >= 4), chosen(PRAISE, words), chosen(BLAME, words)),
        }
    )


def survey_lines(state: State, day: int) -> pa.Array:
    """One in a hundred members a week is asked whether they would recommend the shop; half answer."""
    world, people = state.world, state.people
    rng = world.rng("survey", day)
    asked = people.is_customer(day) & (people.registers <= day) & (day % 7 == 3)
    who = np.flatnonzero(asked & (rng.random(len(people), dtype=np.float32) < 0.005)).astype(np.int32)
    score = np.clip(np.round(4 - people.is_messy[who] * 1.5 + rng.normal(0, 0.9, len(who))), 1, 5)
    return csv_lines(
        {
            "answer_id": joined("Q", padded(np.full(len(who), day), 4), padded(np.arange(len(who)), 7)),
            "email": emails(world, who),
            "question": chosen(["recommend"], np.zeros(len(who), np.int8)),
            "score": whole(score.astype(np.int64)),
            "answered_at": instants(midnight(day) + rng.integers(7 * 3600, 22 * 3600, len(who))),
        }
    )


def ticket_lines(state: State, undelivered: Days, day: int) -> pa.Array:
    """Calls: of who waits for a delivery that did not come, and some others; by telephone number."""
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
    return csv_lines(
        {
            "ticket_no": joined("T", padded(np.full(len(who), day), 4), padded(np.arange(len(who)), 7)),
            "phone": pc.if_else(pa.array(bad), None, phones(world, people, who)),
            "opened_at": instants(midnight(day) + rng.integers(9 * 3600, 18 * 3600, len(who))),
            "topic": chosen(
                TOPICS, np.where(np.arange(len(who)) < len(undelivered), 0, rng.integers(0, 4, len(who)))
            ),
        }
    )


def referral_lines(state: State, browsed: Browsed, day: int) -> pa.Array:
    """Who shared something and with whom, as far as both are members."""
    world, people = state.world, state.people
    visits, clicks = browsed.visits, browsed.clicks
    of_share = clicks.type == TYPES.index("share")
    sharer = visits.person[clicks.visit[of_share]]
    friends = np.flatnonzero(np.isin(people.friend_of, sharer)).astype(np.int32)
    friends = friends[
        (people.registers[friends] <= day) & (people.registers[people.friend_of[friends]] <= day)
    ]
    return json_lines(
        {
            "id": hexes(mixed(world.seed, 42, day, friends)),
            "at": instants(midnight(day) + np.full(len(friends), 86_399)),
            "member": members(world, people.friend_of[friends]),
            "friend": members(world, friends),
        }
    )
