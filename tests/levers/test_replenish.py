"""The replenish lever: quantities, unknowns, budget, links."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.levers.base import Abstain, Autonomy
from cartwheel.levers.conformal import LEVELS
from cartwheel.levers.replenish.lever import Replenish
from cartwheel.levers.replenish.reorder_math import QUANTILE_COLUMNS, Terms
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.learned import FORECAST
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.stock import STOCK
from cartwheel.signals.supply import LEAD_TIME
from tests.levers.made import empty_signals, for_lever, replace

LEVER = Replenish()
SPREAD = np.array([0.5, 1.0, 1.25, 1.5, 1.7, 2.0])


def forecast_frame(pace: dict[str, float]) -> pd.DataFrame:
    """Totals of a steady pace a day; quantiles in proportion to the mean."""
    rows = []
    for variant, daily in pace.items():
        for days in (7, 14, 28, 56):
            mean = daily * days
            spread = dict(zip(QUANTILE_COLUMNS, SPREAD * mean, strict=True))
            rows.append(
                {
                    "variant_id": variant,
                    "horizon_days": days,
                    "mean_units": mean,
                    **spread,
                }
            )
    return pd.DataFrame(rows)


def catalogue_frame(variants: list[str], **changes: object) -> pd.DataFrame:
    values = {
        "product_id": [v.replace("v", "p") for v in variants],
        "title": [f"Title {v}" for v in variants],
        "category": None,
        "brand": None,
        "active": True,
        "supplier_id": "s1",
        "pack_units": 6,
        "minimum_order_units": 1,
        "price_minor": 1000,
        "first_on": None,
    }
    return pd.DataFrame({"variant_id": variants, **values, **changes})


def stock_frame(variants: list[str], on_hand: int | None, inbound: int = 0):
    return pd.DataFrame(
        {
            "variant_id": variants,
            "on_hand_units": pd.array([on_hand] * len(variants), dtype="Int64"),
            "inbound_units": inbound,
            "inbound_on": None,
            "cover_days": None if on_hand is None else on_hand / 2.0,
            "sold_28d_units": pd.array([56] * len(variants), dtype="Int64"),
        }
    )


def margin_frame(variants: list[str], cost: int | None, margin: int | None):
    return pd.DataFrame(
        {
            "variant_id": variants,
            "price_minor": 1000,
            "cost_minor": pd.array([cost] * len(variants), dtype="Int64"),
            "return_cost_minor": 0,
            "parcel_share": 1.0,
            "margin_minor": pd.array([margin] * len(variants), dtype="Int64"),
        }
    )


def lead_frame(days: float = 7.0, sd: float = 0.0, minimum: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "supplier_id": ["s1"],
            "receipts": [9],
            "mean_days": [days],
            "sd_days": [sd],
            "promised_days": [7],
            "minimum_order_minor": [minimum],
        }
    )


def shop(
    pace: dict[str, float],
    *,
    on_hand: int | None = 0,
    inbound: int = 0,
    cost: int | None = 600,
    margin: int | None = 400,
    options: dict[str, float] | None = None,
    minimum: int = 0,
    **catalogue: object,
):
    variants = sorted(pace)
    data = empty_signals(options={"replenish": options or {}})
    data = replace(data, FORECAST, forecast_frame(pace))
    data = replace(data, CATALOGUE, catalogue_frame(variants, **catalogue))
    data = replace(data, STOCK, stock_frame(variants, on_hand, inbound))
    data = replace(data, MARGIN, margin_frame(variants, cost, margin))
    return replace(data, LEAD_TIME, lead_frame(minimum=minimum))


def decided(data, cut: tuple[str, ...] = ()):
    view = for_lever(LEVER, data, cut)
    model = LEVER.learn(view, None, seed=1)
    return list(LEVER.decide(model, view, seed=1))


def test_reorder_by_hand():
    # 2 a day; 7 days of lead and 7 of review: 28 expected, 42 at 90 %. 20 on hand
    # and 6 inbound leave 16 to order, less what is lost in the lead time (14
    # expected, 28 at the most, 26 there: about 0), in packs of 6: 18.
    options = {"service_level": 0.9}
    data = shop(
        {"v1": 2.0}, on_hand=20, inbound=6, cost=None, margin=None, options=options
    )
    (order,) = decided(data)
    assert order.kind == "reorder"
    assert order.action == {
        "variant_id": "v1",
        "supplier_id": "s1",
        "units": 18,
        "packs": 3,
        "cost_minor": None,
    }
    assert order.worth_minor is None
    assert order.predicted.metric == "lost_units_avoided"
    assert "20 on hand and 6 inbound, 28 expected in the next 14 days" in order.reason


def test_reorder_predicts_the_margin_it_saves():
    (order,) = decided(shop({"v1": 2.0}, on_hand=14))
    assert order.predicted.metric == "lost_margin_avoided_minor"
    # Demand of the lead time is met from 14 on hand half of the time; of the review
    # period's 14 most are missing without an order.
    assert 8 * 400 < order.predicted.value < 16 * 400
    assert order.predicted.low <= order.predicted.value <= order.predicted.high
    assert order.worth_minor == round(order.predicted.value)
    assert order.cost_minor == order.action["units"] * 600


def test_enough_stock_orders_nothing():
    assert decided(shop({"v1": 2.0}, on_hand=500)) == []


def test_a_better_margin_aims_higher():
    low = decided(shop({"v1": 2.0}, on_hand=0, cost=100_000, margin=100))
    high = decided(shop({"v1": 2.0}, on_hand=0, cost=600, margin=400))
    assert low[0].evidence["service_level"] < high[0].evidence["service_level"]
    assert low[0].action["units"] < high[0].action["units"]


def test_unknown_stock_gives_levels_and_says_so():
    data = shop({"v1": 2.0, "v2": 1.0}, on_hand=None)
    view = for_lever(LEVER, data)
    assert "stock count" in LEVER.floor.lacks(view)[0]
    found = decided(data)
    assert [d.kind for d in found] == ["reorder_level", "reorder_level"]
    assert found[0].subject == "variant:v1"  # more revenue ahead
    action = found[0].action
    assert action["reorder_point_units"] < action["order_up_to_units"]
    assert "Stock is unknown" in found[0].reason
    assert found[0].predicted.metric == "units_14d"
    report = LEVER.report(LEVER.fallback().model(view), view)
    assert "Import inventory_levels" in report.summary
    assert report.figures[0].value is None
    assert len(report.grids[0].rows) == 2


def test_unknown_stock_of_one_variant_is_not_zero():
    data = shop({"v1": 2.0, "v2": 2.0}, on_hand=0)
    counts = stock_frame(["v1", "v2"], 0)
    counts.loc[1, "on_hand_units"] = pd.NA
    found = decided(replace(data, STOCK, counts))
    assert [d.subject for d in found] == ["variant:v1"]


def test_levels_are_limited_by_the_option():
    pace = {f"v{i}": 1.0 + i for i in range(5)}
    found = decided(shop(pace, on_hand=None, options={"levels": 2}))
    assert [d.subject for d in found] == ["variant:v4", "variant:v3"]


def test_no_forecast_orders_by_days_of_cover():
    # 20 on hand last 10 days: 2 a day. Wanted: 7 lead, 7 review, 7 safety = 42.
    data = shop({"v1": 2.0}, on_hand=20)
    (order,) = decided(data, cut=("forecast",))
    assert order.action["units"] == 24
    assert "No forecast" in order.reason


def test_no_forecast_still_reorders_what_is_sold_out():
    # 56 sold in 28 days, nothing left: 2 a day for 21 days.
    (order,) = decided(shop({"v1": 2.0}, on_hand=0), cut=("forecast",))
    assert order.action["units"] >= 42
    assert order.reason.startswith("Stock lasts 0 days")


def test_nothing_at_all_abstains():
    view = for_lever(LEVER, empty_signals())
    model = LEVER.learn(view, None, seed=1)
    with pytest.raises(Abstain, match="neither a forecast nor a stock count"):
        LEVER.decide(model, view, seed=1)
    assert "Nothing to go by" in LEVER.report(model, view).summary


def test_inactive_variants_are_not_ordered():
    assert decided(shop({"v1": 2.0}, on_hand=0, active=False)) == []


def test_unknown_lead_time_is_assumed_and_said():
    (order,) = decided(shop({"v1": 2.0}, on_hand=0), cut=("lead_time",))
    assert "lead time unknown, 14 days assumed" in order.reason
    assert order.evidence["lead_days"] == 14


def test_a_longer_and_less_certain_lead_time_orders_more():
    data = shop({"v1": 2.0}, on_hand=30)
    base = decided(data)[0].action["units"]
    longer = decided(replace(data, LEAD_TIME, lead_frame(21)))[0].action["units"]
    unsure = decided(replace(data, LEAD_TIME, lead_frame(7, 6.0)))[0].action["units"]
    assert longer > base
    assert unsure > base


def test_supplier_minimum_not_reached_is_said():
    (order,) = decided(shop({"v1": 2.0}, on_hand=20, minimum=10_000_000))
    assert "smallest order is 100,000.00 GBP" in order.reason


def test_most_margin_at_stake_comes_first():
    found = decided(shop({"v1": 1.0, "v2": 9.0, "v3": 4.0}, on_hand=0))
    assert [d.subject for d in found] == ["variant:v2", "variant:v3", "variant:v1"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.05, 20), min_size=1, max_size=6),
    st.integers(0, 60),
    st.integers(0, 400_000),
)
def test_reorders_keep_the_budget_and_the_packs(paces, on_hand, budget):
    pace = {f"v{i}": p for i, p in enumerate(paces)}
    data = shop(
        pace, on_hand=on_hand, options={"budget_minor": budget}, minimum_order_units=10
    )
    found = decided(data)
    assert sum(d.cost_minor for d in found) <= budget
    for order in found:
        assert order.action["units"] % 6 == 0
        assert order.action["units"] >= 10


def test_budget_leaves_the_worse_proposals_waiting():
    data = shop({"v1": 1.0, "v2": 9.0}, on_hand=0, options={"budget_minor": 25_000})
    view = for_lever(LEVER, data)
    model = LEVER.learn(view, None, seed=1)
    assert [d.subject for d in LEVER.decide(model, view, seed=1)] == ["variant:v1"]
    assert "do not fit the budget" in LEVER.report(model, view).summary


def test_report_counts_what_is_short():
    data = shop({"v1": 2.0, "v2": 2.0}, on_hand=3)
    view = for_lever(LEVER, data)
    report = LEVER.report(LEVER.learn(view, None, seed=1), view)
    below, money, lost = report.figures
    assert below.value == 2
    assert money.value == sum(d.cost_minor for d in decided(data))
    assert lost.value > 0


@pytest.mark.parametrize(
    "options", [{"review_day": 7}, {"service_level": 2}, {"lead_days": "soon"}]
)
def test_wrong_options_say_what_fits(options):
    with pytest.raises(Misuse, match=r"levers\.replenish\."):
        Terms.from_options(options)


def test_kinds_start_as_suggestions():
    assert {kind.autonomy for kind in LEVER.kinds} == {Autonomy.SUGGEST}
    assert len(QUANTILE_COLUMNS) == len(LEVELS)
