"""Statistics of paired worlds: arms that met the same people, compared world by world.

Worlds differ much more than arms do, so only differences within a world are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy import stats

Array = np.ndarray[Any, Any]
Coalition = frozenset[str]
Verdict = Literal["above", "below", "includes zero", "unknown"]

LEVEL = 0.95
DRAWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A mean difference over paired worlds.

    Attributes:
        mean: Mean difference, nan without a world.
        low: Lower end of the t interval.
        high: Upper end of the t interval.
        low_boot: Lower end of the percentile bootstrap interval.
        high_boot: Upper end of the percentile bootstrap interval.
        p_value: Two-sided t test of no difference.
        p_sign: Two-sided sign test; worlds without a difference do not count.
        n: Worlds.
        sd: Standard deviation of the difference between worlds.
        note: Why something is nan, else "".
    """

    mean: float
    low: float
    high: float
    low_boot: float
    high_boot: float
    p_value: float
    p_sign: float
    n: int
    sd: float
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Where the t interval lies."""
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            return "unknown"
        if self.low > 0:
            return "above"
        return "below" if self.high < 0 else "includes zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Share of the gap between two arms that a third one closes.

    Attributes:
        share: Ratio of the mean differences; 1 is all of it, nan when untold.
        low: Lower end of the percentile bootstrap interval over worlds.
        high: Upper end.
        n: Worlds.
        reason: Why the share is nan, else "".
    """

    share: float
    low: float
    high: float
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often intervals held the truth.

    Attributes:
        share: Share of intervals that held it, nan without one.
        low: Lower end of the Wilson interval of the share.
        high: Upper end.
        bias: Mean of estimate less truth.
        n: Intervals judged.
        left_out: Cases without a finite estimate, interval or truth.
    """

    share: float
    low: float
    high: float
    bias: float
    n: int
    left_out: int


def paired(a: Array, b: Array, *, level: float = LEVEL, seed: int) -> Paired:
    """Return the mean of `a - b` with its intervals and tests.

    Student's t interval of the mean difference, the percentile bootstrap over worlds
    (Efron 1979; 2,000 draws) and the sign test.

    Args:
        a: One value a world, shape (n,).
        b: The other arm in the same worlds, shape (n,).
        level: Confidence level.
        seed: Seed of the bootstrap; the same seed draws the same worlds.

    Raises:
        ValueError: If the shapes differ, a value is not finite or `level` is no share.
    """
    difference = _aligned(a, b)[0] - np.asarray(b, float)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; expected a share between 0 and 1")
    n = len(difference)
    nan = float("nan")
    if n < 2:
        return Paired(
            mean=float(difference[0]) if n else nan,
            **dict.fromkeys(
                ("low", "high", "low_boot", "high_boot", "p_value", "p_sign", "sd"), nan
            ),
            n=n,
            note="one world has no interval" if n else "no world has both arms",
        )
    mean, sd = float(difference.mean()), float(difference.std(ddof=1))
    # Equal differences leave rounding noise in the deviation, which is no spread.
    if np.ptp(difference) == 0:
        sd = 0.0
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / np.sqrt(n)
    ends = np.quantile(
        _draws(n, seed) @ difference / n, [(1 - level) / 2, (1 + level) / 2]
    )
    return Paired(
        mean=mean,
        low=float(mean - half),
        high=float(mean + half),
        low_boot=float(ends[0]),
        high_boot=float(ends[1]),
        p_value=_t_test(mean, sd, n),
        p_sign=_sign_test(difference),
        n=n,
        sd=sd,
    )


def _aligned(*arrays: Array) -> list[Array]:
    found = [np.asarray(array, float) for array in arrays]
    shapes = [array.shape for array in found]
    if len(set(shapes)) != 1 or len(shapes[0]) != 1:
        raise ValueError(f"shapes are {shapes}; expected one shape (n,) for all")
    if not all(np.isfinite(array).all() for array in found):
        raise ValueError("every value must be finite; leave out worlds without one")
    return found


@lru_cache(maxsize=8)
def _draws(n: int, seed: int) -> Array:
    """Return how often each world is drawn, shape (DRAWS, n); a table asks again."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    drawn.flags.writeable = False
    return drawn


def _t_test(mean: float, sd: float, n: int) -> float:
    if sd == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / (sd / np.sqrt(n)), n - 1))


def _sign_test(difference: Array) -> float:
    moved = int((difference != 0).sum())
    if moved == 0:
        return 1.0
    return float(stats.binomtest(int((difference > 0).sum()), moved).pvalue)


def ratio_paired(
    profit_a: Array,
    visits_a: Array,
    profit_b: Array,
    visits_b: Array,
    *,
    level: float = LEVEL,
    seed: int,
) -> Paired:
    """Return the paired difference of profit per visit between two arms.

    It is the mean over worlds of each world's difference of two ratios, so every world
    weighs the same however many visits it had; it is not the ratio of the totals.

    Args:
        profit_a: Profit by world, shape (n,).
        visits_a: Visits by world, shape (n,), all above 0.
        profit_b: Profit of the other arm.
        visits_b: Visits of the other arm.
        level: Confidence level.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If shapes differ, a value is not finite or a world has no visit.
    """
    pa, va, pb, vb = _aligned(profit_a, visits_a, profit_b, visits_b)
    if (va <= 0).any() or (vb <= 0).any():
        raise ValueError("every world needs visits in both arms")
    return paired(pa / va, pb / vb, level=level, seed=seed)


