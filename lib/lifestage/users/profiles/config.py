"""What the profiles step needs to know."""

from lifestage.platform.config.expressions import columns_of
from lifestage.platform.config.models import Model
from lifestage.users.catalogue.model import Attribute


class ProfilesConfig(Model):
    """Attributes of a profile, and which column of each reference table names the person."""

    attributes: dict[str, Attribute]
    named_by: dict[str, tuple[str, ...]]
    """Reference table to its columns that hold identifiers, the strongest first."""

    @property
    def tables(self) -> list[str]:
        """Reference tables that some attribute is taken from, by name."""
        return sorted({table_of(sql) for attribute in self.attributes.values() for sql in attribute.sources})


def table_of(sql: str) -> str:
    """The reference table whose columns an expression names, as `members.city` does; they name one (see checks)."""
    return min(column.partition(".")[0] for column in columns_of(sql))
