"""State to features, row by row: the SQL features of the catalogue, each after those it uses."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.config.expressions import columns_of
from lifestage.platform.storage.contracts import Table
from lifestage.users.catalogue.model import Catalogue, type_of


def add_features(state: DataFrame, catalogue: Catalogue, table: Table) -> DataFrame:
    """One row per user and as_of with every column of user_features; no shuffle, no history."""
    rows = state
    for layer in layers(catalogue):
        rows = rows.withColumns(
            {
                name: F.expr(catalogue.features[name].expression).cast(type_of(catalogue.features[name].unit))
                for name in layer
            }
        )
    return rows.select(*table.names)


def layers(catalogue: Catalogue) -> list[list[str]]:
    """Features in groups that only use groups before them; ValueError naming those that use each other in a circle."""
    uses = {
        name: columns_of(f.expression) & set(catalogue.features) for name, f in catalogue.features.items()
    }
    done: set[str] = set()
    result: list[list[str]] = []
    while len(done) < len(uses):
        ready = [name for name, needed in uses.items() if name not in done and needed <= done]
        if not ready:
            raise ValueError(f"features use each other in a circle: {', '.join(sorted(set(uses) - done))}")
        result.append(ready)
        done.update(ready)
    return result
