"""Configuration of the profiles step."""

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.expressions import columns_of
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import Parts
from lifestage.users.catalogue.model import CATALOGUE, Attribute


class ProfilesConfig(Model):
    """Attributes of a profile, and the identifier columns of their reference tables."""

    attributes: dict[str, Attribute]
    named_by: dict[str, tuple[str, ...]]
    """Reference table to its identifier columns, the strongest first."""

    @property
    def tables(self) -> list[str]:
        """Names of the reference tables that attributes come from, sorted."""
        return sorted({table_of(sql) for attribute in self.attributes.values() for sql in attribute.sources})


def table_of(sql: str) -> str:
    """The reference table of an expression such as `members.city`. Checks ensure that it names exactly one."""
    return min(column.partition(".")[0] for column in columns_of(sql))


def compose_config(parts: Parts) -> ProfilesConfig:
    """Compose the attributes of the catalogue, and the identifier columns of each reference table."""
    return ProfilesConfig(attributes=parts[CATALOGUE].profile, named_by=_name_columns(parts))


def _name_columns(parts: Parts) -> dict[str, tuple[str, ...]]:
    """The identifier columns of each reference table, the strongest type first.

    A table with an unknown identifier type is left out; validation reports it.
    """
    kinds = parts.shared.identifiers
    return {
        name: tuple(
            sorted(
                source.identifiers, key=lambda column: (kinds[source.identifiers[column]].priority, column)
            )
        )
        for name, source in parts[REFERENCE_SOURCES].items()
        if source.identifiers and {*source.identifiers.values()} <= {*kinds}
    }
