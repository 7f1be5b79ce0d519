import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from lifestage.cli import app, main
from lifestage.cli.run import outcome_lines
from lifestage.cli.terminal import grid, guard, parse_date, parse_now, print_json
from lifestage.ingestion.sources.freshness import StaleSource
from lifestage.platform.errors import CheckError, ConfigError, NoDataError, RunLockedError
from lifestage.services.run import Cost, Outcome
from lifestage.services.starter import create

pytestmark = pytest.mark.slow


def exit_of(command, capsys):
    with pytest.raises(SystemExit) as stop:
        guard(command)
    return stop.value.code, capsys.readouterr().err


def failing(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    "sql", ["url_decode('al%zz@x.de')", "to_timestamp('al%zz@x.de', 'yyyy')", "CAST('al%zz@x.de' AS INT)"]
)
def test_what_fails_on_a_row_does_not_show_it(spark, capsys, sql):
    with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever Spark makes of it
        spark.range(1).selectExpr(sql).collect()
    code, said = exit_of(failing(failed.value), capsys)[:2]
    assert code == 1
    assert "zz" not in said
    assert "because it may name a person" in said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NoDataError("there is no table x"), 1, "there is no table x\n"),
        (CheckError("gate"), 1, "gate\n"),
        (
            ConfigError(["a: unknown key", "b: missing"]),
            2,
            "a: unknown key\nb: missing\n2 problems: nothing was started",
        ),
        (
            OSError(28, "No space left on device", "x.csv"),
            1,
            "OSError: [Errno 28] No space left on device: 'x.csv'\n",
        ),
        (
            RuntimeError("call failed\n: Broken\n\tat a.b.C\n\tat d.E"),
            1,
            "RuntimeError: call failed\n: Broken\nLIFE",
        ),
        (
            RuntimeError(
                """[CAST] The value 'o'neil@example.org' of the type "STRING" cannot be\n'Project [email]\n+- x"""
            ),
            1,
            """RuntimeError: [CAST] The value '...' of the type "STRING" cannot be\nLIFE""",
        ),
    ],
)
def test_whatever_goes_wrong_is_a_message_and_an_exit_code(error, code, said, capsys):
    found = exit_of(failing(error), capsys)
    assert found[0] == code
    assert found[1].startswith(said)
    assert "Traceback" not in found[1]


