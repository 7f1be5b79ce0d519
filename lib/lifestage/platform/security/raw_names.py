"""Pseudonyms of a raw identifier without Spark, for simple rules of identifier types.

The rules of a type are SQL. Here they are evaluated only where Python and Spark are known to agree: a printable ASCII
value, the functions trim, lower, upper, length, regexp_replace and RLIKE, and simple regular expressions.
"""

import hmac
import re
from collections.abc import Iterable, Mapping

from sqlglot import exp

from lifestage.platform.config.expressions import parse
from lifestage.platform.config.shared import IdentifierType, split_placeholders
from lifestage.platform.errors import NeedsSparkError
from lifestage.platform.security.pseudonyms import PSEUDONYM_HEX

PRINTABLE = re.compile(r"[ -~]*")
# The regular expressions that mean the same in both engines: no escaped letters and digits, no groups with options, no
# classes within classes, and no quantifiers with a suffix.
_ESCAPE = r"\\[^A-Za-z0-9]"
_CLASS = rf"\[\^?(?:{_ESCAPE}|[^\]\[\\&])+\]"
_ATOM = rf"(?:{_ESCAPE}|{_CLASS}|\((?!\?)|[^\\\[\](){{}}*+?]|\))"
SIMPLE = re.compile(rf"(?:{_ATOM}(?:[*+?]|\{{\d+(?:,\d*)?\}})?)*")


def find_pseudonyms(value: str, types: Mapping[str, IdentifierType], key: bytes) -> list[str]:
    """The pseudonym of a raw identifier as each type for which it is valid, as ingest makes them.

    Raises:
        NeedsSparkError: the value or a rule is not simple.
    """
    found = []
    for name, rules in types.items():
        normalised = normalise_identifier(value, rules)
        if normalised is not None:
            message = name.encode() + b"\0" + normalised.encode()
            found.append(hmac.digest(key, message, "sha256").hex()[:PSEUDONYM_HEX])
    return found


def normalise_identifier(value: str, rules: IdentifierType) -> str | None:
    """The normalised value; None for a placeholder or an invalid value.

    Raises:
        NeedsSparkError: the value or a rule is not simple.
    """
    if not PRINTABLE.fullmatch(value):
        raise _to_error("a value with other than printable ASCII characters")
    texts, patterns = split_placeholders(rules.placeholders)
    folded = value.strip(" ").lower()
    normalised = _text(_parse(rules.normalise), value)
    is_placeholder = (
        folded in {text.strip().lower() for text in texts}
        or normalised in _normalise_placeholders(texts, rules)
        or any(_regex(pattern).search(folded) for pattern in patterns)
    )
    return None if is_placeholder or not _holds(_parse(rules.valid), normalised) else normalised


def _normalise_placeholders(texts: Iterable[str], rules: IdentifierType) -> set[str]:
    """The placeholders that are valid after normalisation."""
    found = set()
    for text in texts:
        if any(letter.lower() != letter.upper() for letter in text if not letter.isascii()):
            raise _to_error("a placeholder with letters that have a case")
        normalised = _text(_parse(rules.normalise), text)
        if _holds(_parse(rules.valid), normalised):
            found.add(normalised)
    return found


def _parse(sql: str) -> exp.Expression:
    try:
        return parse(sql)
    except ValueError as error:
        raise NeedsSparkError(f"{sql}: {error}") from error


def _text(tree: exp.Expression, value: str) -> str:
    """An expression that gives a text, on the column `value`."""
    match tree:
        case exp.Column() if tree.name == "value" and not tree.table:
            return value
        case exp.Trim() if not tree.expression and not tree.args.get("position"):
            return _text(tree.this, value).strip(" ")
        case exp.Lower():
            return _text(tree.this, value).lower()
        case exp.Upper():
            return _text(tree.this, value).upper()
        case exp.RegexpReplace() if not any(
            tree.args.get(name) for name in ("position", "occurrence", "modifiers")
        ):
            pattern, replacement = (_literal(tree.args[name]) for name in ("expression", "replacement"))
            compiled = _regex(pattern)
            if "$" in replacement or "\\" in replacement or compiled.search(""):
                raise _to_error(tree)
            return compiled.sub(replacement, _text(tree.this, value))
    raise _to_error(tree)


def _holds(tree: exp.Expression, value: str) -> bool:
    """An expression that is true or false, on the column `value`."""
    match tree:
        case exp.Paren():
            return _holds(tree.this, value)
        case exp.And():
            return _holds(tree.this, value) and _holds(tree.expression, value)
        case exp.Or():
            return _holds(tree.this, value) or _holds(tree.expression, value)
        case exp.RegexpLike():
            return bool(_regex(_literal(tree.expression)).search(_text(tree.this, value)))
        case exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.EQ() if isinstance(tree.this, exp.Length):
            length, bound = len(_text(tree.this.this, value)), tree.expression
            if isinstance(bound, exp.Literal) and bound.is_int:
                n = int(bound.this)
                return {
                    exp.GT: length > n,
                    exp.GTE: length >= n,
                    exp.LT: length < n,
                    exp.LTE: length <= n,
                    exp.EQ: length == n,
                }[type(tree)]
    raise _to_error(tree)


def _literal(tree: exp.Expression | None) -> str:
    if not isinstance(tree, exp.Literal) or not tree.is_string:
        raise _to_error(tree)
    return str(tree.this)


def _regex(pattern: str) -> re.Pattern[str]:
    if not PRINTABLE.fullmatch(pattern) or not SIMPLE.fullmatch(pattern):
        raise _to_error(f"the regular expression {pattern}")
    return re.compile(pattern)


def _to_error(what: object) -> NeedsSparkError:
    text = what.sql(dialect="spark") if isinstance(what, exp.Expression) else what
    return NeedsSparkError(f"this rule of an identifier type is evaluated by Spark only: {text}")
