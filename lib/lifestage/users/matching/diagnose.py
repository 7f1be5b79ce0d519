"""Diagnose whether the matches were made with the current settings."""

from collections.abc import Iterator

from lifestage.platform.findings import Examination, Finding, Level
from lifestage.users.matching.config import MatchingConfig


def diagnose_matches(root: Examination, config: MatchingConfig) -> Iterator[Finding]:
    """One finding if matching is configured, because a run uses existing matches whatever settings they come from."""
    if not config.is_on:
        return
    meaning = root.metadata("matches").get("meaning")
    if meaning == config.meaning:
        yield Finding(Level.OK, "matches", "made with the current settings")
    else:
        detail = "records were never matched" if meaning is None else "made with other settings"
        yield Finding(Level.NOTE, "matches", detail, "lifestage match, then lifestage run")
