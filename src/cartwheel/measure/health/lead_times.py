"""Do suppliers take longer than they used to? Orders that are still open count too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cartwheel.measure.health.data import RECENT_DAYS, HealthData, month_of
from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.shares import lacking, plain_stake

LONGER = 1.5
"""Least ratio of medians that matters."""

LEAST_BEFORE, LEAST_RECENT = 4, 2
"""Purchase orders of one supplier needed before, and in the recent days."""

LOSS = (0.01, 0.05, 0.15)
"""Share of the supplier's sales lost while its goods are late; low, guess, high."""


def lead_times(data: HealthData) -> list[Finding]:
    """Compare each supplier's lead time with its own before, by a rank test.

    An order counts when the supplier's median lead time, as it was before, has
    passed since. One still open has taken at least the days since, so the test
    errs on the quiet side (Mann and Whitney 1947, one-sided). p is multiplied by the
    number of suppliers. Named is the supplier of the smallest p.
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
    suppliers = _orders(data)
    tested: list[tuple[float, str, float, float, int, int]] = []
    for name, (ago, days, open_) in suppliers.items():
        known = days[~open_ & (ago >= RECENT_DAYS)]
        if len(known) < LEAST_BEFORE:
            continue
        due = ago - float(np.median(known))  # days since it should have come
        recent = (due >= 0) & (due < RECENT_DAYS)
        before = ~open_ & (due >= RECENT_DAYS)
        if recent.sum() < LEAST_RECENT or before.sum() < LEAST_BEFORE:
            continue
        from scipy.stats import mannwhitneyu

        p_value = float(
            mannwhitneyu(
                days[recent], days[before], alternative="greater", method="auto"
            ).pvalue
        )
        medians = float(np.median(days[recent])), float(np.median(days[before]))
        counts = int(recent.sum()), int(before.sum())
        tested.append((p_value, name, *medians, *counts))
    if not tested:
        return [
            lacking(
                blank,
                f"no supplier has {LEAST_BEFORE} received orders before and "
                f"{LEAST_RECENT} due in the last {RECENT_DAYS} days",
            )
        ]
    late = [one for one in tested if one[2] >= LONGER * one[3]]
    p_value, name, now, then, count, count_before = min(late or tested)
    found = replace(
        blank,
        spoke=f"supplier {name}" if late else blank.spoke,
        state="broken" if late else "well",
        says=f"Supplier {name} takes {now:.0f} days or more, {then:.0f} before "
        f"(medians; {count} orders due in the last {RECENT_DAYS} days, "
        f"{count_before} before).",
        evidence={
            "supplier": name,
            "recent_days": now,
            "before_days": then,
            "orders_recent": count,
            "orders_before": count_before,
            "suppliers": len(tested),
        },
        p_value=min(p_value * len(tested), 1.0),
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


def _orders(
    data: HealthData,
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return (days ago, lead days so far, still open) of each supplier's orders."""
    end = f"TIMESTAMP '{data.end}'"
    rows = data.rows(
        f"SELECT supplier_id, epoch({end} - p.ordered_at) / 86400.0, "
        f"epoch(coalesce(r.at, {end}) - p.ordered_at) / 86400.0, r.at IS NULL "
        "FROM (SELECT purchase_order_id, any_value(supplier_id) AS supplier_id, "
        "min(ordered_at) AS ordered_at FROM h_purchase_orders WHERE ordered_units > 0 "
        "GROUP BY 1) AS p LEFT JOIN (SELECT purchase_order_id, "
        "min(received_at) AS at FROM h_receipts GROUP BY 1) AS r "
        "USING (purchase_order_id) ORDER BY purchase_order_id"
    )
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for supplier, ago, days, open_ in rows:
        found.setdefault(str(supplier), []).append((ago, days, open_))
    return {
        name: (
            np.array([r[0] for r in each], float),
            np.array([r[1] for r in each], float),
            np.array([r[2] for r in each], bool),
        )
        for name, each in sorted(found.items())
    }
