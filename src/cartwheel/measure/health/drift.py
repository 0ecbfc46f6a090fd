"""Has what goes in, or what comes out, moved away from what it was?

Compared are whole distributions, by the population stability index (PSI): the sum over
bins of (p - q) log(p / q). Its usual limits of 0.1 and 0.25 alarm at chance in a small
shop, and seasons, launches and promotions move every shop all the time. So an input
must also be stranger than weeks drawn at random from the same days, and clearly
stranger than any four earlier weeks in a row; an output stranger than any earlier turn
was against its own past.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.health.data import (
    BEFORE_DAYS,
    RECENT_DAYS,
    HealthData,
    Made,
)

Array = np.ndarray[Any, Any]

ALARM = 0.25
"""Least PSI that matters for an input."""

OUTPUT_ALARM = 0.25
"""Least PSI that matters for an output: decisions change from turn to turn."""

LEVEL = 0.05
"""Level of the permutation tests of all inputs together, after Holm."""

STRANGER = 2.5
"""Times the largest of any four earlier weeks in a row that an input must reach."""

DRAWS = 2_000
BINS = 8
LEAST_ROWS = 30
LEAST_WEEKS = 6
LEAST_TURNS = 3

INPUTS: Mapping[str, tuple[str, str]] = {
    "order value": (
        "SELECT ago, sum(paid) FROM h_order_lines GROUP BY ago, order_id",
        "What orders paid for products.",
    ),
    "units an order": (
        "SELECT ago, sum(units) FROM h_order_lines GROUP BY ago, order_id",
        "Units of an order.",
    ),
    "prices paid": (
        "SELECT ago, unit_price_minor FROM h_order_lines",
        "Unit price of a line, before its discount.",
    ),
    "event mix": ("SELECT ago, kind FROM h_events", "Kinds of events."),
}
"""Inputs by name: query of (days ago, value), and what it is."""

TRAFFIC = "SELECT ago, count(DISTINCT visitor_id) FROM h_events GROUP BY ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far one input or output has moved.

    Attributes:
        name: What it is.
        side: Input or output.
        measure: "psi", or "ks", the largest gap of two distribution functions.
        value: The measure, or None when it cannot be said.
        p_value: Of the permutation test after Holm, or None for outputs.
        limit: Value from which it alarms, if chance does not explain it.
        alarm: It alarms.
        recent: Rows in the recent days, or this turn.
        before: Rows before.
        earlier: Largest measure of any four earlier weeks in a row, or of any earlier
            turn; None where it cannot be said.
        lacks: What is missing, "" when nothing.
    """

    name: str
    side: Literal["input", "output"]
    measure: Literal["psi", "ks"]
    value: float | None
    p_value: float | None
    limit: float
    alarm: bool
    recent: int
    before: int
    earlier: float | None = None
    lacks: str = ""


def psi(recent: Array, before: Array) -> float:
    """Return the population stability index of two histograms, shape (bins,).

    Half a row is added to each bin, so that an empty one stays finite.
    """
    p = (recent + 0.5) / (recent.sum() + 0.5 * len(recent))
    q = (before + 0.5) / (before.sum() + 0.5 * len(before))
    return float(((p - q) * np.log(p / q)).sum())


def ks(recent: Array, before: Array) -> float:
    """Return the largest gap between two empirical distribution functions."""
    both = np.sort(np.concatenate([recent, before]))
    one = np.searchsorted(np.sort(recent), both, side="right") / len(recent)
    two = np.searchsorted(np.sort(before), both, side="right") / len(before)
    return float(np.abs(one - two).max())


def find_drift(data: HealthData) -> list[Drift]:
    """Return how far every input and output has moved, inputs first."""
    inputs = [_input(data, name, sql) for name, (sql, _) in INPUTS.items()]
    inputs.append(_traffic(data))
    adjusted = holm([np.nan if one.p_value is None else one.p_value for one in inputs])
    judged = [
        one
        if one.p_value is None or one.value is None
        else _judged(one, one.value, float(p_value))
        for one, p_value in zip(inputs, adjusted, strict=True)
    ]
    return judged + output_drift(data.decisions)


def _judged(one: Drift, value: float, p_value: float) -> Drift:
    strange = one.earlier is None or value > STRANGER * one.earlier
    alarm = value >= one.limit and p_value < LEVEL and strange
    return replace(one, p_value=p_value, alarm=alarm)


def _blank(name: str, side: Literal["input", "output"], lacks: str) -> Drift:
    return Drift(
        name=name,
        side=side,
        measure="psi",
        value=None,
        p_value=None,
        limit=ALARM if side == "input" else OUTPUT_ALARM,
        alarm=False,
        recent=0,
        before=0,
        lacks=lacks,
    )


