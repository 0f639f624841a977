"""Pages of data that are hard to set."""

import pytest

from rixin.engines.draw.composing import compose
from rixin.engines.draw.pages import draw_page
from rixin.engines.draw.templates import choose
from tests.engines.draw.conftest import faults

PROMPTS = {
    "zigzag": "Output: " + ", ".join(f"Day {day} {(day * 7919) % 1000} GWh" for day in range(1, 24)),
    "long series": "day,value\n" + "\n".join(f"2020-01-{day:02},{(day * 613) % 97}" for day in range(1, 90)),
    "long labels": "Costs: International transport insurance 12, Warehouse and handling 30, Very early breakfast 4",
    "negative": "Change: North -5%, South 3%, East -12%, West 40%",
    "mixed scripts": "标题：混合 Mixed 文字\nمرحبا بالعالم\nשלום: 12%，Привет: 30%，Γειά: 58%",
}


@pytest.mark.parametrize("size", [(2752, 1536), (1344, 3136), (768, 768)])
@pytest.mark.parametrize("name", PROMPTS)
def test_words_never_overlap_nor_are_cut(name: str, size: tuple[int, int]) -> None:
    """Crowded charts, long labels, negative values and several scripts keep to their frames."""
    made = compose(PROMPTS[name], "")
    template, palette = choose(style="", prompt="", quality=None, draw=len(name), number=0)
    drawing = draw_page(
        made.specification, width=size[0], height=size[1], template=template, palette=palette, format="svg"
    )
    assert faults(drawing, size) == []
