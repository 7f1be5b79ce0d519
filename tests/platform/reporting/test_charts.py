import vl_convert

from lifestage.platform.reporting.charts import (
    COUNTS,
    Point,
    Titles,
    bars_chart,
    curve_chart,
    parts_chart,
    stacked_chart,
)

NASTY = "a'];alert(1)//\u2028 客户"
STAGES = [
    Point("20 Nov", "mature", 7, "7"),
    Point("21 Nov", "novice", 2, "2 (20%)"),
    Point("21 Nov", "mature", 8, "8 (80%)"),
]


def test_columns_stack_in_the_order_of_the_names_and_stand_in_the_order_of_the_points():
    spec = stacked_chart(STAGES, ("novice", "mature"), Titles("Date", "Users", "Stage"), COUNTS)
    assert spec["encoding"]["color"]["scale"]["domain"] == ["novice", "mature"]
    assert [(row["rank"], row["level"], row["value"]) for row in spec["data"]["values"]] == [
        (0, 1, 7),
        (1, 0, 2),
        (1, 1, 8),
    ]


def test_bars_keep_their_order():
    points = [Point("last", "", 2, "2"), Point("first", "", 2, "2")]
    drawn = vl_convert.vegalite_to_svg(bars_chart(points, Titles("Reason", "Rows")))
    assert drawn.index(">last<") < drawn.index(">first<")


def test_specs_leave_colours_and_addresses_to_the_page():
    for spec in (
        stacked_chart(STAGES, ("novice", "mature"), Titles("Date", "Users", "Stage"), COUNTS),
        bars_chart(STAGES[:1], Titles("Reason", "Rows")),
        parts_chart(STAGES, ("novice", "mature"), (3, 2), Titles("Measure", "Share", "Tier"), "Tiers"),
        curve_chart([Point("0", "", 0, ""), Point("1.0", "", 1, "all")], ["1.0"], "Buyers", "Spend"),
    ):
        assert not {"$schema", "config", "datasets"} & set(spec)


def test_the_named_points_of_a_curve_have_their_number():
    points = [Point("0", "", 0, ""), Point("0.1", "", 0.4, "best 10%"), Point("0.5", "", 0.8, "best 50%")]
    drawn = vl_convert.vegalite_to_svg(curve_chart(points, ["0.1"], "Buyers", "Spend"))
    assert ">best 10%<" in drawn
    assert ">best 50%<" not in drawn


def test_charts_draw_whatever_their_texts_are():
    stages = vl_convert.vegalite_to_svg(
        stacked_chart([Point(NASTY, NASTY, 12_345, "x")], (NASTY,), Titles("Date", "Users", "Stage"), COUNTS)
    )
    bars = vl_convert.vegalite_to_svg(
        bars_chart([Point(NASTY, "", 2_345, "2,345"), Point("b", "", 1, "1")], Titles("Reason", "Rows"))
    )
    assert all(label in stages for label in ("客户", "12,000"))
    assert all(label in bars for label in ("alert(1)//", "客户", ">b<", "2,345"))


def test_each_line_beside_the_pointer_has_a_title_of_its_own():
    columns = stacked_chart(STAGES, ("novice", "mature"), Titles("Date", "Users", "Stage"), COUNTS)
    bars = bars_chart(STAGES[:1], Titles("Reason", "Rows"))["layer"][0]
    titles = [[line["title"] for line in spec["encoding"]["tooltip"]] for spec in (columns, bars)]
    assert titles == [["Date", "Stage", "Users"], ["Reason", "Rows"]]
