"""Shrinkage: between prior and raw, calibrated, free of the winner's curse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.measure_past import NAME, family, halves, left_out, read_looks
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from cartwheel.measure.experiment.shrink import FEW, Prior, prior_of, shrink

effects = st.floats(-5, 5)
errors = st.floats(1e-3, 5)
pasts = st.lists(st.tuples(effects, errors), max_size=12)


@given(pasts, effects, errors)
def test_the_answer_lies_between_the_prior_and_the_raw_effect(
    past: list[tuple[float, float]], effect: float, error: float
) -> None:
    prior = prior_of(past)
    found = shrink(effect, error, prior)
    low, high = sorted((prior.mean, effect))
    assert low - 1e-9 <= found.effect <= high + 1e-9
    assert 0 <= found.weight <= 1
    mixed = found.weight * prior.mean + (1 - found.weight) * effect
    assert found.effect == pytest.approx(mixed, abs=1e-9)
    assert found.low < found.high
    assert 0 <= found.above <= 1
    # The interval and the chance are of one posterior.
    assert (found.low > 0) == (found.above > 0.975) or min(
        abs(found.low), abs(found.above - 0.975)
    ) < 1e-6


@given(pasts, effects, errors, st.floats(1.01, 10))
def test_a_vaguer_effect_gives_the_prior_more_weight_at_the_prior_mean(
    past: list[tuple[float, float]], effect: float, error: float, times: float
) -> None:
    prior = prior_of(past)
    sharp = shrink(prior.mean, error, prior)
    vague = shrink(prior.mean, error * times, prior)
    assert vague.weight > sharp.weight or sharp.weight > 1 - 1e-9


@given(st.lists(st.tuples(effects, errors), min_size=1, max_size=12), st.randoms())
def test_the_order_of_past_experiments_does_not_matter(
    past: list[tuple[float, float]], random: Any
) -> None:
    shuffled = list(past)
    random.shuffle(shuffled)
    one, two = prior_of(past), prior_of(shuffled)
    assert one.mean == pytest.approx(two.mean, abs=1e-9)
    assert one.spread == pytest.approx(two.spread)


def test_without_a_past_the_weak_prior_is_left() -> None:
    prior = prior_of([])
    assert prior.mean == 0.0
    assert prior.weak
    assert not prior_of([(0.01, 0.02)] * FEW).weak
    # A sharp effect keeps itself, one as vague as 100 % of the control does not.
    assert shrink(0.1, 0.01, prior).weight < 0.05
    assert shrink(0.5, 1.0, prior).weight > 0.7


def test_many_past_experiments_give_the_known_spread() -> None:
    rng = np.random.default_rng(1)
    truth = 0.03 + 0.05 * rng.standard_normal(400)
    prior = prior_of([(t + 0.04 * rng.standard_normal(), 0.04) for t in truth])
    assert prior.mean == pytest.approx(0.03, abs=0.008)
    assert prior.spread == pytest.approx(0.05, abs=0.008)
    # By hand, with the spread known: weight = error^2 / (error^2 + spread^2).
    assert shrink(0.2, 0.05, prior).weight == pytest.approx(0.5, abs=0.1)


def test_a_large_past_is_heard_through_a_small_default() -> None:
    rng = np.random.default_rng(2)
    past = [(5 + rng.normal(), 0.3) for _ in range(30)]
    prior = prior_of(past)
    assert prior.mean == pytest.approx(5, abs=0.5)
    assert prior.spread == pytest.approx(1, abs=0.4)


def test_the_posterior_is_the_one_found_by_integration() -> None:
    variances, chances = np.array([0.01, 1.0]), np.array([0.7, 0.3])
    prior = Prior(mean=0.1, spread=0.5, past=9, variances=variances, chances=chances)
    grid = np.linspace(-6, 7, 200_001)
    density = sum(
        c * norm.pdf(grid, 0.1, np.sqrt(v))
        for v, c in zip(variances, chances, strict=True)
    ) * norm.pdf(0.9, grid, 0.3)
    density /= density.sum()
    found = shrink(0.9, 0.3, prior)
    assert found.effect == pytest.approx(float(density @ grid), abs=1e-4)
    assert found.above == pytest.approx(float(density[grid > 0].sum()), abs=1e-4)
    ends = np.interp([0.025, 0.975], np.cumsum(density), grid)
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-3)


@pytest.mark.parametrize(
    ("past", "usual"),
    [
        ([(0.1, 0.0)], 0.1),
        ([(float("nan"), 0.1)], 0.1),
        ([(0.1, -1.0)], 0.1),
        ([], 0.0),
        ([], float("inf")),
    ],
)
def test_a_wrong_past_is_refused(past: list[tuple[float, float]], usual: float) -> None:
    with pytest.raises(ValueError, match=r"expected above 0|must be numbers"):
        prior_of(past, usual=usual)


@pytest.mark.parametrize("pair", [(float("nan"), 0.1), (0.1, 0.0), (0.1, float("inf"))])
def test_a_wrong_effect_is_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected an error above 0"):
        shrink(*pair, prior_of([]))


@pytest.mark.parametrize("past", [3, 20])
def test_intervals_hold_simulated_truths(past: int) -> None:
    truth, _, _, low, high, _ = family(past, 0.05, 400, 31).T
    # 380 of 400 with a standard deviation of 4.4; halved it holds about 280.
    assert ((low <= truth) & (truth <= high)).mean() > 0.91


def test_the_winners_curse_is_gone() -> None:
    truth, raw, shrunk, _, _, picked = family(30, 0.05, 900, 32).T
    won = picked == 1
    side = np.sign(raw[won])
    curse = ((raw - truth)[won] * side).mean()
    left = ((shrunk - truth)[won] * side).mean()
    assert won.sum() > 100
    assert curse > 0.05  # as large as the effects themselves
    assert abs(left) < 0.012


def test_shrunk_effects_are_nearer_the_truth() -> None:
    truth, raw, shrunk, *_ = family(10, 0.05, 400, 33).T
    assert ((shrunk - truth) ** 2).sum() < 0.6 * ((raw - truth) ** 2).sum()


@pytest.mark.data
def test_asos_early_looks_forecast_last_ones_better_when_shrunk(data_folder) -> None:
    looks = read_looks(data_folder(NAME))
    metrics = sorted({one.metric for one in looks})
    assert len(metrics) == 4
    for metric in metrics:
        kind = [one for one in looks if one.metric == metric]
        for found in (left_out(kind), halves(kind)):
            raw, shrunk, _ = np.sum(found, axis=0)
            assert shrunk < 0.85 * raw
