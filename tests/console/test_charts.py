from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from cartwheel.console.charts import (
    Interval,
    WheelLink,
    WheelNode,
    bar_chart,
    interval_chart,
    line_chart,
    wheel,
)
from cartwheel.console.charts.wheel import HEIGHT, SOURCE_BOX, WIDTH, place, short_value
from cartwheel.svg import runs, shorten, ticks

DAYS = ("2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04")
LEVERS = [
    WheelNode(name=n, title=n.title(), group=g, state="healthy", href=f"/levers/{n}")
    for n, g in (("forecast", "productivity"), ("replenish", "value-chain"))
]
SOURCES = [WheelNode(name=n, title=n.title()) for n in ("stock", "intent", "demand")]


def link(start: str, end: str, state: str = "live") -> WheelLink:
    return WheelLink(start=start, end=end, signal=start, value="7 rows", state=state)


def test_ticks_are_round_and_cover_the_range() -> None:
    assert ticks(0, 9.3) == [0, 5, 10]
    assert ticks(-3, 3) == [-4, -2, 0, 2, 4]


@given(st.floats(-1e9, 1e9, allow_nan=False), st.floats(0.001, 1e9, allow_nan=False))
def test_ticks_always_cover(low: float, span: float) -> None:
    found = ticks(low, low + span)
    step = found[1] - found[0]
    assert found[0] <= low + step * 1e-6
    assert found[-1] >= low + span - step * 1e-6
    assert len(found) < 12


def test_runs_break_at_unknown_values() -> None:
    assert runs([1.0, 2.0, None, 4.0]) == [[0, 1], [3]]
    assert runs([None, float("nan")]) == []


def test_line_chart_draws_a_gap_as_two_paths_and_a_band() -> None:
    drawn = line_chart(
        title="Mugs",
        x=DAYS,
        actual=(1.0, None, 3.0, None),
        predicted=(None, None, None, 4.0),
        low=(None, None, 2.0, 3.0),
        high=(None, None, 4.0, 6.0),
    )
    root = ET.fromstring(drawn)
    classes = [e.get("class") for e in root.iter()]
    assert classes.count("line-actual") == 2
    assert classes.count("band") == 1
    assert "split" in classes
    assert root.get("aria-label") == "Mugs"


def test_line_chart_places_values_from_zero() -> None:
    drawn = line_chart(title="t", x=DAYS[:2], actual=(0.0, 10.0), height=236)
    path = re.search(r'class="line-actual" d="M(\S+) (\S+) L(\S+) (\S+)"', drawn)
    assert path is not None
    # Zero lies on the bottom edge (height less 26), the largest tick on the top (10).
    assert (float(path[2]), float(path[4])) == (210.0, 10.0)


def test_line_chart_tooltip_says_prediction_and_interval() -> None:
    drawn = line_chart(
        title="t", x=DAYS[:1], actual=(None,), predicted=(4.0,), low=(3.0,), high=(6.0,)
    )
    assert "1 Nov · predicted 4.0 (3.0 to 6.0)" in drawn


def test_charts_without_values_are_empty() -> None:
    assert line_chart(title="t", x=DAYS, actual=(None,) * 4) == ""
    assert bar_chart(title="t", labels=(), values=()) == ""
    assert interval_chart(title="t", rows=()) == ""
    assert wheel([], [], "t") == ""


def test_bar_chart_lengths_are_in_proportion() -> None:
    root = ET.fromstring(
        bar_chart(title="t", labels=("a", "b", "c"), values=(10.0, 5.0, -5.0))
    )
    bars = [e for e in root.iter("rect")]
    wide = [float(b.get("width", "0")) for b in bars]
    assert abs(wide[0] - 2 * wide[1]) < 0.3
    assert abs(wide[1] - wide[2]) < 0.3
    zero = float(bars[0].get("x", "0"))
    assert abs(float(bars[2].get("x", "0")) + wide[2] - zero) < 0.3


def test_interval_chart_whisker_spans_the_interval() -> None:
    row = Interval(label="Oak", value=2.0, low=1.0, high=4.0)
    root = ET.fromstring(interval_chart(title="t", rows=[row]))
    whisker = next(e for e in root.iter("line") if e.get("class") == "whisker")
    dot = next(e for e in root.iter("circle"))
    x1, x2 = float(whisker.get("x1", "0")), float(whisker.get("x2", "0"))
    share = (float(dot.get("cx", "0")) - x1) / (x2 - x1)
    assert abs(share - 1 / 3) < 0.01


def test_wheel_draws_links_with_group_colour_and_marks_cut_ones() -> None:
    links = [link("forecast", "replenish"), link("stock", "replenish", "cut")]
    drawn = wheel(LEVERS + SOURCES, links, "The wheel")
    assert 'class="link group-productivity is-live"' in drawn
    assert 'class="link group-value-chain is-cut"' in drawn
    assert 'role="group"' in drawn
    assert drawn.count("<a ") == 2


def test_wheel_gives_every_signal_its_room() -> None:
    nodes = LEVERS + [WheelNode(name=f"s{i:02d}", title="x") for i in range(20)]
    spots = place(nodes, [link(f"s{i:02d}", "forecast") for i in range(20)])
    wide, high = SOURCE_BOX
    sources = [spots[f"s{i:02d}"] for i in range(20)]
    for i, (ax, ay) in enumerate(sources):
        for bx, by in sources[i + 1 :]:
            assert abs(ax - bx) >= wide or abs(ay - by) >= high


def test_wheel_leaves_out_links_to_unknown_nodes() -> None:
    drawn = wheel(LEVERS, [link("ghost", "replenish")], "w")
    assert "ghost" not in drawn


@given(st.integers(1, 14), st.integers(0, 24), st.randoms())
def test_wheel_keeps_every_node_on_the_drawing_and_apart(
    levers: int, sources: int, random: object
) -> None:
    nodes = [
        WheelNode(name=f"l{i}", title="x", group="growth") for i in range(levers)
    ] + [WheelNode(name=f"s{i}", title="x") for i in range(sources)]
    links = [link(f"s{i}", f"l{i % levers}") for i in range(sources)]
    spots = place(nodes, links)
    assert len(spots) == levers + sources
    assert len({(round(x), round(y)) for x, y in spots.values()}) == len(spots)
    for node in nodes:
        x, y = spots[node.name]
        w, h = node.box
        assert x - w / 2 >= 0
        assert x + w / 2 <= WIDTH
        assert y - h / 2 >= 0
        assert y + h / 2 <= HEIGHT


@given(st.text(max_size=80))
def test_any_label_is_well_formed_and_escaped(label: str) -> None:
    label = label.encode("utf-8", "ignore").decode()
    for drawn in (
        bar_chart(title=label, labels=(label,), values=(1.0,)),
        interval_chart(
            title=label, rows=[Interval(label=label, value=1, low=0, high=2)]
        ),
        line_chart(title=label, x=DAYS, actual=(1.0, 2.0, 3.0, 4.0)),
        wheel([WheelNode(name="a", title=label, detail=label)], [], label),
    ):
        ET.fromstring(drawn)
        assert " style=" not in drawn
        assert "<script" not in drawn


def test_short_value_keeps_the_first_part_whole() -> None:
    assert short_value("4,871 customers, 19,203 rows", 27) == "4,871 customers"
    assert short_value("312 variants", 27) == "312 variants"
    assert shorten("abcdef", 4) == "abc…"
