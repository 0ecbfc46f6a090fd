"""Checks that records still arrive: their pace, and counts that belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cartwheel.measure.health.change import Change, pace_stopped, ratio_fall, weeks_fell
from cartwheel.measure.health.data import (
    BEFORE_DAYS,
    RECENT_DAYS,
    HealthData,
    revenue_of_month,
)
from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.shares import Loss, lacking, plain_stake, stake_of

WINDOW = RECENT_DAYS + BEFORE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrives:
    """Rows of a table came at a pace; now there is a silence.

    Attributes:
        check: Name.
        spoke: Spoke it is about.
        table: Fact table.
        loss: Share of the month's revenue taken to be lost; low, guess, high.
        next_step: What to do.
    """

    check: str
    spoke: str
    table: str
    loss: tuple[float, float, float]
    next_step: str

    def __call__(self, data: HealthData) -> list[Finding]:
        """Look for a silence that the pace before it does not explain."""
        blank = Finding(
            check=self.check,
            spoke=self.spoke,
            part="input",
            state="unknown",
            says="",
            next_step=self.next_step,
        )
        daily = np.zeros(WINDOW)
        for ago, rows in data.rows(
            f"SELECT ago, count(*) FROM h_{self.table} GROUP BY ago"
        ):
            if 0 <= ago < WINDOW:
                daily[int(ago)] = rows
        known = np.flatnonzero(daily)
        if len(known) < 5:
            return [
                lacking(
                    blank,
                    f"{self.table} came on {len(known)} days of the window; 5 or more "
                    "are needed to know their pace",
                )
            ]
        silent = int(known[0])
        earlier = daily[silent : int(known[-1]) + 1]
        pace = float(earlier.mean())
        low, guess, high = self.loss
        broken = silent >= 3
        found = replace(
            blank,
            state="broken" if broken else "well",
            says=f"No {self.table} for {silent} days; before, {pace:,.1f} a day."
            if silent
            else f"{self.table} arrive: {pace:,.1f} a day.",
            evidence={"silent_days": silent, "rows_a_day": round(pace, 3)},
            p_value=pace_stopped(earlier, silent),
        )
        if not broken:
            return [found]
        stake = plain_stake(
            revenue_of_month(data),
            *(low, guess, high),
            f"revenue of 30 days; assumed lost: {low:.1%} to {high:.0%}",
        )
        return [replace(found, stake=stake)]


def events_per_order(data: HealthData) -> list[Finding]:
    """Compare how many carts and checkouts are recorded for each order."""
    blank = Finding(
        check="events_per_order",
        spoke="events",
        part="input",
        state="unknown",
        says="",
        next_step="Fewer or more carts and checkouts are recorded for the same orders. "
        "Look at the storefront's script, by device and by page.",
        after=("events_whole", "events_once"),
    )
    if not data.count("events") or not data.count("orders"):
        return [lacking(blank, "events and orders are both needed")]
    rows = data.rows(
        "SELECT ago, coalesce(e.n, 0), coalesce(o.n, 0) FROM (SELECT ago, count(*) "
        "AS n FROM h_events WHERE kind IN ('add_to_cart', 'checkout') GROUP BY ago) "
        "AS e FULL JOIN (SELECT ago, count(*) AS n FROM h_orders GROUP BY ago) AS o "
        "USING (ago)"
    )
    table = np.array(rows, float).reshape(-1, 3)
    fall = ratio_fall(table[:, 0], table[:, 1], table[:, 2])
    if fall is None:
        return [lacking(blank, "too few carts or orders in the window")]
    rise = fall.fall < 0
    moved = abs(fall.fall) >= 0.30 * fall.before
    # Both directions are looked at, so p is doubled.
    p_value = min(2 * (1 - fall.p_value if rise else fall.p_value), 1.0)
    found = replace(
        blank,
        state="broken" if moved else "well",
        says=f"{fall.recent:.2f} carts and checkouts an order in the last "
        f"{RECENT_DAYS} days, {fall.before:.2f} before.",
        evidence={
            "before_ratio": round(fall.before, 4),
            "recent_ratio": round(fall.recent, 4),
            "orders_before": fall.trials_before,
            "orders_recent": fall.trials_recent,
        },
        p_value=p_value,
    )
    if not moved:
        return [found]
    loss = Loss(
        of="revenue",
        low=0.005,
        guess=0.02,
        high=0.05,
        why="what looks and carts add to slots and forecasts",
    )
    return [replace(found, stake=stake_of(data, loss, _size(fall), ""))]


def _size(change: Change) -> Change:
    """Return a change with its size positive, whichever way it went."""
    if change.fall >= 0:
        return change
    return replace(change, fall=-change.fall, low=-change.high, high=-change.low)


def exposures_per_view(data: HealthData) -> list[Finding]:
    """Compare how many exposures are recorded for each product view."""
    blank = Finding(
        check="exposures_per_view",
        spoke="exposures",
        part="input",
        state="unknown",
        says="",
        next_step="Send an exposure when a slot is seen; without them slots are "
        "neither measured nor learned from.",
        after=("events_whole", "events_once"),
    )
    if not data.count("events"):
        return [lacking(blank, "no events in the window")]
    rows = data.rows(
        "SELECT ago, count(*) FILTER (kind = 'exposure'), "
        "count(*) FILTER (kind = 'view') FROM h_events GROUP BY ago"
    )
    table = np.array(rows, float).reshape(-1, 3)
    fall = ratio_fall(table[:, 0], table[:, 1], table[:, 2])
    if fall is None:
        return [lacking(blank, "too few exposures or views in the window")]
    moved = fall.fall >= 0.5 * fall.before
    found = replace(
        blank,
        state="broken" if moved else "well",
        says=f"{fall.recent:.2f} exposures a view in the last {RECENT_DAYS} days, "
        f"{fall.before:.2f} before.",
        evidence={
            "before_ratio": round(fall.before, 4),
            "recent_ratio": round(fall.recent, 4),
            "views_recent": fall.trials_recent,
        },
        p_value=fall.p_value,
    )
    if not moved:
        return [found]
    loss = Loss(of="revenue", low=0.01, guess=0.05, high=0.10, why="what slots bring")
    return [replace(found, stake=stake_of(data, loss, fall, ""))]


def mail_rhythm(data: HealthData) -> list[Finding]:
    """Compare mailings a week with the weeks before, by an exact permutation test."""
    blank = Finding(
        check="mail_rhythm",
        spoke="mail",
        part="input",
        state="unknown",
        says="",
        next_step="Mailings stopped or became rare. Check the mail tool, and that its "
        "log is imported as messages with their campaign.",
        after=("offers_sent",),
    )
    rows = data.rows(
        "SELECT ago // 7, count(DISTINCT campaign_id), count(*) FROM h_messages "
        "WHERE campaign_id IS NOT NULL GROUP BY 1"
    )
    weekly = np.zeros(WINDOW // 7)
    for week, campaigns, _ in rows:
        if 0 <= week < len(weekly):
            weekly[int(week)] = campaigns
    known = np.flatnonzero(weekly)
    count = RECENT_DAYS // 7
    oldest = int(known[-1]) + 1 if len(known) else 0
    before = weekly[count:oldest]
    if len(before) < count or before.sum() < count:
        return [
            lacking(blank, "four weeks with a mailing before the last four are needed")
        ]
    recent = weekly[:count]
    broken = recent.mean() <= 0.5 * before.mean()
    found = replace(
        blank,
        state="broken" if broken else "well",
        says=f"{recent.mean():.2f} mailings a week in the last {count} weeks, "
        f"{before.mean():.2f} before.",
        evidence={
            "before_a_week": round(float(before.mean()), 3),
            "recent_a_week": round(float(recent.mean()), 3),
        },
        p_value=weeks_fell(before.tolist(), recent.tolist()),
    )
    if not broken:
        return [found]
    stake = plain_stake(
        revenue_of_month(data),
        *(0.005, 0.02, 0.05),
        "revenue of 30 days; assumed lost: 0.5% to 5%, what mailings bring",
    )
    return [replace(found, stake=stake)]


ARRIVALS: tuple[Arrives, ...] = (
    Arrives(
        check="orders_arrive",
        spoke="orders",
        table="orders",
        loss=(0.0, 0.05, 1.0),
        next_step="No order arrives: the shop is closed, or its export is. Import the "
        "missing days.",
    ),
    Arrives(
        check="events_arrive",
        spoke="events",
        table="events",
        loss=(0.005, 0.03, 0.10),
        next_step="No event arrives. Look at the storefront's script, its API key and "
        "the worker that drains the inbox.",
    ),
    Arrives(
        check="counts_arrive",
        spoke="stock",
        table="inventory_levels",
        loss=(0.005, 0.03, 0.10),
        next_step="Stock counts are stale. Restart their export or import.",
    ),
)
