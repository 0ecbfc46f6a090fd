"""Did 80 % intervals hold 80 %, by lever and metric; and by how much turns erred.

A chance is another matter: what it foretells happens or does not, so no interval of a
chance ever holds an outcome. Chances (metrics named `..._share`) are held against how
often it happened.

Both read the outcomes that turns joined to their predictions. Learning regret, what was
lost against the best choice, needs a truth to compare with and is left to the
simulator; here stands what a real shop can know, realised against predicted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cartwheel.measure.health.data import HealthData
from cartwheel.measure.kpi.intervals import wilson

NOMINAL = 0.80
CHANCE = "_share"
"""How the name of a metric ends that is a chance."""

LEAST = 20
"""Outcomes below which no verdict is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How often a lever's intervals held, or what it gave a chance to happened.

    Attributes:
        lever: The lever.
        metric: What it predicted.
        outcomes: Predictions with an interval whose outcome is known.
        held: Of these, inside the interval, ends included; with chances, those that
            came true.
        share: held / outcomes, or None without outcomes.
        low: Lower end of Wilson's 95 % interval of the share.
        high: Upper end.
        aimed: What the share should be: .8, or the mean chance.
        verdict: One sentence.
    """

    lever: str
    metric: str
    outcomes: int
    held: int
    share: float | None
    low: float | None
    high: float | None
    aimed: float
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
        "SELECT lever, metric, count(*), "
        "count(*) FILTER (actual BETWEEN low AND high), "
        "count(*) FILTER (actual > 0), avg(predicted) "
        "FROM h_outcomes WHERE actual IS NOT NULL AND low IS NOT NULL "
        "AND high IS NOT NULL GROUP BY lever, metric ORDER BY lever, metric"
    )
    return [
        chance_calibration(lever, metric, happened, n, float(mean))
        if metric.endswith(CHANCE)
        else calibration(lever, metric, held, n)
        for lever, metric, n, held, happened, mean in rows
    ]


def calibration(lever: str, metric: str, held: int, outcomes: int) -> Calibration:
    """Return the verdict on `held` of `outcomes` intervals.

    Outcomes are taken for independent; products that err together make the true
    interval wider than shown.
    """
    return _told(lever, metric, held, outcomes, aimed=NOMINAL, words=_of_intervals)


def chance_calibration(
    lever: str, metric: str, happened: int, outcomes: int, chance: float
) -> Calibration:
    """Return the verdict on chances of which `happened` of `outcomes` came true.

    Args:
        lever: The lever.
        metric: What it gave a chance to.
        happened: How often it happened.
        outcomes: How often it could have.
        chance: Mean chance given, 0 to 1.
    """
    return _told(lever, metric, happened, outcomes, aimed=chance, words=_of_chances)


def _told(
    lever: str,
    metric: str,
    held: int,
    outcomes: int,
    *,
    aimed: float,
    words: Callable[[float, float, float, float], str],
) -> Calibration:
    share = low = high = None
    verdict = "Not yet: no prediction's horizon has passed."
    if outcomes > 0:
        share = held / outcomes
        low, high = wilson(held, outcomes)
        verdict = f"Not yet: {outcomes} outcomes; {LEAST} are needed."
        if outcomes >= LEAST:
            verdict = words(share, low, high, aimed)
    return Calibration(
        lever=lever,
        metric=metric,
        outcomes=outcomes,
        held=held,
        share=share,
        low=low,
        high=high,
        aimed=aimed,
        verdict=verdict,
    )


def _of_intervals(share: float, low: float, high: float, aimed: float) -> str:
    told = f"its {aimed:.0%} intervals held {share:.0%} ({low:.0%} to {high:.0%})."
    if high < aimed:
        return f"Too sure: {told}"
    return f"{'Too unsure' if low > aimed else 'Calibrated'}: {told}"


def _of_chances(share: float, low: float, high: float, aimed: float) -> str:
    told = f"it expected {aimed:.1%}, {share:.1%} came true ({low:.1%} to {high:.1%})."
    if high < aimed:
        return f"Too hopeful: {told}"
    return f"{'Too careful' if low > aimed else 'Calibrated'}: {told}"


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
