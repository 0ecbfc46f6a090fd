"""Did 80 % intervals hold 80 %, by lever and metric; and by how much turns erred.

Both read the outcomes that turns joined to their predictions. Learning regret, what was
lost against the best choice, needs a truth to compare with and is left to the
simulator; here stands what a real shop can know, realised against predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.measure.health.data import HealthData
from cartwheel.measure.kpi.intervals import wilson

NOMINAL = 0.80
LEAST = 20
"""Outcomes below which no verdict is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How often a lever's intervals held.

    Attributes:
        lever: The lever.
        metric: What it predicted.
        outcomes: Predictions with an interval whose outcome is known.
        held: Of these, inside the interval, ends included.
        share: held / outcomes, or None without outcomes.
        low: Lower end of Wilson's 95 % interval of the share.
        high: Upper end.
        verdict: One sentence.
    """

    lever: str
    metric: str
    outcomes: int
    held: int
    share: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnError:
    """How far one turn's predictions were off.

    Attributes:
        turn: Number of the turn.
        lever: The lever.
        metric: What it predicted.
        outcomes: Predictions whose outcome is known.
        predicted: Their sum.
        actual: Sum of what happened.
        relative: Sum of absolute errors over the sum of what happened (WAPE), or None
            when nothing happened.
        bias: predicted / actual - 1, or None when nothing happened.
    """

    turn: int
    lever: str
    metric: str
    outcomes: int
    predicted: float
    actual: float
    relative: float | None
    bias: float | None


def calibrations(data: HealthData) -> list[Calibration]:
    """Return how often intervals held, by lever and metric, sorted by them."""
    rows = data.rows(
        "SELECT lever, metric, count(*), count(*) FILTER (actual BETWEEN low AND high) "
        "FROM h_outcomes WHERE actual IS NOT NULL AND low IS NOT NULL "
        "AND high IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    return [calibration(lever, metric, held, n) for lever, metric, n, held in rows]


def calibration(lever: str, metric: str, held: int, outcomes: int) -> Calibration:
    """Return the verdict on `held` of `outcomes` intervals.

    Outcomes are taken for independent; products that err together make the true
    interval wider than shown.
    """
    if outcomes <= 0:
        return Calibration(
            lever=lever,
            metric=metric,
            outcomes=0,
            held=0,
            share=None,
            low=None,
            high=None,
            verdict="Not yet: no prediction's horizon has passed.",
        )
    low, high = wilson(held, outcomes)
    return Calibration(
        lever=lever,
        metric=metric,
        outcomes=outcomes,
        held=held,
        share=held / outcomes,
        low=low,
        high=high,
        verdict=_verdict(held / outcomes, low, high, outcomes),
    )


def _verdict(share: float, low: float, high: float, outcomes: int) -> str:
    ends = f"{low:.0%} to {high:.0%}"
    if outcomes < LEAST:
        return f"Not yet: {outcomes} outcomes; {LEAST} are needed."
    if high < NOMINAL:
        return f"Too sure: its 80% intervals held {share:.0%} ({ends})."
    if low > NOMINAL:
        return f"Too unsure: its 80% intervals held {share:.0%} ({ends})."
    return f"Calibrated: its 80% intervals held {share:.0%} ({ends})."


def errors_by_turn(data: HealthData) -> list[TurnError]:
    """Return realised against predicted by turn, lever and metric, oldest first.

    The turn is the number before the dash of the decision's id.
    """
    rows = data.rows(
        "SELECT turn, lever, metric, count(*), sum(predicted), sum(actual), "
        "sum(abs(actual - predicted)) FROM (SELECT *, TRY_CAST(split_part("
        "decision_id, '-', 1) AS INTEGER) AS turn FROM h_outcomes) "
        "WHERE actual IS NOT NULL AND predicted IS NOT NULL AND turn IS NOT NULL "
        "GROUP BY turn, lever, metric ORDER BY turn, lever, metric"
    )
    return [
        TurnError(
            turn=int(turn),
            lever=lever,
            metric=metric,
            outcomes=int(count),
            predicted=float(predicted),
            actual=float(actual),
            relative=float(off) / actual if actual > 0 else None,
            bias=float(predicted) / actual - 1 if actual > 0 else None,
        )
        for turn, lever, metric, count, predicted, actual, off in rows
    ]
