"""What visitors look for, by product and day, whether or not they bought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago

if TYPE_CHECKING:
    import ibis.expr.types as ir

LEAD_SECONDS = 30 * 60
"""A view this soon after a search counts as found by it."""

SEARCH_DAYS = 90
"""Days of searches counted."""


def make_intent(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return counts by product and day; a search counts on the day of the search.

    A view is led to by the visitor's last search before it, if within 30 minutes.
    """
    import ibis

    events = facts["events"]
    events = events.mutate(
        day=day_of(events.occurred_at, when),
        visitor=ibis.coalesce(events.visitor_id, events.customer_id),
    )
    met = events.filter(
        events.product_id.notnull()
        & events.kind.isin(["view", "add_to_cart", "failed_add"])
    )
    counted = met.select(
        "product_id",
        "day",
        views=(met.kind == "view").ifelse(1, 0),
        carts=(met.kind == "add_to_cart").ifelse(1, 0),
        failed_carts=(met.kind == "failed_add").ifelse(1, 0),
        searches=ibis.literal(0, type="int8"),
    )
    led = _led_to(events).mutate(
        views=ibis.literal(0, type="int8"),
        carts=ibis.literal(0, type="int8"),
        failed_carts=ibis.literal(0, type="int8"),
        searches=ibis.literal(1, type="int8"),
    )
    rows = counted.union(led.select(*counted.columns))
    return rows.group_by("product_id", "day").aggregate(
        views=rows.views.sum(),
        carts=rows.carts.sum(),
        failed_carts=rows.failed_carts.sum(),
        searches=rows.searches.sum(),
    )


def _led_to(events: ir.Table) -> ir.Table:
    """Return one row per search and product viewed after it: product_id, day."""
    import ibis

    steps = events.filter(
        events.kind.isin(["view", "search"]) & events.visitor.notnull()
    )
    steps = near_a_search(steps)
    searched = steps.kind == "search"
    steps = steps.mutate(
        searched_at=searched.ifelse(steps.occurred_at, ibis.null("timestamp")),
        searched_day=searched.ifelse(steps.day, ibis.null("date")),
    )
    so_far = ibis.window(
        group_by="visitor", order_by=["occurred_at", "event_id"], rows=(None, 0)
    )
    steps = steps.mutate(
        searched_at=steps.searched_at.max().over(so_far),
        searched_day=steps.searched_day.max().over(so_far),
    )
    waited = steps.occurred_at.epoch_seconds() - steps.searched_at.epoch_seconds()
    led = steps.filter(
        (steps.kind == "view") & steps.product_id.notnull() & (waited <= LEAD_SECONDS)
    )
    pairs = led.select("visitor", "searched_at", "product_id", day="searched_day")
    return pairs.distinct()


def near_a_search(steps: ir.Table) -> ir.Table:
    """Return the steps that may be within `LEAD_SECONDS` after their visitor's search.

    Half hours are counted: what follows a search so soon is in the same one or in the
    next. Few steps are, and they alone have to be sorted to see what led to them.

    Args:
        steps: Events with a `visitor`, searches among them.
    """
    halves = steps.mutate(half=steps.occurred_at.epoch_seconds() // LEAD_SECONDS)
    asked = halves.filter(halves.kind == "search")
    near = asked.select("visitor", "half").union(
        asked.select("visitor", half=asked.half + 1)
    )
    return halves.semi_join(near, ["visitor", "half"]).drop("half")


INTENT = Signal(
    name="intent",
    keys=(
        Field(name="product_id", type="text", unit="", doc="Product."),
        Field(name="day", type="date", unit="", doc="Day in the shop's time zone."),
    ),
    fields=(
        Field(
            name="views",
            type="int",
            unit="events",
            doc="Product page views.",
            neutral=0,
        ),
        Field(name="carts", type="int", unit="events", doc="Added to cart.", neutral=0),
        Field(
            name="failed_carts",
            type="int",
            unit="events",
            doc="Tried to add while sold out.",
            neutral=0,
        ),
        Field(
            name="searches",
            type="int",
            unit="events",
            doc="Searches followed by a view of it within 30 minutes.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="Views, carts, failed carts and searches by product and day.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_intent,
)


def make_searches(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return searches of the last 90 days by normalised text."""
    events = facts["events"]
    found = events.filter(
        (events.kind == "search")
        & (day_of(events.occurred_at, when) >= days_ago(when, SEARCH_DAYS))
    )
    text = found["query"].lower().re_replace(r"\s+", " ").strip()
    found = found.select(
        query=text, nothing=(found.result_count == 0).ifelse(1, 0).fill_null(0)
    )
    found = found.filter(found["query"].length() > 0)
    return found.group_by("query").aggregate(
        searches=found.count(), without_result=found.nothing.sum()
    )


SEARCHES = Signal(
    name="searches",
    keys=(
        Field(
            name="query",
            type="text",
            unit="",
            doc="Search text, lower case, spaces folded.",
        ),
    ),
    fields=(
        Field(
            name="searches",
            type="int",
            unit="events",
            doc="Searches in the last 90 days.",
            neutral=0,
        ),
        Field(
            name="without_result",
            type="int",
            unit="events",
            doc="Of these, with no result.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="What people searched for and whether anything was found.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_searches,
)
