"""Checks of the section `publish` of the main file."""

from collections.abc import Iterator, Sequence

from lifestage.activation.publish.config import PUBLISH
from lifestage.activation.publish.tables import snapshot_users
from lifestage.platform.config.checks import join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.result import DomainResult


def check_config(config: Config, results: Sequence[DomainResult]) -> Iterator[str]:
    """Yield the columns of destinations that a snapshot doesn't have."""
    known = snapshot_users(results).names
    problems = (
        f"publish.destinations.{destination}: unknown column {name}, expected some of {join_names(known)}"
        for destination, columns in config.parts[PUBLISH].destinations.items()
        for name in sorted({*columns} - {*known})
    )
    yield from prefix_file(config.file, problems)
