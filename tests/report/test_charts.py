import vl_convert

from lifestage.report.charts import bars_chart, stages_chart
from report.builders import full, stage


def test_stages_stack_in_the_order_of_the_ladder():
    spec = stages_chart(full().stages, ("novice", "mature"))
    assert spec["encoding"]["color"]["scale"]["domain"] == ["novice", "mature"]
    assert spec["data"]["values"] == [
        {"date": "2026-11-20", "stage": "mature", "users": 7, "share": 1.0, "rank": 1},
        {"date": "2026-11-21", "stage": "novice", "users": 2, "share": 0.2, "rank": 0},
        {"date": "2026-11-21", "stage": "mature", "users": 8, "share": 0.8, "rank": 1},
    ]


def test_bars_keep_their_order():
    drawn = vl_convert.vegalite_to_svg(bars_chart({"last": 2, "first": 2}, "Reason", "Rows"))
    assert drawn.index(">last<") < drawn.index(">first<")


def test_specs_leave_colours_and_addresses_to_the_page():
    for spec in (stages_chart(full().stages, ("novice", "mature")), bars_chart({"a": 2}, "Reason", "Rows")):
        assert not {"$schema", "config", "datasets"} & set(spec)


def test_charts_draw_whatever_their_texts_are():
    nasty = "a'];alert(1)//\u2028 客户"
    stages = vl_convert.vegalite_to_svg(stages_chart((stage(nasty, 12_345),), (nasty,)))
    bars = vl_convert.vegalite_to_svg(bars_chart({nasty: 2_345, "b": 1}, "Reason", "Rows"))
    assert all(label in stages for label in ("21 Nov 26", "12,000"))
    assert all(label in bars for label in ("alert(1)//", "客户", ">b<", "2,345"))
