"""Checks that watch one share: of what should be so, how much is so?

Each is a description; the run is the same for all. The query gives one row a trial:
(ago, good, minor units touched or null, id).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cartwheel.measure.health.change import Change, share_fall
from cartwheel.measure.health.data import (
    MONTH_DAYS,
    RECENT_DAYS,
    HealthData,
    month_of,
    revenue_of_month,
)
from cartwheel.measure.health.finding import UNKNOWN, Finding, Part, Stake

ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Which part of the money touched is taken to be lost; low, guess, high.

    Attributes:
        of: "revenue": of the month's revenue, the share by which things got worse;
            "rows": of the money on the rows that are not as they should be.
        low: Lowest share.
        guess: Share of the best guess.
        high: Highest share.
        why: What the shares stand for.
    """

    of: Literal["revenue", "rows"]
    low: float
    guess: float
    high: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRule:
    """One share that should not fall.

    Attributes:
        check: Name.
        spoke: Spoke it is about.
        needs: Fact tables without which it says what it lacks.
        query: Rows (ago, good, touched, id) over the `h_*` tables.
        counted: What the share is of, in words, for "N % of ...".
        fall: Least fall that matters, in points.
        relative: The fall is of the share before instead.
        loss: What is taken to be lost.
        next_step: What to do.
        after: Checks that explain it.
        silent_below: Share before under which there is nothing to watch.
        part: Part of the wheel.
    """

    check: str
    spoke: str
    needs: tuple[str, ...]
    query: str
    counted: str
    fall: float
    loss: Loss
    next_step: str
    relative: bool = False
    after: tuple[str, ...] = ()
    silent_below: float = 0.05
    part: Part = "input"

    def __call__(self, data: HealthData) -> list[Finding]:
        """Look at the share and say how it stands."""
        blank = Finding(
            check=self.check,
            spoke=self.spoke,
            part=self.part,
            state="unknown",
            says="",
            next_step=self.next_step,
            after=self.after,
        )
        empty = [name for name in self.needs if not data.count(name)]
        if empty:
            return [lacking(blank, f"no {' and no '.join(empty)} in the window")]
        daily = data.rows(
            "SELECT ago, count(*) FILTER (good), count(*) "
            f"FROM ({self.query}) GROUP BY ago"
        )
        table = np.array(daily, float).reshape(-1, 3)
        change = share_fall(table[:, 0], table[:, 1], table[:, 2])
        if change is None:
            return [
                lacking(
                    blank,
                    f"too few of them: {int(table[:, 2].sum()):,} in the window, "
                    "20 or more are needed, 5 of them in the last 28 days",
                )
            ]
        if change.before < self.silent_below:
            return [
                lacking(
                    blank,
                    f"only {change.before:.0%} of {self.counted} before the last "
                    "28 days: there is nothing it could fall from",
                )
            ]
        return [self._judge(data, blank, change)]

    def _judge(self, data: HealthData, blank: Finding, change: Change) -> Finding:
        least = self.fall * change.before if self.relative else self.fall
        evidence = {
            "before_share": round(change.before, 6),
            "recent_share": round(change.recent, 6),
            "before_count": change.trials_before,
            "recent_count": change.trials_recent,
        }
        told = replace(
            blank,
            state="broken" if change.fall >= least else "well",
            says=f"{change.recent:.0%} of {self.counted} in the last {RECENT_DAYS} "
            f"days, {change.before:.0%} before "
            f"({change.trials_recent:,} and {change.trials_before:,} counted).",
            evidence=evidence,
            p_value=change.p_value,
        )
        if told.state == "well":
            return told
        wrong = data.rows(
            f"SELECT id FROM ({self.query}) WHERE NOT good AND ago < {RECENT_DAYS} "
            f"ORDER BY ago, id LIMIT {ROWS_SHOWN}"
        )
        return replace(
            told,
            rows=tuple(str(row[0]) for row in wrong),
            stake=stake_of(data, self.loss, change, self.query),
        )


def lacking(blank: Finding, why: str) -> Finding:
    """Return a finding that says what its check lacks."""
    return replace(blank, state="unknown", says=f"Not looked at: {why}.", lacks=why)


def stake_of(data: HealthData, loss: Loss, change: Change, query: str) -> Stake:
    """Return the money of a month that a fallen share puts at stake."""
    said = f"assumed lost: {loss.low:.1%} to {loss.high:.0%}, {loss.why}"
    if loss.of == "rows":
        money = month_of(
            data,
            f"SELECT ago, sum(touched) FROM ({query}) WHERE NOT good GROUP BY ago",
        )
        if money is None:
            return replace(UNKNOWN, basis=f"unknown: nothing was paid on them; {said}")
        basis = f"money on the rows, {MONTH_DAYS} days; {said}"
        low = guess = high = 1.0
    else:
        money = revenue_of_month(data)
        if money is None:
            return UNKNOWN
        before = max(change.before, 1e-9)
        low, guess, high = (
            float(np.clip(part / before, 0.0, 1.0))
            for part in (change.low, change.fall, change.high)
        )
        basis = f"revenue times the share that fell away, {MONTH_DAYS} days; {said}"
    return Stake(
        value=money.value * guess * loss.guess,
        low=money.low * low * loss.low,
        high=money.high * high * loss.high,
        basis=basis,
    )


def plain_stake(money: Any, low: float, guess: float, high: float, basis: str) -> Stake:
    """Return a stake as shares of an `Amount`, unknown when there is none."""
    if money is None:
        return UNKNOWN
    return Stake(
        value=money.value * guess,
        low=money.low * low,
        high=money.high * high,
        basis=basis,
    )
