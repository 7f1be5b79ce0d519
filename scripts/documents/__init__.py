"""The documents that follow from the code, and `scripts/docs` writes: the map, tables, features, settings, commands."""

from documents.commands import commands_page
from documents.features import features_page
from documents.settings import settings_page
from documents.tables import tables_page
from lifestage.ingestion.reference.tables import reference_table
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.project.pipeline import REFERENCES, picture
from lifestage.project.registry import all_tables
from lifestage.users.catalogue.model import Catalogue

MAP_BEGINS = "<!-- map: written by scripts/docs -->"
MAP_ENDS = "<!-- map ends -->"


def generated(readme: str) -> dict[str, str]:
    """Every generated file by its path in the repository; `readme` is the README as it is."""
    catalogue = Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml"))
    references = reference_table(REFERENCES, "", [], {}, [])
    return {
        "README.md": with_map(readme),
        "docs/tables.md": tables_page(all_tables(catalogue, [references]).values()),
        "docs/features.md": features_page(catalogue),
        "docs/settings.md": settings_page(),
        "docs/cli.md": commands_page(),
    }


def with_map(text: str) -> str:
    """The text with the map of today between its two markers."""
    before, begins, rest = text.partition(MAP_BEGINS)
    _, ends, after = rest.partition(MAP_ENDS)
    if not (begins and ends):
        raise ValueError(f"README.md: expected the lines {MAP_BEGINS} and {MAP_ENDS}")
    return f"{before}{map_block()}{after}"


def map_block() -> str:
    """The map as a Mermaid picture, with the markers around it."""
    return f"{MAP_BEGINS}\n\n```mermaid\n{picture()}\n```\n\n{MAP_ENDS}"
