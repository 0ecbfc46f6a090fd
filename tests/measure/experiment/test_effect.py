"""Fixed-horizon effects: they agree with tea-tasting run on the raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments

COLUMNS = ("orders", "visits", "spend", "orders_before", "spend_before")
METRICS = {
    "mean": Metric(name="mean", value="spend"),
    "mean with a covariate": Metric(
        name="mean with a covariate", value="spend", covariates=("spend_before",)
    ),
    "ratio": Metric(name="ratio", value="orders", per="visits"),
    "ratio with a covariate": Metric(
        name="ratio with a covariate",
        value="orders",
        per="visits",
        covariates=("orders_before",),
    ),
}


def made(n: int, seed: int, lift: float = 0.1) -> tuple[pd.DataFrame, list[Moments]]:
    """Return shoppers of two arms as rows and as moments."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, n)
    wealth = rng.lognormal(0, 0.5, n)
    visits = 1 + rng.poisson(3 * wealth)
    before = rng.poisson(0.4 * visits)
    orders = rng.binomial(visits, 0.3 * (1 + lift * arm))
    frame = pd.DataFrame(
        {
            "arm": arm,
            "orders": orders,
            "visits": visits,
            "spend": orders * 20 * wealth,
            "orders_before": before,
            "spend_before": before * 20 * wealth,
        }
    )
    return frame, [moments(frame[frame["arm"] == name]) for name in (0, 1)]


def moments(frame: pd.DataFrame) -> Moments:
    return Moments.of(COLUMNS, frame[list(COLUMNS)].to_numpy(float))


def theirs(metric: Metric) -> Any:
    return tea_tasting.RatioOfMeans(
        metric.value,
        metric.per,
        metric.covariates[0] if metric.covariates else None,
    )


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_tea_tasting(name: str, seed: int) -> None:
    frame, (control, arm) = made(500 + 700 * seed, seed)
    found = compare(METRICS[name], control, arm)
    peer = tea_tasting.Experiment({"m": theirs(METRICS[name])}, variant="arm").analyze(
        frame
    )["m"]
    pairs = {
        "control": (found.control_value, peer.control),
        "arm": (found.arm_value, peer.treatment),
        "effect": (found.effect, peer.effect_size),
        "low": (found.low, peer.effect_size_ci_lower),
        "high": (found.high, peer.effect_size_ci_upper),
        "error": (found.error, abs(peer.effect_size / peer.statistic)),
        "p": (found.p_value, peer.pvalue),
        "relative": (found.relative, peer.rel_effect_size),
        "relative low": (found.relative_low, peer.rel_effect_size_ci_lower),
        "relative high": (found.relative_high, peer.rel_effect_size_ci_upper),
    }
    for what, (ours, other) in pairs.items():
        assert ours == pytest.approx(other, abs=1e-6), what


def test_several_covariates_are_the_regression_of_the_metric_on_them() -> None:
    frame, (control, arm) = made(4_000, 7)
    both = ("orders_before", "spend_before")
    found = compare(Metric(name="m", value="spend", covariates=both), control, arm)
    x = frame[list(both)].to_numpy(float)
    x = x - x.mean(axis=0)
    y = frame["spend"].to_numpy()
    adjusted = y - x @ np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    treated = frame["arm"].to_numpy() == 1
    assert found.effect == pytest.approx(
        adjusted[treated].mean() - adjusted[~treated].mean()
    )
    parts = [adjusted[m].var(ddof=1) / m.sum() for m in (treated, ~treated)]
    assert found.error == pytest.approx(np.sqrt(sum(parts)), rel=1e-6)


def test_a_covariate_twice_changes_nothing() -> None:
    _, (control, arm) = made(1_000, 3)
    once = Metric(name="m", value="spend", covariates=("spend_before",))
    twice = Metric(name="m", value="spend", covariates=("spend_before", "copy"))
    copied = [group.with_sum("copy", {"spend_before": 2.0}) for group in (control, arm)]
    ours, other = compare(once, control, arm), compare(twice, *copied)
    assert other.effect == pytest.approx(ours.effect)
    assert other.error == pytest.approx(ours.error)
    assert ours.reduction > 0.05


