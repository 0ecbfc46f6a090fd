"""Switchback: balanced stable days, an interval that holds, refusals that say when."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from bench.small_shops import turn_shop
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.switchback import (
    LEAST_PAIRS,
    Switchback,
    compare_switchback,
)

START = date(2026, 1, 5)
salts = st.text("abcdef", max_size=6)


def made(salt: str = "s", **more: int) -> Switchback:
    return Switchback(salt=salt, start=START, **more)


def dates(n: int) -> list[date]:
    return [START + timedelta(days=k) for k in range(n)]


@given(salts, st.integers(1, 21), st.integers(0, 60))
def test_of_two_matched_periods_one_is_treated_and_both_hold_the_same_weekdays(
    salt: str, period_days: int, pair: int
) -> None:
    design = made(salt, period_days=period_days, burn_in_days=0)
    first, second = design.periods(pair)
    assert design.treated(first) is not design.treated(second)
    assert design.place(first) == (pair, False)
    assert design.place(second) == (pair, True)
    assert (second - first) * period_days % 7 == 0


@given(salts, st.integers(1, 21), st.integers(0, 2_000))
def test_a_day_keeps_its_arm_and_shares_it_with_its_period(
    salt: str, period_days: int, since: int
) -> None:
    design = made(salt, period_days=period_days, burn_in_days=0)
    day = START + timedelta(days=since)
    again = made(salt, period_days=period_days, burn_in_days=0)
    assert design.arm_on(day) == again.arm_on(day)
    opening = START + timedelta(days=since // period_days * period_days)
    assert design.arm_on(day) == design.arm_on(opening)


def test_known_days_keep_their_arms() -> None:
    # Pinned: a change here would turn a running test round.
    design = made("pinned", period_days=7)
    arms = [int(design.treated(k)) for k in range(8)]
    assert arms == [0, 1, 0, 1, 1, 0, 1, 0]


def test_salts_draw_other_days() -> None:
    first = [made(f"s{k}").treated(0) for k in range(2_000)]
    assert 880 < sum(first) < 1_120


def test_the_burn_in_is_cut_from_every_period() -> None:
    design = made(period_days=3, burn_in_days=1)
    assert [design.counts_on(d) for d in dates(6)] == [False, True, True] * 2
    assert not design.counts_on(START - timedelta(days=1))
    values = np.random.default_rng(2).poisson(9, 42).astype(float)
    changed = values.copy()
    changed[::3] = 1_000
    one = compare_switchback(design, dates(42), values, metric="orders")
    assert one == compare_switchback(design, dates(42), changed, metric="orders")


def test_weeks_by_hand_are_a_paired_t_test_on_means_a_day() -> None:
    design = made("hand", period_days=7, burn_in_days=2)
    rng = np.random.default_rng(3)
    values = rng.poisson(20, 10 * 7).astype(float)
    weeks = values.reshape(10, 7)[:, 2:].mean(axis=1).reshape(5, 2)
    first = np.array([design.treated(2 * k) for k in range(5)])
    arm = np.where(first, weeks[:, 0], weeks[:, 1])
    other = np.where(first, weeks[:, 1], weeks[:, 0])
    found = compare_switchback(design, dates(70), values, metric="orders")
    theirs = ttest_rel(arm, other)
    assert found.effect == pytest.approx(arm.mean() - other.mean())
    assert found.p_value == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.method, found.n) == ("switchback", 10)
    assert (found.control, found.arm) == ("control", "treated")


def test_a_ratio_is_the_total_over_the_total_of_each_period() -> None:
    design = made("ratio", period_days=7, burn_in_days=0)
    rng = np.random.default_rng(4)
    visits = rng.poisson(100, 56)
    orders = rng.binomial(visits, 0.1)
    weeks = (orders.reshape(8, 7).sum(1) / visits.reshape(8, 7).sum(1)).reshape(4, 2)
    first = np.array([design.treated(2 * k) for k in range(4)])
    arm = np.where(first, weeks[:, 0], weeks[:, 1]).mean()
    found = compare_switchback(design, dates(56), orders, visits, metric="conversion")
    assert found.arm_value == pytest.approx(arm)


def test_order_of_rows_and_days_of_unfinished_pairs_do_not_matter() -> None:
    design = made("rows", period_days=7)
    values = np.random.default_rng(5).poisson(30, 63).astype(float)
    whole = compare_switchback(design, dates(56), values[:56], metric="m")
    shuffled = np.random.default_rng(6).permutation(63)
    days = [dates(63)[k] for k in shuffled]
    again = compare_switchback(design, days, values[shuffled], metric="m")
    assert again.effect == pytest.approx(whole.effect)
    assert again.n == whole.n


def test_too_few_pairs_are_refused_with_how_many_and_when() -> None:
    design = made(period_days=7)
    with pytest.raises(Misuse) as said:
        compare_switchback(design, dates(55), np.ones(55), metric="orders")
    assert f"3 pairs of periods are over; {LEAST_PAIRS} are needed" in str(said.value)
    assert "2026-03-01" in said.value.next_step  # eight weeks from 5 January
    assert design.over_on(LEAST_PAIRS - 1) == dates(56)[-1]
    with pytest.raises(Misuse, match="0 pairs"):
        compare_switchback(design, [], np.ones(0), metric="orders")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"period_days": 0}, "period_days is 0"),
        ({"period_days": 2, "burn_in_days": 2}, "burn_in_days is 2; expected 0 to 1"),
        ({"burn_in_days": -1}, "burn_in_days is -1"),
        ({"arm": "control"}, "both named 'control'"),
    ],
)
def test_a_design_that_cannot_be_is_refused(change: dict[str, object], said: str):
    with pytest.raises(Misuse, match=said):
        Switchback(**{"salt": "s", "start": START, **change})  # type: ignore[arg-type]


def test_days_before_the_start_are_in_no_period() -> None:
    with pytest.raises(Misuse, match="before the switchback's first day"):
        made().arm_on(START - timedelta(days=1))


def refused(days: list[date], values: np.ndarray, per: np.ndarray | None = None) -> str:
    with pytest.raises(Misuse) as said:
        compare_switchback(made(), days, values, per, metric="orders")
    return str(said.value)


def test_bad_days_are_refused_by_name() -> None:
    values = np.random.default_rng(7).poisson(9, 56).astype(float)
    assert "2026-01-08" in refused(dates(56)[:3] + dates(56)[4:], np.delete(values, 3))
    assert "given twice" in refused([*dates(56), START], np.append(values, 1.0))
    broken = values.copy()
    broken[9] = np.nan
    assert "2026-01-14 is nan" in refused(dates(56), broken)
    assert "expected as many" in refused(dates(56), values[:-1])
    visits = np.ones(56)
    visits[7:14] = 0
    assert "denominator of the period from 2026-01-13" in refused(
        dates(56), values, visits
    )
    assert "all 4 pairs differ by the same" in refused(dates(56), np.zeros(56))


def held(shops: int, seed: int, **more: float) -> list[tuple[bool, bool]]:
    """Return whether intervals hold, absolute and relative."""
    rng = np.random.default_rng(seed)
    told = []
    for _ in range(shops):
        shop = turn_shop(300, rng, **more)  # type: ignore[arg-type]
        one = compare_switchback(shop.design, shop.days, shop.values, metric="m")
        inside = one.low <= shop.truth <= one.high
        assert one.relative_low is not None
        assert one.relative_high is not None
        told.append((inside, one.relative_low <= 0.1 <= one.relative_high))
    return told


def test_intervals_hold_the_truth_with_few_periods_and_days_that_remember() -> None:
    share = np.mean(held(400, 11, periods=12), axis=0)
    # 380 of 400 with a standard deviation of 4.4; a halved interval holds about 280.
    assert (share > 0.91).all()
    assert (share < 0.985).all()


def test_the_burn_in_takes_off_what_the_other_arm_left_behind() -> None:
    def mean_effect(burn_in_days: int) -> float:
        rng = np.random.default_rng(12)
        found = []
        for _ in range(150):
            shop = turn_shop(
                20_000,
                rng,
                periods=16,
                period_days=3,
                burn_in_days=burn_in_days,
                carried=1.0,
                lift=0.5,
            )
            one = compare_switchback(shop.design, shop.days, shop.values, metric="m")
            found.append(one.effect / shop.truth)
        return float(np.mean(found))

    assert mean_effect(1) == pytest.approx(1.0, abs=0.08)
    assert mean_effect(0) < 0.9
