import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.value.config import ValueConfig
from lifestage.ingestion.sources.config import SOURCES
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.errors import ConfigError
from lifestage.project.loader import load_config
from lifestage.project.registry import tables_of
from lifestage.project.secrets import read_secrets
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.features.config import FeaturesConfig, Rhythm

MAIN = """
storage: {root: tables}
business: {name: Test, time_zone: America/New_York, history_starts_on: 2026-01-01}
landing: here
"""

SOUND = """
path: till/*.csv
format: csv
columns: {receipt: string, email: string, at: timestamp, amount: "decimal(18,2)"}
key: [receipt]
identifiers: {email: email}
pii: [email]
map: {event_type: "'purchase'", event_at: at, amount: amount}
"""

FORGIVING = """amount: TRY_CAST(amount AS DOUBLE), order_id: "split(receipt, '-')[0]", quantity: amount / 100,
      location_id: "CAST(amount AS STRING)", starts_session: "at > TIMESTAMP '2026-01-01 00:00:00Z'",
      channel: "get(split(receipt, '-'), 1)", duration: "date_diff(to_date(from_utc_timestamp(at, 'UTC')), DATE '2026-01-01')"
"""

PRICES = """
path: prices/*.csv
format: csv
columns: {product: string, price: string, is_sold: string}
key: [product]
valid_from: file_name
map: {product: product, price: price, is_sold: is_sold}
types: {price: "decimal(18,2)", is_sold: boolean}
"""

STAGES = """
ladder:
  - {stage: new, when: occasions_all = 0}
  - {stage: other, when: "true"}
display: [new, other]
"""

# Steps that decide what a feature might be called.
DECIDES = {"tier": "value", "stage": "stages"}

