"""Do suppliers take longer than they used to? Orders that are still open count too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.measure.health.data import RECENT_DAYS, HealthData, month_of
from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.late import late_chance, median_wait
from cartwheel.measure.health.shares import lacking, plain_stake

Array = np.ndarray[Any, Any]

LONGER = 1.5
"""Least ratio of medians that matters."""

LEAST_BEFORE, LEAST_RECENT = 4, 2
"""Purchase orders of one supplier needed before, and due in the recent days."""

MOST_BEFORE, MOST_RECENT = 200, 20
"""Orders that are compared: the newest of all suppliers before, the oldest recent ones
of one supplier. More would take long to count and hardly tell more."""

MOMENT = 1 / 24
"""Shortest lead time in days."""

LOSS = (0.01, 0.05, 0.15)
"""Share of the supplier's sales lost while its goods are late; low, guess, high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    """One supplier's orders, the oldest first; every array of shape (n,).

    Attributes:
        ago: Days since it was sent.
        days: Days it took, or has taken so far.
        came: Whether it came.
        recent: Whether it is one of the recent orders.
    """

    ago: Array
    days: Array
    came: Array
    recent: Array

    @property
    def usual(self) -> float:
        """Median lead time in days of the orders before."""
        return median_wait(self.days[~self.recent], self.came[~self.recent])

    @property
    def enough(self) -> bool:
        """Whether enough orders came before."""
        return int((self.came & ~self.recent).sum()) >= LEAST_BEFORE

    @property
    def due(self) -> int:
        """Recent orders that would be here at the usual lead time."""
        return int((self.recent & (self.ago >= self.usual)).sum())

    def since_due(self) -> _Orders:
        """Return the same with what came due in the recent days as recent."""
        return replace(self, recent=self.ago < RECENT_DAYS + self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """What a supplier's orders say: p, medians in days and numbers of orders."""

    p_value: float
    supplier: str
    now: float
    usual: float
    recent: int
    before: int

    @property
    def late(self) -> bool:
        """It takes enough longer to matter."""
        return self.now >= LONGER * self.usual


def lead_times(data: HealthData) -> list[Finding]:
    """Compare each supplier's recent orders with the orders before.

    Recent is an order sent in the last `RECENT_DAYS`, or due in them: when a supplier
    became slow is not known, so both are tested. One that is still open has taken at
    least the days since. Lead times are counted in each supplier's usual ones, so that
    the orders of all suppliers before tell how they scatter: one supplier alone has too
    few. The log-rank test allows for open orders; p is multiplied by the number of
    tests. Named is the supplier of the smallest p among those whose median is `LONGER`
    times the usual.
    """
    blank = Finding(
        check="lead_times",
        spoke="supplier",
        part="input",
        state="unknown",
        says="",
        next_step="Ask the supplier for its dates, raise cover, or order elsewhere "
        "until it is back.",
        after=("receipts_recorded",),
    )
    if not data.count("purchase_orders") or not data.count("receipts"):
        return [lacking(blank, "purchase orders and receipts are both needed")]
    suppliers = {name: one for name, one in _orders(data).items() if one.enough}
    dues = {name: one.since_due() for name, one in suppliers.items()}
    tested = [
        *_tested(suppliers),
        *_tested({name: one for name, one in dues.items() if one.enough}),
    ]
    if not tested:
        return [
            lacking(
                blank,
                f"no supplier has {LEAST_BEFORE} received orders before and "
                f"{LEAST_RECENT} of the last {RECENT_DAYS} days that are due",
            )
        ]
    late = [one for one in tested if one.late]
    worst = min(late or tested, key=lambda one: (one.p_value, one.supplier))
    name = worst.supplier
    found = replace(
        blank,
        spoke=f"supplier {name}" if late else blank.spoke,
        state="broken" if late else "well",
        says=f"Supplier {name} takes {worst.now:.0f} days or more, {worst.usual:.0f} "
        f"before (medians; {worst.recent} orders sent or due in the last "
        f"{RECENT_DAYS} days, {worst.before} before).",
        evidence={
            "supplier": name,
            "recent_days": worst.now,
            "before_days": worst.usual,
            "orders_recent": worst.recent,
            "orders_before": worst.before,
            "tests": len(tested),
        },
        p_value=min(worst.p_value * len(tested), 1.0),
    )
    if not late:
        return [found]
    quoted = name.replace("'", "''")
    money = month_of(
        data,
        "SELECT ago, sum(paid) FROM h_order_lines WHERE variant_id IN (SELECT "
        f"variant_id FROM h_purchase_orders WHERE supplier_id = '{quoted}') "
        "GROUP BY ago",
    )
    rows = data.rows(
        "SELECT DISTINCT purchase_order_id FROM h_purchase_orders AS p "
        f"WHERE supplier_id = '{quoted}' AND NOT EXISTS (SELECT 1 FROM h_receipts AS r "
        "WHERE r.purchase_order_id = p.purchase_order_id) ORDER BY 1 LIMIT 5"
    )
    low, guess, high = LOSS
    basis = (
        "sales of its goods, 30 days; assumed lost: "
        f"{low:.0%} to {high:.0%}, sold out while they are late"
    )
    return [
        replace(
            found,
            rows=tuple(str(row[0]) for row in rows),
            stake=plain_stake(money, low, guess, high, basis),
        )
    ]


