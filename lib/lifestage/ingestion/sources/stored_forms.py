"""Count the delivered values that look like personal data, from the warnings that the ledger keeps for each delivery."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lifestage.ingestion.sources.tables import REFERENCE
from lifestage.platform.security.personal_data import MASKED_PREFIX, PREFIX

# Columns of the ledger that `count_forms` needs.
FORM_COLUMNS = ("source", "kind", "warnings")
NAMES = {
    "email": ("an e-mail address", "e-mail addresses"),
    "phone": ("a phone number", "phone numbers"),
    "card": ("a card number", "card numbers"),
}


@dataclass(frozen=True)
class StoredForm:
    """Values of one column that look like personal data."""

    source: str
    column: str
    """A column of the tables, an attribute as `attributes.<name>`, or `path` for names of files."""
    form: str
    is_masked: bool
    """Whether the table holds a hash in their place."""
    n_rows: int

    def __str__(self) -> str:
        """The finding in messages."""
        one, many = NAMES[self.form]
        what = (
            f"value of {self.column} looks like {one}"
            if self.n_rows == 1
            else f"values of {self.column} look like {many}"
        )
        return (
            f"{self.source}: {self.n_rows:,} {what}: {'masked' if self.is_masked else 'stored as delivered'}"
        )


def count_forms(ledger: Iterable[Mapping[str, Any]]) -> list[StoredForm]:
    """Sum rows by source, column and form over deliveries; of extracts, which repeat each other, the largest counts."""
    totals: dict[tuple[str, str, str, bool], int] = {}
    for row in ledger:
        for form, column, is_masked, n in _read_warnings(row["warnings"] or {}):
            key = (row["source"], column, form, is_masked)
            before = totals.get(key, 0)
            totals[key] = max(before, n) if row["kind"] == REFERENCE and column != "path" else before + n
    return [StoredForm(*key, n) for key, n in sorted(totals.items())]


def _read_warnings(warnings: Mapping[str, int]) -> Iterator[tuple[str, str, bool, int]]:
    for warning, n in warnings.items():
        start, _, column = warning.partition(":")
        for prefix in (PREFIX, MASKED_PREFIX):
            if start.startswith(prefix):
                yield start.removeprefix(prefix), column, prefix == MASKED_PREFIX, n
