from xml.etree import ElementTree

import pytest

from treering.models.axes import Axis, Plot
from treering.models.svg import Drawing

NASTY = "<script>alert(1)</script> \"&'"


def test_every_text_in_a_drawing_is_escaped() -> None:
    drawing = Drawing(10, 10, NASTY)
    drawing.text((0, 0), NASTY, "note")
    drawing.circle((1, 1), 2, "dot", NASTY)
    assert "<script" not in str(drawing)
    root = ElementTree.fromstring(str(drawing))
    assert (root.get("aria-label"), root[0].text, root[1][0].text) == (NASTY, NASTY, NASTY)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.0, 1.0], 0.0, 1.0),
        ([3.0, 47.0], 0.0, 60.0),
        ([-80.0, 210.0], -100.0, 300.0),
        ([0.417, 0.528], 0.4, 0.55),
        ([5.0], 2.0, 8.0),
        ([0.0, 0.0], -0.5, 0.5),
    ],
)
def test_an_axis_has_round_ends_around_its_values(values: list[float], low: float, high: float) -> None:
    axis = Axis.around("delay", values)
    assert (axis.low, axis.high) == (low, high)
    assert 3 <= len(axis.ticks) <= 6


@pytest.mark.parametrize("values", [[1e-16, 3e-16], [1e6, 1e6 + 1e-7], [-1e300, 1e300], [1e-300, 1e-299]])
def test_an_axis_of_extreme_values_can_be_drawn_on(values: list[float]) -> None:
    axis = Axis.around("delay", values)
    assert axis.low < axis.high
    assert all(0 <= axis.along(value) <= 1 for value in values)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0, 40_000.0], ["0", "10k", "20k", "30k", "40k"]),
        ([0.8, 1.0], ["0.80", "0.85", "0.90", "0.95", "1.00"]),
        ([0.0, 2e7], ["0", "5M", "10M", "15M", "20M"]),
    ],
)
def test_ticks_have_as_many_decimals_as_their_steps(values: list[float], texts: list[str]) -> None:
    axis = Axis.around("delay", values)
    assert [axis.write(tick) for tick in axis.ticks] == texts


def test_labels_at_the_ends_of_lines_do_not_lie_over_each_other() -> None:
    plot = Plot.of("two lines", Axis.around("round", [0.0, 10.0]), Axis.around("auc", [0.0, 1.0]))
    plot.end_labels([([(0.0, 0.5), (10.0, 0.5)], "train", "a"), ([(0.0, 0.49), (10.0, 0.49)], "validation", "b")])
    first, second = [float(text.get("y", "")) for text in ElementTree.fromstring(str(plot.drawing)).iter("text") if str(text.get("class")).startswith("label")]
    assert second - first >= 15