def _tested(suppliers: Mapping[str, _Orders]) -> list[_Tested]:
    """Test each supplier's recent orders against those of all suppliers before."""
    if not suppliers:
        return []
    before = [(one, ~one.recent) for one in suppliers.values()]
    ago = np.concatenate([one.ago[rows] for one, rows in before])
    scaled = np.concatenate([one.days[rows] / one.usual for one, rows in before])
    came = np.concatenate([one.came[rows] for one, rows in before])
    newest = np.argsort(ago, kind="stable")[:MOST_BEFORE]
    found = []
    for name, one in suppliers.items():
        if one.due < LEAST_RECENT:
            continue
        rows = np.flatnonzero(one.recent)
        first = rows[:MOST_RECENT]
        p_value = late_chance(
            np.r_[one.days[first] / one.usual, scaled[newest]],
            np.r_[one.came[first], came[newest]],
            np.arange(len(first) + len(newest)) < len(first),
        )
        found.append(
            _Tested(
                p_value=p_value,
                supplier=name,
                now=median_wait(one.days[rows], one.came[rows]),
                usual=one.usual,
                recent=len(rows),
                before=len(one.ago) - len(rows),
            )
        )
    return found


def _orders(data: HealthData) -> dict[str, _Orders]:
    """Return each supplier's orders."""
    end = f"TIMESTAMP '{data.end}'"
    rows = data.rows(
        f"SELECT supplier_id, epoch({end} - p.ordered_at) / 86400.0, "
        f"epoch(coalesce(r.at, {end}) - p.ordered_at) / 86400.0, r.at IS NOT NULL "
        "FROM (SELECT purchase_order_id, any_value(supplier_id) AS supplier_id, "
        "min(ordered_at) AS ordered_at FROM h_purchase_orders WHERE ordered_units > 0 "
        "GROUP BY 1) AS p LEFT JOIN (SELECT purchase_order_id, "
        "min(received_at) AS at FROM h_receipts GROUP BY 1) AS r "
        "USING (purchase_order_id) ORDER BY p.ordered_at, purchase_order_id"
    )
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for supplier, ago, days, came in rows:
        # Received before it was sent is a slip of the pen; it took no time.
        found.setdefault(str(supplier), []).append((ago, max(days, MOMENT), came))
    return {
        name: _Orders(
            ago=np.array([r[0] for r in each], float),
            days=np.array([r[1] for r in each], float),
            came=np.array([r[2] for r in each], bool),
            recent=np.array([r[0] for r in each], float) < RECENT_DAYS,
        )
        for name, each in sorted(found.items())
    }
