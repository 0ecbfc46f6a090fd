"""A look at every running experiment, taken once a turn, and what its terms demand."""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from cartwheel.measure.experiment.store import (
    State,
    close,
    keep_look,
    list_experiments,
)
from cartwheel.measure.experiment.terms import Terms
from cartwheel.operations import decisions, reading, transitions

if TYPE_CHECKING:
    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.measure")

ACTOR = "stop rule"

WHY = {
    "end": "its last day is over",
    "decided": "the interval that holds at every look left zero out",
    "guard": "a guard was broken",
}


def look_at_all(shop: Shop, on: date) -> list[str]:
    """Look at every running experiment and close those whose terms demand it.

    Safe to run again: a look on the same day takes the place of the earlier one.

    Args:
        shop: The shop.
        on: Day looked from.

    Returns:
        Names of those that were closed.
    """
    running = [
        one
        for one in list_experiments(shop.database)
        if one.state == "running" and on >= one.terms.starts_on
    ]
    if not running:
        return []
    # Its statistics take a second to load, which most turns need not pay.
    from cartwheel.measure.experiment.look import look

    closed = []
    for record in running:
        terms = record.terms
        try:
            found = look(shop, terms, on)
        except Exception:
            # The turn is published by now; its experiments are looked at in the next.
            log.exception("experiment %s could not be looked at", terms.name)
            continue
        keep_look(shop.database, terms.name, found.day, found.to_json())
        state: State = "stopped" if found.close == "guard" else "ended"
        why = WHY.get(found.close, "")
        spent = outlay(shop, terms)
        if terms.budget_minor is not None and spent >= terms.budget_minor:
            state = "stopped"
            why = (
                f"its outlay of {spent:,} reached the budget of "
                f"{terms.budget_minor:,} minor units"
            )
        if why:
            close(shop.database, terms.name, state, actor=ACTOR, why=why)
            closed.append(terms.name)
    return closed


def outlay(shop: Shop, terms: Terms) -> int:
    """Return what carried-out decisions of an experiment's lever cost since its start.

    Args:
        shop: The shop.
        terms: The experiment's terms.
    """
    query = (
        select(func.coalesce(func.sum(decisions.c.cost_minor), 0))
        .select_from(decisions)
        .where(
            decisions.c.lever == terms.lever,
            decisions.c.id.in_(
                select(transitions.c.decision_id).where(
                    transitions.c.to_state == "applied",
                    transitions.c.at >= terms.starts_on.isoformat(),
                )
            ),
        )
    )
    with reading(shop.database) as con:
        return int(con.execute(query).scalar_one())
