"""A simulated world: equal for equal seeds, of the requested size, and plausible."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from lifestage.simulate.faults import LATEST
from lifestage.simulate.simulation import SYSTEMS, simulate
from lifestage.simulate.world import MEANINGS, Case, make_world
from simulate.worlds import SIZE, read, simulate_once, truth


def octets(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def small(seed, n_people=300, n_days=25, events=30.0, without=()):
    return make_world(n_people, seed, n_days, events, without)


def lines_of(folder, system):
    """Return every line of a system's files with the day of its file, without headers."""
    for file in sorted((folder / system).iterdir()):
        lines = file.read_text().splitlines()
        for line in lines[1:] if file.suffix == ".csv" else lines:
            yield date.fromisoformat(file.stem[-10:]), line


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        simulate(small(5), tmp_path / name)
    assert octets(tmp_path / "one") == octets(tmp_path / "two")


def test_another_seed_gives_another_world(tmp_path):
    for seed in (5, 6):
        simulate(small(seed), tmp_path / str(seed))
    one, two = octets(tmp_path / "5"), octets(tmp_path / "6")
    assert one["truth/people.csv"] != two["truth/people.csv"]
    assert all(
        one[name] != two[name] for name in one.keys() & two.keys() if name.startswith(("web/", "pos/"))
    )


@pytest.mark.parametrize(
    ("n_people", "n_days", "events"), [(400, 60, 20.0), (2_000, 180, 60.0), (500, 30, 40.0)]
)
def test_a_world_has_the_requested_size(tmp_path, n_people, n_days, events):
    simulate(make_world(n_people, 3, n_days, events), tmp_path / "world")
    rows = truth(tmp_path / "world", "rows").set_index("source")["n_good"]
    of_people = rows["web"] + rows["app"] + rows["pos"]
    assert of_people == pytest.approx(n_people * events, rel=0.2)


def test_every_system_writes_files_and_every_row_is_accounted_for():
    folder = simulate_once()
    rows = truth(folder, "rows").set_index("source")
    assert {file.name for file in folder.iterdir()} == {*SYSTEMS, "truth"}
    for system in SYSTEMS:
        n = rows.loc[system]
        written = sum(1 for _ in lines_of(folder, system))
        assert written == n["n_good"] + n["n_twice"] + n["n_broken"] + n["n_corrected"], system


def test_some_rows_arrive_late_but_within_the_limit():
    late = Counter()
    for day, line in lines_of(simulate_once(), "web"):
        try:
            at = json.loads(line)["at"]
        except ValueError:
            continue
        # A day of Berlin begins on the evening before in UTC.
        late[(day - date.fromisoformat(at[:10])).days] += 1
    assert set(late) == set(range(LATEST + 2))
    assert 0.005 < sum(n for days, n in late.items() if days > 1) / sum(late.values()) < 0.02


def test_an_identifier_belongs_to_one_person_unless_a_family_shares_it():
    identifiers = truth(simulate_once(), "identifiers")
    owners = identifiers.groupby(["type", "value"])["person"].nunique()
    shared = identifiers[identifiers["is_shared"]].groupby(["type", "value"]).ngroups
    assert set(owners[owners > 1].index.get_level_values("type")) == {"phone"}
    assert 0 < (owners > 1).sum() <= shared
    assert owners.max() == 5


def test_the_truth_holds_every_identifier_in_the_files():
    folder = simulate_once()
    known = truth(folder, "identifiers").groupby("type")["value"].agg(set)
    for system, column, kind in (
        ("web", "cookie", "cookie"), ("web", "member", "member"), ("ads", "cookie", "cookie"),
        ("pos", "card_no", "loyalty_card"), ("messages", "sent_to", "email"), ("tickets", "phone", "phone"),
    ):  # fmt: skip
        found = {value for value in read(folder, system)[column].dropna() if value}
        assert found
        assert found <= known[kind], (system, column)
    devices = set(read(folder, "app")["device"])
    assert {value for value in devices - known["device"] if "kiosk" not in value} == set()


