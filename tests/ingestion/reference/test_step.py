"""The reference step on real files and tables."""

import os

import pytest

from lifestage.platform.errors import CheckError, SourceError
from support.frames import assert_rows
from support.projects import make_project
from support.pseudonyms import pseudonym

pytestmark = pytest.mark.slow

MEMBERS = """
path: members/*.csv
format: csv
columns: {number: string, since: date, level: string}
key: [member]
extract: full
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {member: number, since: since, level: upper(level)}
types: {since: date}
identifiers: {member: member}
"""
STEPS = ("reference",)


@pytest.fixture
def project(spark, tmp_path):
    made = make_project(spark, tmp_path / "club", sources={"reference/members": MEMBERS})
    made.write("members/2026-03-01.csv", "number,since,level\n 7 ,2020-05-01,gold\n8,,silver\n")
    made.run("2026-03-02", steps=STEPS)
    return made


def member(number):
    return pseudonym(bytes.fromhex(os.environ["LIFESTAGE_PSEUDONYM_KEY"]), "member", str(number))


def members(project):
    return project.read("members").selectExpr(
        "member", "CAST(since AS STRING)", "level", "is_ended", "delivery_no"
    )


def test_extracts_become_versions_with_the_pseudonyms_of_events(project):
    seven, eight = member(7), member(8)
    first = (seven, "2020-05-01", "GOLD", False, 1)
    assert_rows(members(project), [first, (eight, None, "SILVER", False, 1)])
    assert project.read("members").schema["since"].dataType.simpleString() == "date"
    project.write("members/2026-03-05.csv", "number,since,level\n7,2020-05-01,gold\n9,2026-03-04,silver\n")
    project.run("2026-03-05", steps=STEPS)
    expected = [
        first,
        (eight, None, "SILVER", False, 1),
        (eight, None, None, True, 2),
        (member(9), "2026-03-04", "SILVER", False, 2),
    ]
    assert_rows(members(project), expected)
    ledger = project.read("ingest_ledger").select("delivery_no", "kind", "n_rows", "n_accepted", "n_rejected")
    assert_rows(ledger, [(1, "reference", 2, 2, 0), (2, "reference", 2, 2, 0)])


def test_one_wrong_row_refuses_the_extract_and_the_next_run_reads_it_again(project):
    file = project.write(
        "members/2026-03-05.csv", "number,since,level\n7,soon,gold\n  ,2020-01-01,gold\nshort\n"
    )
    with pytest.raises(CheckError) as refused:
        project.run("2026-03-05", steps=STEPS)
    assert str(refused.value).splitlines() == [
        "reference members: 0.0% of 3 rows pass, the gate is 100%",
        "  malformed: 1 row, e.g. xxxxx",
        "  missing:member: 1 row, e.g.   ,9999-99-99,xxxx",
        "  not_a_date:since: 1 row, e.g. 9,xxxx,xxxx",
        "nothing was written; the next run reads these files again",
    ]
    assert project.read("ingest_ledger").count() == 1
    file.write_text("level,number,since\n")
    with pytest.raises(
        SourceError,
        match=r"source members: .*expected the header number,since,level, found level,number,since",
    ):
        project.run("2026-03-05", run_id="again", steps=STEPS)
    file.write_text("number,since,level\n7,2020-05-01,platinum\n")
    project.run("2026-03-05", run_id="and again", steps=STEPS)
    assert_rows(
        members(project).where("delivery_no = 2").select("level", "is_ended"),
        [("PLATINUM", False), (None, True)],
    )
