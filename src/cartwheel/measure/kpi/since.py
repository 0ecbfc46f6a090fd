"""Since when a shop's orders are known, and what cannot be told because of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from cartwheel.measure.kpi.workroom import Step, in_force, said

if TYPE_CHECKING:
    from cartwheel.measure.kpi.looks import Look
    from cartwheel.measure.kpi.workroom import Workroom


def _since(room: Workroom) -> str:
    """Return SQL of the first orders, of anybody and of a customer, by look."""
    day = room.local_day("own.placed_at")
    customer = "own.customer_id IS NOT NULL AND own.status <> 'cancelled'"
    return (
        f"SELECT seen.look, min({day}) AS day, min({day}) FILTER ({customer}) AS "
        "customer_day "
        "FROM kpi_order_version AS own JOIN kpi_look AS seen ON "
        f"{in_force('own', 'seen')} AND own.placed_at < seen.end_at GROUP BY seen.look"
    )


STEPS: dict[str, Step] = {"since": Step(needs=("order_version",), sql=_since)}


def early(room: Workroom, lag_days: Callable[[Look], int], what: str) -> dict[int, str]:
    """Return the looks whose cohort began before orders of customers are known.

    Args:
        room: Where tables are laid out.
        lag_days: Returns days from the first of a cohort to the look's end.
        what: What can be told later, as a sentence says it.
    """
    since = room.by_look("SELECT look, customer_day FROM kpi_since", "since")
    found = {}
    for look in room.looks:
        day = since.get(look.number)
        if day is None:
            found[look.number] = "Not yet: no order that stands names a customer."
            continue
        told_on = day + timedelta(days=lag_days(look) - 1)
        if look.as_of < told_on:
            found[look.number] = (
                f"Not yet: orders are known since {said(day)}; {what} can be told "
                f"from {said(told_on)}."
            )
    return found


def partial(room: Workroom) -> dict[int, str]:
    """Return the looks whose window began before orders are known.

    What takes time, such as a return, is seldom in so short a history: the figure
    would move by itself until the window is full.
    """
    since = room.by_look("SELECT look, day FROM kpi_since", "since")
    found = {}
    for look in room.looks:
        day = since.get(look.number)
        if day is None:
            found[look.number] = "Not yet: no order is known. Import orders."
        elif day > look.first_day:
            until = day + timedelta(days=look.window_days - 1)
            found[look.number] = (
                f"Not yet: orders are known since {said(day)}; the first full "
                f"{look.window_days} days end on {said(until)}."
            )
    return found