def test_no_effect_has_an_error_and_an_interval_around_zero() -> None:
    group = Moments.of(("x",), np.array([[1.0], [2.0], [3.0]]))
    found = compare(Metric(name="m", value="x"), group, group)
    assert found.effect == 0
    assert found.error == pytest.approx(np.sqrt(2 / 3))
    assert found.low < 0 < found.high
    assert found.p_value == pytest.approx(1.0)


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("mean", [0.0, 1e-4, -1e-9])
def test_a_mean_next_to_nothing_has_a_difference_and_no_share(
    name: str, mean: float
) -> None:
    frame, _ = made(600, 5)
    metric = METRICS[name]
    column, per = metric.value, metric.per
    weight = frame[per] if per else 1.0
    control = frame["arm"] == 0
    level = frame.loc[control, column].sum() / (
        frame.loc[control, per].sum() if per else control.sum()
    )
    plain = compare(metric, moments(frame[control]), moments(frame[~control]))
    frame[column] = frame[column] - (level - mean) * weight
    found = compare(metric, moments(frame[control]), moments(frame[~control]))
    lowered = plain.control_value - (level - mean)
    assert found.control_value == pytest.approx(lowered, abs=1e-9)
    assert found.relative is None or lowered > 0
    for told in ("effect", "low", "high", "p_value", "error"):
        assert getattr(found, told) == pytest.approx(getattr(plain, told), rel=1e-6)


def test_what_cannot_be_compared_says_why() -> None:
    _, (control, _arm) = made(300, 1)
    zeros = Moments.of(
        ("spend", "none"), np.column_stack([np.arange(9.0), np.zeros(9)])
    )
    with pytest.raises(ValueError, match="none is zero throughout"):
        compare(Metric(name="m", value="spend", per="none"), zeros, zeros)
    flat = Moments.of(("spend",), np.ones((9, 1)))
    with pytest.raises(ValueError, match="the same for every unit"):
        compare(Metric(name="m", value="spend"), flat, flat)
    with pytest.raises(ValueError, match="needs two or more"):
        Moments.of(("spend",), np.ones((1, 1)))
    with pytest.raises(ValueError, match="differ"):
        _ = control + flat


def test_a_relative_effect_of_a_loss_is_left_out() -> None:
    rng = np.random.default_rng(1)
    loss, gain = rng.normal(-1, 1, (99, 1)), rng.normal(1, 1, (99, 1))
    found = compare(
        Metric(name="m", value="x"), Moments.of(("x",), loss), Moments.of(("x",), gain)
    )
    assert found.relative is None
    assert found.relative_low is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=40), st.data())
def test_moments_add_up(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(2, len(values) - 2))
    rows = np.column_stack([values, np.square(values)])
    whole = Moments.of(("x", "y"), rows)
    added = Moments.of(("x", "y"), rows[:cut]) + Moments.of(("x", "y"), rows[cut:])
    assert added.count == whole.count
    assert added.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-9)
    assert added.cov == pytest.approx(whole.cov, rel=1e-7, abs=1e-4)


@given(
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
    seed=st.integers(0, 50),
)
def test_units_of_money_do_not_change_a_verdict(
    scale: float, shift: float, seed: int
) -> None:
    frame, (control, arm) = made(200, seed)
    plain = compare(METRICS["mean with a covariate"], control, arm)
    frame["spend"] = frame["spend"] * scale + shift
    moved: Comparison = compare(
        METRICS["mean with a covariate"],
        *(moments(frame[frame["arm"] == name]) for name in (0, 1)),
    )
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-4, abs=1e-7)
    assert moved.effect == pytest.approx(plain.effect * scale, rel=1e-5, abs=1e-6)
