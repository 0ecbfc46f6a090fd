"""What people opened and wanted after each search, beside what chance would bring.

A product high on the page is opened more, whatever it is. Where exposures tell the
position, each is counted with the share of exposures at that position that were opened,
so a reader can tell "opened more than its place explains" from "was shown first".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.intent import LEAD_SECONDS, SEARCH_DAYS, near_a_search

if TYPE_CHECKING:
    import ibis.expr.types as ir

DEEPEST = 50
"""Positions below this one are counted as this one."""

OPENED = ["view", "click"]
WANTED = ["add_to_cart", "failed_add"]


def make_search_clicks(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return what followed the searches of the last 90 days, by query and product.

    What follows is what the visitor met within 30 minutes of their last search; an
    exposure counts when it was in a search's result.
    """
    import ibis

    found = _after_searches(facts["events"], when)
    place = found.position.fill_null(DEEPEST).clip(upper=DEEPEST)
    each = found.group_by("visitor", "searched_at", "query", "product_id").aggregate(
        exposed=(found.kind == "exposure").any(),
        position=(found.kind == "exposure").ifelse(place, ibis.null("int64")).min(),
        opened=found.kind.isin([*OPENED, *WANTED]).any(),
        carted=found.kind.isin(WANTED).any(),
    )
    shown = each.filter(each.exposed)
    usual = shown.group_by("position").aggregate(
        usual=shown.opened.ifelse(1.0, 0.0).mean()
    )
    rows = each.left_join(usual, "position").select(
        "query",
        "product_id",
        shown=each.exposed.ifelse(1, 0),
        expected=each.exposed.ifelse(usual.usual, 0.0).fill_null(0.0),
        opened=each.opened.ifelse(1, 0),
        carted=each.carted.ifelse(1, 0),
    )
    return rows.group_by("query", "product_id").aggregate(
        shown=rows.shown.sum(),
        expected_clicks=rows.expected.sum(),
        clicks=rows.opened.sum(),
        carts=rows.carted.sum(),
    )


def _after_searches(events: ir.Table, when: When) -> ir.Table:
    """Return what each visitor met within 30 minutes of a search, with its text."""
    import ibis

    events = events.mutate(
        visitor=ibis.coalesce(events.visitor_id, events.customer_id),
        day=day_of(events.occurred_at, when),
    )
    # Of the exposures, by far the most events, only those of a search's result count.
    steps = events.filter(
        events.visitor.notnull()
        & (events.day >= days_ago(when, SEARCH_DAYS))
        & (
            events.kind.isin(["search", *OPENED, *WANTED])
            | ((events.kind == "exposure") & (events.placement == "search"))
        )
    )
    steps = near_a_search(steps)
    steps = steps.mutate(
        own_at=(steps.kind == "search").ifelse(
            steps.occurred_at, ibis.null("timestamp")
        )
    )
    so_far = ibis.window(
        group_by="visitor", order_by=["occurred_at", "event_id"], rows=(None, 0)
    )
    steps = steps.mutate(searched_at=steps.own_at.max().over(so_far))
    waited = steps.occurred_at.epoch_seconds() - steps.searched_at.epoch_seconds()
    met = steps.filter(
        (steps.kind != "search") & steps.product_id.notnull() & (waited <= LEAD_SECONDS)
    ).select("visitor", "searched_at", "product_id", "kind", "position")
    asked = steps.filter(steps.kind == "search")
    text = asked["query"].lower().re_replace(r"\s+", " ").strip()
    asked = asked.select("visitor", searched_at="occurred_at", query=text)
    asked = asked.filter(asked["query"].length() > 0)
    # Two searches at one instant are one; the first by letter stands for both.
    asked = asked.group_by("visitor", "searched_at").aggregate(
        query=asked["query"].min()
    )
    return met.inner_join(asked, ["visitor", "searched_at"])


SEARCH_CLICKS = Signal(
    name="search_clicks",
    keys=(
        Field(
            name="query",
            type="text",
            unit="",
            doc="Search text, lower case, spaces folded.",
        ),
        Field(name="product_id", type="text", unit="", doc="Product."),
    ),
    fields=(
        Field(
            name="shown",
            type="int",
            unit="events",
            doc="Searches in whose result it was seen.",
            neutral=0,
        ),
        Field(
            name="expected_clicks",
            type="float",
            unit="events",
            doc="How many of these would have opened it, going by its positions alone.",
            neutral=0.0,
        ),
        Field(
            name="clicks",
            type="int",
            unit="events",
            doc="Searches followed by opening it within 30 minutes.",
            neutral=0,
        ),
        Field(
            name="carts",
            type="int",
            unit="events",
            doc="Searches followed by putting it into the cart.",
            neutral=0,
        ),
    ),
    writer="lake",
    doc="What was shown, opened and wanted after each search.",
    facts=("events",),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_search_clicks,
)
