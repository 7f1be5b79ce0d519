"""Diagnose whether identities look as if several people were one."""

from collections.abc import Iterator

from lifestage.platform.findings import Examination, Finding, Level
from lifestage.users.identity.advice import list_counts, read_suspicions
from lifestage.users.identity.config import IdentityConfig


def diagnose_identities(root: Examination, _config: IdentityConfig) -> Iterator[Finding]:
    """One finding for each of the most doubtful identities; none before the first identity map."""
    if not root.metadata("identity_map"):
        return
    found = read_suspicions(root.read("identity_suspicions"))
    if not found.n:
        yield Finding(Level.OK, "identities", "none is linked to unusually many others")
    for each in found.listed:
        yield Finding(Level.NOTE, "identities", each.finding, each.advice)
    if found.n > len(found.listed):
        detail = f"{found.n:,} look unusual: {list_counts(found.counts)}"
        yield Finding(Level.NOTE, "identities", detail, "read the table identity_suspicions for all of them")
