"""What the activity step needs to know."""

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.users.catalogue.model import Catalogue


class ActivityConfig(Model):
    """How events become days."""

    catalogue: Catalogue
    actions: tuple[str, ...]
    time_zone: str
    lookups: dict[str, dict[str, str]]
    category: str
    is_new_product: str

    @property
    def meaning(self) -> str:
        """Changes when a stored subject-day would."""
        rest = self.model_dump(mode="json", exclude={"catalogue"})
        return semantic_hash([self.catalogue.activity_hash(), rest])