# Each expected problem: file, key, and what is said of it.
MEANING = {
    "main.yaml": MAIN
    + """
identifiers:
  email: {priority: 1, normalise: lower(email), valid: CAST(value AS INT) > 0}
identity: {known: [friend], limits: {email: {stranger: 2}, kiosk: {member: 5}}}
activity:
  {lookups: {stores: {store_id: location_id}, products: {product: product_id}}, category: stores.kind, is_new_product: "false"}
""",
    "sources/till.yaml": """
path: till/*.csv
format: csv
encoding: rot13
columns: {receipt: string, email: string, card: string, at: timestamp, amount: string, units: int}
formats: {at: "dd.MM.YYYY HH:mm", sold: yyyy, card: "1,234.56", amount: yyyy, units: epoch_seconds}
fields: {colour: farbe}
skip_when: receipt
key: [receipt, card, line]
identifiers: {email: "lower(email)", card: card}
pii: [email, emial]
lookups: [{reference: rates, on: {currency: curency}}, {reference: prices, on: {product: receipt}}]
map: {event_at: units + 1, amount: CAST(amount AS DOUBLE), quantity: amount / units, duration: "units % units", channel: "split(receipt, '-')[1]", order_id: recipt, campaign: email, colour: receipt}
attributes: {mail: "concat('x', email)", all: to_json(struct(*))}
rules: {recent: {check: at < now()}, sure: {check: raise_error(receipt)}, sound: {check: "amount >"}}
delete_when: rand() > 0.5
""",
    "sources/sensor.yaml": """
path: sensor/*.csv
format: csv
columns: {at: timestamp, n: int, N: int, _raw: string, file_name: string}
map: {event_type: "CASE WHEN n > 0 THEN 'store_vist' ELSE if(n < 0, 'sneeze', 'share') END", event_at: at}
version: n
""",
    "reference/products.yaml": """
path: products/*.csv
format: csv
columns: {product: string, owner: string, price: string, email: string}
key: [product_id]
valid_from: try_cast(file_nam AS date)
map: {product: product, price: CAST(price AS INT), contact: lower(email)}
types: {price: money, cost: int}
identifiers: {owner: membre}
""",
    "reference/people.yaml": """
path: people/*.csv
format: csv
columns: {nr: string, tel: string, since: date}
key: [member]
valid_from: since
map: {member: nr, phone: tel, contact: "concat('tel ', tel)", has_phone: tel IS NOT NULL, valid_from: since}
types: {has_phone: boolean, valid_from: date}
identifiers: {member: email, phone: email}
""",
    "reference/prices.yaml": """
path: prices/*.csv
format: csv
columns: {product: string, store: string, price: string}
key: [product, store]
valid_from: file_name
map: {product: product, store: store, price: price}
""",
    "reference/Events.yaml": """
path: events/*.csv
format: csv
columns: {id: string}
key: [id]
valid_from: file_name
map: {id: id}
""",
    "reference/runs.yaml": """
path: runs/*.csv
format: csv
columns: {id: string}
key: [id]
valid_from: file_name
map: {id: id}
""",
    "features.yaml": """
measures:
  n_big: {aggregate: count, filter: amont > 100, unit: events, description: x}
  total: {aggregate: sum, unit: money, description: x}
  Big One: {aggregate: count, unit: events, description: x}
  as_of: {aggregate: count, unit: events, description: x}
  purchase_channel: null
days:
  good_days: {expression: n_actions > rand(), unit: days, description: x}
  score: {expression: n_actions / 3, unit: points, description: x}
dates: {good_on: {which: first, when: n_good > 0, description: x}}
profile: {known_at: {from: [people.has_phone], unit: flag, description: x}}
windows: {n_nothing: {days: [7]}, score: {days: [7, 30]}}
""",
    "stages.yaml": """
ladder:
  - {stage: known, when: occasions_all >= 0 OR occasions_all IS NULL}
  - {stage: lost, when: occasions_all = 0}
  - {stage: lost, when: occasions_all > 5}
display: [known]
views: {coarse: {known: a, found: b}}
""",
    "value.yaml": 'rfm: {min_users: 5, min_history_days: 30, names: {"[1-4][1-5]": some, "[3-5][1-4]": others, "66": others}}',
    "segments.yaml": "eligible: occasion_365d > 0",
}
SAID = {
    ("main.yaml", "identifiers.email.normalise", "unknown column email"),
    ("main.yaml", "identity.limits.email", "unknown identifier type stranger"),
    ("main.yaml", "identity.known", "unknown identifier type friend"),
    ("main.yaml", "identity.limits.kiosk", "unknown identifier type kiosk"),
    ("main.yaml", "identifiers.email.valid", "use TRY_CAST"),
    (
        "main.yaml",
        "activity.lookups.stores",
        "unknown reference table, expected one of Events, people, prices, products, runs",
    ),
    ("main.yaml", "activity.lookups.products", "expected SQL for each key column of the table: product_id"),
    ("main.yaml", "activity.category", "unknown column stores.kind"),
    ("sources/till.yaml", "encoding", "rot13 is not known"),
    ("sources/till.yaml", "formats.at", "needs an offset"),
    ("sources/till.yaml", "formats.at", "Y is not a letter of a date pattern"),
    ("sources/till.yaml", "formats.sold", "unknown column sold"),
    ("sources/till.yaml", "formats.card", "1,234.56 is no format of a column of type string"),
    ("sources/till.yaml", "formats.amount", "a pattern of dates is no format of a column of type string"),
    ("sources/till.yaml", "formats.units", "epoch_seconds is no format of a column of type int"),
    ("sources/till.yaml", "fields.colour", "unknown column colour"),
    ("sources/till.yaml", "skip_when", "gives string, expected a condition"),
    ("sources/till.yaml", "key", "unknown column line"),
    ("sources/till.yaml", "key", "column card holds an identifier: name it under pii"),
    ("sources/till.yaml", "pii", "unknown column emial"),
    ("sources/till.yaml", "identifiers.card", "unknown identifier type"),
    ("sources/till.yaml", "lookups", "unknown reference table rates"),
    ("sources/till.yaml", "lookups.rates.on.currency", "unknown column curency"),
    (
        "sources/till.yaml",
        "lookups.prices.on",
        "expected SQL for each key column of the table: product, store",
    ),
    ("sources/till.yaml", "map.event_type", "required key is missing"),
    ("sources/sensor.yaml", "columns.n", "differs in upper and lower case only"),
    ("sources/sensor.yaml", "columns.N", "differs in upper and lower case only"),
    ("sources/sensor.yaml", "columns._raw", "lifestage uses this name itself"),
    ("sources/sensor.yaml", "columns.file_name", "lifestage uses this name itself"),
    ("sources/till.yaml", "map.event_at", "gives int, expected a point in time"),
    ("sources/till.yaml", "map.colour", "not a canonical column"),
    ("sources/till.yaml", "map.amount", "use TRY_CAST"),
    ("sources/till.yaml", "map.quantity", "use try_divide"),
    ("sources/till.yaml", "map.duration", "use try_divide or try_mod"),
    ("sources/till.yaml", "map.channel", "an index out of range fails the run"),
    ("sources/till.yaml", "map.order_id", "unknown column recipt, in: recipt (did you mean receipt?)"),
    ("sources/till.yaml", "map.campaign", "column email holds an identifier"),
    ("sources/till.yaml", "attributes.mail", "column email holds an identifier"),
    ("sources/till.yaml", "attributes.all", "* is not allowed"),
    ("sources/till.yaml", "rules.sure.check", "raise_error() fails the run"),
    ("sources/till.yaml", "rules.recent.check", "now() reads a clock"),
    ("sources/till.yaml", "rules.sound.check", "not SQL"),
    ("sources/till.yaml", "delete_when", "rand() reads a clock, randomness"),
    (
        "sources/sensor.yaml",
        "map.event_type",
        "unknown event type store_vist: declare it in event_types.yaml (did you mean store_visit?)",
    ),
    ("sources/sensor.yaml", "map.event_type", "unknown event type sneeze"),
    ("sources/sensor.yaml", "key", "required for version, delete_when and snapshot"),
    ("reference/Events.yaml", "Events", "expected lower-case letters"),
    ("reference/runs.yaml", "runs", "cannot have the name of another table"),
    ("reference/products.yaml", "key", "product_id is not a column of map"),
    ("reference/products.yaml", "valid_from", "did you mean file_name?"),
    ("reference/products.yaml", "map.price", "use TRY_CAST"),
    ("reference/products.yaml", "map.contact", "column email holds an identifier in a source"),
    ("reference/people.yaml", "map.contact", "column tel is an identifier of a reference table"),
    ("reference/people.yaml", "map.valid_from", "every reference table has a column of that name"),
    ("reference/products.yaml", "types", "cost is not a column of map"),
    ("reference/products.yaml", "types.price", "unknown type money"),
    ("reference/products.yaml", "identifiers", "owner is not a column of map"),
    ("reference/products.yaml", "identifiers", "unknown identifier type membre"),
    ("features.yaml", "Big One", "expected lower-case letters"),
    ("features.yaml", "as_of", "is the name of a built-in column"),
    ("features.yaml", "measures.n_big.filter", "unknown column amont"),
    ("features.yaml", "measures.total.expression", "required for sum"),
    ("features.yaml", "days.good_days.expression", "rand() reads a clock"),
    ("features.yaml", "dates.good_on.when", "unknown column n_good"),
    ("features.yaml", "purchase_channel", "do not remove it"),
    ("features.yaml", "profile.known_at", "is the name of a built-in column"),
    ("features.yaml", "windows.n_nothing", "neither a measure nor a day"),
    ("features.yaml", "windows.score", "no sums in the unit points"),
    ("stages.yaml", "ladder", "stage lost is defined twice"),
    ("stages.yaml", "ladder", "no user can ever reach lost"),
    ("stages.yaml", "display", "expected each stage once"),
    ("stages.yaml", "views.coarse", "expected each stage once"),
    ("value.yaml", "rfm.names", "cell 55 has 0 names (none)"),
    ("value.yaml", "rfm.names", "cell 31 has 2 names (others, some)"),
    ("value.yaml", "rfm.names.66", "matches no cell"),
    ("segments.yaml", "eligible", "unknown column occasion_365d"),
}