def _input(data: HealthData, name: str, sql: str) -> Drift:
    rows = [r for r in data.rows(sql) if r[1] is not None]
    ago = np.array([r[0] for r in rows], int)
    recent, before = int((ago < RECENT_DAYS).sum()), int((ago >= RECENT_DAYS).sum())
    if min(recent, before) < LEAST_ROWS:
        return _blank(name, "input", f"{LEAST_ROWS} rows on either side are needed")
    codes, bins = _codes([r[1] for r in rows], ago >= RECENT_DAYS)
    weekly = np.zeros(((RECENT_DAYS + BEFORE_DAYS) // 7, bins))
    np.add.at(weekly, (ago // 7, codes), 1.0)
    used = weekly[: int(ago.max()) // 7 + 1]
    if len(used) < LEAST_WEEKS:
        return _blank(name, "input", f"{LEAST_WEEKS} weeks are needed")
    value, p_value, earlier = _over_weeks(used, data.seed, _psi_of_weeks)
    return Drift(
        name=name,
        side="input",
        measure="psi",
        value=value,
        p_value=p_value,
        limit=ALARM,
        alarm=False,
        recent=recent,
        before=before,
        earlier=earlier,
    )


def _psi_of_weeks(inside: Array, outside: Array) -> float:
    return psi(inside.sum(axis=0), outside.sum(axis=0))


def _ks_of_weeks(inside: Array, outside: Array) -> float:
    return ks(inside.ravel(), outside.ravel())


def _traffic(data: HealthData) -> Drift:
    """Compare visitors a day by Kolmogorov and Smirnov's statistic."""
    daily = np.zeros(RECENT_DAYS + BEFORE_DAYS)
    for ago, count in data.rows(TRAFFIC):
        daily[int(ago)] = count
    known = np.flatnonzero(daily)
    weeks = 0 if len(known) == 0 else int(known[-1]) // 7 + 1
    if weeks < LEAST_WEEKS:
        return _blank("visitors a day", "input", f"{LEAST_WEEKS} weeks are needed")
    table = daily[: 7 * weeks].reshape(weeks, 7)
    value, p_value, earlier = _over_weeks(table, data.seed, _ks_of_weeks)
    return Drift(
        name="visitors a day",
        side="input",
        measure="ks",
        value=value,
        p_value=p_value,
        limit=0.5,
        alarm=False,
        recent=int(daily[:RECENT_DAYS].sum()),
        before=int(daily[RECENT_DAYS:].sum()),
        earlier=earlier,
    )


def _over_weeks(
    weekly: Array, seed: int, measure: Callable[[Array, Array], float]
) -> tuple[float, float, float | None]:
    """Return how the last weeks differ, its p value, and the most any before differed.

    Args:
        weekly: What is compared, the last week first, shape (weeks, n).
        seed: Seed of the permutations of weeks.
        measure: Distance of some weeks from the others.
    """
    weeks, count = len(weekly), RECENT_DAYS // 7
    value = measure(weekly[:count], weekly[count:])
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        order = rng.permutation(weeks)
        drawn.append(measure(weekly[order[:count]], weekly[order[count:]]))
    beyond = int((np.array(drawn) >= value - 1e-12).sum())
    before = weekly[count:]
    earlier = [
        measure(
            before[start : start + count],
            np.concatenate([before[:start], before[start + count :]]),
        )
        for start in range(len(before) - count + 1)
        if len(before) > count
    ]
    return value, (beyond + 1) / (DRAWS + 1), max(earlier, default=None)


def _codes(values: Sequence[Any], before: Array) -> tuple[Array, int]:
    """Return the bin of each value: kinds, or quantiles of the days before."""
    if isinstance(values[0], str):
        kinds = sorted(set(values))
        place = {kind: i for i, kind in enumerate(kinds)}
        return np.array([place[v] for v in values]), len(kinds)
    numbers = np.array(values, float)
    cuts = np.unique(np.quantile(numbers[before], np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(cuts, numbers, side="left"), len(cuts) + 1


def output_drift(decisions: Sequence[Made]) -> list[Drift]:
    """Compare this turn's decisions with those of the turns before.

    An output alarms when its PSI against the turns before is above the limit and above
    what any earlier turn had against the turns before it.
    """
    turns = sorted({d.turn for d in decisions})
    found = [_output("decisions by kind", turns, [(d.turn, d.kind) for d in decisions])]
    metrics = sorted({d.metric for d in decisions if d.predicted is not None})
    for metric in metrics:
        pairs = [
            (d.turn, d.predicted)
            for d in decisions
            if d.metric == metric and d.predicted is not None
        ]
        found.append(_output(f"predicted {metric}", turns, pairs))
    return found


def _output(name: str, turns: Sequence[int], pairs: Sequence[tuple[int, Any]]) -> Drift:
    per_turn = Counter(turn for turn, _ in pairs)
    known = [turn for turn in turns if per_turn[turn]]
    if len(known) <= LEAST_TURNS or known[-1] != turns[-1]:
        return _blank(name, "output", f"{LEAST_TURNS} turns before this are needed")
    recent = per_turn[known[-1]]
    before = sum(per_turn[turn] for turn in known[:-1])
    if min(recent, before) < LEAST_ROWS:
        return _blank(name, "output", f"{LEAST_ROWS} decisions a side are needed")
    turn_of = np.array([turn for turn, _ in pairs])
    codes, bins = _codes([v for _, v in pairs], turn_of != known[-1])
    table = np.zeros((len(known), bins))
    np.add.at(table, (np.searchsorted(known, turn_of), codes), 1.0)
    scores = [psi(table[i], table[:i].sum(axis=0)) for i in range(1, len(known))]
    value = scores[-1]
    return Drift(
        name=name,
        side="output",
        measure="psi",
        value=value,
        p_value=None,
        limit=OUTPUT_ALARM,
        alarm=value >= OUTPUT_ALARM and value > max(scores[:-1]),
        recent=recent,
        before=before,
        earlier=max(scores[:-1]),
    )
