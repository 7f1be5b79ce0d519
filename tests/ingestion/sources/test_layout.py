import pytest

from ingestion.sources.landing import layout
from lifestage.ingestion.sources.checks import layout_problems


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": "excel", "delimiter": ";"}, "delimiter: is for csv only"),
        ({"format": "excel", "encoding": "GB18030"}, "encoding: is for csv and json only"),
        ({"format": "csv", "sheet": "Data"}, "sheet: is for excel only"),
        ({"format": "avro", "header": "by_name"}, "header: is for csv and excel only"),
        ({"format": "avro", "skip_lines": 1}, "skip_lines: is for csv and excel only"),
        ({"format": "avro", "fields": {"n": "a..b"}}, "fields.n: a..b is no path"),
        ({"format": "excel", "fields": {"m": "M"}}, "fields.m: unknown column m"),
    ],
)
def test_a_key_that_a_format_does_not_have_is_a_problem(changes, problem):
    (found,) = layout_problems(layout(**changes))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "excel", "sheet": "Data", "skip_lines": 2, "header": "by_name", "fields": {"n": "No. [a"}},
        {"format": "avro", "fields": {"n": "items[*].n"}},
    ],
)
def test_a_format_has_its_keys(changes):
    assert list(layout_problems(layout(**changes))) == []