FORM = {
    "main.yaml": MAIN.replace("America/New_York", "Mars/Olympus")
    .replace("landing", "landin")
    .replace("root: tables", "root: a, schema: b"),
    "sources/till.yaml": SOUND.replace("decimal(18,2)", "money") + "gates: 0.9\ngate: 1.5\n",
    "sources/web.yaml": "path: [\n",
    "reference/products.yaml": "path: x\nformat: xlsx\ncolumns: {}\nvalid_from: a\nmap: {}\n",
    "features.yaml": "measures: {n: {aggregate: median, unit: events, description: x}}\n",
    "stages.yaml": "ladder: [{stage: a}]\ndisplay: []\n",
    "value.yaml": "rfm: {period: 365}\n",
    "segments.yaml": "k: 3\n",
    "event_types.yaml": "sneeze: {by: user}\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "main.yaml"


def refused(folder: Path, files: dict[str, str]) -> list[str]:
    """The problems of a project, with file names from its folder on."""
    with pytest.raises(ConfigError) as error:
        load_config(write(folder, files))
    return [problem.replace(f"{folder}/", "") for problem in error.value.problems]


def sound(**files: str) -> dict[str, str]:
    return {"main.yaml": MAIN, "sources/till.yaml": SOUND, **files}


def test_all_problems_of_meaning_are_reported_at_once_with_file_and_key(tmp_path):
    problems = refused(tmp_path, MEANING)
    unsaid = [
        said
        for said in SAID
        if not any(p.startswith(f"{said[0]}: {said[1]}: ") and said[2] in p for p in problems)
    ]
    assert unsaid == []


def test_only_real_problems_are_reported(tmp_path):
    places = {said[:2] for said in SAID}
    problems = refused(tmp_path, MEANING)
    assert [p for p in problems if tuple(p.split(": ")[:2]) not in places] == []


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("net_amont_365d > 5", "unknown column net_amont_365d, in: net_amont_365d > 5 (did you mean"),
        ("net_amount_365d * 2", "gives decimal(18, 2), expected a condition that is true or false"),
        ("coalesce(tier, 'low')", "gives string, expected a condition that is true or false"),
        ("net_amount_365d >", "not SQL near >, in: net_amount_365d >"),
        ("first_seen_on < current_date()", "current_date() reads a clock, randomness or the session"),
        (
            "net_amount_365d / occasions_365d > 5",
            "a division by zero fails the run, use try_divide or try_mod",
        ),
        ("CAST(tier AS INT) > 5", "CAST fails the run on one bad row, use TRY_CAST"),
        ("max(occasions_all) > 5", "queries, windows and aggregates are not allowed"),
    ],
)
def test_a_rule_that_no_audience_can_have_is_refused(tmp_path, when, said):
    rule = f'audiences: {{vip: {{when: "{when}"}}}}'
    [problem] = refused(tmp_path, sound(**{"audiences.yaml": rule}))
    assert problem.startswith(f"audiences.yaml: audiences.vip.when: {said}")


