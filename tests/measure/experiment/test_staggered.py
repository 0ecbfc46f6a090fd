"""Product weeks: balance, stability, two-way effects and an interval that holds."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from bench.small_shops import product_shop
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.staggered import (
    LEAST_PRODUCTS,
    Rotation,
    compare_product_weeks,
)

START = date(2026, 1, 5)
names = st.lists(
    st.text("abcdef", min_size=1, max_size=5),
    min_size=LEAST_PRODUCTS,
    max_size=25,
    unique=True,
)


def made(count: int = 12, weeks: int = 4, **more: object) -> Rotation:
    values = {
        "salt": "s",
        "start": START,
        "products": tuple(f"P{k}" for k in range(count)),
        "weeks": weeks,
    }
    return Rotation(**{**values, **more})  # type: ignore[arg-type]


@given(names, st.text("xyz", max_size=4), st.integers(1, 3), st.integers(1, 4))
def test_every_product_is_treated_half_its_weeks_and_half_the_products_any_week(
    products: list[str], salt: str, run_weeks: int, pairs: int
) -> None:
    weeks = 2 * run_weeks * pairs
    design = made(weeks=weeks, salt=salt, run_weeks=run_weeks, products=tuple(products))
    plan = design.schedule()
    assert plan.shape == (len(products), weeks)
    assert (plan.sum(axis=1) == weeks // 2).all()
    assert (np.abs(2 * plan.sum(axis=0) - len(products)) <= 1).all()
    both = plan.reshape(len(products), pairs, 2, run_weeks)
    assert (both[:, :, 0] != both[:, :, 1]).all()  # of two runs, one
    assert (both == both[..., :1]).all()  # an arm lasts for the run


@given(names, st.randoms())
def test_the_order_products_are_named_in_changes_nobodys_weeks(
    products: list[str], random: object
) -> None:
    design = made(products=tuple(products), weeks=6)
    shuffled = list(products)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = made(products=tuple(shuffled), weeks=6)
    one = dict(zip(products, design.schedule().tolist(), strict=True))
    two = dict(zip(shuffled, again.schedule().tolist(), strict=True))
    assert one == two


def test_arm_on_a_day_is_the_schedule() -> None:
    design = made(13, 8, run_weeks=2)
    plan = design.schedule()
    for row, product in enumerate(design.products):
        for week in range(8):
            day = START + timedelta(days=7 * week + week % 7)
            arm = "treated" if plan[row, week] else "control"
            assert design.arm_on(product, day) == arm
    assert design.arm_on("unknown", START) == "control"
    assert design.arm_on("P1", START - timedelta(days=1)) == "control"
    assert design.arm_on("P1", START + timedelta(days=56)) == "control"


def test_each_pair_of_runs_is_drawn_anew() -> None:
    plan = made(200, 8).schedule()
    assert 60 < (plan[:, 0] == plan[:, 2]).sum() < 140


@pytest.mark.parametrize("products", [12, 13])
def test_product_and_week_effects_drop_out_exactly(products: int) -> None:
    design = made(products, 6)
    rng = np.random.default_rng(1)
    levels = rng.lognormal(0, 2, (products, 1)) + rng.normal(0, 9, 6)
    tiny = rng.normal(0, 1e-4, (products, 6))
    found = compare_product_weeks(
        design, levels + 1.5 * design.schedule() + tiny, metric="units"
    )
    assert found.effect == pytest.approx(1.5, abs=1e-3)
    assert found.error < 1e-3
    assert (found.method, found.n) == ("product-week", products * 6)


def test_it_is_the_two_way_regression() -> None:
    design = made(11, 4)
    rng = np.random.default_rng(2)
    values = rng.poisson(rng.lognormal(0, 1.4, (11, 1)), (11, 4)).astype(float)
    plan = design.schedule()
    rows, columns = np.indices(values.shape)
    dummies = [
        plan.ravel(),
        *(rows.ravel() == k for k in range(11)),
        *(columns.ravel() == k for k in range(1, 4)),
    ]
    fitted = np.linalg.lstsq(np.stack(dummies, 1).astype(float), values.ravel())[0]
    found = compare_product_weeks(design, values, metric="units")
    assert found.effect == pytest.approx(fitted[0])


def test_two_runs_are_students_test_on_changes_between_them() -> None:
    design = made(14, 2)
    values = np.random.default_rng(4).poisson(3.0, (14, 2)).astype(float)
    first = design.schedule()[:, 0]
    change = (values[:, 0] - values[:, 1]) / 2
    theirs = ttest_ind(change[first], change[~first], equal_var=True)
    found = compare_product_weeks(design, values, metric="units")
    assert found.p_value == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_with_an_odd_number_either_run_may_treat_one_more() -> None:
    treated = made(13, 80).schedule().sum(axis=0)
    assert set(treated[::2]) == {6, 7}


def test_the_washout_and_runs_that_are_not_over_are_left_out() -> None:
    design = made(12, 8, run_weeks=2, washout_weeks=1)
    values = np.random.default_rng(3).poisson(2.0, (12, 8)).astype(float)
    changed = values.copy()
    changed[:, ::2] = 1_000  # the washout weeks
    one = compare_product_weeks(design, values, metric="units")
    two = compare_product_weeks(design, changed, metric="units")
    assert one == two
    assert one.n == 12 * 4
    short = compare_product_weeks(design, values[:, :7], metric="units")
    assert short == compare_product_weeks(design, values[:, :4], metric="units")


def test_before_two_runs_are_over_it_says_when() -> None:
    design = made(12, 8, run_weeks=2)
    with pytest.raises(Misuse) as said:
        compare_product_weeks(design, np.ones((12, 3)), metric="units")
    assert "3 weeks are over; the first two runs take 4" in str(said.value)
    assert "2026-02-01" in said.value.next_step


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"products": tuple("abc")}, "3 products; a test by product needs 10"),
        ({"products": tuple("aabcdefghijk")}, "1 products are named more than once"),
        ({"weeks": 5}, "weeks is 5; expected a multiple of 2"),
        ({"weeks": 0}, "weeks is 0"),
        ({"run_weeks": 0}, "run_weeks is 0"),
        ({"washout_weeks": 1}, "washout_weeks 1"),
        ({"arm": "control"}, "both named 'control'"),
    ],
)
def test_a_design_that_cannot_be_is_refused(change: dict[str, object], said: str):
    with pytest.raises(Misuse, match=said):
        made(**change)  # type: ignore[arg-type]


def test_bad_values_are_refused() -> None:
    design = made(12, 4)
    for shape in ((11, 4), (12, 5), (12,)):
        with pytest.raises(Misuse, match="expected 12 products and at most 4 weeks"):
            compare_product_weeks(design, np.ones(shape), metric="units")
    values = np.ones((12, 4))
    values[3, 1] = np.nan
    with pytest.raises(Misuse, match="1 product weeks have no number"):
        compare_product_weeks(design, values, metric="units")
    with pytest.raises(Misuse, match="all 12 pairs differ by the same"):
        compare_product_weeks(design, np.zeros((12, 4)), metric="units")


@pytest.mark.parametrize("orders", [100, 1_000])
def test_intervals_hold_the_truth_for_sparse_and_skewed_sales(orders: int) -> None:
    rng = np.random.default_rng([21, orders])
    told = []
    for _ in range(400):
        shop = product_shop(orders, rng)
        one = compare_product_weeks(shop.design, shop.values, metric="units")
        told.append(one.low <= shop.truth <= one.high)
    # 380 of 400 with a standard deviation of 4.4; a halved interval holds about 280.
    assert 0.91 < np.mean(told) < 0.985
