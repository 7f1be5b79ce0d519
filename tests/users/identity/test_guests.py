"""Guests of an online shop: orders with `customer_id: 0` are not the orders of one customer."""

import json
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from lifestage.users.resolution import resolve_users
from support.projects import MAIN, TO_ACTIVITY, make_project
from support.pseudonyms import pseudonym

# WooCommerce: guests have the customer id 0, refunds are a list inside the order, times are UTC without an offset.
ORDERS = """
path: orders/*.jsonl
format: json
columns: {id: string, status: string, total: "decimal(18, 2)", customer_id: int, date_created_gmt: local_timestamp,
          billing: string, refunds: string}
time_zone: UTC
key: [id]
identifiers: {member: customer_id, email: "get_json_object(billing, '$.email')"}
pii: [customer_id, billing]
map:
  event_type: "CASE WHEN status IN ('completed', 'refunded') THEN 'purchase' ELSE 'order_left_out' END"
  event_at: date_created_gmt
  channel: "'web'"
  amount: >
    total + aggregate(from_json(refunds, 'array<struct<total:decimal(18,2)>>'), cast(0 AS decimal(18, 2)),
    (a, x) -> try_cast(a + x.total AS decimal(18, 2)))
"""
LEFT_OUT = "order_left_out: {description: An order that does not count, by: business, amount: any}\n"


def order(number, status, at, total, customer, email, *refunds):
    return {
        "id": number, "status": status, "date_created_gmt": at, "total": total, "customer_id": customer,
        "billing": {"email": f"{email}@example.org"}, "refunds": [{"total": amount} for amount in refunds],
    }  # fmt: skip


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    shop = make_project(
        spark_session, tmp_path_factory.mktemp("guests"), {"shop": ORDERS}, MAIN, event_types=LEFT_OUT
    )
    orders = [
        order(301, "completed", "2026-01-05T15:00:00", "33.83", 7, "b7", "-10.00"),
        order(302, "completed", "2026-01-06T15:00:00", "20.00", 0, "g1"),
        order(303, "completed", "2026-01-07T15:00:00", "25.00", 0, "g2"),
        order(304, "refunded", "2026-01-08T15:00:00", "30.00", 0, "g3", "-5.00", "-25.00"),
        order(305, "completed", "2026-01-09T03:00:00", "40.00", 8, "b8"),
        order(306, "completed", "2026-01-10T15:00:00", "15.00", 0, "g1"),
        order(307, "failed", "2026-01-11T15:00:00", "99.00", 0, "g4"),
    ]
    shop.write("orders/2026-01.jsonl", "\n".join(map(json.dumps, orders)) + "\n")
    shop.run("2026-01-31", steps=TO_ACTIVITY)
    return shop


def test_each_guest_is_a_person_with_their_own_money(shop):
    """The persons and amounts of case 14."""
    users = resolve_users(shop.read("identity_map"), shop.read("identity_past"), [])
    users = users.select(F.col("identifier").alias("subject"), "user_id")
    days = shop.read("activity_days").join(users, on="subject", how="left")
    bought = days.where("event_date < '2026-01-11'").groupBy(F.coalesce("user_id", "subject").alias("user"))
    net = sorted(row["net"] for row in bought.agg(F.sum("net_amount").alias("net")).collect())
    assert net == [Decimal(text) for text in ("0.00", "23.83", "25.00", "35.00", "40.00")]


def test_the_customer_id_of_guests_is_no_identifier(shop):
    zero = pseudonym(shop.project.secrets.pseudonym_key, "member", "0")
    events = shop.read("events")
    assert events.where(F.array_contains(F.map_values("identifiers"), zero)).isEmpty()
    [[warnings]] = shop.read("ingest_ledger").select("warnings").collect()
    assert warnings == {"placeholder_identifier:member": 5}


def test_an_order_without_an_offset_has_the_business_date_of_its_instant(shop):
    days = shop.read("events").where("order_id IS NULL AND amount = 40").select("event_date").collect()
    assert [row["event_date"] for row in days] == [date(2026, 1, 8)]