GIVEN = "weights: {a: 0.5, b: 0.4, c: 0.1}"
SIX = "comparisons: {" + ", ".join(f"{name}: [1, 1, 1, 1, 1, 1]" for name in "abcdef") + "}"


def index(weighing=GIVEN, top="weights: {economic: 1}", **components):
    """A value.yaml whose index has one dimension."""
    made = {"a": "occasions_all", "b": "net_amount_365d", "c": "recency_days", **components}
    listed = ", ".join(f'{name}: "{sql}"' for name, sql in made.items())
    return (
        f"index:\n  {top}\n  dimensions:\n    economic:\n      components: {{{listed}}}\n      {weighing}\n"
    )


OF_ECONOMIC = "index.dimensions.economic"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (index(c="recency_day"), f"{OF_ECONOMIC}.components.c", "unknown column recency_day"),
        (index(c="as_of"), f"{OF_ECONOMIC}.components.c", "gives date, expected a number"),
        (index(c="upper(status)"), f"{OF_ECONOMIC}.components.c", "gives string, expected a number"),
        (index("weights: {a: 0.5, b: 0.4, c: 0.2}"), OF_ECONOMIC, "weights sum to 1.1, expected 1"),
        (index(top="weights: {economic: 0.9}"), "index", "weights sum to 0.9, expected 1"),
        (index("weights: {a: 0.5, b: 0.5}"), OF_ECONOMIC, "found a, b, expected each of a, b, c"),
        (
            index("comparisons: {a: [1, 2], b: [1/2, 1], c: [1, 1, 1]}"),
            OF_ECONOMIC,
            "a: 2 entries, expected 3: one for each item; b: 2 entries, expected 3",
        ),
        (
            index("comparisons: {a: [1, 2, 1], b: [1/3, 1, 1], c: [1, 1, 1]}"),
            OF_ECONOMIC,
            "b against a: 1/3, expected 1/2, the reciprocal of a against b",
        ),
        (
            index("comparisons: {a: [1, 3, 1/5], b: [1/3, 1, 3], c: [5, 1/3, 1]}"),
            OF_ECONOMIC,
            "the comparisons contradict each other: CR 1.58, at most 0.10; worst: a is 3 x b and b is 3 x c",
        ),
        (
            index(SIX, d="1", e="1", f="1"),
            OF_ECONOMIC,
            "6 items are compared, at most 5: group some of them",
        ),
        (
            index("comparisons: {a: [1, x, 1], b: [1, 1, 1], c: [1, 1, 1]}"),
            f"{OF_ECONOMIC}.comparisons.a.1",
            "x is not a number such as 3 or 1/3",
        ),
        (
            "tiers: [{tier: high, from_share: 0.5}, {tier: mid, from_share: 0.8}, {tier: low}]",
            "tiers",
            "high from 0.5 and mid from 0.8 overlap: expected falling bounds",
        ),
        (
            "tiers: [{tier: high, from_index: 0.5}, {tier: mid, from_index: 0.5}, {tier: low}]",
            "tiers",
            "high from 0.5 and mid from 0.5 overlap: expected falling bounds",
        ),
    ],
)
def test_an_ambiguous_index_or_tier_is_refused(tmp_path, text, key, said):
    [problem] = refused(tmp_path, sound(**{"value.yaml": text}))
    assert problem.startswith(f"value.yaml: {key}: {said}")


