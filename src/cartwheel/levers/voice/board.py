"""What the page Voice shows of a turn: themes, their products, and what was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.voice.learn import money_of
from cartwheel.levers.voice.page import rising
from cartwheel.levers.voice.quotes import read_quotes
from cartwheel.levers.voice.searched import searches_of
from cartwheel.levers.voice.small_themes import (
    MOST_PRODUCTS,
    dated,
    fresh_board,
    splits_board,
)
from cartwheel.text.objections.classes import CLASSES

MOST_SEARCHED = 50
"""Searches without result shown."""

MONEY = ("stake_minor", "low_minor", "high_minor")


def board(model: Model, as_of: date) -> dict[str, Any]:
    """Return the page as JSON values.

    Args:
        model: A model of the lever.
        as_of: Day the turn looked from.
    """
    meta = model.meta
    quotes = dated(read_quotes(model, "quote"), as_of)
    themes = [_theme(model, at, name, quotes) for at, name in enumerate(CLASSES)]
    beneath = splits_board(model, as_of)
    return {
        "as_of": as_of.isoformat(),
        "texts": meta["texts"],
        "raising": meta["raising"],
        "unread": meta["unread"],
        "mood_texts": meta["mood_texts"],
        "themes": [
            {**theme, "splits": beneath.get(theme["objection"], [])}
            for theme in costliest(theme for theme in themes if theme["mentions"])
        ],
        "own": beneath.get("", []),
        "fresh": fresh_board(model, as_of),
        "merged": meta["merged"],
        "standing": meta["standing"],
        "corrected": meta["corrected"],
        "lessons": meta["lessons"],
        "searches": searches_of(model)[:MOST_SEARCHED],
    }


def costliest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows by money, those without by mentions after them."""
    return sorted(
        rows,
        key=lambda row: (
            -(-1 if row["stake_minor"] is None else row["stake_minor"]),
            -row["mentions"],
            row["objection"],
            row.get("product_id", ""),
        ),
    )


def trend(model: Model, recent: int, before: int) -> dict[str, Any]:
    """Return mentions of 28 days and of those before, and whether they rise."""
    texts, texts_before = model.meta["recent"], model.meta["before"]
    rises = rising(recent, before, texts, texts_before)
    return {"recent": recent, "before": before, "rising": rises}


def over_the_shop(model: Model, at: int) -> dict[str, Any]:
    """Return what is known of an objection over the whole shop, as JSON values.

    Args:
        model: A model of the lever.
        at: Number of the class.
    """
    arrays = model.arrays
    return {
        "objection": list(CLASSES)[at],
        "mentions": int(arrays["said"][:, at].sum()),
        **trend(
            model,
            int(arrays["recent"][:, at].sum()),
            int(arrays["before"][:, at].sum()),
        ),
        # A model of before moods were told is still shown.
        "displeased": int(arrays["displeased"][:, at].sum())
        if "displeased" in arrays
        else None,
        "contacts": int(arrays["messages"][:, at].sum()),
        "returned_units": int(arrays["returned"][:, at].sum()),
        **_money(arrays["total"][at]),
    }


def _theme(model: Model, at: int, name: str, quotes: Mapping[Any, Any]) -> Any:
    return {
        **over_the_shop(model, at),
        "title": CLASSES[name],
        "about": int((model.arrays["said"][:, at] > 0).sum()),
        "products": _products(model, at, name, quotes),
    }


def _products(
    model: Model, at: int, name: str, quotes: Mapping[Any, Any]
) -> list[dict[str, Any]]:
    arrays = model.arrays
    rows = [
        {
            "product_id": str(arrays["product_id"][place]),
            "title": str(arrays["title"][place]),
            "objection": name,
            "mentions": int(arrays["said"][place, at]),
            "displeased": int(arrays["displeased"][place, at]),
            "texts": int(arrays["texts"][place]),
            "recent": int(arrays["recent"][place, at]),
            "before": int(arrays["before"][place, at]),
            "returned_units": int(arrays["returned"][place, at]),
            **_money(arrays["stake"][place, at]),
            "quotes": quotes.get((place, at), []),
        }
        for place in np.flatnonzero(arrays["said"][:, at]).tolist()
    ]
    return costliest(rows)[:MOST_PRODUCTS]


def _money(three: Any) -> dict[str, int | None]:
    return dict(zip(MONEY, money_of(three), strict=True))
