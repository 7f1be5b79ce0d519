"""What run, doctor and report say of unusual identities, and the YAML that they give."""

from datetime import date

import pytest
import yaml

from lifestage.cli.run import outcome_lines
from lifestage.platform.findings import Level
from lifestage.platform.reporting.disclosure import disclose
from lifestage.platform.reporting.section import DATA
from lifestage.platform.reporting.words import load_words
from lifestage.services.run import Outcome
from lifestage.users.identity.advice import MAX_LISTED, Suspicions, SuspiciousIdentity, read_suspicions
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.diagnose import diagnose_identities
from lifestage.users.identity.section import SECTION, IdentityData
from lifestage.users.identity.tables import IDENTITY_SUSPICIONS, Suspicion
from support.frames import build
from support.projects import packaged_config
from support.reporting import TEXTS, grid, render_chapters, texts

A, B = "a" * 32, "b" * 32


def row(kind, n, kind_of="email", counted="member", most=20, identifier=A):
    return {
        "kind": kind, "user_id": B, "identifier": identifier, "type": kind_of, "counted": counted, "n": n, "most": most,
    }  # fmt: skip


def whole_user(kind, n, counted="any"):
    return row(kind, n, None, counted, None, identifier=B)


ROWS = [
    row("shared", 30),
    row("many", 12),
    row("placeholder", 900, "member", "email", 5),
    whole_user("large", 150),
    whole_user("several", 7, "member"),
]


ORDER = ("placeholder", "large", "several", "many", "shared")


@pytest.fixture
def found():
    """What read_suspicions gives for these rows."""
    rows = sorted(ROWS, key=lambda each: ORDER.index(each["kind"]))
    listed = tuple(
        SuspiciousIdentity(
            Suspicion(each["kind"]),
            *[each[name] for name in ("user_id", "identifier", "type", "counted", "n", "most")],
        )
        for each in rows
    )
    return Suspicions(listed, tuple((each.kind, 1) for each in listed))


def test_the_most_doubtful_kind_comes_first(spark, found):
    assert read_suspicions(build(spark, IDENTITY_SUSPICIONS, ROWS)) == found


def test_each_has_its_line_of_yaml(found):
    assert [(each.kind, each.yaml) for each in found.listed] == [
        ("placeholder", 'identifiers: {member: {placeholders: ["VALUE"]}}'),
        ("large", "identity: {deny: [{a: PSEUDONYM, b: PSEUDONYM, because: REASON}]}"),
        ("several", "identity: {deny: [{a: PSEUDONYM, b: PSEUDONYM, because: REASON}]}"),
        ("many", "identity: {limits: {email: {member: 11}}}"),
        ("shared", "identity: {limits: {email: {member: 30}}}"),
    ]


def test_the_lines_of_yaml_are_valid_settings(found):
    for each in found.listed:
        line = each.yaml.replace("a: PSEUDONYM", f"a: {A}").replace("b: PSEUDONYM", f"b: {B}")
        assert yaml.safe_load(line)
        config = packaged_config(f"{line}\n")
        if "limits" in line:
            assert config.of(IdentityConfig).limits["email"]["member"] == (
                30 if each.kind == "shared" else 11
            )


def test_few_are_listed_and_all_are_counted(spark):
    rows = [row("shared", 30 + n, identifier=f"{n:032}") for n in range(40)]
    found = read_suspicions(build(spark, IDENTITY_SUSPICIONS, rows))
    assert (found.n, len(found.listed), found.listed[0].n) == (40, MAX_LISTED, 69)
    assert read_suspicions(build(spark, IDENTITY_SUSPICIONS, [])) == Suspicions()


def outcome(suspicions):
    return Outcome(
        run_id="r", as_of_dates=(date(2026, 3, 1),), steps=(), deliveries=None, suspicions=suspicions, cost=None,
        personal_data=None, stale_sources=(), snapshot_id=None, report=None,
    )  # fmt: skip


def test_a_run_says_how_many_look_unusual_and_what_to_write(found):
    first, *lines = outcome_lines(outcome(found), "landing")
    assert first == "identity  5 look unusual: 1 placeholder, 1 large, 1 several, 1 many, 1 shared"
    assert lines[0].strip() == (
        f"member {A} was seen with 900 identifiers of type email: its value may be a placeholder; it counts as shared and "
        "joins nobody"
    )
    assert (
        lines[1]
        .strip()
        .startswith('-> if so: identifiers: {member: {placeholders: ["VALUE"]}}; `lifestage identity VALUE`')
    )
    assert lines[-1].strip() == "lifestage doctor shows more"
    assert [*outcome_lines(outcome(Suspicions()), "landing")] == []


class Root:
    """What doctor sees of a root."""

    def __init__(self, spark, rows, is_resolved=True):
        self.rows = build(spark, IDENTITY_SUSPICIONS, rows)
        self.is_resolved = is_resolved

    def read(self, name):
        assert name == "identity_suspicions"
        return self.rows

    def metadata(self, _name):
        return {"run_id": "r"} if self.is_resolved else {}


def test_doctor_lists_them_with_the_next_step(spark):
    config = packaged_config().of(IdentityConfig)
    findings = [*diagnose_identities(Root(spark, ROWS), config)]
    assert {finding.level for finding in findings} == {Level.NOTE}
    assert len(findings) == len(ROWS)
    assert findings[1].detail == f"user {B} has 150 identifiers: is it one person?"
    assert f"`lifestage identity {B}`" in findings[1].next_step
    [sound] = diagnose_identities(Root(spark, []), config)
    assert sound.level is Level.OK
    assert [*diagnose_identities(Root(spark, ROWS, is_resolved=False), config)] == []


@pytest.mark.parametrize(("language", "caption"), [("en", "Identities to check"), ("zh", "需要核查的身份")])
def test_the_report_lists_them_in_the_chapter_on_data(found, language, caption):
    words = load_words(language, None, "EUR", TEXTS)
    [chapter] = SECTION.render(IdentityData(found), disclose({}, (), 1), words)
    rows = texts(grid(chapter, caption))
    assert chapter.key == DATA
    assert [cells[0] for cells in rows][:2] == [
        f"member {A}",
        f"user {B}" if language == "en" else f"用户 {B}",
    ]
    assert [cells[-1] for cells in rows] == [each.yaml for each in found.listed]
    assert render_chapters(SECTION, IdentityData(Suspicions())) == {}