def test_the_period_of_rfm_brings_its_windows(tmp_path):
    value = packaged_yaml("analytics/value/defaults.yaml")["rfm"] | {"period_days": 77}
    config = load_config(write(tmp_path, sound(**{"value.yaml": yaml.safe_dump({"rfm": value})})))
    features = tables_of(config)["user_features"].names
    assert [features.count(name) for name in ("occasions_77d", "net_amount_77d", "occasions_365d")] == [
        1,
        1,
        1,
    ]
    assert config.of(FeaturesConfig).catalogue is config.of(ActivityConfig).catalogue


def test_a_period_of_rfm_cannot_be_hidden(tmp_path):
    hidden = "windows: {net_amount: {days: [365], before: [], hidden: true}}"
    problems = refused(tmp_path, sound(**{"features.yaml": hidden}))
    said = "value.yaml: rfm.period_days: needs the feature net_amount_365d: do not hide its window in features.yaml"
    assert said in problems


def test_an_index_can_weigh_numbers_and_booleans(tmp_path):
    text = index(c="IF(occasions_all > 1, 1, 0)", b="occasions_all > 3")
    assert load_config(write(tmp_path, sound(**{"value.yaml": text}))).of(
        ValueConfig
    ).index.enabled.keys() == {"economic"}


def test_a_date_is_refused_as_an_instant(tmp_path):
    source = SOUND.replace("at: timestamp", "at: date")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "till.yaml").write_text(source)
    (tmp_path / "main.yaml").write_text(MAIN)
    with pytest.raises(ConfigError) as refused:
        load_config(tmp_path / "main.yaml")
    assert ["map.event_at: at is a date" in problem for problem in refused.value.problems] == [True]


def test_all_problems_of_form_are_reported_at_once_with_file_and_key(tmp_path):
    problems = refused(tmp_path, FORM)
    assert any(problem.startswith("sources/web.yaml: line 2, column 1: ") for problem in problems)
    assert {tuple(problem.split(": ")[:2]) for problem in problems} >= {
        ("main.yaml", "storage"),
        ("main.yaml", "landin"),
        ("main.yaml", "business.time_zone"),
        ("sources/till.yaml", "columns"),
        ("sources/till.yaml", "gates"),
        ("sources/till.yaml", "gate"),
        ("reference/products.yaml", "format"),
        ("reference/products.yaml", "key"),
        ("features.yaml", "measures.n.aggregate"),
        ("stages.yaml", "ladder.0.when"),
        ("value.yaml", "rfm.period"),
        ("segments.yaml", "k"),
        ("event_types.yaml", "sneeze.description"),
    }


