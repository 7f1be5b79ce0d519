"""tables: list every table."""

from lifestage.cli.terminal import DEFAULT_CONF, AsJson, Conf, console, grid, load_conf, print_json
from lifestage.services.tables import list_tables

COLUMNS = ("table", "written by", "kind", "mode", "key")


def tables(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """List every table with the steps that write it, its kind, its write mode and its key.

    Example: lifestage tables --conf conf/prod.yaml
    """
    rows = [
        (each.table.name, each.written_by, each.table.kind, each.table.mode, each.table.key)
        for each in list_tables(load_conf(conf))
    ]
    if as_json:
        print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
        return
    listed = grid(*COLUMNS, wraps=["key"])
    for *texts, key in rows:
        listed.add_row(*map(str, texts), ", ".join(key))
    console.print(listed)
