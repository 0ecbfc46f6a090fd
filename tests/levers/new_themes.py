"""A made shop in which several customers say something that fits no class."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from cartwheel.levers.voice import Voice
from cartwheel.signals.base import Signals
from cartwheel.signals.feedback import FEEDBACK
from tests.levers.made import AS_OF, made_context, replace

LEVER = Voice()
PRAISE = (
    "lovely kettle pleased",
    "great handle comfortable",
    "nice spout pours well",
    "beautiful finish shiny steel",
    "perfect gift sister happy",
    "good water boils fast",
    "excellent lid closes softly",
    "happy with the shape",
)
SQUEAKS = (
    "Unfortunately the hinge squeaks {}.",
    "Sadly a loud hinge {} here.",
    "The hinge is a problem near the {}.",
    "I regret it, the hinge rattles, {}.",
    "Annoying squeaking from the hinge, {}.",
)
PLACES = (
    *("kitchen", "morning", "breakfast", "garden", "office", "cellar", "bedroom"),
    *("evening", "corner", "table", "window", "pantry", "balcony", "hallway"),
    *("caravan", "cottage", "studio", "attic", "porch", "garage"),
)


def one(text: str, at: int = 0, **more: Any) -> dict[str, Any]:
    """Return a review of three stars, a hundred days old, by nobody known."""
    return {
        "source": "review",
        "product_id": f"p{at % 20:02}",
        "ago": 100 + at % 60,
        "rating": 3,
        "writer": None,
        "text": text,
        **more,
    }


def praise(number: int = 300) -> list[dict[str, Any]]:
    """Return praise in different words."""
    return [
        one(
            f"The {PRAISE[at % 8]} and {PLACES[at % 20]} {PLACES[at // 20 % 20]} too.",
            at,
            rating=5,
        )
        for at in range(number)
    ]


def squeaks(number: int = 20, **more: Any) -> list[dict[str, Any]]:
    """Return complaints of a hinge, each in words of its own."""
    return [
        one(SQUEAKS[at % 5].format(PLACES[at % 20]), at, **more) for at in range(number)
    ]


def shop(rows: list[dict[str, Any]], **context: Any) -> Signals:
    """Return a shop in which this was said."""
    frame = pd.DataFrame(
        [
            {
                "source": row["source"],
                "feedback_id": f"f{number:05}",
                "product_id": row["product_id"],
                "day": AS_OF - timedelta(days=row["ago"]),
                "rating": row["rating"],
                "units": 1 if row["source"] == "return" else 0,
                "writer": row["writer"],
                "text": row["text"],
            }
            for number, row in enumerate(rows)
        ]
    )
    frame["rating"] = frame["rating"].astype("Int64")
    names = [signal.name for signal in LEVER.reads]
    return replace(Signals({}, made_context(**context), names), FEEDBACK, frame)