def test_a_missing_main_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: file not found"):
        load_config(tmp_path / "none.yaml")


def test_a_file_that_extends_itself_is_refused(tmp_path):
    write(tmp_path, {"main.yaml": "extends: other.yaml\n", "other.yaml": "extends: main.yaml\n"})
    with pytest.raises(ConfigError, match="extends: these files extend one another in a circle"):
        load_config(tmp_path / "main.yaml")


def test_a_small_project_and_the_demo_are_valid(tmp_path):
    config = load_config(write(tmp_path, sound(**{"stages.yaml": STAGES})))
    assert [rung.stage for rung in config.of(StageLadder).ladder] == ["new", "other"]
    forgiving = SOUND.replace("amount: amount", FORGIVING)
    load_config(write(tmp_path / "forgiving", sound(**{"sources/till.yaml": forgiving})))
    demo = load_config(Path(__file__).parents[2] / "conf" / "demo" / "demo.yaml")
    assert sorted(demo.parts[SOURCES]) == ["campaign_sends", "coupon_redemptions", "pos"]


def test_the_packaged_defaults_equal_those_of_the_model():
    shipped = packaged_yaml("users/features/defaults.yaml")
    assert Rhythm.model_validate(shipped) == Rhythm()


def test_a_file_extends_another_and_null_removes_a_key(tmp_path):
    files = {
        **sound(),
        "prod.yaml": "extends: main.yaml\nbusiness: {currency: EUR}\nidentifiers: {member: null}\n",
    }
    write(tmp_path, files)
    main = load_config(tmp_path / "prod.yaml").shared
    assert (main.business.name, main.business.currency) == ("Test", "EUR")
    assert sorted(main.identifiers) == ["cookie", "device", "email", "phone"]


def test_configurations_with_different_meanings_have_different_hashes(tmp_path):
    first = load_config(write(tmp_path / "a", sound()))
    same = load_config(write(tmp_path / "b", sound(**{"sources/till.yaml": SOUND + "# a comment\n"})))
    other = load_config(write(tmp_path / "c", sound(**{"sources/till.yaml": SOUND + "gate: 0.5\n"})))
    assert first.hash == same.hash
    assert first.hash != other.hash


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (None, "set LIFESTAGE_PSEUDONYM_KEY"),
        ("xyz", "is not hexadecimal"),
        ("11" * 8, "has 8 bytes, expected 32 or 64"),
    ],
)
def test_a_missing_or_malformed_key_is_named_but_never_shown(tmp_path, monkeypatch, key, problem):
    if key is None:
        monkeypatch.delenv("LIFESTAGE_PSEUDONYM_KEY")
    else:
        monkeypatch.setenv("LIFESTAGE_PSEUDONYM_KEY", key)
    monkeypatch.delenv("LIFESTAGE_QUARANTINE_KEY")
    config = load_config(write(tmp_path, sound()))
    with pytest.raises(ConfigError) as error:
        read_secrets(config)
    assert problem in error.value.problems[0]
    assert error.value.problems[1].startswith("secrets: set LIFESTAGE_QUARANTINE_KEY")
    assert key is None or key not in str(error.value)


