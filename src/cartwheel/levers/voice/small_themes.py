"""Themes without money, as pages show them: the shop's own, and new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.voice.fresh import MOST_NEW
from cartwheel.levers.voice.page import SURE, rising
from cartwheel.levers.voice.quotes import Quote, read_quotes

MOST_PRODUCTS = 100
"""Products shown of a theme."""

SURE_OF_SEVERAL = 2 * SURE / MOST_NEW
"""Chance below which a new theme is told as rising: where none rises, one of several
is told so in a turn in twenty at most."""

Held = Mapping[tuple[int, int], list[Quote]]


def splits_of(model: Model) -> list[dict[str, Any]]:
    """Return themes of the merchant's own, beneath a class or beneath none ("").

    A model of a turn before corrections were known has none.
    """
    splits = model.meta.get("splits", ())
    return [
        {**split, **_counts(model, "split", at, SURE)}
        for at, split in enumerate(splits)
    ]


def fresh_of(model: Model) -> list[dict[str, Any]]:
    """Return new themes, which fit no class, those of most texts first.

    A model of a turn before new themes were looked for has none.
    """
    titles = dict(
        zip(model.arrays["product_id"].tolist(), model.arrays["title"], strict=True)
    )
    return [
        {
            **theme,
            "where": str(titles.get(theme["name"], theme["name"])),
            **_counts(model, "fresh", at, SURE_OF_SEVERAL),
        }
        for at, theme in enumerate(model.meta.get("fresh", ()))
    ]


def splits_board(model: Model, as_of: date) -> dict[str, list[dict[str, Any]]]:
    """Return the merchant's own themes with products by the class they are beneath."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _with_products(model, "split", splits_of(model), as_of):
        found.setdefault(row["objection"], []).append(row)
    return found


def fresh_board(model: Model, as_of: date) -> list[dict[str, Any]]:
    """Return new themes with their products and what was said."""
    return _with_products(model, "fresh", fresh_of(model), as_of)


def dated(held: Held, as_of: date) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """Return quotes with the day on which each was said."""

    def with_day(one: Quote) -> dict[str, Any]:
        day = as_of - timedelta(days=one.days_ago)
        return {**asdict(one), "day": day.isoformat()}

    return {at: [with_day(one) for one in quotes] for at, quotes in held.items()}


def _counts(model: Model, name: str, at: int, sure: float) -> dict[str, Any]:
    said, recent, before = (
        int(model.arrays[f"{name}_{what}"][:, at].sum())
        for what in ("said", "recent", "before")
    )
    texts, texts_before = model.meta["recent"], model.meta["before"]
    rises = rising(recent, before, texts, texts_before, sure=sure)
    return {"mentions": said, "recent": recent, "before": before, "rising": rises}


def _with_products(
    model: Model, name: str, rows: list[dict[str, Any]], as_of: date
) -> list[dict[str, Any]]:
    if not rows:
        return []
    quotes = dated(read_quotes(model, name), as_of)
    return [
        {**row, **_products(model, model.arrays[f"{name}_said"][:, at], at, quotes)}
        for at, row in enumerate(rows)
    ]


def _products(model: Model, said: Any, at: int, quotes: Mapping[Any, Any]) -> Any:
    arrays = model.arrays
    order = np.argsort(-said, kind="stable")[: np.count_nonzero(said)]
    products = [
        {
            "product_id": str(arrays["product_id"][place]),
            "title": str(arrays["title"][place]),
            "mentions": int(said[place]),
            "quotes": quotes.get((place, at), []),
        }
        for place in order[:MOST_PRODUCTS].tolist()
    ]
    return {"about": int(np.count_nonzero(said)), "products": products}