@pytest.mark.parametrize(
    ("error", "problems", "code"),
    [
        (ConfigError(["a: unknown key", "b: missing"]), ["a: unknown key", "b: missing"], 2),
        (RunLockedError("run r1 is active"), ["run r1 is active"], 1),
        (
            OSError(28, "No space left on device", "x"),
            ["OSError: [Errno 28] No space left on device: 'x'"],
            1,
        ),
    ],
)
def test_every_failure_is_json_where_json_is_asked_for(error, problems, code, capsys):
    with pytest.raises(SystemExit) as stop:
        guard(failing(error), as_json=True)
    assert stop.value.code == code
    expected = {"type": type(error).__name__, "problems": problems, "exit_code": code}
    assert json.loads(capsys.readouterr().out) == {"error": expected}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run --json --conf missing.yaml", "missing.yaml: file not found"),
        ("run --json --as-of soon", "--as-of: soon is not a date"),
        ("run --json --steeps value", "No such option: --steeps"),
        ("doctor --json --conf missing.yaml", "missing.yaml: file not found"),
    ],
)
def test_a_refused_command_answers_in_json(arguments, said, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["lifestage", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    answer = json.loads(capsys.readouterr().out)["error"]
    assert (stop.value.code, answer["exit_code"]) == (2, 2)
    assert answer["problems"][0].startswith(said)


def test_the_exit_code_of_an_answer_in_json_stays(capsys):
    """doctor answers in JSON and exits with 1 where it finds a problem."""
    with pytest.raises(SystemExit) as stop:
        guard(lambda: 1, as_json=True)
    assert (stop.value.code, capsys.readouterr().out) == (1, "")
    guard(lambda: None, as_json=True)
    with pytest.raises(SystemExit) as stop:
        guard(lambda: 130, as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "KeyboardInterrupt"


def test_the_step_that_was_stopped_is_named(capsys):
    error = CheckError("gate")
    error.add_note("step ingest was not completed")
    assert exit_of(failing(error), capsys) == (1, "gate\nstep ingest was not completed\n")


@pytest.mark.parametrize(
    "command",
    ["run", "backfill --stale", "report", "validate", "tables", "doctor", "snapshot list", "snapshot show latest",
     "snapshot export latest --to users.csv", "quarantine list", "quarantine replay"],
)  # fmt: skip
def test_a_missing_main_file_is_told_with_the_way_out(command, capsys, tmp_path):
    conf = tmp_path / "missing.yaml"
    code, said = exit_of(lambda: app([*command.split(), "--conf", str(conf)], standalone_mode=True), capsys)
    assert (code, said.splitlines()[0]) == (
        2,
        f"{conf}: file not found: give --conf FILE, or start a project with `lifestage init DIR`",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run --as-of 31.01.2026", "--as-of: 31.01.2026 is not a date such as 2026-11-21"),
        ("run --now 2026-01-31T06:00:00", "--now: 2026-01-31T06:00:00 has no UTC offset"),
        ("run --as-of 0001-01-01", "--as-of: 0001-01-01 is not within the years 1900 to 9998"),
        (
            "run --now 0001-01-01T00:00:00+14:00",
            "--now: 0001-01-01T00:00:00+14:00 is not within the years 1900 to 9998",
        ),
        ("run --now soon", "--now: soon is not an ISO 8601 instant"),
        ("run --steps stage", "--steps: unknown stage, expected some of reference"),
        ("report --against soon", "--against: soon is not a date such as 2026-11-21"),
        ("backfill", "backfill: give --from and --to, or --stale"),
        (
            "backfill --from 2026-02-28 --to 2026-01-31",
            "backfill: --from 2026-02-28 is after --to 2026-01-31",
        ),
        (
            "snapshot export latest --to s3://bucket/users.csv",
            "--to: s3:/bucket/users.csv is not a local path",
        ),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_starts(arguments, said, capsys):
    code, errors = exit_of(lambda: app(arguments.split(), standalone_mode=True), capsys)
    assert (code, errors[: len(said)]) == (2, said)


def test_an_export_is_refused_before_anything_starts(capsys, tmp_path):
    create(tmp_path)
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    conf = ["--conf", str(tmp_path / "lifestage.yaml")]

    def refusal(*options):
        command = ["snapshot", "export", "latest", *options, *conf]
        return exit_of(lambda: app(command, standalone_mode=True), capsys)

    assert refusal("--to", str(taken)) == (
        2,
        f"--to: {taken} exists and is not overwritten: give another path, or remove the file\n",
    )
    code, said = refusal("--to", str(tmp_path / "new.csv"), "--destination", "crm")
    assert (code, said) == (2, "--destination: crm is not declared: expected one of default\n")
    assert taken.read_text() == "mine"


def commands(app=app, name=()):
    """Every command with its words."""
    for each in app.registered_commands:
        yield (*name, each.name or each.callback.__name__), each.callback
    for group in app.registered_groups:
        yield from commands(group.typer_instance, (*name, group.name))


@pytest.mark.parametrize(
    ("words", "callback"), [pytest.param(*pair, id=" ".join(pair[0])) for pair in commands()]
)
def test_every_command_shows_an_example_of_itself(words, callback):
    [example] = [line.strip() for line in callback.__doc__.splitlines() if "Example: " in line]
    assert example.startswith(f"Example: lifestage {' '.join(words)}")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_complete_in_a_shell(shell, monkeypatch, capsys):
    given = {"COMP_WORDS": "lifestage snap", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "lifestage snap"}
    for name, value in {**given, "_LIFESTAGE_COMPLETE": f"complete_{shell}"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        app(prog_name="lifestage")
    assert "snapshot" in capsys.readouterr().out


def test_a_range_without_a_month_end_says_so(capsys):
    backfill = ["backfill", "--from", "2026-01-01", "--to", "2026-01-30"]
    guard(lambda: app(backfill, standalone_mode=False))
    assert capsys.readouterr().out == "no month-end between 2026-01-01 and 2026-01-30\n"
    guard(lambda: app([*backfill, "--json"], standalone_mode=False))
    assert capsys.readouterr() == ("null\n", "no month-end between 2026-01-01 and 2026-01-30\n")


def test_instants_are_utc_and_dates_are_dates():
    assert parse_now("2026-01-31T06:00:00+01:00") == datetime(2026, 1, 31, 5, tzinfo=UTC)
    assert parse_date("--as-of", "2026-01-31") == date(2026, 1, 31)


def test_json_is_for_programs(capsys):
    print_json(
        {"at": datetime(2026, 1, 31, 6, tzinfo=timezone(timedelta(hours=1))), "day": date(2026, 1, 31)}
    )
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-31T05:00:00+00:00", "day": "2026-01-31"}


def test_a_run_names_stale_sources_in_its_output_and_in_json(capsys):
    stale = (StaleSource("orders", "1 day", datetime(2026, 3, 28, 6, tzinfo=UTC)),)
    outcome = Outcome(
        run_id="r1", as_of_dates=(date(2026, 3, 31),), steps=(), deliveries=None, personal_data=None,
        suspicions=None, snapshot_id=None, stale_sources=stale, cost=None, report=None,
    )  # fmt: skip
    told = "stale     orders: last delivery 2026-03-28 06:00 UTC, expected every 1 day"
    assert [*outcome_lines(outcome, "landing")] == [told]
    print_json(outcome)
    [found] = json.loads(capsys.readouterr().out)["stale_sources"]
    expected = {
        "source": "orders",
        "expected_every": "1 day",
        "last_delivery_at": "2026-03-28T06:00:00+00:00",
    }
    assert found == expected


def test_a_run_says_what_it_cost_for_each_subject_that_it_touched():
    outcome = Outcome(
        run_id="r1", as_of_dates=(date(2026, 3, 31),), steps=(), deliveries=None, personal_data=None,
        suspicions=None, snapshot_id=None, stale_sources=(), cost=Cost(1200, 31.5, 4096.4), report=None,
    )  # fmt: skip
    told = "cost      1,200 subjects touched: 31.5 ms and 4,096 bytes written for each"
    assert [*outcome_lines(outcome, "landing")] == [told]


def test_numbers_stand_at_the_right():
    columns = grid("name", "users", numbers=["users"]).columns
    assert [column.justify for column in columns] == ["left", "right"]
