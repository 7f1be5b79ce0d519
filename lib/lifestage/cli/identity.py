"""identity: the identifiers of one person, and the evidence that joins them."""

from collections.abc import Iterator, Mapping
from typing import Any

from lifestage.cli.terminal import DEFAULT_CONF, AsJson, Conf, parse_date, print_json
from lifestage.cli.user import AsOf, User, open_for_user, print_lines, read_name
from lifestage.platform.explain import BLANK, Line, format_date, shorten, title_first
from lifestage.platform.plurals import count_of
from lifestage.services.persons import describe_person


def identity(
    user: User,
    as_of: AsOf = None,
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Show the identifiers of one person, the evidence for and against joining them, and past moves between users.

    Example: lifestage identity 1f0c63a0be9d4d1f8a4f0f6a2f4f9a10 --as-of 2026-11-21 --conf conf/prod.yaml
    """
    day = parse_date("--as-of", as_of) if as_of else None
    person = describe_person(open_for_user(conf), read_name(user), day)
    if as_json:
        print_json(person)
        return
    print_lines(person_lines(person))


def person_lines(person: Mapping[str, Any]) -> Iterator[Line]:
    """A person as titles and texts; identifiers are shortened except in their own list."""
    yield "user", person["user_id"]
    yield "as of", format_date(person["as_of"])
    if person["status"] != "active":
        yield "status", f"{person['status']}: in totals, not in stages, value or segments"
    yield BLANK
    for title, each in title_first("identifiers", person["identifiers"]):
        yield title, _identifier(each)
    yield BLANK
    for title, each in title_first("evidence", person["evidence"]):
        yield title, _pair(each)
        for reason in each["against"]:
            yield "", f"  does not count: {reason}"
    for title, each in title_first("decisions", person["decisions"]):
        because = each["because"] or "no reason given"
        yield title, f"{shorten(each['a'])} and {shorten(each['b'])} are one: {because}"
    if person["changes"]:
        yield BLANK
    for title, each in title_first("moved", person["changes"]):
        yield title, _move(each)


def _identifier(each: Mapping[str, Any]) -> str:
    since = f"since {format_date(each['linked_on'])}" if each["linked_on"] else "joined to no other"
    key = ", the oldest: it gives the user_id" if each["is_key"] else ""
    shared = f", shared: {', '.join(each['withheld'])}" if each["withheld"] else ""
    return f"{each['type'] or 'identifier':<8} {each['identifier']} {since}{key}{shared}"


def _pair(each: Mapping[str, Any]) -> str:
    ends = f"{each['a_type']} {shorten(each['a'])} and {each['b_type']} {shorten(each['b'])}"
    seen = format_date(each["first_on"])
    until = "" if each["last_on"] == each["first_on"] else f" to {format_date(each['last_on'])}"
    strength = count_of(each["n"], "row") if each["score"] is None else f"score {each['score']:.6f}"
    return f"{ends}, {each['source']}, {seen}{until}, {strength}"


def _move(each: Mapping[str, Any]) -> str:
    by = f" by {shorten(each['a'])} and {shorten(each['b'])}" if each["a"] else ""
    moved = f"{shorten(each['identifier'])} {each['cause']}{by}"
    users = f"from user {each['from_user_id']} to {each['to_user_id']}"
    return f"{format_date(each['as_of'])}: {moved}, {users}"
