"""Shapes of trade: measured by hand on small trades, and drawn so all can read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import NotFound
from cartwheel.simulator.referee import shapes as module
from cartwheel.simulator.referee.shapes import (
    POPULARITY,
    SAMPLES,
    Trade,
    compare,
    compare_shapes,
    distance,
    lorenz,
    newest,
    shapes_svg,
)
from cartwheel.simulator.world.spec import Size

SAMPLE = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60)
TINY = Size(products=30, customers=600, warmup_days=4, days=14)


def make_trade() -> Trade:
    """Three orders: customer 7 twice with ten days between, one unknown once."""
    return Trade(
        order=np.array([1, 1, 2, 3]),
        customer=np.array([7, 7, 7, -1]),
        placed=np.array(
            ["2025-01-01", "2025-01-01", "2025-01-11", "2025-01-05"], "datetime64[us]"
        ),
        product=np.array([0, 1, 0, 2]),
        units=np.array([1.0, 2.0, 1.0, 4.0]),
        price=np.array([10.0, 5.0, 10.0, 2.5]),
    )


def test_each_sample_by_hand() -> None:
    found = {name: sample(make_trade()) for name, (_, sample) in SAMPLES.items()}
    assert found["orders per customer"].tolist() == [2.0]
    assert found["lines per order"].tolist() == [2.0, 1.0, 1.0]
    assert found["value per order"].tolist() == [2.0, 1.0, 1.0]
    assert found["prices"] == pytest.approx(np.log([2.0, 1.0, 0.5]))
    assert found["time between orders"].tolist() == [10.0]
    assert module.popularity(make_trade()).tolist() == [2.0, 2.0, 4.0]


def test_lorenz_by_hand() -> None:
    units = np.array([1.0, 1.0, 2.0, 4.0])
    assert lorenz(units, np.array([0, 0.25, 0.5, 1])) == pytest.approx(
        [0, 0.5, 0.75, 1]
    )
    assert np.isnan(lorenz(np.zeros(3), np.array([0.5]))).all()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_the_best_sold_hold_at_least_their_part(units: list[float]) -> None:
    at = np.linspace(0, 1, 21)
    curve = lorenz(np.array(units), at)
    if sum(units) > 0:
        assert (np.diff(curve) >= -1e-9).all()
        assert (curve >= at - 1e-9).all()


@given(SAMPLE, SAMPLE)
def test_distance_is_the_widest_gap_anywhere(
    first: list[float], second: list[float]
) -> None:
    a, b = np.array(first), np.array(second)
    gaps = [abs((a <= x).mean() - (b <= x).mean()) for x in [*first, *second]]
    assert distance(a, b) == pytest.approx(max(gaps))
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a)


def test_nothing_sold_has_no_distance() -> None:
    assert math.isnan(distance(np.empty(0), np.ones(3)))


def test_only_the_last_days_are_kept() -> None:
    kept = newest(make_trade(), 7)
    assert sorted(set(kept.order.tolist())) == [2, 3]
    assert len(newest(make_trade(), 100).order) == 4


def test_a_trade_equals_itself_and_differs_from_another() -> None:
    one = make_trade()
    assert [shape.distance for shape in compare(one, one, "Itself")] == [0.0] * 6
    names = [shape.name for shape in compare(one, one, "Itself")]
    assert names == [*SAMPLES, POPULARITY]
    many = Trade(
        order=np.arange(6),
        customer=np.arange(6),
        placed=np.repeat(np.datetime64("2025-01-01", "us"), 6),
        product=np.array([0, 0, 0, 0, 0, 1]),
        units=np.ones(6),
        price=np.ones(6),
    )
    found = {shape.name: shape for shape in compare(one, many, "Another")}
    assert found["orders per customer"].distance == 1.0
    assert math.isnan(found["time between orders"].distance)
    assert found[POPULARITY].real[-1] > found[POPULARITY].world[-1]


def test_absent_data_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="neither Online Retail nor Olist") as said:
        compare_shapes("apparel", "small", 1, tmp_path)
    assert str(tmp_path) in said.value.message
    assert "CARTWHEEL_DATA" in said.value.next_step


@pytest.mark.data
def test_a_world_is_compared_with_both_shops(
    data_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = data_folder("online-retail").parent
    data_folder("olist")
    monkeypatch.setattr(module, "size_of", lambda name: TINY)
    found = compare_shapes("consumables", "small", 1, base)
    assert [shape.source for shape in found] == ["Online Retail"] * 6 + ["Olist"] * 6
    # In so few days nobody of Olist bought twice, so there is no time between orders.
    apart = [s.distance for s in found if s.name != "time between orders"]
    assert all(0 <= one <= 1 for one in apart)
    real = {(s.source, s.name): s.real for s in found}
    # Known of both: wholesale baskets in one, single purchases in the other.
    assert real["Online Retail", "lines per order"][3] > 5
    assert real["Olist", "orders per customer"][3] == 1


def test_the_drawing_tells_each_panel_in_words() -> None:
    one = make_trade()
    drawn = shapes_svg(compare(one, one, "A <shop> & more"))
    root = ElementTree.fromstring(drawn)
    panels = [part for part in root if part.tag == "g"]
    assert len(panels) == 6
    assert root.find("title") is not None
    assert root.find("desc") is not None
    for panel in panels:
        assert "A <shop> & more" in (panel.findtext("title") or "")
        assert "the world has" in (panel.findtext("desc") or "")
    words = [text.text for text in root.iter("text")]
    assert "world" in words
    assert "real shop" in words
    assert "nan" not in "".join(part.get("x1", "") for part in root.iter("line"))


def test_panels_wrap_to_the_width_and_nothing_draws_nothing() -> None:
    found = compare(make_trade(), make_trade(), "Itself")
    wide, narrow = (
        ElementTree.fromstring(shapes_svg(found, width=w)) for w in (720, 300)
    )
    assert int(narrow.get("height", "0")) > int(wide.get("height", "0"))
    assert shapes_svg([]) == ""
