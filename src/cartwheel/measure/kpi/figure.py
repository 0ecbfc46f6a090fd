"""From the rows behind a figure to the figure: value, interval, or why not yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cartwheel.measure.kpi.definition import Kpi
from cartwheel.measure.kpi.intervals import (
    LEAST,
    Moments,
    amount_interval,
    fixed_interval,
    ratio_interval,
    share_interval,
)

if TYPE_CHECKING:
    from cartwheel.measure.kpi.workroom import Workroom

INTERVALS = {
    "share": share_interval,
    "amount": amount_interval,
    "ratio": ratio_interval,
    "fixed": fixed_interval,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A figure as of one day.

    Attributes:
        value: The figure, or None when it cannot be said.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        not_yet: Why there is no value, "" when there is one.
        note: A sentence that goes with the value.
        top: What was counted above the line.
        bottom: What was counted below it.
        rows: Rows it is counted from.
        owners: Customers, visitors or variants they belong to.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    not_yet: str = ""
    note: str = ""
    top: int = 0
    bottom: int = 0
    rows: int = 0
    owners: int = 0


def values_of(room: Workroom, kpi: Kpi) -> list[Value]:
    """Return a figure as of every look of a room, in their order."""
    moments = _moments(room, kpi)
    gaps, notes = kpi.gaps(room), kpi.notes(room)
    return [
        value_of(
            kpi,
            moments.get(look.number, NOTHING),
            gap=gaps.get(look.number, ""),
            note=notes.get(look.number, ""),
        )
        for look in room.looks
    ]


def value_of(kpi: Kpi, moments: Moments, *, gap: str = "", note: str = "") -> Value:
    """Return a figure with its interval, or the sentence that says why not yet."""
    counted = Value(
        top=moments.whole_top,
        bottom=moments.whole_bottom,
        rows=moments.rows,
        owners=moments.owners,
    )
    why = gap or _obstacle(kpi, moments)
    if why:
        return replace(counted, not_yet=why)
    low, high = INTERVALS[kpi.kind](moments)
    if not math.isfinite(high):
        return replace(counted, not_yet=f"Not yet: {_UNSURE}")
    return replace(
        counted,
        value=kpi.scale * moments.whole_top / moments.whole_bottom,
        low=kpi.scale * low,
        high=kpi.scale * high,
        note=note,
    )


_UNSURE = "the sum it is divided by may be zero, as far as these customers tell."
NOTHING = Moments(
    rows=0, owners=0, top=0, bottom=0, top_top=0, top_bottom=0, bottom_bottom=0
)


def _obstacle(kpi: Kpi, moments: Moments) -> str:
    if moments.whole_bottom <= 0:
        return kpi.nothing
    if moments.owners < LEAST:
        return (
            f"Not yet: counted from {moments.owners} {kpi.owners}; {LEAST} are needed "
            "for an interval."
        )
    if kpi.kind == "amount" and moments.movers < LEAST:
        return (
            f"Not yet: counted from {moments.movers} {kpi.owners} who paid something; "
            f"{LEAST} are needed for an interval."
        )
    largest = kpi.scale * moments.whole_top / moments.whole_bottom
    return kpi.too_large if kpi.most is not None and largest > kpi.most else ""


def _moments(room: Workroom, kpi: Kpi) -> dict[int, Moments]:
    own = "owner IS NOT NULL"
    rows = room.query(
        f"SELECT look, sum(n), count(*) FILTER ({own}), "
        f"sum(t) FILTER ({own}), sum(b) FILTER ({own}), "
        f"sum(t * t) FILTER ({own}), sum(t * b) FILTER ({own}), "
        f"sum(b * b) FILTER ({own}), "
        f"count(*) FILTER ({own} AND t <> 0), sum(t) FILTER (owner IS NULL), "
        "sum(b) FILTER (owner IS NULL) FROM (SELECT look, owner, count(*) AS n, "
        "CAST(sum(top) AS HUGEINT) AS t, CAST(sum(bottom) AS HUGEINT) AS b "
        f"FROM ({kpi.rows(room)}) GROUP BY look, owner) GROUP BY look"
    )
    names = (
        *("rows", "owners", "top", "bottom", "top_top", "top_bottom"),
        *("bottom_bottom", "movers", "fixed_top", "fixed_bottom"),
    )
    return {
        int(look): Moments(**{n: int(s or 0) for n, s in zip(names, sums, strict=True)})
        for look, *sums in rows
    }
