"""explain: one user with every reason."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from lifestage.cli.terminal import DEFAULT_CONF, AsJson, Conf, answer, console, parse_date, print_json
from lifestage.cli.user import TITLE_WIDTH, AsOf, User, has_keys, open_for_user, print_lines, read_name
from lifestage.platform.explain import BLANK, Line, format_date
from lifestage.services.explain import explain as explain_user
from lifestage.services.explain import explain_with_changes, list_explaining


def explain(
    user: User,
    as_of: AsOf = None,
    conf: Conf = DEFAULT_CONF,
    what_if: Annotated[
        bool,
        typer.Option(
            "--what-if", help="Also compute what would change the results: one more purchase, or silence."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain the stage, RFM, tier, segment and audiences of a user: why, and since when.

    With --what-if, also what would change them.

    Example: lifestage explain 1f0c63a0be9d4d1f8a4f0f6a2f4f9a10 --as-of 2026-11-21 --conf conf/prod.yaml
    """
    day = parse_date("--as-of", as_of) if as_of else None
    name = read_name(user)
    found = (
        explain_with_changes(open_for_user(conf), name, day)
        if what_if
        else answer(conf, lambda project: explain_user(project, name, day), has_keys(conf))
    )
    if as_json:
        print_json(found)
        return
    print_lines(answer_lines(found, console.width - TITLE_WIDTH - 1))


def answer_lines(found: Mapping[str, Any], width: int) -> Iterator[Line]:
    """The answer of `explain` as titles and texts: the lines of each domain in the order of the map."""
    yield "user", found["user_id"]
    yield "as of", format_date(found["as_of"])
    for domain in list_explaining():
        yield from domain.lines(found, width)
    if found["is_config_changed"]:
        yield BLANK
        yield (
            "note",
            "the configuration has changed since this date was built: run again to see what would change",
        )
    else:
        yield from _change_lines(found["would_change"])


def _change_lines(changes: Mapping[str, Any] | None) -> Iterator[Line]:
    """A sentence for each hypothesis that changes a result, or the option that asks for them."""
    if changes is None:
        yield BLANK
        yield "would change", "add --what-if to see what would change these results"
    if not changes:
        return
    titles = {each.column: each.title for domain in list_explaining() for each in domain.results}
    yield BLANK
    amounts = [by["purchase"]["amount"] for by in changes.values() if by["purchase"]]
    yield "would change", f"assuming a purchase of {amounts[0]:,}" if amounts else ""
    for name, by in changes.items():
        title = f"  {titles[name]}"
        for sentence in _sentences(by["purchase"], by["silence"]):
            yield title, sentence
            title = ""


def _sentences(bought: Mapping[str, Any] | None, silent: Mapping[str, Any] | None) -> Iterator[str]:
    if bought and silent and (bought["on"], bought["to"]) == (silent["on"], silent["to"]):
        yield f"to {silent['to'] or 'none'} on {format_date(silent['on'])}, with or without a purchase"
        return
    if bought:
        yield f"to {bought['to'] or 'none'} after one more purchase on {format_date(bought['on'])}"
    if silent:
        yield f"to {silent['to'] or 'none'} after silence until {format_date(silent['on'])}"
    if not bought and not silent:
        yield "neither after one more purchase nor after silence"
