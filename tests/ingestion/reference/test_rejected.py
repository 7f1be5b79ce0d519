"""Bad rows in customer extracts: three days of delta and full extracts, with a gate below 1."""

import os

import pytest
from pyspark.sql import functions as F

from lifestage.ingestion.sources.quarantine import decrypt_raw
from lifestage.platform.errors import CheckError
from support.frames import assert_rows
from support.projects import make_project
from support.pseudonyms import pseudonym

pytestmark = pytest.mark.slow

PROFILES = """
path: crm/*.csv
format: csv
columns: {number: string, mail: string, phone: string, city: string, since: date, changed: date}
key: [member]
extract: delta
valid_from: changed
map: {member: number, email: mail, phone: phone, city: city, since: since}
types: {since: date}
identifiers: {member: member, email: email, phone: phone}
gate: 0.4
"""
CLUB = """
path: club/*.csv
format: csv
columns: {number: string, since: date}
key: [member]
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {member: number, since: since}
types: {since: date}
identifiers: {member: member}
gate: 0.5
"""
ZONES = """
path: zones/*.csv
format: csv
columns: {zone: string, n: int}
key: [zone]
valid_from: try_cast(substring(file_name, 1, 10) AS date)
map: {zone: zone, n: n}
types: {n: int}
gate: 0.5
"""
SOURCES = {"reference/profiles": PROFILES, "reference/club": CLUB, "reference/zones": ZONES}
STEPS = ("reference",)
CRM_HEADER, CLUB_HEADER = "number,mail,phone,city,since,changed", "number,since"

FIRST = [
    "1,Anna@example.org,+49 30 111111,Aachen,2020-01-01,2026-03-01",
    "2,,,Bremen,,2026-03-01",
    "3,,,Celle,,2026-03-01",
]
SECOND = [
    "1,test@test.com,+49 30 111111,Bonn,2020-01-01,2026-03-05",
    # Not of its type, and nobody's identifiers beside it.
    "2,bo,0000000000,Bremen,soon,2026-03-05",
    # Two that contradict each other, and one of the same as the first.
    "3,,,Dresden,,2026-03-05",
    "3,,,Erfurt,,2026-03-05",
    "3,,,Dresden,,2026-03-05",
    # The same twice.
    "4,,,Fulda,,2026-03-05",
    "4,,,Fulda,,2026-03-05",
    # One that is wrong by itself contradicts nobody.
    "5,,,Goslar,,2026-03-05",
    "5,,,Halle,x,2026-03-05",
    ",,,Ilmenau,,2026-03-05",
    "6,,,Jena,,2026-03-05",
    "7,,,Kiel,,2026-03-05",
    "8,anna@example.org,030 111111,Lich,,2026-03-05",
    "short",
]  # fmt: skip
REASONS = {"contradicts:member": 3, "malformed": 1, "missing:member": 1, "not_a_date:since": 2}


def member(number, kind="member"):
    return pseudonym(bytes.fromhex(os.environ["LIFESTAGE_PSEUDONYM_KEY"]), kind, str(number))


def text(header, lines):
    return "\n".join([header, *lines]) + "\n"


def deliver(project, day, crm, club):
    project.write(f"crm/{day}.csv", text(CRM_HEADER, crm))
    project.write(f"club/{day}.csv", text(CLUB_HEADER, club))


def club_on(project, day):
    """Return the members of the club on a day, in order of number."""
    numbers = {member(number): number for number in range(1, 5)}
    rows = project.read("club").where(
        (F.col("valid_from") <= F.lit(day)) & (F.col("valid_to") > F.lit(day)) & ~F.col("is_ended")
    )
    return sorted(numbers[row["member"]] for row in rows.select("member").collect())


@pytest.fixture(scope="module")
def project(spark_session, tmp_path_factory):
    project = make_project(spark_session, tmp_path_factory.mktemp("crm") / "p", SOURCES)
    deliver(project, "2026-03-01", FIRST, ["1,2020-01-01", "2,2021-01-01", "3,2022-01-01"])
    project.run("2026-03-01", steps=STEPS)
    # The row of 2 is wrong, 3 is left out.
    deliver(project, "2026-03-05", SECOND, ["1,2020-01-01", "2,soon"])
    project.run("2026-03-05", steps=STEPS)
    # 2 is left out, and a line could be of anybody.
    project.write("club/2026-03-09.csv", text(CLUB_HEADER, ["1,2020-01-01", "4,2023-01-01", "2;2021-01-01"]))
    project.run("2026-03-09", steps=STEPS)
    project.write("club/2026-03-12.csv", text(CLUB_HEADER, ["1,2020-01-01", "4,2023-01-01"]))
    project.write("zones/2026-03-12.csv", "zone,n\na,1\nb,x\n")
    project.run("2026-03-12", steps=STEPS)
    return project


def ledger(project, *columns):
    return project.read("ingest_ledger").where("source = 'profiles'").select("delivery_no", *columns)