def gap_closed(
    base: Array, arm: Array, oracle: Array, *, level: float = LEVEL, seed: int
) -> Gap:
    """Return which share of the way from `base` to `oracle` an arm goes.

    A ratio of means, `mean(arm - base) / mean(oracle - base)`, with a percentile
    bootstrap over worlds. It is nan when there is no gap to close: when an interval of
    `oracle - base` (t or bootstrap) includes 0 or lies below it.

    Args:
        base: One value a world, shape (n,).
        arm: The arm in the same worlds.
        oracle: The upper mark in the same worlds.
        level: Confidence level.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    low_mark, value, mark = _aligned(base, arm, oracle)
    gap = paired(mark, low_mark, level=level, seed=seed)
    n, nan = gap.n, float("nan")
    if gap.note:
        return Gap(share=nan, low=nan, high=nan, n=n, reason=gap.note)
    if min(gap.low, gap.low_boot) <= 0:
        where = (
            "is below 0" if max(gap.high, gap.high_boot) < 0 else "is not told from 0"
        )
        return Gap(share=nan, low=nan, high=nan, n=n, reason=f"the gap {where}")
    draws = _draws(n, seed)
    above, below = draws @ (value - low_mark), draws @ (mark - low_mark)
    # Without a gap a draw has no share; its interval above 0 makes these few.
    shares = above[below > 0] / below[below > 0]
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return Gap(
        share=float((value - low_mark).mean() / gap.mean),
        low=float(low),
        high=float(high),
        n=n,
    )


def orders_of(
    players: Sequence[str], count: int, *, seed: int
) -> list[tuple[str, ...]]:
    """Return random orders of players, each followed by its reverse.

    A player who comes early in an order comes late in its reverse, which makes the
    Shapley estimate steadier than as many independent orders.

    Args:
        players: Names, all different; their own order does not matter.
        count: Number of orders, even and at least 2.
        seed: Seed of the draws.

    Raises:
        ValueError: If the count is odd or names repeat.
    """
    if count < 2 or count % 2:
        raise ValueError(f"count is {count}; expected an even number from 2")
    if len(set(players)) != len(players):
        raise ValueError(f"players repeat: {sorted(players)}")
    rng = np.random.default_rng(seed)
    names = sorted(players)
    found: list[tuple[str, ...]] = []
    for _ in range(count // 2):
        order = tuple(names[i] for i in rng.permutation(len(names)))
        found += [order, order[::-1]]
    return found


def coalitions_of(orders: Iterable[Sequence[str]]) -> set[Coalition]:
    """Return every coalition whose value orders ask for, the empty one included."""
    return {
        frozenset(order[:size]) for order in orders for size in range(len(order) + 1)
    }


def shapley(
    players: Sequence[str],
    value: Callable[[Coalition], Array],
    orders: Sequence[Sequence[str]],
) -> dict[str, Array]:
    """Return what each player adds on average over orders of joining, by world.

    Castro, Gomez and Tejada (2009): the Shapley value (1953) from sampled orders. In
    every world the values add up to `value(all) - value(none)`, whatever the orders.

    Args:
        players: Names.
        value: Worth of a coalition by world, shape (worlds,); asked once a coalition.
        orders: Orders of all players.

    Raises:
        ValueError: If there is no order, or one is not an order of the players.
    """
    if not orders or any(sorted(order) != sorted(players) for order in orders):
        raise ValueError("expected at least one order, each with every player once")
    known: dict[Coalition, Array] = {}

    def worth(coalition: Coalition) -> Array:
        if coalition not in known:
            known[coalition] = np.asarray(value(coalition), float)
        return known[coalition]

    total = {name: np.zeros_like(worth(frozenset())) for name in players}
    for order in orders:
        joined: Coalition = frozenset()
        for name in order:
            total[name] += worth(joined | {name}) - worth(joined)
            joined |= {name}
    return {name: added / len(orders) for name, added in total.items()}


def coverage(
    estimates: Array,
    lows: Array,
    highs: Array,
    truths: Array,
    *,
    level: float = LEVEL,
) -> Coverage:
    """Return how often an interval held the truth, such as the wheel's true lift.

    Args:
        estimates: One estimate a world, shape (n,).
        lows: Lower ends of their intervals.
        highs: Upper ends.
        truths: What was true in each world.
        level: Confidence level of the share's own Wilson (1927) interval.

    Raises:
        ValueError: If the shapes differ.
    """
    all_ = [np.asarray(one, float) for one in (estimates, lows, highs, truths)]
    shapes = {array.shape for array in all_}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"shapes are {sorted(shapes)}; expected one shape (n,)")
    usable = np.isfinite(np.stack(all_)).all(axis=0)
    estimate, low, high, truth = (array[usable] for array in all_)
    n, left_out, nan = len(truth), int((~usable).sum()), float("nan")
    if n == 0:
        return Coverage(share=nan, low=nan, high=nan, bias=nan, n=0, left_out=left_out)
    held = int(((low <= truth) & (truth <= high)).sum())
    interval = stats.binomtest(held, n).proportion_ci(level, method="wilson")
    return Coverage(
        share=held / n,
        low=float(interval.low),
        high=float(interval.high),
        bias=float((estimate - truth).mean()),
        n=n,
        left_out=left_out,
    )
