import ast
from pathlib import Path

import pytest

import lifestage
from lifestage.platform.plurals import count_of

SOURCES = Path(lifestage.__file__).parent
NOUNS = (
    *("audiences", "checks", "columns", "dates", "days", "deliveries", "events", "features", "files", "identifiers", "keys"),
    *("links", "pairs", "problems", "records", "rows", "segments", "snapshots", "sources", "stages", "steps", "tables", "users"),
)  # fmt: skip
# What follows is never one, or names the part of a whole.
NEVER_ONE = {
    *("last {} days", "the {} days", "{} users have that name", "{} problems: nothing", "all {} tables", "({} dates)"),
    *("{} of {} steps", "{} of {} tables are", "rows of {} dates", "found {} rows", "{} events a person"),
}  # fmt: skip


@pytest.mark.parametrize(("n", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_one_has_no_plural(n, said):
    assert count_of(n, "row") == said


def unguarded(path):
    """The texts of a module in which a number is followed by a plural."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if any(f"{{}} {noun}" in text for noun in NOUNS) and not any(each in text for each in NEVER_ONE):
                yield text


def test_no_message_says_1_rows():
    assert [(path.name, text) for path in sorted(SOURCES.rglob("*.py")) for text in unguarded(path)] == []