def test_many_people_log_in_on_one_kiosk():
    app = read(simulate_once(), "app")
    members = app[app["device"].str.contains("kiosk")].groupby("device")["member"].nunique()
    assert members.min() > 5


def test_few_people_visit_often_and_many_seldom():
    rates = np.sort(truth(simulate_once(), "people")["visits_a_day"])[::-1]
    assert 0.3 < rates[: len(rates) // 10].sum() / rates.sum() < 0.6
    assert np.median(rates) < rates.mean()


def test_visits_follow_a_weekly_and_daily_rhythm():
    sold = read(simulate_once(), "pos")
    hours = sold["sold_at"].str[11:13].astype(int)
    weekdays = (
        sold[sold["quantity"] == "1"]["sold_at"].str[:10].map(lambda day: date.fromisoformat(day).weekday())
    )
    shares = weekdays.value_counts(normalize=True)
    assert 6 not in shares
    assert shares[5] > 1.5 * shares[0]
    assert hours.between(8, 21).all()
    web = read(simulate_once(), "web")["at"].str[11:13].astype(int).value_counts()
    assert web[[18, 19]].min() > 5 * web[[1, 2]].max()


def test_carts_convert_and_people_return():
    clicks = read(simulate_once(), "web").drop_duplicates("id")
    sessions = {kind: set(rows["session"]) for kind, rows in clicks.groupby("type")}
    assert 0.4 < len(sessions["purchase"]) / len(sessions["add_to_cart"]) < 0.65
    assert 0.05 < len(sessions["purchase"]) / len(sessions["page_view"]) < 0.2
    people = truth(simulate_once(), "people")
    assert 0.05 < (people["state"] == "recalled").sum() / people["churned_on"].notna().sum() < 0.4


def test_the_member_extract_has_errors():
    members = read(simulate_once(), "members")
    days = {date.fromisoformat(file.stem[-10:]) for file in (simulate_once() / "members").iterdir()}
    expected = {date(2026, 1, 1) + timedelta(days=day) for day in range(SIZE["n_days"])}
    assert sorted(expected - days) == [
        date(2026, 2, 7),
        date(2026, 3, 24),
        date(2026, 5, 8),
        date(2026, 6, 22),
    ]
    raw = "\n".join(line for _, line in lines_of(simulate_once(), "members"))
    assert "0000000000" in raw
    assert "test@test.com" in raw
    assert any("@" in line.split(",")[3] for line in raw.splitlines())
    assert len(members) < raw.count("\n")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n_people": 99}, "at least 100 people"),
        ({"n_days": 0}, "1 day"),
        ({"seed": -1}, "a seed of at least 0"),
        ({"events_per_person": 0}, "at most 1.5 events a person and day"),
        ({"events_per_person": 271}, "at most 1.5 events a person and day"),
        ({"without": ["cheap_chanel"]}, "unknown case cheap_chanel, expected some of cheap_channel"),
    ],
)
def test_invalid_parameters_are_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        make_world(**{**SIZE, **changed})


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "world").mkdir()
    with pytest.raises(FileExistsError):
        simulate(small(1), tmp_path / "world")
    assert list((tmp_path / "world").iterdir()) == []


def test_an_unfinished_world_is_removed(tmp_path):
    def stop(day):
        if day == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(small(1), tmp_path / "world", stop)
    assert list(tmp_path.iterdir()) == []


def test_the_truth_names_a_case_that_is_left_out(tmp_path):
    simulate(small(1, without=["price_types"]), tmp_path / "world")
    cases = truth(tmp_path / "world", "cases").set_index("case")["is_planted"]
    assert set(cases.index) == set(Case)
    assert [*cases.index[~cases]] == ["price_types"]


def test_the_how_to_names_every_case_with_its_meaning():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "make-a-world.md").read_text()
    assert [
        line for line in page.splitlines() if line.startswith("| `") and line.split("`")[1] in set(Case)
    ] == [f"| `{case}` | {meaning} |" for case, meaning in MEANINGS.items()]
