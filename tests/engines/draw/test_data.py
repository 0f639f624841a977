"""Data found in prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.engines.draw.data import Found, find_data, quantity
from rixin.engines.draw.specification import Chart, Table


def only_chart(found: Found) -> Chart:
    """The one chart of what was found."""
    charts = [block for block in found.blocks if isinstance(block, Chart)]
    assert len(charts) == 1
    return charts[0]


@pytest.mark.parametrize(
    ("text", "title", "kind", "values"),
    [
        ("By quarter: Q1 120, Q2 150 and Q3 180.", "By quarter", "line", {"Q1": 120, "Q2": 150, "Q3": 180}),
        ("苹果30%、香蕉25%、橙子45%", "", "pie", {"苹果": 30, "香蕉": 25, "橙子": 45}),
        ("2019年：310，2020年：355，2021年：402", "", "line", {"2019年": 310, "2020年": 355, "2021年": 402}),
        ("Revenue 2,300, cost 1,200, profit 1,100", "", "bar", {"Revenue": 2300, "cost": 1200, "profit": 1100}),
        ("temperature: Mon -3 °C, Tue 2 °C, Wed 5 °C", "temperature", "line", {"Mon": -3, "Tue": 2, "Wed": 5}),
        ("Users:\n- May: 120\n- June: 150\n- July: 210", "Users", "line", {"May": 120, "June": 150, "July": 210}),
        ("Pie chart of time: work 8 h, sleep 7 h, rest 9 h", "time", "pie", {"work": 8, "sleep": 7, "rest": 9}),
        ("月份,销量\n一月,12\n二月,15\n三月,20", "销量", "line", {"一月": 12, "二月": 15, "三月": 20}),
        ("| City | Rain |\n|---|---|\n| A | 1,200 |\n| B | 900 |", "Rain", "bar", {"A": 1200, "B": 900}),
    ],
)  # fmt: skip
def test_labels_and_numbers_become_a_chart_of_just_these(
    text: str, title: str, kind: str, values: dict[str, float]
) -> None:
    """Tables, CSV, lists and running text give the chart of exactly their values."""
    found = find_data(text)
    chart = only_chart(found)
    assert (chart.title, chart.kind) == (title, kind)
    assert dict(zip(chart.labels, chart.series[0].values, strict=True)) == values
    assert found.rest == ""


def test_several_columns_become_series_and_a_table() -> None:
    """Columns of one scale share a chart; the table shows what else there is."""
    found = find_data("year,sales,profit\n2019,10,2\n2020,15,3\n2021,22,5")
    assert [series.name for series in only_chart(found).series] == ["sales", "profit"]
    assert any(isinstance(block, Table) for block in found.blocks)


def test_numbers_alone_are_drawn_without_labels() -> None:
    """A bare list of numbers has no names, and gets none."""
    assert only_chart(find_data("12, 30, 45, 50, 61")).labels == ("",) * 5


@pytest.mark.parametrize(
    "text",
    [
        "A picture of tea",
        "In 1969 people landed on the moon, in 1981 the shuttle flew.",
        "leaves 3 g, water 200 ml, minutes 2",
        "Chapter 1, Chapter 2",
        "Say hello, wave, and go",
    ],
)
def test_prose_is_no_data(text: str) -> None:
    """Sentences, different units and two things without a title stay text."""
    found = find_data(text)
    assert found.blocks == ()
    assert found.rest == text


def test_a_table_beyond_any_picture_is_told() -> None:
    """Thousands of rows of names are dropped, and it says so."""
    assert find_data("| a | b |\n|---|---|\n" + "| x | y |\n" * 900).dropped


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,200", 1200), ("-3.5 °C", -3.5), ("¥12", 12), ("45%", 45), ("1.2万", 1.2), ("abc", None), ("1 2", None)],
)
def test_a_quantity_is_a_number_with_a_unit_or_without(text: str, value: float | None) -> None:
    """Signs, currencies and units are read; words are not."""
    assert quantity(text) == value


@given(
    st.dictionaries(st.from_regex(r"[A-Z][a-z]{2,8}", fullmatch=True), st.integers(0, 10**6), min_size=3, max_size=12)
)
def test_any_pairs_are_charted_exactly(pairs: dict[str, int]) -> None:
    """Whatever the labels and the numbers are, the chart has them in their order."""
    chart = only_chart(find_data("Data: " + ", ".join(f"{label} {value}" for label, value in pairs.items())))
    assert list(chart.labels) == list(pairs)
    assert list(chart.series[0].values) == list(pairs.values())
    assert [int(text.replace(",", "")) for text in chart.series[0].texts] == list(pairs.values())
