"""Which push is over-relied on: how much rests on one product, channel or lever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.measure.health.data import MONTH_DAYS, RECENT_DAYS, HealthData

Array = np.ndarray[Any, Any]

DRAWS = 500
TOO_MUCH = 0.5
"""Share of one from which it is over-relied on, when chance does not explain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliance:
    """How concentrated something is.

    Attributes:
        what: What is shared out, and by what.
        top: Name of the largest.
        share: Its share, or None when there is nothing to share out.
        low: Lower end of the share's 95 % bootstrap interval.
        high: Upper end.
        hhi: Sum of squared shares (Herfindahl and Hirschman), 1 / n to 1.
        gini: Gini coefficient over those with any, 0 to 1.
        of: How many share.
        money_minor: Money of a month on the largest, or None where it is no money.
        over: It is over-relied on.
        says: One sentence.
    """

    what: str
    top: str
    share: float | None
    low: float | None
    high: float | None
    hhi: float | None
    gini: float | None
    of: int
    money_minor: float | None
    over: bool
    says: str


def find_reliance(data: HealthData) -> list[Reliance]:
    """Return how concentrated revenue, slots and decisions are.

    Intervals resample days for facts and decisions for decisions.
    """
    recent = f"ago < {RECENT_DAYS}"
    facts = (
        ("revenue by product", "product_id", "sum(paid)", "h_order_lines", True),
        ("revenue by channel", "channel", "sum(paid)", "h_order_lines", True),
        ("revenue by customer", "customer_id", "sum(paid)", "h_order_lines", True),
        ("exposures by product", "product_id", "count(*)", "h_events", False),
    )
    found = []
    for what, column, value, table, money in facts:
        only = "AND kind = 'exposure'" if table == "h_events" else ""
        rows = data.rows(
            f"SELECT ago, {column}, {value} FROM {table} WHERE {recent} {only} "
            f"AND {column} IS NOT NULL GROUP BY ALL ORDER BY ALL"
        )
        found.append(concentration(what, rows, money=money, seed=data.seed))
    newest = max((d.turn for d in data.decisions), default=0)
    now = [d for d in data.decisions if d.turn == newest and d.state != "refused"]
    worth = [
        (i, d.lever, d.worth_minor)
        for i, d in enumerate(now)
        if d.worth_minor is not None and d.worth_minor > 0
    ]
    counts = [(i, d.lever, 1) for i, d in enumerate(now)]
    found.append(
        concentration("expected earnings by lever", worth, money=True, seed=data.seed)
    )
    found.append(
        concentration("decisions by lever", counts, money=False, seed=data.seed)
    )
    return found


def concentration(
    what: str, rows: Sequence[tuple[Any, ...]], *, money: bool, seed: int
) -> Reliance:
    """Return how concentrated a value is over names.

    Args:
        what: What is shared out, and by what.
        rows: (unit resampled, name, value), values of at least 0.
        money: The value is money of the recent days, in minor units.
        seed: Seed of the bootstrap.
    """
    if not rows or sum(float(r[2]) for r in rows) <= 0:
        return Reliance(
            what=what,
            top="",
            share=None,
            low=None,
            high=None,
            hhi=None,
            gini=None,
            of=0,
            money_minor=None,
            over=False,
            says="Not yet: there is nothing to share out.",
        )
    units, unit = np.unique([r[0] for r in rows], return_inverse=True)
    names, name = np.unique([str(r[1]) for r in rows], return_inverse=True)
    values = np.array([float(r[2]) for r in rows])
    total = np.bincount(name, weights=values, minlength=len(names))
    largest = int(total.argmax())
    share = float(total[largest] / total.sum())
    # By unit: all of it, and the part of the largest.
    whole = np.bincount(unit, weights=values, minlength=len(units))
    part = np.bincount(unit, weights=values * (name == largest), minlength=len(units))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), DRAWS)
    sums = drawn @ whole
    shares = (drawn @ part)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(shares, [0.025, 0.975])
    over = len(names) > 1 and float(low) > TOO_MUCH
    scale = MONTH_DAYS / RECENT_DAYS if "revenue" in what else 1.0
    alone = " It is the only one." if len(names) == 1 else ""
    return Reliance(
        what=what,
        top=str(names[largest]),
        share=share,
        low=float(low),
        high=float(high),
        hhi=float(((total / total.sum()) ** 2).sum()),
        gini=gini(total),
        of=len(names),
        money_minor=float(total[largest]) * scale if money else None,
        over=over,
        says=f"{names[largest]} holds {share:.0%} ({low:.0%} to {high:.0%}) of "
        f"{what}, of {len(names):,}.{alone}",
    )


def gini(values: Array) -> float:
    """Return the Gini coefficient of values of at least 0, shape (n,); 0 is even."""
    ordered = np.sort(np.asarray(values, float))
    count, total = len(ordered), ordered.sum()
    if count == 0 or total <= 0:
        return 0.0
    place = np.arange(1, count + 1)
    return float((2 * place - count - 1) @ ordered / (count * total))
