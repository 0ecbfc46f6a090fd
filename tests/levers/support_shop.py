"""A small shop that answers: policies, products, questions, orders."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from cartwheel.levers.base import Model, Request
from cartwheel.levers.support import Support
from cartwheel.levers.support.answer import answer_question
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from tests.levers.made import AS_OF, empty_signals, for_lever

POLICY_ROWS = [
    (
        "back",
        "returns",
        "Returns",
        "You can return goods within 30 days of delivery. They must be unused. "
        "A refund reaches you 5 days after we have the goods.",
    ),
    (
        "post",
        "shipping",
        "Delivery",
        "We deliver to Germany, France and Austria. Delivery takes 2 to 4 working "
        "days and costs 4.90. From 60.00 it is free.",
    ),
    ("pay", "payment", "Payment", "We take Visa, PayPal and bank transfer."),
    ("shop", "contact", "Opening hours", "Our shop is open Monday to Friday, 9 to 17."),
]


def put(data: Signals, signal: Signal, rows: list[dict[str, Any]]) -> Signals:
    """Return the signals with other rows of one."""
    import pyarrow as pa

    full = [{name: row.get(name) for name in signal.column_names} for row in rows]
    table = pa.Table.from_pylist(full, schema=signal.schema())
    return data.with_tables({signal.name: signal.conform(table)})


def signals(orders: pd.DataFrame | None = None) -> Signals:
    """Return the shop's signals."""
    data = for_lever(Support(), empty_signals())
    rows = [dict(zip(POLICIES.column_names, row, strict=True)) for row in POLICY_ROWS]
    data = put(data, POLICIES, rows)
    tent = {
        "product_id": "tent",
        "title": "Heron tunnel tent",
        "description": "A tent for two. The poles are of aluminium.",
        "attributes": json.dumps({"Weight": "2.4 kg", "Water column": "3000 mm"}),
        "active": True,
    }
    lamp = {"product_id": "lamp", "title": "Glow lantern", "active": True}
    data = put(data, LISTING, [tent, lamp])
    sold = {
        "variant_id": "tent",
        "product_id": "tent",
        "title": "Heron tunnel tent",
        "active": True,
        "price_minor": 24900,
        "pack_units": 1,
        "minimum_order_units": 1,
    }
    data = put(data, CATALOGUE, [sold])
    asked = {
        "question_id": "q1",
        "product_id": "tent",
        "day": AS_OF,
        "question": "Is a groundsheet included?",
        "answer": "No, the groundsheet is sold apart.",
    }
    data = put(data, QUESTIONS, [asked])
    held = [] if orders is None else orders.to_dict("records")
    return put(data, ORDER_STATES, held)


def model(orders: pd.DataFrame | None = None) -> Model:
    """Return the shop's model."""
    return Support().learn(signals(orders), None, seed=1)


def ask(learned: Model, text: str, **about: Any) -> dict[str, Any]:
    """Return what is answered."""
    request = Request(placement="support", query=text, **about)
    return dict(answer_question(learned, request).about)
