"""The voice lever's console page: objections by money and by product, with quotes."""

from __future__ import annotations

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.levers.voice.learn import money_of
from cartwheel.levers.voice.quotes import quotes_by_place
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.rules import LANGUAGES

SHOWN = 25
SURE = 0.025
"""Chance below which more mentions than before are told as rising."""


def page(model: Model) -> Report:
    """Return what is objected to, where, since when, and what it may cost."""
    meta = model.meta
    texts = meta["texts"]
    return Report(
        summary=(
            f"{meta['raising']:,} of {texts:,} texts of a year raise an objection; "
            f"read by rules in {' and '.join(LANGUAGES.values())}, {meta['unread']:,} "
            f"in another language not read. {_lost_said(model)}"
        ),
        figures=(
            Figure(
                label="Texts that raise an objection",
                value=meta["raising"] / texts if texts else None,
                unit="share",
                definition=(
                    "Of the reviews, messages and reasons of returns of 365 days, "
                    "those with a sentence in one of twelve classes."
                ),
                not_yet="Needs reviews, messages or returns.",
            ),
            _dearest(model),
        ),
        grids=(_themes(model), _products(model)),
    )


def _dearest(model: Model) -> Figure:
    """Return what the costliest objection may cost; a sum would count texts twice."""
    total = model.arrays["total"]
    known = ~np.isnan(total[:, 0])
    at = int(np.argmax(np.where(known, total[:, 0], -1.0)))
    name = list(CLASSES.values())[at].lower()
    point, low, high = total[at].tolist() if known.any() else (None, None, None)
    return Figure(
        label=f"At stake a year: {name}" if known.any() else "At stake a year",
        value=point,
        low=low,
        high=high,
        unit="minor",
        definition=(
            "Of the costliest objection: returns for it, messages at what answering "
            "one costs, and sales lost where they are told from chance. No promise: a "
            "test of the fix tells what mending brings."
        ),
        not_yet=(
            "Needs reasons of returns with unit costs, or what answering a message "
            "costs (costs.contact_minor)."
        ),
    )


def _lost_said(model: Model) -> str:
    compared, told = model.meta["compared"], model.meta["told"]
    if not compared:
        return "Lost sales are not told yet: too few products with views and texts."
    if not told:
        return (
            f"Among {compared:,} products compared, no objection goes with fewer sales "
            "beyond chance."
        )
    names = ", ".join(CLASSES[name].lower() for name in told)
    return f"Among {compared:,} products compared, fewer sales go with: {names}."


def _themes(model: Model) -> Grid:
    arrays, meta = model.arrays, model.meta
    sums = {
        name: arrays[name].sum(axis=0)
        for name in ("said", "displeased", "recent", "before", "messages", "returned")
    }
    worth = np.nan_to_num(arrays["total"][:, 0], nan=-1.0)
    order = np.lexsort((np.arange(len(worth)), -sums["said"], -worth))
    rows = []
    for at in order.tolist():
        if not sums["said"][at]:
            continue
        recent, before = int(sums["recent"][at]), int(sums["before"][at])
        rises = rising(recent, before, meta["recent"], meta["before"])
        name = list(CLASSES.values())[at]
        rows.append(
            (
                f"{name} (rising)" if rises else name,
                int(sums["said"][at]),
                int(sums["displeased"][at]),
                recent,
                before,
                int(sums["messages"][at]),
                int(sums["returned"][at]),
                *money_of(arrays["total"][at]),
            )
        )
    return Grid(
        title="Objections by money at stake",
        columns=(
            "objection",
            "texts",
            "displeased",
            "28 days",
            "before",
            "messages",
            "units back",
            "at stake",
            "from",
            "to",
        ),
        units=("", *["units"] * 6, "minor", "minor", "minor"),
        rows=tuple(rows),
        note=(
            f"{_mood_said(meta['mood_texts'])} At stake a year, with the 95 % "
            "interval. Before: the 28 days before the last 28. Rising: more than "
            "before beyond chance, given how much was written. Texts are reviews, "
            "messages and reasons of returns."
        ),
    )


def _mood_said(texts: int) -> str:
    if texts:
        return f"Displeased: by words, and by what {texts:,} texts with stars teach."
    return "Displeased: by words alone, as too few texts have stars."


def rising(
    recent: int, before: int, texts: int, texts_before: int, *, sure: float = SURE
) -> bool:
    """Tell whether mentions rose beyond chance.

    Given all mentions of both spans, those of the later are binomial with its share of
    the texts.

    Args:
        recent: Mentions of the later span.
        before: Mentions of the span before.
        texts: Texts of the later span.
        texts_before: Texts of the span before.
        sure: Chance below which more are told as rising.
    """
    from scipy.stats import binom

    if not texts or recent <= 0:
        return False
    share = texts / (texts + texts_before)
    return bool(binom.sf(recent - 1, recent + before, share) < sure)


def _products(model: Model) -> Grid:
    arrays, quotes = model.arrays, quotes_by_place(model)
    names = arrays["product_id"]
    product, kind = np.nonzero((arrays["said"] > 0) & (names != "")[:, None])
    worth = np.nan_to_num(arrays["stake"][product, kind, 0], nan=-1.0)
    order = np.lexsort((kind, product, -arrays["said"][product, kind], -worth))
    rows = []
    for at in order[:SHOWN].tolist():
        one, other = int(product[at]), int(kind[at])
        said = quotes.get((one, other), [""])
        rows.append(
            (
                str(arrays["title"][one]),
                list(CLASSES.values())[other],
                said[0],
                int(arrays["said"][one, other]),
                int(arrays["returned"][one, other]),
                *money_of(arrays["stake"][one, other]),
            )
        )
    return Grid(
        title="Where it hurts most",
        columns=(
            "product",
            "objection",
            "in a customer's words",
            "texts",
            "units back",
            "at stake",
            "from",
            "to",
        ),
        units=("", "", "", "units", "units", "minor", "minor", "minor"),
        rows=tuple(rows),
        note="At stake a year. What is personal in a quote is masked.",
    )