def test_every_row_is_counted_with_reasons_and_warnings(project):
    found = ledger(project, "n_rows", "n_accepted", "n_duplicate", "n_rejected", "reasons", "warnings")
    warnings = {"invalid_identifier:email": 1, "invalid_identifier:phone": 1}
    warnings |= {"placeholder_identifier:email": 1, "placeholder_identifier:phone": 1}
    assert_rows(found, [(2, 3, 3, 0, 0, {}, {}), (4, 14, 6, 1, 7, REASONS, warnings)])


def test_the_known_version_of_a_key_stays_valid_if_its_rows_are_rejected(project):
    rows = project.read("profiles").select(
        "member", "city", F.col("extract_date").cast("string"), "delivery_no"
    )
    of_second = [(4, "Fulda"), (5, "Goslar"), (6, "Jena"), (7, "Kiel"), (8, "Lich")]
    expected = [
        (member(1), "Aachen", "2026-03-01", 2),
        (member(1), "Bonn", "2026-03-05", 4),
        (member(2), "Bremen", "2026-03-01", 2),
        (member(3), "Celle", "2026-03-01", 2),
        *[(member(number), city, "2026-03-05", 4) for number, city in of_second],
    ]
    assert_rows(rows, expected)


def test_a_dropped_identifier_is_null_and_its_row_is_accepted(project):
    rows = (
        project.read("profiles").where("city IN ('Aachen', 'Bonn', 'Lich')").select("city", "email", "phone")
    )
    email, phone = member("anna@example.org", "email"), member("+4930111111", "phone")
    assert_rows(rows, [("Aachen", email, phone), ("Bonn", None, phone), ("Lich", email, None)])


def test_rejected_rows_are_kept_in_the_same_table_as_those_of_events(project):
    kept = project.read("rejected_events").where("source = 'profiles'")
    assert kept.where(F.contains(F.hex("raw"), F.hex(F.lit("Dresden")))).isEmpty()
    key = project.project.secrets.quarantine_key
    rows = decrypt_raw(kept, key).select(
        F.col("raw").cast("string"),
        "reasons",
        "identifiers",
        F.col("event_date").cast("string"),
        "delivery_no",
    )
    told = ["contradicts:member"]
    three, day = {"member": member(3)}, "2026-03-05"
    expected = [
        (SECOND[1], ["not_a_date:since"], {"member": member(2)}, day, 4),
        (SECOND[2], told, three, day, 4),
        (SECOND[3], told, three, day, 4),
        (SECOND[4], told, three, day, 4),
        (SECOND[8], ["not_a_date:since"], {"member": member(5)}, day, 4),
        (SECOND[9], ["missing:member"], None, day, 4),
        # What can be read of a broken line is its first column.
        ("short", ["malformed"], {"member": member("short")}, None, 4),
    ]
    assert_rows(rows, expected)
    assert kept.select("rejected_id").distinct().count() == len(expected)


def test_rejected_rows_of_a_table_without_identifiers_are_kept(project):
    kept = project.read("rejected_events").where("source = 'zones'").select("reasons", "identifiers")
    assert_rows(kept, [(["not_a_int:n"], None)])
    assert_rows(project.read("zones").select("zone", "n"), [("a", 1)])


def test_a_key_with_a_rejected_row_does_not_end(project):
    assert club_on(project, "2026-03-04") == [1, 2, 3, 4]
    assert club_on(project, "2026-03-05") == [1, 2, 4]


def test_an_extract_with_a_broken_line_ends_no_key_and_the_next_one_does(project):
    assert club_on(project, "2026-03-09") == [1, 2, 4]
    assert club_on(project, "2026-03-12") == [1, 4]


def test_below_the_gate_nothing_is_written(spark, tmp_path):
    project = make_project(spark, tmp_path / "p", {"reference/club": CLUB})
    project.write(
        "club/2026-03-01.csv", text(CLUB_HEADER, ["1,soon", "2,late", "3,2022-01-01", "3,2022-01-01"])
    )
    with pytest.raises(CheckError) as refused:
        project.run("2026-03-01", steps=STEPS)
    assert str(refused.value).splitlines() == [
        "reference club: 33.3% of 3 rows pass, the gate is 50%",
        "  not_a_date:since: 2 rows, e.g. 9,xxxx",
        "nothing was written; the next run reads these files again",
    ]
    for table in ("club", "rejected_events", "ingest_ledger"):
        assert project.read(table).isEmpty()


def test_a_full_extract_of_two_dates_is_refused_whatever_the_gate(spark, tmp_path):
    dated = CLUB.replace("try_cast(substring(file_name, 1, 10) AS date)", "since").replace("0.5", "0")
    project = make_project(spark, tmp_path / "p", {"reference/club": dated})
    project.write("club/a.csv", text(CLUB_HEADER, ["1,2022-01-01", "2,2022-01-02", "3,soon"]))
    with pytest.raises(
        CheckError, match=r"reference club: delivery 1 has rows of 2 dates, .* declare `extract: delta`"
    ):
        project.run("2026-03-01", steps=STEPS)
