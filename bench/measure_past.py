"""What past experiments as a prior are worth, simulated and on real experiments.

Simulated families have a known truth: how often the 95 % interval holds it, and how far
effects picked because they are significant are from it, raw and shrunk.

On real experiments: is an early look, shrunk, a better forecast of the last look? The
protocol was fixed before the data were looked at:

- Data: ASOS digital experiments; a kind is a metric; one variant an experiment, the
  first by name, because arms that share a control are not independent.
- An effect is the arm's mean over the control's, less one, with the delta method's
  error. The last look is the latest; the early look the first at or after a quarter of
  the experiment's days. Experiments with one look are left out.
- Left out one: the prior is the last looks of all other experiments of the metric.
  Halves: it is the last looks of the experiments in the first half by hash, and only
  those of the second half are forecast.
- Score: squared distance to the last look, shrunk over raw, added up over experiments;
  interval by drawing experiments again, 1,000 times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan, Skipped
from cartwheel.measure.assign import unit_position
from cartwheel.measure.experiment.shrink import prior_of, shrink
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.measure.resample import ratio

NAME = "asos-digital-experiments"
Array = np.ndarray[Any, Any]

SEED = 20_260_402
NEW = 2_000
QUICK_NEW = 50
PASTS = (0, 3, 10, 30)
SPREADS = (0.05, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """An experiment's early and last look at one metric.

    Attributes:
        experiment: Its id.
        metric: Id of the metric.
        early: Effect and error at the early look, relative to the control.
        last: The same at the last look.
    """

    experiment: str
    metric: str
    early: tuple[float, float]
    last: tuple[float, float]


def measure_past(plan: Plan) -> Iterator[Figure]:
    """Measure simulated families, then squared error of shrunk over raw by metric."""
    yield from _simulated(QUICK_NEW if plan.quick else NEW)
    folder = plan.data / NAME
    if not folder.is_dir():
        raise Skipped(f"{NAME} is not in {plan.data}")
    looks = read_looks(folder)
    for metric in sorted({one.metric for one in looks}):
        kind = [one for one in looks if one.metric == metric]
        for name, errors in (
            ("left out one", left_out(kind)),
            ("halves", halves(kind)),
        ):
            raw, shrunk, alone = np.array(errors).T
            found = ratio(shrunk, raw, seed=1)
            yield Figure(
                part="measure-past",
                name=f"metric {metric}, {name}: error of shrunk over raw",
                size=f"{len(errors)} experiments",
                unit="",
                values=[found.low, found.value, found.high],
            )
            yield Figure(
                part="measure-past",
                name=f"metric {metric}, {name}: error of zero over raw",
                size=f"{len(errors)} experiments",
                unit="",
                values=[float(alone.sum() / raw.sum())],
                floor=True,
            )


def _simulated(new: int) -> Iterator[Figure]:
    """Measure coverage and what is left of the winner's curse."""
    for spread in SPREADS:
        for past in PASTS:
            seed = [SEED, past, round(100 * spread)]
            truth, raw, shrunk, low, high, picked = family(past, spread, new, seed).T
            held = (low <= truth) & (truth <= high)
            won = picked == 1
            side = np.sign(raw[won])
            named = {
                "held by 95 %": [*wilson(int(held.sum()), new), float(held.mean())],
                "raw effect too large when significant": [
                    float(((raw - truth)[won] * side).mean())
                ],
                "shrunk effect too large when significant": [
                    float(((shrunk - truth)[won] * side).mean())
                ],
            }
            for name, values in named.items():
                yield Figure(
                    part="measure-past",
                    name=f"spread {spread:.0%}: {name}",
                    size=f"{past} past experiments",
                    unit="",
                    values=values,
                )


def family(past: int, spread: float, new: int, seed: int | list[int]) -> Array:
    """Draw new experiments, each with its own past of the same kind.

    True effects are normal about 2 % of the control, errors log-normal about 6 %.

    Args:
        past: Past experiments of each.
        spread: Standard deviation of true effects.
        new: New experiments.
        seed: Seed.

    Returns:
        Truth, raw effect, shrunk effect, low, high and whether it was significant (0
        or 1), shape (new, 6).
    """
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(new):
        error = np.exp(rng.normal(np.log(0.06), 0.5, past + 1))
        truth = 0.02 + spread * rng.standard_normal(past + 1)
        raw = truth + error * rng.standard_normal(past + 1)
        one = shrink(
            raw[0], error[0], prior_of(list(zip(raw[1:], error[1:], strict=True)))
        )
        picked = abs(raw[0]) > 1.96 * error[0]
        rows.append((truth[0], raw[0], one.effect, one.low, one.high, picked))
    return np.array(rows, dtype=float)


def read_looks(folder: Path) -> list[Looks]:
    """Return the looks of every experiment with two or more."""
    import pandas as pd

    frame = pd.read_parquet(folder / "experiments.parquet")
    found = []
    for (experiment, metric), rows in frame.groupby(["experiment_id", "metric_id"]):
        one = rows[rows.variant_id == rows.variant_id.min()]
        one = one.sort_values("time_since_start").dropna()
        if len(one) < 2:
            continue
        last = one.iloc[-1]
        after = one[one.time_since_start >= last.time_since_start / 4]
        early = after.iloc[0]
        if early.time_since_start == last.time_since_start:
            continue
        looks = _effect(early), _effect(last)
        if all(np.isfinite(looks).ravel()) and min(looks[0][1], looks[1][1]) > 0:
            found.append(
                Looks(
                    experiment=str(experiment),
                    metric=str(metric),
                    early=looks[0],
                    last=looks[1],
                )
            )
    return found


def _effect(look: Any) -> tuple[float, float]:
    """Return the relative effect and its error by the delta method."""
    share = look.mean_t / look.mean_c
    variance = look.variance_t / look.count_t + share**2 * (
        look.variance_c / look.count_c
    )
    return float(share - 1), float(np.sqrt(variance) / abs(look.mean_c))


Errors = list[tuple[float, float, float]]
"""Squared errors of the raw early look, of the shrunk one, and of saying zero."""


def left_out(kind: list[Looks]) -> Errors:
    """Forecast each last look with all other experiments as the past."""
    return [
        _errors(one, [two.last for two in kind if two.experiment != one.experiment])
        for one in kind
    ]


def halves(kind: list[Looks]) -> Errors:
    """Forecast the last looks of one half with the other as the past."""
    first = [unit_position(one.experiment, "halves") < 0.5 for one in kind]
    past = [one.last for one, early in zip(kind, first, strict=True) if early]
    return [
        _errors(one, past) for one, early in zip(kind, first, strict=True) if not early
    ]


def _errors(one: Looks, past: list[tuple[float, float]]) -> tuple[float, float, float]:
    guess = shrink(*one.early, prior_of(past)).effect
    truth = one.last[0]
    return (one.early[0] - truth) ** 2, (guess - truth) ** 2, truth**2
