"""What the activity step needs to know."""

from lifestage.core.models import Model
from lifestage.tables.catalogue import Catalogue


class ActivityConfig(Model):
    """How events become days."""

    catalogue: Catalogue
    actions: tuple[str, ...]
    time_zone: str
    lookups: dict[str, dict[str, str]]
    category: str
    is_new_product: str
