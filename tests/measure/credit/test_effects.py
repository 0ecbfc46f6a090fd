"""What a test tells of one kind of fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cartwheel.measure.credit.counts import Counts
from cartwheel.measure.credit.effects import (
    LEAST_PRODUCTS,
    LogRatio,
    effect_of,
    log_ratio,
    pooled,
)


def counts(
    fixed: list[bool],
    returned: list[int],
    *,
    sold: int = 100,
    others: int = 0,
    asked: int = 0,
    orders: list[int] | None = None,
) -> Counts:
    size = len(fixed)
    back = np.array(returned, float)
    return Counts(
        fixed=np.array(fixed, bool),
        units=np.full(size, float(sold)),
        orders=np.array(orders or [sold] * size, float),
        views=np.full(size, 1_000.0),
        came_back=back + others,
        returned=back,
        asked=np.full(size, float(asked)),
    )


def told(values: Counts) -> Any:
    return effect_of(
        values, experiment="t", objection="size_fit", form="size note", over=True
    )


HALVES = [True] * 6 + [False] * 6
ALIKE = [9, 10, 11, 10, 9, 11, 29, 30, 31, 30, 29, 31]


def test_a_third_is_left() -> None:
    found = told(counts(HALVES, ALIKE))
    assert (found.counted, found.fixed, found.held_out) == ("all returns", 6, 6)
    assert found.per_objection == 1
    assert found.control_rate == pytest.approx(0.3)
    assert found.times.value == pytest.approx(np.log(60.5 / 180.5))
    # Products that are alike are no surer than what was counted of them.
    assert found.times.error > np.sqrt(1 / 60.5 + 1 / 180.5)


def test_where_most_returns_are_for_something_else_only_those_for_it_count() -> None:
    most = told(counts(HALVES, ALIKE, others=25))
    assert most.counted == "all returns"
    assert most.per_objection == pytest.approx(55 / 30)
    rare = told(counts(HALVES, ALIKE, others=40))
    assert (rare.counted, rare.per_objection) == ("returns", 1)
    assert rare.control_rate == pytest.approx(0.3)


def test_where_nothing_comes_back_for_it_messages_count() -> None:
    found = told(counts(HALVES, [0] * 12, asked=3, others=40))
    assert found.counted == "messages"
    assert found.control_rate == pytest.approx(0.03)
    assert told(counts(HALVES, [0] * 12, others=40)) is None


def test_too_few_products_tell_nothing() -> None:
    few = [True] * (LEAST_PRODUCTS - 1) + [False] * 8
    assert told(counts(few, [20] * len(few))) is None


def test_a_group_without_sales_tells_nothing() -> None:
    per = np.array([100.0] * 5 + [0.0] * 5)
    fixed = np.array([False] * 5 + [True] * 5)
    assert log_ratio(np.ones(10), per, fixed) is None
    assert log_ratio(np.ones(2), np.ones(2), np.array([True, False])) is None


def test_products_that_differ_make_it_less_sure() -> None:
    even = told(counts(HALVES, ALIKE)).times
    uneven = told(counts(HALVES, [0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 90, 90])).times
    assert uneven.value == even.value
    assert uneven.error > 2 * even.error


def test_conversion_is_told_beside() -> None:
    bought = [50] * 6 + [100] * 6
    found = told(counts(HALVES, ALIKE, orders=bought))
    assert found.conversion is not None
    assert found.conversion.value == pytest.approx(np.log(0.5), abs=0.01)


def test_several_tests_weigh_by_what_they_are_sure_of() -> None:
    one = pooled([LogRatio(value=-1.0, error=0.1), LogRatio(value=0.0, error=1e6)])
    assert one.value == pytest.approx(-1.0)
    assert one.error == pytest.approx(0.1)
    both = pooled([LogRatio(value=-1.0, error=0.2), LogRatio(value=0.0, error=0.2)])
    assert both.value == pytest.approx(-0.5)
    assert both.error == pytest.approx(0.2 / np.sqrt(2))


def test_intervals_hold_a_known_ratio() -> None:
    """Six products a side that differ, a half left: some 95 of 100 hold it."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        rates = rng.gamma(8, 0.2 / 8, 12)
        times = rng.poisson(80 * rates * np.where(HALVES, 0.5, 1.0))
        found = log_ratio(times.astype(float), np.full(12, 80.0), np.array(HALVES))
        assert found is not None
        held += abs(found.value - np.log(0.5)) <= 1.96 * found.error
    assert 275 <= held <= 297
