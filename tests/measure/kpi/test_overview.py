"""The overview's figures: worked out by hand, or "not yet" with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.report import Figure
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.measure.kpi.overview import overview_figures
from cartwheel.signals.registry import SIGNALS

TODAY = date(2026, 1, 31)


def figures(**rows: list[Mapping[str, Any]]) -> dict[str, Figure]:
    tables = {}
    for name, given_rows in rows.items():
        schema = SIGNALS[name].schema()
        full = [{**dict.fromkeys(schema.names), **row} for row in given_rows]
        tables[name] = pa.Table.from_pylist(full, schema=schema)
    return {f.label: f for f in overview_figures(tables, TODAY, seed=1)}


def test_every_figure_has_a_definition_and_an_empty_shop_says_not_yet() -> None:
    found = figures()
    assert len(found) == 5
    for figure in found.values():
        assert figure.definition
        assert figure.value is None
        assert figure.not_yet
        assert figure.not_yet.startswith("Not yet")


def test_revenue_is_of_the_28_days_up_to_the_turns_day() -> None:
    def sold(days_ago: int, minor: int) -> dict[str, Any]:
        day = TODAY - timedelta(days=days_ago)
        return {"variant_id": "v", "day": day, "units": 1, "revenue_minor": minor}

    found = figures(demand=[sold(28, 7), sold(27, 100), sold(1, 200), sold(0, 300)])
    revenue = found["Revenue, 28 days"]
    assert revenue.value == 600
    assert revenue.low is not None
    assert revenue.high is not None
    assert 0 <= revenue.low < 600 < revenue.high


def test_revenue_interval_is_repeatable() -> None:
    rows = [{"variant_id": "v", "day": TODAY, "units": 1, "revenue_minor": 500}]
    assert figures(demand=rows) == figures(demand=rows)


def test_repeat_share_counts_customers_with_two_days() -> None:
    found = figures(
        rhythm=[
            {"customer_id": name, "order_days": n}
            for name, n in (("a", 1), ("b", 2), ("c", 5), ("d", 1))
        ]
    )
    assert found["Repeat customers"].value == 0.5


def test_sold_out_leaves_uncounted_variants_aside() -> None:
    found = figures(
        stock=[
            {"variant_id": name, "on_hand_units": units}
            for name, units in (("a", 0), ("b", -2), ("c", 3), ("d", None), ("e", 9))
        ]
    )
    assert found["Sold out"].value == 0.5


def test_stock_without_a_single_count_is_not_yet() -> None:
    found = figures(stock=[{"variant_id": "a", "on_hand_units": None}])
    assert found["Sold out"].value is None
    assert found["Sold out"].not_yet is not None
    assert "inventory_levels" in found["Sold out"].not_yet


def test_known_costs_is_the_share_of_the_catalogue() -> None:
    catalogue = [{"variant_id": n, "product_id": n} for n in "abcd"]
    margin = [
        {"variant_id": "a", "cost_minor": 100},
        {"variant_id": "b", "cost_minor": None},
    ]
    assert figures(catalogue=catalogue, margin=margin)["Costs known"].value == 0.25
    assert figures(catalogue=catalogue)["Costs known"].value == 0


def test_forecasts_that_held_counts_ripe_forecasts_only() -> None:
    def outcome(name: str, metric: str, actual: float) -> dict[str, Any]:
        return {
            "decision_id": name,
            "metric": metric,
            "low": 1.0,
            "high": 3.0,
            "actual": actual,
        }

    found = figures(
        outcomes=[
            outcome("a", "units_28d", 1),
            outcome("b", "units_28d", 3),
            outcome("c", "units_28d", 4),
            outcome("d", "units_28d", 0),
            outcome("e", "orders_90d", 2),
        ]
    )
    assert found["Forecasts that held"].value == 0.5


def test_wilson_by_hand() -> None:
    # Wilson (1927) for 5 of 10 at 95 %, as tabulated: 0.2366 to 0.7634.
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_wilson_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no interval"):
        wilson(0, 0)


@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
)
def test_wilson_holds_the_share_and_stays_a_share(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
