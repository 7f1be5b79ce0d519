"""Wrong configurations: what `validate` says of each, and that none of them crashes it.

`WRONG` changes one value of the sample project, and names a part of the message that must follow file and key. The seeded
changes put values of a wrong kind at every key.
"""

import copy
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
import yaml

from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.errors import ConfigError
from lifestage.project.loader import load_config

SAMPLE = files("lifestage") / "services" / "starter_project"
PACKAGED = {
    "features.yaml": "users/catalogue/defaults.yaml",
    "stages.yaml": "analytics/stages/defaults.yaml",
    "value.yaml": "analytics/value/defaults.yaml",
    "segments.yaml": "analytics/segments/defaults.yaml",
    "event_types.yaml": "ingestion/events/defaults.yaml",
}
MAIN, ORDERS, APP, PRODUCTS = (
    "lifestage.yaml",
    "sources/orders.yaml",
    "sources/app.yaml",
    "reference/products.yaml",
)
# Words of pydantic, which mean nothing to somebody who writes YAML.
FOREIGN = (
    "Input should",
    "validation error",
    "pydantic",
    "Value error",
    "type=",
    "Traceback",
    "Extra inputs",
    "NoneType",
)
REMOVED = object()

# File, key, value, and a part of the message.
WRONG = [
    (MAIN, "landin", "x", "unknown key (did you mean landing?)"),
    (MAIN, "idenity", {}, "unknown key (did you mean identity?)"),
    (MAIN, "storage.rot", "x", "unknown key (did you mean root?)"),
    (MAIN, "storage", "tables", "expected a mapping, such as {key: value}, found tables"),
    (MAIN, "storage.root", 5, "expected a text: put it in quotes, found 5"),
    (MAIN, "storage.schema", "a.b", "give exactly one of root and schema"),
    (MAIN, "landing", ["a"], "expected a text: put it in quotes, found a list"),
    (MAIN, "business.time_zone", "Berlin", "Berlin"),
    (MAIN, "business.currency", "Euro", "expected a text of the form ^[A-Z]{3}$, found Euro"),
    (MAIN, "business.history_starts_on", "soon", "expected a date such as 2026-01-31, found soon"),
    (MAIN, "business.history_starts_on", "2026-02-30", "expected a date such as 2026-01-31, found 2026-02-30"),
    (MAIN, "business.left_censor_margin_days", -1, "expected at least 0, found -1"),
    (MAIN, "business.left_censor_margin_days", "many", "expected a whole number, found many"),
    (MAIN, "business.left_censor_margin_days", 1.5, "expected a whole number, found 1.5"),
    (MAIN, "business.nam", "x", "unknown key (did you mean name?)"),
    (MAIN, "identifiers.device.priority", "first", "expected a whole number, found first"),
    (MAIN, "identifiers.device.normalise", "lower(valu)", "unknown column valu"),
    (MAIN, "identifiers.device.valid", "length(value)", "gives int, expected a condition that is true or false"),
    (MAIN, "identifiers.device.valid", "value > 5", "value is text: compared with another type"),
    (MAIN, "activity.lookups.products", {"product": "product_id"}, "expected SQL for each key column"),
    (MAIN, "activity.lookups.prices", {"product_id": "product_id"}, "unknown reference table"),
    (MAIN, "activity.category", "products.categry", "unknown column products.categry"),
    (MAIN, "activity.is_new_product", "product_id", "gives string, expected a condition"),
    (MAIN, "publish.destinations.default", "stage", "expected a list, such as [a, b], found stage"),
    (MAIN, "publish.destinations.default", ["stagee"], "stagee"),
    (MAIN, "report.path", 7, "expected a text"),
    (ORDERS, "pat", "x", "unknown key (did you mean path?)"),
    (ORDERS, "path", REMOVED, "required key is missing"),
    (ORDERS, "format", "cvs", "found cvs"),
    (ORDERS, "columns", ["a"], "expected a mapping"),
    (ORDERS, "columns.amount", "money", "money"),
    (ORDERS, "columns.date", 5, "columns.date: expected a text: put it in quotes, found 5"),
    (ORDERS, "delimiter", "", "delimiter"),
    (ORDERS, "encoding", "UTF-9", "UTF-9 is not known"),
    (ORDERS, "skip_when", "amount +", "not SQL"),
    (ORDERS, "gate", 1.5, "expected at most 1, found 1.5"),
    (ORDERS, "gate", "high", "expected a number, found high"),
    (ORDERS, "lookback_days", -3, "expected at least 0, found -3"),
    (ORDERS, "on_change", "ignore", "expected one of duplicate, reject, found ignore"),
    (ORDERS, "before_history", "drop", "found drop"),
    (ORDERS, "amounts", "cents", "expected one of major, minor, found cents"),
    (ORDERS, "map.event_at", REMOVED, "required key is missing"),
    (ORDERS, "map.event_at", "amount", "expected a point in time"),
    (ORDERS, "map.event_type", "'purchas'", "unknown event type purchas"),
    (ORDERS, "map.amuont", "amount", "not a canonical column"),
    (ORDERS, "map.amount", "amont", "unknown column amont"),
    (ORDERS, "map.amount", "CAST(amount AS DOUBLE)", "use TRY_CAST"),
    (ORDERS, "map.amount", "amount / quantity", "use try_divide"),
    (ORDERS, "map.amount", "sum(amount)", "aggregates are not allowed"),
    (ORDERS, "map.amount", "(SELECT 1)", "queries, windows and aggregates are not allowed"),
    (ORDERS, "map.amount", "amount -- net", "comments are not allowed"),
    (ORDERS, "map.amount", "amount; DROP TABLE x", "one scalar expression"),
    (ORDERS, "map.amount", "*", "one scalar expression without a name is expected"),
    (ORDERS, "map.amount", "amount AS x", "one scalar expression without a name is expected"),
    (ORDERS, "map.amount", 5, "expected a text: put it in quotes, found 5"),
    (ORDERS, "map.channel", "current_user()", "reads a clock, randomness or the session"),
    (ORDERS, "map.channel", "uuid()", "reads a clock, randomness or the session"),
    (ORDERS, "map.channel", "input_file_name()", "reads a clock, randomness or the session"),
    (ORDERS, "map.order_id", "raise_error('x')", "fails the run on one row"),
    (ORDERS, "key", ["order"], "unknown column order"),
    (ORDERS, "key", "order_id", "expected a list"),
    (ORDERS, "pii", ["emial"], "unknown column emial"),
    (ORDERS, "identifiers.mail", "email", "unknown identifier type"),
    (ORDERS, "rules.sound", "amount > 0", "expected a mapping"),
    (ORDERS, "rules.sound", {"check": "amount"}, "expected a condition that is true or false"),
    (ORDERS, "rules.sound", {"check": "amount > 0", "severity": "fatal"}, "found fatal"),
    (ORDERS, "delete_when", "1", "expected a condition that is true or false"),
    (ORDERS, "version", "versoin", "unknown column versoin"),
    (ORDERS, "formats.ordered_at", "YYYY-MM-dd", "is not a letter of a date pattern"),
    (ORDERS, "formats.amont", "1,234.56", "unknown column amont"),
    (ORDERS, "lookups", [{"reference": "prices", "on": {"a": "b"}}], "unknown reference table prices"),
    (ORDERS, "columns._raw", "string", "lifestage uses this name itself"),
    (ORDERS, "snapshot", "maybe", "expected true or false, found maybe"),
    (ORDERS, "amounts", "", "expected one of major, minor"),
    (ORDERS, "across_files", "maybe", "expected one of same, new, found maybe"),
    (ORDERS, "freshness", "often", "freshness"),
    (APP, "delimiter", ";", "is for csv only"),
    (APP, "header", "none", "is for csv and excel only"),
    (PRODUCTS, "key", ["sku"], "sku is not a column of map"),
    (PRODUCTS, "types.price", "money", "unknown type money"),
    (PRODUCTS, "valid_from", "file_nam", "unknown column file_nam"),
    (PRODUCTS, "extract", "half", "expected one of full, delta, found half"),
    (PRODUCTS, "sealed", ["product_id"], "is part of the key"),
    (PRODUCTS, "map.valid_to", "file_name", "every reference table has a column of that name"),
    (PRODUCTS, "identifiers", {"product_id": "sku"}, "unknown identifier type sku"),
    ("features.yaml", "measures.n_x", {"aggregate": "avg", "unit": "events", "description": "x"}, "found avg"),
    ("features.yaml", "measures.n_x", {"aggregate": "sum", "unit": "money", "description": "x"}, "required for sum"),
    ("features.yaml", "measures.n_x", {"aggregate": "count", "unit": "event", "description": "x"}, "found event"),
    ("features.yaml", "measures.n_x", {"aggregate": "count", "unit": "events"}, "required key is missing"),
    ("features.yaml", "measures.n_purchases.filter", "event_type = 1", "is text: compared with another type"),
    ("features.yaml", "measures.n_purchases.filter", "amount", "expected a condition that is true or false"),
    ("features.yaml", "windows.n_purchases", {"days": ["week"]}, "found week"),
    ("features.yaml", "windows.n_purchasess", {"days": [7]}, "neither a measure nor a day"),
    ("features.yaml", "features.f", {"expression": "f2", "unit": "days", "description": "x"}, "unknown column f2"),
    ("features.yaml", "features.n_purchases", {"expression": "1", "unit": "days", "description": "x"}, "declared twice"),
    ("features.yaml", "dates.d", {"which": "any", "when": "true", "description": "x"}, "expected one of first, last, found any"),
    ("features.yaml", "profile.p", {"from": ["products.price"], "unit": "money", "description": "x"}, "expected columns of one of"),
    ("stages.yaml", "ladder", [{"stage": "a"}], "required key is missing"),
    ("stages.yaml", "ladder", [{"stage": "a", "when": "true"}, {"stage": "b", "when": "true"}], "no user can ever reach b"),
    ("stages.yaml", "display", ["growth"], "expected each stage once"),
    ("stages.yaml", "views.v", {"a": "b"}, "expected each stage once"),
    ("value.yaml", "rfm.period_days", 0, "expected at least"),
    ("value.yaml", "tiers", [], "tiers"),
    ("value.yaml", "index.weights", {"a": 1}, "index"),
    ("segments.yaml", "k", [3, 2], "k"),
    ("segments.yaml", "eligible", "user_id", "expected a condition that is true or false"),
    ("segments.yaml", "clip", [99, 1], "clip"),
    ("event_types.yaml", "sneeze", {"by": "robot"}, "sneeze"),
    ("audiences.yaml", "audiences.vip", {"when": "tier"}, "expected a condition that is true or false"),
    ("audiences.yaml", "audiences.vip", {"when": "tier > 3"}, "tier is text: compared with another type"),
    ("audiences.yaml", "audiences.VIP", {"when": "true"}, "expected lower-case letters, digits and _"),
    ("audiences.yaml", "audience.vip", {"when": "true"}, "unknown key (did you mean audiences?)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound():
    """The content of every file: those of the sample project, and those that the package provides."""
    names = (MAIN, ORDERS, APP, PRODUCTS)
    own = {name: yaml.safe_load((SAMPLE / name).read_text(encoding="utf-8")) for name in names}
    packaged = {name: packaged_yaml(defaults) for name, defaults in PACKAGED.items()}
    return {**own, **packaged, "audiences.yaml": {"audiences": {}}}


def change(content, key, value):
    """A copy with another value at a key."""
    changed = copy.deepcopy(content)
    *path, last = key.split(".")
    at = changed
    for part in path:
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[int(part)]
    if value is REMOVED:
        del at[last if isinstance(at, dict) else int(last)]
    else:
        at[last if isinstance(at, dict) else int(last)] = value
    return changed


def problems_of(folder, contents):
    """The problems of a project, with names of files from its folder on."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(
            yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
    try:
        load_config(folder / MAIN)
    except ConfigError as error:
        return [problem.replace(f"{folder}/", "") for problem in error.problems]
    return []


def keys_of(content, prefix=""):
    """Every key of a file, from the outside in."""
    pairs = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for name, value in pairs:
        yield f"{prefix}{name}"
        yield from keys_of(value, f"{prefix}{name}.")


def test_the_sample_is_sound(sound, tmp_path):
    assert problems_of(tmp_path, sound) == []


@pytest.mark.parametrize(("file", "key", "value", "message"), WRONG)
def test_a_wrong_value_is_reported_with_file_and_key(sound, tmp_path, file, key, value, message):
    problems = problems_of(tmp_path, {**sound, file: change(sound[file], key, value)})
    first = key.split(".")[0]
    assert [p for p in problems if p.startswith(f"{file}: ") and first in p and message in p], problems
    assert not [p for p in problems if any(word in p for word in FOREIGN)], problems


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_a_value_of_a_wrong_kind_never_crashes(sound, tmp_path, seed):
    """Three values at a time, anywhere. Each problem names a file of the project, in the words of YAML."""
    random = Random(seed)
    changed = dict(sound)
    for _ in range(3):
        file = random.choice(sorted(changed))
        keys = [key for key in keys_of(changed[file]) if not any(" " in part for part in key.split("."))]
        if keys:
            value = random.choice(
                [
                    None,
                    "",
                    "x y",
                    "ä€",
                    -1,
                    10**12,
                    0.5,
                    True,
                    [],
                    [1, "a"],
                    {},
                    {"a": {"b": 1}},
                    "1; 2",
                    REMOVED,
                ]
            )
            changed[file] = change(changed[file], random.choice(keys), value)
    problems = problems_of(tmp_path, changed)
    assert not [p for p in problems if not p.startswith(tuple(f"{name}:" for name in sound))], problems
    assert not [p for p in problems if any(word in p for word in FOREIGN)], problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("storage: {root: x\nlanding: y\n", "line 2, column "),
        ("storage:\n\troot: x\n", "line 2, column 1: "),
        ("a: b: c\n", "line 1, column 5: mapping values are not allowed here\n"),
        ("landing: 'x\n", "line 2, column 1: "),
        ("landing: x\nlanding: y\n", "key given twice: landing"),
        ("- a\n- b\n", "a mapping of keys is expected, found list"),
        ("just text", "a mapping of keys is expected, found str"),
        ("landing: &a [*a]\n", "lifestage.yaml: "),
        ("landing: !!python/object:os.system x\n", "line 1, column 10: "),
        ("landing: \x07\n", "lifestage.yaml: "),
    ],
)
def test_invalid_yaml_is_reported_with_its_place(tmp_path, text, message):
    main = tmp_path / MAIN
    main.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_config(main)
    assert any(message in problem for problem in refused.value.problems), refused.value.problems
    assert not any(word in str(refused.value) for word in FOREIGN)


def test_a_caret_is_below_the_place(tmp_path):
    main = tmp_path / MAIN
    main.write_text("storage: {root: x}\na: b: c\n")
    with pytest.raises(ConfigError) as refused:
        load_config(main)
    assert str(refused.value) == (
        f"{main}: line 2, column 5: mapping values are not allowed here\n    a: b: c\n        ^"
    )


def test_bytes_that_are_not_text_are_reported(tmp_path):
    (tmp_path / MAIN).write_bytes(b"landing: \xff\xfe\n")
    with pytest.raises(ConfigError, match=r"lifestage.yaml: not UTF-8 \(byte 9\)"):
        load_config(Path(tmp_path / MAIN))


# In every file of the sample, one key that the file cannot have.
UNKNOWN_KEYS = [
    (MAIN, "storage.nonsense"),
    (MAIN, "rhythm.nonsense"),
    (MAIN, "matching.nonsense"),
    (ORDERS, "nonsense"),
    (APP, "nonsense"),
    (PRODUCTS, "nonsense"),
    ("features.yaml", "nonsense"),
    ("stages.yaml", "nonsense"),
    ("value.yaml", "nonsense"),
    ("segments.yaml", "nonsense"),
    ("event_types.yaml", "purchase.nonsense"),
    ("audiences.yaml", "nonsense"),
]


@pytest.mark.parametrize(("file", "key"), UNKNOWN_KEYS)
def test_a_malformed_file_causes_no_problems_in_others(sound, tmp_path, file, key):
    assert problems_of(tmp_path, {**sound, file: change(sound[file], key, 1)}) == [
        f"{file}: {key}: unknown key"
    ]


@pytest.mark.parametrize(("file", "key"), [each for each in UNKNOWN_KEYS if each[1] != "storage.nonsense"])
def test_problems_of_form_and_of_meaning_are_reported_together(sound, tmp_path, file, key):
    source = ORDERS if file == APP else APP
    wrong = {**sound, file: change(sound[file], key, 1)}
    wrong[source] = change(wrong[source], "map.quantity", "quantitty")
    problems = problems_of(tmp_path, wrong)
    assert f"{file}: {key}: unknown key" in problems
    assert [p for p in problems if p.startswith(f"{source}: map.quantity: unknown column quantitty")], (
        problems
    )
