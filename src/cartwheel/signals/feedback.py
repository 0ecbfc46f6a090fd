"""What customers said: reviews, messages, surveys, questions, reasons of returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.lake.tables import SURVEY_MEDIA
from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of, days_ago
from cartwheel.signals.facts import look_up
from cartwheel.signals.returns import YEAR_DAYS
from cartwheel.signals.senders import sent_messages

if TYPE_CHECKING:
    import ibis.expr.types as ir

LONGEST_TEXT = 4_000
"""Characters of a text that are kept, some six hundred words."""


def make_feedback(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the texts of the last 365 days, each with the product it is about.

    A text that names an order and no product is about the order's product where the
    order has but one; whose a message is, and of which order, may be known by its
    address (`senders`). A score of a survey, a number alone, says nothing in words.
    """
    import ibis

    reviews = facts["reviews"]
    written = reviews.select(
        "product_id",
        "order_id",
        "rating",
        writer=_writer(("c", reviews.customer_id), ("o", reviews.order_id)),
        source=ibis.literal("review"),
        feedback_id=reviews.review_id,
        day=day_of(reviews.created_at, when),
        units=ibis.literal(0, type="int64"),
        text=_joined(reviews.title, reviews.body),
    )
    sent = sent_messages(facts)
    medium = ibis.coalesce(sent.medium, "").lower()
    score = ibis.coalesce(sent.body, "").strip().re_search("^[0-9]{1,2}$")
    sent = sent.mutate(surveyed=medium.isin(SURVEY_MEDIA))
    sent = sent.filter((sent.direction == "in") & ~(sent.surveyed & score))
    asked = sent.select(
        "order_id",
        product_id=ibis.null("string"),
        rating=ibis.null("int64"),
        source=sent.surveyed.ifelse("survey", "message"),
        writer=_writer(("c", sent.customer_id), ("a", sent.address)),
        feedback_id=sent.message_id,
        day=day_of(sent.sent_at, when),
        units=ibis.literal(0, type="int64"),
        text=_joined(sent.subject, sent.body),
    )
    back = facts["returns"]
    returned = back.select(
        "product_id",
        "order_id",
        rating=ibis.null("int64"),
        writer=_writer(("c", back.customer_id), ("o", back.order_id)),
        source=ibis.literal("return"),
        feedback_id=back.return_id + "/" + back.line_id,
        day=day_of(back.returned_at, when),
        units=back.quantity_units,
        text=ibis.coalesce(back.reason, ""),
    )
    names = list(written.columns)
    rows = written.union(
        asked.select(*names),
        returned.select(*names),
        _questions(facts["questions"], when).select(*names),
    )
    rows = rows.filter(
        (rows.day >= days_ago(when, YEAR_DAYS)) & (rows.text.strip() != "")
    )
    rows = look_up(rows, _single_products(facts["order_lines"]), "order_id")
    return rows.mutate(
        product_id=ibis.coalesce(rows.product_id, rows.only_product),
        text=rows.text.substr(0, LONGEST_TEXT),
    )


def _questions(asked: ir.Table, when: When) -> ir.Table:
    import ibis

    return asked.select(
        "product_id",
        order_id=ibis.null("string"),
        rating=ibis.null("int64"),
        writer=ibis.null("string"),
        source=ibis.literal("question"),
        feedback_id=asked.question_id,
        day=day_of(asked.asked_at, when),
        units=ibis.literal(0, type="int64"),
        text=asked.question,
    )


def _writer(*known: tuple[str, ir.StringValue]) -> ir.StringValue:
    """Return a fingerprint of the first that is known; no name or address is kept."""
    import ibis

    first = ibis.coalesce(*(ibis.literal(kind) + value for kind, value in known))
    return first.hexdigest("sha256").substr(0, 16)


def _joined(heading: ir.StringValue, body: ir.StringValue) -> ir.StringValue:
    """Return heading and body as paragraphs of one text."""
    import ibis

    return (ibis.coalesce(heading, "") + "\n" + ibis.coalesce(body, "")).strip()


def _single_products(lines: ir.Table) -> ir.Table:
    """Return order_id and only_product of orders of one product."""
    import ibis

    named = lines.mutate(product_id=ibis.coalesce(lines.product_id, lines.variant_id))
    named = named.filter((named.kind == "product") & named.product_id.notnull())
    orders = named.group_by("order_id").aggregate(
        products=named.product_id.nunique(), only_product=named.product_id.min()
    )
    return orders.filter(orders.products == 1).select("order_id", "only_product")


FEEDBACK = Signal(
    name="feedback",
    keys=(
        Field(
            name="source",
            type="text",
            unit="",
            doc="review, message, survey, return or question.",
        ),
        Field(name="feedback_id", type="text", unit="", doc="Id in its table."),
    ),
    fields=(
        Field(
            name="product_id",
            type="text",
            unit="",
            doc="Product it is about; the only one of the order where it names none.",
            neutral=None,
        ),
        Field(
            name="day",
            type="date",
            unit="",
            doc="Day in the shop's time zone.",
            neutral=None,
        ),
        Field(name="rating", type="int", unit="", doc="Stars, 1 to 5.", neutral=None),
        Field(
            name="units",
            type="int",
            unit="units",
            doc="Units that came back with it.",
            neutral=0,
        ),
        Field(
            name="writer",
            type="text",
            unit="",
            doc="Fingerprint of the customer, the address or the order it comes from.",
            neutral=None,
        ),
        Field(
            name="text",
            type="text",
            unit="",
            doc="Heading and text, question or reason of a return, as written.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Reviews, messages, questions and reasons of returns of the last 365 days.",
    facts=(
        "reviews",
        "messages",
        "questions",
        "returns",
        "order_lines",
        "orders",
        "customers",
    ),
    reads=(),
    lagged=False,
    freshness_days=1,
    make=make_feedback,
)
