from benchmark.page import command_of, write_page
from benchmark.tables import median_run, to_tables

MACHINE = {"cores": 2, "memory_gib": 23.5}


def used(seconds, **more):
    return {"seconds": seconds, "cpu": 2 * seconds, "memory": 2**30, "bytes": 1_000_000, **more}


def run(seconds, **more):
    steps = [
        {"steps": ["identity", "activity"], **used(seconds / 2)},
        {"steps": ["features"], **used(seconds / 4)},
    ]
    return {**used(seconds), "steps": steps, **more}


def nights(*seconds):
    return [run(each, touched_users=1_000) for each in seconds]


def figures(case="plain", days=400, night=10.0, **parts):
    size = {"events": 1_000 * days, "days": days, "users": 50, "case": case}
    measured = {
        "build": run(100.0),
        "build_session": 8.0,
        "nights_session": 7.0,
        "nights": nights(30.0, night, night),
    }
    return {"machine": MACHINE, "size": size, **measured, **parts}


def grids(*all_figures):
    return {grid.title.rpartition(": ")[2]: grid for grid in to_tables(all_figures)}


def row_of(grid, name):
    return dict(zip(grid.header[1:], next(row for row in grid.rows if row[0] == name)[1:], strict=True))


def test_a_median_run_has_the_median_of_each_figure():
    assert median_run([run(1.0), run(9.0), run(2.0)]) == run(2.0)


def test_steps_that_run_at_the_same_time_share_a_row():
    steps = grids(figures())["the steps"]
    assert row_of(steps, "identity, activity") == {
        "build: s": "50.0", "build: CPU s": "100.0", "build: GiB": "1.0", "build: MB": "1.0",
        "night: s": "5.0", "night: CPU s": "10.0", "night: GiB": "1.0", "night: MB": "1.0",
    }  # fmt: skip
    assert row_of(steps, "first night, cold JVM")["night: s"] == "30.0"


def test_the_cost_of_a_touched_user_is_that_of_the_median_night():
    per_user = row_of(grids(figures())["the steps"], "per touched user (1,000)")
    assert (per_user["night: s"], per_user["night: MB"]) == ("10.00 ms", "1.0 kB")


def test_late_rows_and_months_are_ratios_of_medians():
    months = {"one": [run(10.0)] * 3, "twelve": [run(15.0)] * 3}
    ratios = grids(figures(late=nights(15.0, 20.0, 90.0), months=months))["ratios"]
    assert [row[3] for row in ratios.rows] == ["2.00", "1.50"]


def test_peers_are_ratios_to_ours():
    peers = {"ours": [used(20.0)] * 3, "duckdb": [used(4.0), used(5.0), used(99.0)]}
    state = grids(figures(peers=peers, differing={"duckdb": 0}))["the state of all users"]
    assert row_of(state, "duckdb") == {
        "s": "5.0", "CPU s": "10.0", "GiB": "1.0", "ours / it, s": "4.00", "ours / it, CPU s": "4.00",
        "users that differ": "0",
    }  # fmt: skip


def test_nights_after_longer_histories_are_ratios_to_the_shortest():
    found = grids(figures(days=400, night=12.0), figures(days=50))
    history = found["A night after histories of 1,000 events a day, 50 users"]
    assert [(row[0], row[-1]) for row in history.rows] == [("50 days", "1.00"), ("400 days", "1.20")]


def test_unusual_input_is_a_ratio_to_the_usual_one():
    found = grids(figures("usual"), figures("one-file", night=25.0))["unusual input"]
    assert row_of(found, "one-file")["night: ratio"] == "2.50"


def test_kmeans_compares_seconds_and_inertia():
    kmeans = {
        "users": 1_000, "features": 12,
        "ours": {"runs": [used(5.0)] * 3, "k": 4, "inertia": 100.0},
        "pyspark.ml": {"runs": [used(20.0)] * 3, "inertia": 125.0},
        "scikit-learn": {"runs": [used(50.0)], "inertia": 100.0},
    }  # fmt: skip
    found = grids({"machine": MACHINE, "kmeans": kmeans})["k-means of 1,000 users, 12 features, k = 4"]
    assert row_of(found, "pyspark.ml")["ours / it, s"] == "0.25"
    assert row_of(found, "pyspark.ml")["ours / it, inertia"] == "0.8000"


def test_the_page_has_the_machine_the_commands_and_every_table():
    page = write_page([figures(late=nights(15.0, 20.0, 90.0))])
    assert "Measured on: 2 cores, 24 GiB." in page
    assert "\n    scripts/bench build nights late --events 400000 --days 400 --users 50\n" in page
    assert "## 400,000 events, 400 days, 50 users: the steps" in page
    assert "| features | 25.0 | 50.0 | 1.0 | 1.0 | 2.5 | 5.0 | 1.0 | 1.0 |" in page


def test_unusual_inputs_have_one_command():
    assert command_of(figures("usual")) == command_of(figures("one-file"))
    assert command_of(figures("usual")).startswith("scripts/bench bad-input ")
