"""The forecast lever: accuracy on made demand, links, stock-outs, outcomes."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cartwheel.levers.base import Model
from cartwheel.levers.forecast import weekly_models
from cartwheel.levers.forecast.lever import Forecast, whole_interval
from cartwheel.levers.forecast.panel import fill_stockouts, read_panel
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.learned import FORECAST, OUTCOMES, PRICE_PLAN
from tests.levers.made import AS_OF, empty_signals, for_lever, replace, to_table

LEVER = Forecast()


def demand_frame(units: np.ndarray, out: np.ndarray | None = None) -> pd.DataFrame:
    """Rows of DEMAND from units of shape (n, days) ending on AS_OF."""
    days = units.shape[1]
    out = np.zeros(units.shape, dtype=bool) if out is None else out
    rows, columns = np.nonzero((units > 0) | out)
    return pd.DataFrame(
        {
            "variant_id": [f"v{row:03d}" for row in rows],
            "day": [AS_OF - timedelta(days=int(days - 1 - c)) for c in columns],
            "units": units[rows, columns].astype("int64"),
            "revenue_minor": units[rows, columns].astype("int64") * 500,
            "orders": (units[rows, columns] > 0).astype("int64"),
            "stocked_out": out[rows, columns],
        }
    )


def catalogue_frame(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "variant_id": [f"v{i:03d}" for i in range(n)],
            "product_id": [f"p{i:03d}" for i in range(n)],
            "title": [f"Title {i}" for i in range(n)],
            "category": None,
            "brand": None,
            "active": True,
            "supplier_id": None,
            "pack_units": 1,
            "minimum_order_units": 1,
            "price_minor": 500,
            "first_on": None,
        }
    )


def shop(units: np.ndarray, out: np.ndarray | None = None):
    data = replace(empty_signals(), DEMAND, demand_frame(units, out))
    return replace(data, CATALOGUE, catalogue_frame(len(units)))


@pytest.fixture(scope="module")
def poisson_shop():
    """Fifty variants at a steady pace, no sale on Saturdays."""
    rng = np.random.default_rng(11)
    pace = rng.gamma(1.5, 1.5, size=50) + 0.1
    days = 40 * 7
    weekday = (AS_OF.weekday() - np.arange(days)[::-1]) % 7
    open_ = np.where(weekday == 5, 0.0, 7 / 6)
    units = rng.poisson(pace[:, None] * open_[None, :])
    return pace, shop(units)


@pytest.fixture(scope="module")
def learned(poisson_shop):
    _, data = poisson_shop
    return LEVER.learn(for_lever(LEVER, data), None, seed=5)


def test_learn_finds_the_pace_in_spite_of_closed_saturdays(poisson_shop, learned):
    pace, _ = poisson_shop
    wanted = pace * 28
    error = np.abs(learned.arrays["mean"][:, 2] - wanted).sum() / wanted.sum()
    assert error < 0.12
    assert learned.rule == "chosen by backtest"


def test_intervals_cover_the_next_month(poisson_shop, learned):
    pace, _ = poisson_shop
    rng = np.random.default_rng(99)
    actual = rng.poisson(np.tile(pace * 28, (40, 1)))
    low, high = (learned.arrays["quantiles"][:, 2, i] for i in (0, 3))
    held = ((actual >= np.ceil(low)) & (actual <= high)).mean()
    assert 0.68 < held < 0.95


def test_emit_writes_every_horizon_with_ordered_quantiles(poisson_shop, learned):
    _, data = poisson_shop
    table = LEVER.emit(learned, for_lever(LEVER, data))[FORECAST.name]
    frame = table.to_pandas()
    assert table.schema.equals(FORECAST.schema())
    assert sorted(frame["horizon_days"].unique()) == [7, 14, 28, 56]
    columns = [c for c in frame if c.startswith("q")]
    assert (np.diff(frame[columns].to_numpy(), axis=1) >= -1e-9).all()
    by = frame.pivot(index="variant_id", columns="horizon_days", values="mean_units")
    assert (np.diff(by.to_numpy(), axis=1) > 0).all()


def test_decide_publishes_a_plan_with_numbers(poisson_shop, learned):
    _, data = poisson_shop
    plans = list(LEVER.decide(learned, for_lever(LEVER, data), seed=5))
    assert len(plans) == 50
    first = plans[0]
    assert first.kind == "forecast_plan"
    assert first.predicted.metric == "units_28d"
    assert first.predicted.low <= first.predicted.value <= first.predicted.high
    assert first.action["units"] == first.predicted.value
    assert first.reason.startswith("Sold ")
    assert f"{first.action['units']:,} expected in the next 28" in first.reason


def test_decide_needs_the_model_only(poisson_shop, learned, tmp_path):
    _, data = poisson_shop
    learned.save(tmp_path)
    again = Model.load(tmp_path, mapped=True)
    here = [d.canonical() for d in LEVER.decide(learned, data, seed=5)]
    there = [d.canonical() for d in LEVER.decide(again, empty_signals(), seed=1)]
    assert here == there


def test_learn_twice_is_equal_to_the_byte(poisson_shop, learned):
    _, data = poisson_shop
    again = LEVER.learn(for_lever(LEVER, data), None, seed=5)
    assert again.fingerprint() == learned.fingerprint()


def test_learn_beats_seasonal_naive_in_its_own_backtest(learned):
    gain, low, _ = learned.meta["backtest"]["wape_gain"]
    assert gain > 0.05
    assert low > 0


def test_report_shows_backtest_charts_and_realised_gap(poisson_shop, learned):
    _, data = poisson_shop
    report = LEVER.report(learned, for_lever(LEVER, data))
    labels = {figure.label: figure for figure in report.figures}
    assert (
        labels["Error of 28-day totals"].value < labels["Same, seasonal naive"].value
        or labels["Error of 28-day totals"].low is not None
    )
    later = labels["80 % interval held, published plans"]
    assert later.value is None
    assert (AS_OF + timedelta(days=28)).isoformat() in later.not_yet
    assert len(report.lines) == 30
    line = report.lines[0]
    assert len(line.x) == len(line.actual) == len(line.predicted) == len(line.high)
    assert {row[0] for row in report.grids[0].rows} <= {"new", "thin", "regular"}
    used = [row for row in report.grids[0].rows if row[-1] == "yes"]
    assert used


def test_empty_shop_gives_nothing_and_says_what_lacks():
    data = for_lever(LEVER, empty_signals())
    assert len(LEVER.floor.lacks(data)) == 2
    for model in (LEVER.learn(data, None, seed=1), LEVER.fallback().model(data)):
        assert list(LEVER.decide(model, data, seed=1)) == []
        assert LEVER.emit(model, data)["forecast"].num_rows == 0
        assert "no sale" in LEVER.report(model, data).summary


def test_fallback_works_from_three_sales():
    units = np.zeros((2, 10), dtype=int)
    units[0, [2, 5, 9]] = 1
    units[1, 9] = 4
    data = for_lever(LEVER, shop(units))
    plans = list(LEVER.decide(LEVER.fallback().model(data), data, seed=1))
    assert [p.subject for p in plans] == ["variant:v000", "variant:v001"]
    assert all(p.predicted.high > p.predicted.low for p in plans)


def test_fill_stockouts_takes_the_level_of_days_in_stock():
    units = np.full((1, 70), 3.0)
    out = np.zeros((1, 70), dtype=bool)
    out[0, 60:] = True
    units[0, 60:] = 0
    weekday = np.arange(70) % 7
    filled = fill_stockouts(units, out, weekday)
    # The profile counts the empty days too, so weeks keep their total, not each day.
    assert filled[0, :60].tolist() == [3.0] * 60
    assert filled[0, 60:67].sum() == pytest.approx(21.0, rel=0.1)


def test_stockout_raises_the_forecast_to_the_usual_pace():
    rng = np.random.default_rng(2)
    units = rng.poisson(3.0, size=(40, 26 * 7))
    out = np.zeros(units.shape, dtype=bool)
    out[0, -21:] = True
    units[0, -21:] = 0
    data = for_lever(LEVER, shop(units, out))
    blind = for_lever(LEVER, shop(units))
    seen = LEVER.fallback().model(data).arrays["mean"][0, 2]
    unseen = LEVER.fallback().model(blind).arrays["mean"][0, 2]
    assert seen > 60
    assert unseen < 40


def failed_carts(days: int, failed: int) -> pd.DataFrame:
    """Carts of the whole shop at twice the orders, failed ones for the first."""
    rows = [
        (f"p{i:03d}", AS_OF - timedelta(days=d), 2)
        for i in range(1, 8)
        for d in range(60)
    ]
    frame = pd.DataFrame(rows, columns=["product_id", "day", "carts"])
    frame["failed_carts"] = 0
    lost = pd.DataFrame(
        {
            "product_id": "p000",
            "day": [AS_OF - timedelta(days=d) for d in range(days)],
            "carts": 0,
            "failed_carts": failed,
        }
    )
    both = pd.concat([frame, lost], ignore_index=True)
    return both.assign(views=0, searches=0)


def test_failed_carts_add_demand_at_the_shops_own_rate():
    units = np.ones((8, 60), dtype=int)
    out = np.zeros(units.shape, dtype=bool)
    out[0, -10:] = True
    units[0, -10:] = 0
    plain = for_lever(LEVER, shop(units, out))
    asked = for_lever(LEVER, replace(shop(units, out), INTENT, failed_carts(10, 40)))
    without, with_ = read_panel(plain), read_panel(asked)
    # 7 orders to 14 carts, failed ones apart: half of 40 failed carts were sales.
    assert with_.units[0, -1] == pytest.approx(7 * 20, rel=0.01)
    assert without.units[0, -1] < 8
    assert with_.units[1:] == pytest.approx(without.units[1:])


def test_cutting_intent_changes_nothing_else():
    units = np.random.default_rng(4).poisson(2.0, size=(8, 70))
    data = replace(shop(units), INTENT, failed_carts(10, 0))
    cut = for_lever(LEVER, data, cut=("intent",))
    never = for_lever(LEVER, shop(units))
    assert (
        LEVER.fallback().model(cut).fingerprint()
        == LEVER.fallback().model(never).fingerprint()
    )


def price_plan(change: float, elasticity: float, from_on: date) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "variant_id": ["v000"],
            "price_minor": [round(500 * (1 + change))],
            "change_share": [change],
            "elasticity": [elasticity],
            "from_on": [from_on],
        }
    )


@pytest.mark.parametrize(
    ("change", "elasticity", "factor"),
    [(-0.1, -2.0, 0.9**-2), (0.1, -2.0, 1.1**-2), (-0.5, -3.0, 2.0), (0.0, -2.0, 1.0)],
)
def test_price_plan_scales_the_planned_variant_only(change, elasticity, factor):
    units = np.full((4, 84), 2)
    data = shop(units)
    tomorrow = AS_OF + timedelta(days=1)
    plan = price_plan(change, elasticity, tomorrow)
    base = LEVER.fallback().model(for_lever(LEVER, data)).arrays["mean"]
    with_plan = for_lever(LEVER, replace(data, PRICE_PLAN, plan))
    found = LEVER.fallback().model(with_plan).arrays["mean"]
    assert found[0] / base[0] == pytest.approx(factor)
    assert found[1:] == pytest.approx(base[1:])


def test_price_plan_of_later_counts_for_the_rest_of_the_horizon():
    data = shop(np.full((4, 84), 2))
    plan = price_plan(-0.1, -2.0, AS_OF + timedelta(days=15))
    base = LEVER.fallback().model(for_lever(LEVER, data)).arrays["mean"][0]
    later = for_lever(LEVER, replace(data, PRICE_PLAN, plan))
    found = LEVER.fallback().model(later).arrays["mean"][0]
    ratio = found / base
    assert ratio[:2] == pytest.approx([1.0, 1.0])
    assert ratio[2] == pytest.approx(1 + (0.9**-2 - 1) / 2)


def outcome_frame(actual: float, count: int = 200) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "decision_id": [f"d{i}" for i in range(count)],
            "metric": "units_28d",
            "lever": "forecast",
            "kind": "forecast_plan",
            "subject": "variant:v000",
            "measured_on": AS_OF - timedelta(days=2),
            "predicted": 10.0,
            "low": 5.0,
            "high": 15.0,
            "actual": actual,
        }
    )


def test_outcomes_above_the_interval_raise_the_next_one(poisson_shop, learned):
    _, data = poisson_shop
    missed = for_lever(LEVER, replace(data, OUTCOMES, outcome_frame(50.0)))
    wider = LEVER.learn(missed, None, seed=5)
    assert (
        wider.arrays["quantiles"][:, 2, 3] > learned.arrays["quantiles"][:, 2, 3]
    ).all()
    assert wider.arrays["mean"] == pytest.approx(learned.arrays["mean"])
    assert wider.meta["realised"]["coverage"] == 0.0
    held = LEVER.report(wider, missed).figures[-1]
    assert held.value == 0.0


def test_facts_after_the_day_are_not_used():
    units = np.random.default_rng(8).poisson(2.0, size=(6, 70))
    frame = demand_frame(units)
    later = frame.head(1).assign(day=AS_OF + timedelta(days=1), units=10_000)
    data = replace(shop(units), DEMAND, pd.concat([frame, later]))
    assert (
        LEVER.fallback().model(for_lever(LEVER, data)).fingerprint()
        == LEVER.fallback().model(for_lever(LEVER, shop(units))).fingerprint()
    )


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ((1.2, 3.4, 6.9), (2, 3, 6)),
        ((0.0, 0.2, 0.4), (0, 0, 0)),
        ((2.6, 2.7, 2.8), (3, 3, 3)),
    ],
)
def test_whole_interval_rounds_inwards_around_the_median(given, whole):
    assert whole_interval(*given) == whole


def test_statistical_candidates_handle_a_series_of_one_week():
    units = np.array([[0, 0, 0, 0, 5.0], [1, 2, 1, 2, 1.0]])
    found = weekly_models.statistical(units, np.array([4, 0]))
    assert all(values.shape == (2, 8) for values in found.values())
    assert all(np.isfinite(values).all() for values in found.values())


def test_demand_table_of_the_helper_fits_the_signal():
    table = to_table(DEMAND, demand_frame(np.ones((2, 8), dtype=int)))
    assert table.num_rows == 16
