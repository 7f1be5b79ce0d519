"""What `lifestage match` prints."""

from lifestage.cli.match import _print, console
from lifestage.users.matching.scoring import BlockingList
from lifestage.users.matching.step import MatchSummary

FOUND = MatchSummary(
    n_records=1_200,
    n_pairs=47,
    n_uncompared=310,
    n_links=12,
    lists=(
        BlockingList(("born",), 40, 40),
        BlockingList(("street", "postcode"), 9, 7),
        BlockingList(("town", "plan"), 900_000_000, 0, is_left_out=True),
    ),
    bands={"0.999": 12},
    is_learned=True,
)


def test_it_says_what_each_list_adds_and_how_many_records_none_compares():
    with console.capture() as printed:
        _print(FOUND)
    lines = [" ".join(line.split()) for line in printed.get().splitlines()]
    assert lines[0] == "1,200 records, 47 pairs compared, 12 links"
    assert "born 40 40" in lines
    assert "street, postcode 9 7" in lines
    assert "town, plan 900,000,000 left out: too many" in lines
    assert "compared with no other, because no list pairs them: 310 records" in lines
