"""match: find records that probably belong to one person."""

from datetime import UTC, datetime

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    console,
    grid,
    load_conf,
    open_conf,
    print_json,
    show_status,
)
from lifestage.platform.plurals import count_of
from lifestage.services.match import check_matching
from lifestage.services.match import match as match_records
from lifestage.users.matching.step import MatchSummary


def match(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """Compare records of reference tables, and store pairs that probably belong to one person. The next run uses them.

    Example: lifestage match --conf conf/prod.yaml
    """
    check_matching(load_conf(conf), conf)
    project = open_conf(conf)
    with show_status("matching records"):
        found = match_records(project, datetime.now(UTC))
    if as_json:
        print_json(found)
        return
    _print(found)
    command = f"lifestage run --conf {conf}"
    console.print(f"\nTo join the identifiers of these pairs: {command}", soft_wrap=True)


def _print(found: MatchSummary) -> None:
    console.print(
        f"{count_of(found.n_records, 'record')}, {count_of(found.n_pairs, 'pair')} compared, {count_of(found.n_links, 'link')}"
    )
    lists = grid("compared where equal", "pairs", "of them new", numbers=["pairs", "of them new"])
    for each in found.lists:
        added = "left out: too many" if each.is_left_out else f"{each.n_added:,}"
        lists.add_row(", ".join(each.comparisons), f"{each.n_pairs:,}", added)
    console.print(lists)
    records = count_of(found.n_uncompared, "record")
    console.print(f"compared with no other, because no list pairs them: {records}")
    if not found.is_learned:
        console.print("too few records to learn weights: comparisons use default weights")
    if not found.bands:
        return
    rows = grid("score from", "links", numbers=["links"])
    for least, n in found.bands.items():
        rows.add_row(least, f"{n:,}")
    console.print(rows)
