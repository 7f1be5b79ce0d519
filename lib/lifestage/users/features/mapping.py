"""Compute the SQL features of the catalogue from the state, row by row."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.config.expressions import columns_of
from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import Catalogue, type_of


def add_features(state: DataFrame, catalogue: Catalogue, table: Table) -> DataFrame:
    """Adds the SQL features and selects the columns of user_features; same grain, no shuffle.

    A feature is computed after the features that it uses, and cast to the type of its unit.
    """
    rows = state
    for layer in layer_features(catalogue):
        rows = rows.withColumns(
            {
                name: F.expr(catalogue.features[name].expression).cast(type_of(catalogue.features[name].unit))
                for name in layer
            }
        )
    return rows.select(*table.names)


def layer_features(catalogue: Catalogue) -> list[list[str]]:
    """Names of the features in layers: each layer uses only features of the layers before it.

    Raises:
        ValueError: where features use each other in a circle, with their names.
    """
    uses = {
        name: columns_of(f.expression) & set(catalogue.features) for name, f in catalogue.features.items()
    }
    done: set[str] = set()
    layers: list[list[str]] = []
    while len(done) < len(uses):
        ready = [name for name, needed in uses.items() if name not in done and needed <= done]
        if not ready:
            raise ValueError(f"features use each other in a circle: {', '.join(sorted(set(uses) - done))}")
        layers.append(ready)
        done.update(ready)
    return layers
