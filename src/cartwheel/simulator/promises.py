"""What the sample shop promises, and what its shoppers asked about its goods."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import Catalogue
from cartwheel.simulator.clock import instants, midnight

ASKED_SHARE = 0.3
"""Products that somebody asked about."""

ANSWERED_SHARE = 0.8

POLICIES = (
    (
        "delivery",
        "shipping",
        "Delivery",
        "We send parcels within 2 working days. Delivery within Germany takes 2 to 4 "
        "working days. Delivery is free from 60 EUR, below that it costs 4.90 EUR.",
    ),
    (
        "returns",
        "returns",
        "Returns",
        "You can send goods back within 30 days. Return postage is paid by the "
        "customer.",
    ),
    (
        "guarantee",
        "guarantee",
        "Guarantee",
        "We give a guarantee of two years. Wear and tear is excluded.",
    ),
)
QUESTIONS = (
    ("Does it run small?", "It is cut close to the body."),
    ("Is the colour as in the picture?", "Yes, the picture was taken in daylight."),
    ("Can it go in the washing machine?", "No, please wash it by hand."),
    ("Is a gift box included?", "Yes, it comes in a box of cardboard."),
    ("How long does delivery take?", "Two to four working days within Germany."),
    ("Where is it made?", "It is made in Portugal."),
)


def policy_columns() -> dict[str, list[str]]:
    """Return the columns of policies."""
    names = ("policy_id", "topic", "title", "body")
    return {name: [row[at] for row in POLICIES] for at, name in enumerate(names)}


def promise_columns(
    rng: np.random.Generator, cat: Catalogue, start: date, days: int
) -> dict[str, dict[str, Any]]:
    """Return the columns of policies and questions."""
    products = np.flatnonzero(rng.random(len(cat.product_ids)) < ASKED_SHARE)
    launched = cat.launched[products]
    products = products[launched < days - 1]
    asked_on = cat.launched[products] + (
        rng.random(len(products)) * (days - 1 - cat.launched[products])
    ).astype(np.int64)
    which = rng.integers(0, len(QUESTIONS), len(products))
    answered = rng.random(len(products)) < ANSWERED_SHARE
    order = np.lexsort((products, asked_on))
    at = instants(midnight(start), asked_on[order], 12 * 3600)
    picked = which[order].tolist()
    return {
        "policies": policy_columns(),
        "questions": {
            "question_id": [f"Q{n + 1:04d}" for n in range(len(order))],
            "product_id": cat.product_ids[products[order]],
            "asked_at": at,
            "updated_at": at,
            "question": [QUESTIONS[n][0] for n in picked],
            "answer": [
                QUESTIONS[n][1] if known else None
                for n, known in zip(picked, answered[order].tolist(), strict=True)
            ],
        },
    }
