"""Statistics of paired worlds against cases by hand and simulated truth."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartwheel.simulator.referee.paired import (
    coalitions_of,
    coverage,
    gap_closed,
    orders_of,
    paired,
    ratio_paired,
    shapley,
)

NAMES = ("a", "b", "c", "d")
SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_the_t_interval_is_the_text_book_one():
    # Differences 1, 2, 3: mean 2, sd 1, t(0.975, 2) = 4.3027.
    found = paired(np.array([2.0, 4, 6]), np.array([1.0, 2, 3]), seed=0)
    assert (found.mean, found.sd, found.n, found.note) == (2, 1, 3, "")
    assert found.low == pytest.approx(2 - 4.3027 / np.sqrt(3), abs=1e-4)
    assert found.high == pytest.approx(2 + 4.3027 / np.sqrt(3), abs=1e-4)
    assert found.p_sign == pytest.approx(0.25)
    assert found.p_value == pytest.approx(
        stats.ttest_rel([2.0, 4, 6], [1.0, 2, 3]).pvalue
    )
    assert 1 <= found.low_boot < 2 < found.high_boot <= 3


def test_intervals_hold_the_truth_as_often_as_they_say():
    # Worlds differ with sd 20, arms by 1 with sd 2: unpaired would never see it.
    rng = np.random.default_rng(7)
    held = boot = told = 0
    for i in range(400):
        world = rng.normal(50, 20, 24)
        found = paired(world + 1 + rng.normal(0, 2, 24), world, seed=i)
        held += found.low <= 1 <= found.high
        boot += found.low_boot <= 1 <= found.high_boot
        told += found.verdict == "above"
    assert 0.93 <= held / 400 <= 0.97
    assert 0.90 <= boot / 400 <= 0.97
    assert told / 400 > 0.55


def test_a_wider_level_gives_a_wider_interval():
    a, b = np.array([1.0, 4, 2, 5]), np.zeros(4)
    usual, wide = (paired(a, b, level=level, seed=1) for level in (0.8, 0.99))
    assert wide.low < usual.low < usual.high < wide.high


def test_the_same_seed_gives_the_same_bootstrap():
    a, b = np.random.default_rng(1).normal(size=(2, 9))
    assert paired(a, b, seed=5) == paired(a, b, seed=5)
    assert paired(a, b, seed=5).low_boot != paired(a, b, seed=6).low_boot


@pytest.mark.parametrize(("n", "said"), [(0, "no world"), (1, "one world")])
def test_too_few_worlds_have_no_interval_and_it_is_said(n: int, said: str):
    found = paired(np.full(n, 3.0), np.ones(n), seed=0)
    assert found.n == n
    assert said in found.note
    assert found.verdict == "unknown"
    assert np.isnan([found.low, found.high, found.low_boot, found.high_boot]).all()
    assert np.isnan([found.p_value, found.p_sign, found.sd]).all()
    assert found.mean == 2 if n else np.isnan(found.mean)


def test_a_link_that_changes_nothing_is_worth_exactly_nothing():
    worlds = np.array([0.1, 0.7, 0.3])
    found = paired(worlds, worlds, seed=0)
    assert (found.mean, found.low, found.high, found.sd) == (0, 0, 0, 0)
    assert (found.p_value, found.p_sign) == (1, 1)
    assert found.verdict == "includes zero"


def test_verdicts():
    noise = np.array([0.1, -0.1, 0.05, -0.05])
    assert paired(noise + 1, np.zeros(4), seed=0).verdict == "above"
    assert paired(noise - 1, np.zeros(4), seed=0).verdict == "below"
    assert paired(noise, np.zeros(4), seed=0).verdict == "includes zero"


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0, 2], [1.0]), ([1.0, np.nan], [1.0, 2]), ([[1.0]], [[1.0]])],
)
def test_worlds_that_do_not_pair_are_refused(a: list[float], b: list[float]):
    with pytest.raises(ValueError, match=r"expected one shape|must be finite"):
        paired(np.array(a), np.array(b), seed=0)
    with pytest.raises(ValueError, match="level is 95"):
        paired(np.ones(2), np.ones(2), level=95, seed=0)


def test_profit_per_visit_weighs_worlds_alike():
    # World 1: 10/10 - 5/10 = 0.5; world 2: 300/100 - 100/100 = 2; mean 1.25.
    # The ratio of totals would say 310/110 - 105/110 = 1.86.
    found = ratio_paired(
        np.array([10.0, 300]),
        np.array([10, 100]),
        np.array([5.0, 100]),
        np.array([10, 100]),
        seed=0,
    )
    assert found.mean == pytest.approx(1.25)


def test_a_world_without_visits_has_no_profit_per_visit():
    with pytest.raises(ValueError, match="needs visits"):
        ratio_paired(np.ones(2), np.array([3, 0]), np.ones(2), np.ones(2), seed=0)


def test_gap_closed_is_the_ratio_of_means():
    rng = np.random.default_rng(3)
    base = rng.normal(50, 20, 40)
    oracle = base + 10 + rng.normal(0, 1, 40)
    arm = base + 6 + rng.normal(0, 1, 40)
    found = gap_closed(base, arm, oracle, seed=0)
    assert found.share == pytest.approx((arm - base).mean() / (oracle - base).mean())
    assert found.low < 0.6 < found.high
    assert found.high - found.low < 0.2
    assert (found.n, found.reason) == (40, "")


def test_gap_closed_interval_holds_the_truth():
    rng = np.random.default_rng(11)
    held = 0
    for i in range(200):
        base = rng.normal(50, 20, 24)
        oracle = base + 10 + rng.normal(0, 3, 24)
        arm = base + 5 + rng.normal(0, 3, 24)
        found = gap_closed(base, arm, oracle, seed=i)
        held += found.low <= 0.5 <= found.high
    assert 0.89 <= held / 200 <= 0.98


@pytest.mark.parametrize(
    ("lift", "reason"),
    [(0.0, "not told from 0"), (-9.0, "is below 0")],
)
def test_without_a_gap_no_share_is_told(lift: float, reason: str):
    noise = np.array([1.0, -1, 2, -2, 0.5, -0.5])
    base = np.arange(6.0)
    found = gap_closed(base, base + 1, base + lift + noise, seed=0)
    assert np.isnan([found.share, found.low, found.high]).all()
    assert reason in found.reason


def test_one_world_tells_no_share():
    found = gap_closed(np.zeros(1), np.ones(1), np.ones(1), seed=0)
    assert np.isnan(found.share)
    assert "one world" in found.reason


def test_orders_come_with_their_reverse():
    orders = orders_of(NAMES, 24, seed=4)
    assert len(orders) == 24
    assert all(b == a[::-1] for a, b in zip(orders[::2], orders[1::2], strict=True))
    assert all(sorted(order) == sorted(NAMES) for order in orders)
    assert orders == orders_of(NAMES[::-1], 24, seed=4) != orders_of(NAMES, 24, seed=5)


def test_orders_that_cannot_be_drawn_are_refused():
    for count in (0, 3):
        with pytest.raises(ValueError, match="expected an even number"):
            orders_of(NAMES, count, seed=0)
    with pytest.raises(ValueError, match="repeat"):
        orders_of(("a", "a"), 2, seed=0)


def test_shapley_of_the_glove_game():
    # a has a left glove, b and c a right one each: 2/3, 1/6, 1/6.
    def pairs(team: frozenset[str]) -> np.ndarray:
        return np.array([float("a" in team and bool(team & {"b", "c"}))])

    found = shapley("abc", pairs, list(permutations("abc")))
    assert [found[name][0] for name in "abc"] == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapley_asks_for_each_coalition_once_and_only_those_named():
    asked: list[frozenset[str]] = []

    def value(team: frozenset[str]) -> np.ndarray:
        asked.append(team)
        return np.array([float(len(team))])

    orders = orders_of(NAMES, 6, seed=2)
    shapley(NAMES, value, orders)
    assert len(asked) == len(set(asked))
    assert set(asked) == coalitions_of(orders)


@st.composite
def games(draw: st.DrawFn) -> dict[frozenset[str], np.ndarray]:
    teams = coalitions_of(permutations(NAMES))
    worth = st.lists(st.floats(-100, 100), min_size=2, max_size=2)
    return {team: np.array(draw(worth)) for team in sorted(teams, key=sorted)}


@given(games(), st.integers(0, 99))
def test_shapley_shares_out_the_whole(
    game: dict[frozenset[str], np.ndarray], seed: int
):
    found = shapley(NAMES, game.__getitem__, orders_of(NAMES, 4, seed=seed))
    whole = game[frozenset(NAMES)] - game[frozenset()]
    assert sum(found.values()) == pytest.approx(whole, abs=1e-9)


@given(games())
def test_players_who_are_alike_get_alike_and_idle_ones_nothing(
    game: dict[frozenset[str], np.ndarray],
):
    def value(team: frozenset[str]) -> np.ndarray:
        # a and b may stand for one another; d does nothing.
        count = len(team & {"a", "b"})
        alike = frozenset(["", "a", "ab"][count]) | (team & {"c"})
        return game[alike]

    found = shapley(NAMES, value, list(permutations(NAMES)))
    assert found["a"] == pytest.approx(found["b"], abs=1e-9)
    assert found["d"] == pytest.approx([0, 0], abs=1e-9)


def test_orders_that_leave_a_player_out_are_refused():
    for orders in ([], [("a",)], [("a", "b", "b")]):
        with pytest.raises(ValueError, match="each with every player once"):
            shapley(("a", "b"), lambda team: np.zeros(1), orders)


def test_coverage_by_hand():
    # 95 of 100 held: Wilson's interval of 0.95 is 0.8882 to 0.9785.
    truths = np.zeros(100)
    lows = np.where(np.arange(100) < 5, 0.5, -1.0)
    found = coverage(np.full(100, 0.25), lows, np.ones(100), truths)
    assert (found.share, found.bias, found.n, found.left_out) == (0.95, 0.25, 100, 0)
    assert found.low == pytest.approx(0.8882, abs=1e-4)
    assert found.high == pytest.approx(0.9785, abs=1e-4)


def test_coverage_counts_what_it_cannot_judge():
    nan = np.nan
    found = coverage(
        np.array([0.0, nan, 0]), np.array([-1.0, -1, nan]), np.ones(3), np.zeros(3)
    )
    assert (found.share, found.n, found.left_out) == (1, 1, 2)
    none = coverage(*np.full((4, 2), nan))
    assert np.isnan(none.share)
    assert (none.n, none.left_out) == (0, 2)
    with pytest.raises(ValueError, match="expected one shape"):
        coverage(np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(3))
