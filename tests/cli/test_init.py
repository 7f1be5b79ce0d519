import csv
import stat

import pytest

from lifestage.cli import app
from lifestage.cli.init import next_commands
from lifestage.cli.terminal import guard
from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.project.loader import load_config
from lifestage.services.starter import SAMPLE_ENDS_ON, create, list_systems, sample_files

pytestmark = pytest.mark.slow


def init(folder):
    guard(lambda: app(["init", str(folder)], standalone_mode=False))


def test_the_project_is_sound_and_has_a_source_of_each_kind(tmp_path):
    create(tmp_path / "shop")
    config = load_config(tmp_path / "shop" / "lifestage.yaml")
    assert {name: source.format for name, source in config.parts[SOURCES].items()} == {
        "app": "json",
        "orders": "csv",
    }
    assert list(config.parts[REFERENCE_SOURCES]) == ["products"]


def test_keys_are_new_and_their_owners_alone(tmp_path):
    for name in ("one", "other"):
        create(tmp_path / name)
    files = [tmp_path / name / "keys" / "pseudonym.key" for name in ("one", "other")]
    assert len({file.read_text() for file in files}) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(bytes.fromhex(files[0].read_text())) == 32
    assert (tmp_path / "one" / "keys" / ".gitignore").read_text() == "*\n"


def test_the_sample_is_the_same_each_time_and_covers_a_year_of_hundreds_of_users():
    files = sample_files()
    assert files == sample_files()
    lines = sum(text.count("\n") for path, text in files.items() if not path.startswith("products"))
    assert 4_000 <= lines <= 7_000
    orders = [
        row
        for path, text in files.items()
        if path.startswith("orders")
        for row in csv.DictReader(text.splitlines())
    ]
    assert len({row["email"] for row in orders}) > 250
    days = {row["ordered_at"][:10] for row in orders if not row["order_no"].startswith("A9")}
    assert (min(days), max(days)) == ("2025-04-01", str(SAMPLE_ENDS_ON))
    assert len({(row["order_no"], row["line_no"]) for row in orders}) == len(orders)
    ordered_at = [
        row["ordered_at"] for row in csv.DictReader(files["orders/orders_2026-03.csv"].splitlines())
    ]
    assert "2026-03-01" <= min(ordered_at) <= max(ordered_at) < f"{SAMPLE_ENDS_ON}T24"


def test_a_header_and_columns_agree(tmp_path):
    create(tmp_path)
    config = load_config(tmp_path / "lifestage.yaml")
    header = sample_files()["orders/orders_2026-01.csv"].splitlines()[0]
    assert header.split(",") == list(config.parts[SOURCES]["orders"].columns)


def test_what_to_type_next_is_printed(tmp_path, capsys):
    init(tmp_path / "shop")
    said = capsys.readouterr().out
    assert all(command in said for command in next_commands(tmp_path / "shop"))
    assert "lifestage run --as-of 2026-03-31" in said


def test_a_project_for_exports_of_systems_has_their_sources(tmp_path, capsys):
    command = ["init", str(tmp_path / "shop"), "--from", "shopify", "--from", "ga4"]
    guard(lambda: app(command, standalone_mode=False))
    assert "exports of shopify and ga4" in capsys.readouterr().out
    config = load_config(tmp_path / "shop" / "lifestage.yaml")
    assert sorted(config.parts[SOURCES]) == ["ga4", "shopify"]


@pytest.mark.parametrize("system", list_systems())
def test_the_source_of_every_system_is_sound(tmp_path, system):
    create(tmp_path / "shop", is_empty=True, systems=[system])
    config = load_config(tmp_path / "shop" / "lifestage.yaml")
    assert next(iter(config.parts[SOURCES])) == system
    others = [*config.parts[SOURCES], *config.parts[REFERENCE_SOURCES]][1:]
    assert all(name.startswith(f"{system}_") for name in others)


def test_the_sources_of_all_systems_are_sound_together(tmp_path):
    create(tmp_path / "shop", is_empty=True, systems=list_systems())
    config = load_config(tmp_path / "shop" / "lifestage.yaml")
    assert [*config.parts[SOURCES]] == [*list_systems(), "woocommerce_refunds"]
    tables = ["hubspot_contacts", "klaviyo_metrics", "klaviyo_profiles"]
    assert [*config.parts[REFERENCE_SOURCES]] == tables


def test_an_unknown_system_is_refused_with_the_nearest(tmp_path, capsys):
    with pytest.raises(SystemExit):
        guard(lambda: app(["init", str(tmp_path / "shop"), "--from", "shopifi"], standalone_mode=False))
    assert "unknown system shopifi: " in capsys.readouterr().err
    assert not (tmp_path / "shop").exists()


def test_an_empty_project_has_no_sources_and_is_sound(tmp_path, capsys):
    guard(lambda: app(["init", str(tmp_path / "shop"), "--empty"], standalone_mode=False))
    said = capsys.readouterr().out
    assert "an empty project" in said
    assert "2026-03-31" not in said
    config = load_config(tmp_path / "shop" / "lifestage.yaml")
    assert (config.parts[SOURCES], config.parts[REFERENCE_SOURCES]) == ({}, {})
    names = ["keys", "landing", "lifestage.yaml", "reference", "sources"]
    assert sorted(file.name for file in (tmp_path / "shop").iterdir() if file.name[0] != ".") == names


def test_an_empty_folder_is_taken(tmp_path):
    init(tmp_path)
    assert (tmp_path / "lifestage.yaml").exists()


@pytest.mark.parametrize("is_file", [True, False])
def test_what_is_not_an_empty_folder_is_refused(tmp_path, capsys, is_file):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("x")
    with pytest.raises(SystemExit) as stop:
        init(taken / "mine" if is_file else taken)
    assert stop.value.code == 2
    assert "is not an empty folder: give another DIR" in capsys.readouterr().err
    assert [file.name for file in taken.iterdir()] == ["mine"]
