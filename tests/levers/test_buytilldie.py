"""BG/NBD and Gamma-Gamma: published values, recovered truth, and what must hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.lifecycle.buytilldie import (
    BgNbd,
    bg_nbd_log_likelihood,
    fit_bg_nbd,
    fit_gamma_gamma,
)

CDNOW = BgNbd(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258)


def read_cdnow(folder: Path) -> pd.DataFrame:
    """Return one row per customer and day with what was spent."""
    rows = pd.read_csv(
        folder / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["master", "customer", "day", "units", "spent"],
    )
    rows["day"] = pd.to_datetime(rows["day"].astype(str))
    return rows.groupby(["customer", "day"], as_index=False)["spent"].sum()


def weeks(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    day = frame.groupby("customer")["day"]
    first, last = day.min(), day.max()
    x = day.nunique().to_numpy() - 1
    t_x = (last - first).dt.days.to_numpy() / 7
    age = (pd.Timestamp("1997-09-30") - first).dt.days.to_numpy() / 7
    return x, t_x, age


@pytest.mark.data
def test_cdnow_orders_equal_published(data_folder: Callable[[str], Path]) -> None:
    rows = read_cdnow(data_folder("cdnow-sample"))
    x, t_x, age = weeks(rows[rows["day"] <= "1997-09-30"])
    found = fit_bg_nbd(x, t_x, age)
    assert found.r == pytest.approx(0.2426, rel=0.005)
    assert found.alpha == pytest.approx(4.4135, rel=0.005)
    assert found.a == pytest.approx(0.7929, rel=0.005)
    assert found.b == pytest.approx(2.4258, rel=0.005)
    # The published holdout forecast; 1,882 came.
    assert found.expected(x, t_x, age, 39.0).sum() == pytest.approx(1653, abs=3)


@pytest.mark.data
def test_cdnow_value_equals_published(data_folder: Callable[[str], Path]) -> None:
    rows = read_cdnow(data_folder("cdnow-sample"))
    rows = rows[rows["day"] <= "1997-09-30"]
    first = rows.groupby("customer")["day"].transform("min")
    repeat = rows[rows["day"] > first].groupby("customer")["spent"]
    mean, count = repeat.mean(), repeat.size()
    paid = mean > 0
    assert paid.sum() == 946
    found = fit_gamma_gamma(count[paid].to_numpy(), mean[paid].to_numpy())
    assert found.p == pytest.approx(6.249, rel=0.02)
    assert found.q == pytest.approx(3.745, rel=0.02)
    assert found.v == pytest.approx(15.448, rel=0.02)


def simulate(
    truth: BgNbd, customers: int, days: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.uniform(0.3 * days, days, customers)
    x, t_x = np.zeros(customers), np.zeros(customers)
    for one in range(customers):
        rate, leave = rng.gamma(truth.r, 1 / truth.alpha), rng.beta(truth.a, truth.b)
        at = rng.exponential(1 / rate)
        while at < age[one]:
            x[one] += 1
            t_x[one] = at
            if rng.random() < leave:
                break
            at += rng.exponential(1 / rate)
    return x, t_x, age


def test_fit_recovers_truth_in_days() -> None:
    truth = BgNbd(r=0.8, alpha=40.0, a=0.9, b=3.0)
    found = fit_bg_nbd(*simulate(truth, 4000, 500, 1))
    assert found.r == pytest.approx(truth.r, rel=0.15)
    assert found.alpha == pytest.approx(truth.alpha, rel=0.2)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.9, rel=0.2)


def test_fit_does_not_depend_on_the_unit_of_time() -> None:
    x, t_x, age = simulate(CDNOW, 300, 40, 2)
    in_weeks, in_days = fit_bg_nbd(x, t_x, age), fit_bg_nbd(x, 7 * t_x, 7 * age)
    assert in_days.alpha == pytest.approx(7 * in_weeks.alpha, rel=1e-3)
    assert in_days.r == pytest.approx(in_weeks.r, rel=1e-3)


def test_fit_counts_weights_as_customers() -> None:
    x, t_x, age = simulate(CDNOW, 200, 40, 3)
    twice = fit_bg_nbd(np.r_[x, x], np.r_[t_x, t_x], np.r_[age, age])
    weighted = fit_bg_nbd(x, t_x, age, weight=np.full(len(x), 2.0))
    assert weighted == twice


@pytest.mark.parametrize("orders", [0, 1])
def test_fit_of_fifty_alike_stays_finite(orders: int) -> None:
    x = np.full(50, float(orders))
    found = fit_bg_nbd(x, x * 10, np.full(50, 90.0))
    expected = found.expected(x, x * 10, np.full(50, 90.0), 90.0)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()


def test_fit_refuses_nobody() -> None:
    nothing = np.zeros(0)
    with pytest.raises(ValueError, match="no customers"):
        fit_bg_nbd(nothing, nothing, nothing)
    with pytest.raises(ValueError, match="positive"):
        fit_gamma_gamma(np.array([1.0]), np.array([0.0]))


def test_likelihood_of_no_purchase_by_hand() -> None:
    zero = np.zeros(1)
    params = np.log([CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b])
    found = np.exp(bg_nbd_log_likelihood(params, zero, zero, np.array([10.0])))
    assert found[0] == pytest.approx((4.4135 / 14.4135) ** 0.2426)


def test_expected_for_newcomer_equals_simulation() -> None:
    truth = BgNbd(r=0.8, alpha=10.0, a=1.0, b=3.0)
    rng = np.random.default_rng(5)
    total = 0
    for _ in range(20_000):
        rate, leave = rng.gamma(truth.r, 1 / truth.alpha), rng.beta(truth.a, truth.b)
        at = rng.exponential(1 / rate)
        while at < 20.0:
            total += 1
            if rng.random() < leave:
                break
            at += rng.exponential(1 / rate)
    zero = np.zeros(1)
    assert truth.expected(zero, zero, zero, 20.0)[0] == pytest.approx(
        total / 20_000, rel=0.03
    )


def test_gap_quantile_equals_simulation() -> None:
    rng = np.random.default_rng(6)
    rate = rng.gamma(CDNOW.r + 5, 1 / (CDNOW.alpha + 20), 200_000)
    drawn = np.quantile(rng.exponential(1 / rate), 0.9)
    found = CDNOW.gap_quantile(np.array([5.0]), np.array([20.0]), 0.9)[0]
    assert found == pytest.approx(drawn, rel=0.02)


histories = st.tuples(
    st.integers(0, 60), st.floats(0, 1), st.floats(1, 800), st.floats(1, 400)
)


@settings(max_examples=150, deadline=None)
@given(histories)
def test_shares_and_counts_agree(case: tuple[int, float, float, float]) -> None:
    count, part, age, ahead = case
    model = BgNbd(r=0.6, alpha=40.0, a=0.8, b=3.0)
    row = (
        np.array([float(count)]),
        np.array([part * age if count else 0.0]),
        np.array([age]),
    )
    none = model.none_ahead(*row, ahead)[0]
    alive = model.alive(*row)[0]
    expected = model.expected(*row, ahead)[0]
    assert 0 < alive <= 1
    assert 1 - alive <= none + 1e-12
    assert none <= 1
    # At least one order is never likelier than the expected number of orders.
    assert expected >= 1 - none - 1e-6
    assert model.expected(*row, ahead * 2)[0] >= expected - 1e-9
    assert model.none_ahead(*row, ahead * 2)[0] <= none + 1e-12


def test_value_shrinks_towards_the_shop() -> None:
    rng = np.random.default_rng(8)
    x = rng.integers(1, 12, 3000).astype(float)
    scale = 1 / rng.gamma(4.0, 1 / 15.0, 3000)
    mean = rng.gamma(6.0 * x) * scale / x
    found = fit_gamma_gamma(x, mean)
    shop = found.p * found.v / (found.q - 1)
    assert shop == pytest.approx(6 * 15 / 3, rel=0.08)
    few, many = found.expected(np.array([1.0, 50.0]), np.array([100.0, 100.0]))
    assert shop < few < many < 100
    assert found.expected(np.zeros(1), np.zeros(1))[0] == pytest.approx(shop)
