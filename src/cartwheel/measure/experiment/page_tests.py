"""Two designs for page fixes, and which one sees more in a shop.

By product half of the products keep their pages; by visitor half of the people who open
a mended page see it as it was. A shop with few products and much traffic sees more by
visitor, one with many products more by product: the one whose smallest detectable
effect is smaller, both read from the shop's own past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.terms import MetricName, Terms
from cartwheel.measure.experiment.trial import Unit
from cartwheel.operations import decisions, reading, visitor_fixes

if TYPE_CHECKING:
    from sqlalchemy import Engine, Select

LEVER, KIND = "content", "page_fix"
OTHER: dict[Unit, Unit] = {"product": "visitor", "visitor": "product"}
LIKE: dict[tuple[Unit, MetricName], MetricName] = {
    ("visitor", "units"): "orders",
    ("product", "orders"): "units",
}
"""Metrics that one design does not know, and what it counts instead."""

OPEN = ("proposed", "approved", "applied")
IN_FORCE = ("approved", "applied")


def is_page_test(terms: Terms) -> bool:
    """Tell whether terms test page fixes against none."""
    return terms.lever == LEVER and terms.unit in OTHER and not terms.two_models


def shown_products(engine: Engine) -> tuple[str, ...]:
    """Return the products whose fix is delivered to visitors.

    Args:
        engine: Operational database.

    Raises:
        Misuse: If there is none.
    """
    query = (
        select(decisions.c.subject)
        .join(visitor_fixes, visitor_fixes.c.decision_id == decisions.c.id)
        .where(decisions.c.kind == KIND, decisions.c.state.in_(IN_FORCE))
    )
    found = _products(engine, query)
    if not found:
        raise Misuse(
            "No page fix is delivered to visitors, so there is nothing to show them.",
            "Approve some first: cartwheel content apply ID --visitors",
        )
    return found


def mended_products(engine: Engine) -> tuple[str, ...]:
    """Return the products with a page fix that is proposed or in force, by id.

    Args:
        engine: Operational database.
    """
    return _products(
        engine,
        select(decisions.c.subject).where(
            decisions.c.kind == KIND, decisions.c.state.in_(OPEN)
        ),
    )


def other_design(engine: Engine, terms: Terms) -> Terms | None:
    """Return terms of the same test by the other unit; None where there is none.

    Args:
        engine: Operational database.
        terms: Terms of a test of page fixes.
    """
    unit = OTHER[terms.unit]
    metric = LIKE.get((unit, terms.metric), terms.metric)
    products = mended_products(engine) if unit == "visitor" else ()
    if unit == "visitor" and not products:
        return None
    return replace(
        terms, unit=unit, metric=metric, products=products, others=(), guards=()
    )


def which_sees_more(
    terms: Terms, other: Terms, sees: Callable[[Terms], float | None]
) -> str:
    """Return which design fits, in one sentence; "" where neither can be told.

    Args:
        terms: Terms of a test of page fixes.
        other: The same by the other unit.
        sees: Smallest change a test finds four times in five, as a share.
    """
    told = {one.unit: sees(one) for one in (terms, other)}
    known = {unit: share for unit, share in told.items() if share is not None}
    if not known:
        return ""
    fits = min(known, key=lambda unit: (known[unit], unit))
    seen = ", ".join(
        f"by {unit} {share:.0%}" if share is not None else f"by {unit} not told"
        for unit, share in sorted(told.items())
    )
    return f"The smallest change that is seen: {seen}; so draw by {fits}."


def _products(engine: Engine, query: Select[Any]) -> tuple[str, ...]:
    with reading(engine) as con:
        subjects = con.execute(query).scalars()
        return tuple(sorted({str(one).partition(":")[2] for one in subjects}))
