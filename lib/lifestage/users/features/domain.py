"""The domain `features`."""

from collections.abc import Sequence

from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import Configuration, Domain, Meaning
from lifestage.platform.result import DomainResult, Result
from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import CATALOGUE
from lifestage.users.features.checks import check_config, declare_expressions
from lifestage.users.features.config import RHYTHM, FeaturesConfig, compose_config
from lifestage.users.features.explain import EXPLAIN
from lifestage.users.features.step import run
from lifestage.users.features.tables import NORMS, user_features, user_state


def meaning(config: FeaturesConfig) -> str:
    """A hash of the settings that decide the content of a stored feature row."""
    return config.meaning


def tables(config: Config, _results: Sequence[DomainResult]) -> tuple[Table, ...]:
    """The tables of the catalogue. Windows without a measure or day are left out; validation reports them."""
    catalogue = config.parts[CATALOGUE].without_unknown_windows()
    return user_state(catalogue), NORMS, user_features(catalogue)


DOMAIN = Domain(
    name="features",
    does="one row of features per user, as of a date",
    reads=("activity_days", "category_days", "identity_map", "identity_past", "user_profiles"),
    writes=("user_state", "norms", "user_features"),
    run=run,
    config=Configuration((CATALOGUE, RHYTHM), compose_config),
    tables=tables,
    checks=check_config,
    expressions=declare_expressions,
    meaning=Meaning("user_features", meaning),
    result=Result("user_features", rules=None),
    explain=EXPLAIN,
)