def test_a_key_can_come_from_a_file_and_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.delenv("LIFESTAGE_PSEUDONYM_KEY")
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    monkeypatch.setenv("LIFESTAGE_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    secrets = read_secrets(load_config(write(tmp_path, sound())))
    assert secrets.pseudonym_key == bytes.fromhex("ab" * 32)
    assert repr(secrets) == "Secrets(***)"


def test_the_keys_that_init_wrote_are_found_beside_the_main_file_unless_the_environment_has_others(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("LIFESTAGE_PSEUDONYM_KEY")
    monkeypatch.setenv("LIFESTAGE_QUARANTINE_KEY", "cd" * 32)
    main = write(tmp_path, sound())
    (main.parent / "keys").mkdir()
    for name in ("pseudonym", "quarantine"):
        (main.parent / "keys" / f"{name}.key").write_text("ab" * 32 + "\n")
    secrets = read_secrets(load_config(main))
    assert secrets.pseudonym_key == bytes.fromhex("ab" * 32)
    assert secrets.quarantine_key == bytes.fromhex("cd" * 32)


def test_a_missing_key_file_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LIFESTAGE_PSEUDONYM_KEY")
    monkeypatch.setenv("LIFESTAGE_PSEUDONYM_KEY_FILE", str(tmp_path / "gone"))
    with pytest.raises(
        ConfigError, match=f"LIFESTAGE_PSEUDONYM_KEY_FILE names {tmp_path}/gone, which is not a file"
    ):
        read_secrets(load_config(write(tmp_path, sound())))


def lifestage(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], bool]:
    """A real command where any start of Java leaves a mark."""
    java = folder / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ntouch {folder}/java-started\nexit 1\n")
    java.chmod(0o755)
    environment = {
        **os.environ,
        "JAVA_HOME": str(folder / "java"),
        "PATH": f"{java.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", "from lifestage.cli import main; main()", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done, (folder / "java-started").exists()


def test_validate_reports_every_problem_with_exit_code_2_and_starts_no_java(tmp_path):
    conf = write(tmp_path, MEANING)
    done, java_started = lifestage(tmp_path, "validate", "--conf", str(conf))
    assert done.returncode == 2
    assert not java_started
    problems = refused(tmp_path, MEANING)
    # The command adds lines: `sources/till.yaml:5: columns.at: ...`.
    printed = re.sub(r"\.yaml:\d+: ", ".yaml: ", done.stderr.replace(f"{tmp_path}/", ""))
    assert [problem for problem in problems if problem not in printed] == []
    assert "main.yaml:7: identifiers.email.normalise: unknown column email" in done.stderr
    assert f"{len(problems)} problems: nothing was started" in done.stderr


def test_a_single_problem_is_printed_without_a_total(tmp_path):
    conf = write(tmp_path, sound(**{"audiences.yaml": "audiences: {vip: {when: net_amount_365d}}"}))
    done, java_started = lifestage(tmp_path, "validate", "--conf", str(conf))
    assert (done.returncode, done.stdout, java_started) == (2, "", False)
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{tmp_path}/audiences.yaml:1: audiences.vip.when: gives decimal(18, 2), expected")


def test_tables_are_listed_without_java(tmp_path):
    conf = write(tmp_path, sound(**{"reference/prices.yaml": PRICES}))
    done, java_started = lifestage(tmp_path, "tables", "--conf", str(conf), "--json")
    assert (done.returncode, done.stderr, java_started) == (0, "", False)
    [prices] = [table for table in json.loads(done.stdout) if table["table"] == "prices"]
    assert (prices["written by"], prices["key"]) == ("reference", ["product", "valid_from"])


def test_a_sound_project_is_validated_without_java_but_run_with_it(tmp_path):
    conf = write(tmp_path, sound())
    done, java_started = lifestage(tmp_path / "a", "validate", "--conf", str(conf))
    assert (done.returncode, java_started) == (0, False)
    assert "1 source, 0 reference tables" in done.stdout
    assert "sources/till.yaml: path: no file matches here/till/*.csv yet" in done.stdout
    done, java_started = lifestage(tmp_path / "b", "run", "--conf", str(conf), "--as-of", "2026-01-05")
    assert (done.returncode, java_started) == (1, True)
    assert done.stderr.splitlines()[-1].startswith(
        "Spark needs Java 17 or 21, but no working Java was found: set JAVA_HOME"
    )


@pytest.mark.parametrize(
    "text",
    ["a: [1", "a: b: c", "- 1", "a: 1\na: 2", "a: " + "[" * 3000],
    ids=["open", "colon", "list", "twice", "deep"],
)
@pytest.mark.parametrize("file", ["main.yaml", "features.yaml", "sources/till.yaml"])
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path, file, text):
    """What it does not say is not missing from it as well."""
    [problem] = refused(tmp_path, sound(**{file: text}))
    assert problem.startswith(f"{file}: ")


@pytest.mark.parametrize("parent", ["5", "[a]", "{a: b}", '""'])
def test_extends_must_name_a_file(tmp_path, parent):
    assert refused(tmp_path, sound(**{"main.yaml": f"extends: {parent}\n{MAIN}"}))[0] == (
        "main.yaml: extends: expected the path of a main file"
    )


def test_a_view_cannot_have_the_name_of_a_column_of_stages(tmp_path):
    ladder = (
        "ladder: [{stage: all, when: 'true'}]\ndisplay: [all]\nviews: {stage: {all: x}, Two Words: {all: x}}"
    )
    problems = refused(tmp_path, sound(**{"stages.yaml": ladder}))
    assert problems == [
        "stages.yaml: Two Words: expected lower-case letters, digits and _, a letter first",
        "stages.yaml: views.stage: stages have a column of that name",
    ]


def test_an_identifier_of_one_reference_table_counts_as_one_in_all(tmp_path):
    people = (
        "path: p/*.csv\nformat: csv\ncolumns: {id: string, tel: string}\nkey: [id]\nvalid_from: file_name\n"
    )
    files = {
        "reference/people.yaml": f"{people}map: {{id: id, tel: tel}}\nidentifiers: {{tel: phone}}\n",
        "reference/others.yaml": f"{people}map: {{id: id, number: tel, has_number: tel IS NOT NULL}}\ntypes: {{has_number: boolean}}\n",
    }
    [problem] = refused(tmp_path, sound(**files))
    assert problem.startswith(
        "reference/others.yaml: map.number: column tel is an identifier of a reference table"
    )


def test_a_stage_cannot_have_a_reserved_name_such_as_merged(tmp_path):
    ladder = "ladder: [{stage: merged, when: 'true'}]\ndisplay: [merged]"
    [problem] = refused(tmp_path, sound(**{"stages.yaml": ladder}))
    assert problem.startswith("stages.yaml: ladder: stage merged has a name that is reserved")


@pytest.mark.parametrize("name", ["occasions_365d", "tier", "stage"])
def test_a_feature_cannot_have_the_name_of_a_window_or_of_a_result(tmp_path, name):
    features = f"features: {{{name}: {{expression: '1', unit: days, description: One}}}}"
    problems = refused(tmp_path, sound(**{"features.yaml": features}))
    said = ("is declared twice", f"the step {DECIDES.get(name)} has a column of that name")
    assert any(
        problem.startswith(f"features.yaml: {name}: {words}") for problem in problems for words in said
    )


def test_a_version_cannot_be_an_identifier(tmp_path):
    source = SOUND.replace("\nmap:", "\nversion: email\nmap:", 1)
    problems = refused(tmp_path, sound(**{"sources/till.yaml": source}))
    assert any(
        problem.startswith("sources/till.yaml: version: column email holds an identifier")
        for problem in problems
    )


def test_a_reference_table_cannot_have_the_name_of_a_source(tmp_path):
    problems = refused(tmp_path, sound(**{"reference/till.yaml": PRICES}))
    assert problems == ["reference/till.yaml: till: a reference table cannot have the name of a source"]


@pytest.mark.parametrize("file", ["prod.yml", "sources/web.yml", "reference/stores.yml"])
def test_a_file_with_an_unread_suffix_is_reported(tmp_path, file):
    assert refused(tmp_path, sound(**{file: ""})) == [
        f"{file}: is not read, because its name does not end in .yaml: rename it"
    ]


def test_the_report_refuses_segment_features_without_a_mean(tmp_path):
    report = (
        "report: {segment_features: [net_amount_365d, net_amont_365d, joined_on, is_below_median_spend]}\n"
    )
    problems = refused(tmp_path, sound(**{"main.yaml": MAIN + report}))
    assert [problem.removeprefix("main.yaml: report.segment_features: ") for problem in problems] == [
        "unknown feature net_amont_365d (did you mean net_amount_365d?)",
        "joined_on is of type date, of which there is no mean",
    ]
