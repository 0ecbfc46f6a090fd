"""The voice lever's console page: objections by money and by product, with quotes."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.levers.voice.classes import CLASSES
from cartwheel.levers.voice.learn import quotes_of
from cartwheel.levers.voice.rules import LANGUAGES
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE

SHOWN = 25
SURE = 0.025
"""Chance below which more mentions than before are told as rising."""


def page(model: Model, data: Signals) -> Report:
    """Return what is objected to, where, since when, and what it may cost."""
    meta, arrays = model.meta, model.arrays
    texts = meta["texts"]
    total = arrays["total"]
    priced = ~np.isnan(total[:, 0])
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
            Figure(
                label="Money at stake a year",
                value=float(total[priced, 0].sum()) if priced.any() else None,
                unit="minor",
                definition=(
                    "Returns with that reason, messages at what answering one costs, "
                    "and sales lost where they are told from chance. No promise: a "
                    "test of the fix tells what mending brings. A text with two "
                    "objections counts under both."
                ),
                not_yet=(
                    "Needs reasons of returns with unit costs, or what answering a "
                    "message costs (costs.contact_minor)."
                ),
            ),
        ),
        grids=(_themes(model), _products(model, data)),
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
        for name in ("said", "recent", "before", "messages", "returned")
    }
    worth = np.nan_to_num(arrays["total"][:, 0], nan=-1.0)
    order = np.lexsort((np.arange(len(worth)), -sums["said"], -worth))
    rows = []
    for at in order.tolist():
        if not sums["said"][at]:
            continue
        recent, before = int(sums["recent"][at]), int(sums["before"][at])
        rises = rising(recent, before, meta["recent"], meta["before"])
        rows.append(
            (
                list(CLASSES.values())[at],
                int(sums["said"][at]),
                sums["said"][at] / meta["texts"],
                recent,
                before,
                "rising" if rises else "",
                int(sums["messages"][at]),
                int(sums["returned"][at]),
                *_amounts(arrays["total"][at]),
            )
        )
    return Grid(
        title="Objections by money at stake",
        columns=(
            "objection",
            "texts",
            "of all texts",
            "last 28 days",
            "28 days before",
            "",
            "messages",
            "units back",
            "at stake a year",
            "from",
            "to",
        ),
        units=(
            "",
            "units",
            "share",
            "units",
            "units",
            "",
            "units",
            "units",
            "minor",
            "minor",
            "minor",
        ),
        rows=tuple(rows),
        note="Rising: more than before beyond chance, given how much was written.",
    )


def rising(recent: int, before: int, texts: int, texts_before: int) -> bool:
    """Tell whether mentions rose beyond chance.

    Given all mentions of both spans, those of the later are binomial with its share of
    the texts.
    """
    from scipy.stats import binom

    if not texts or recent <= 0:
        return False
    share = texts / (texts + texts_before)
    return bool(binom.sf(recent - 1, recent + before, share) < SURE)


def _products(model: Model, data: Signals) -> Grid:
    arrays = model.arrays
    names = arrays["product_id"]
    catalogue = data.frame(CATALOGUE).dropna(subset=["product_id"])
    title = catalogue.groupby("product_id")["title"].first().to_dict()
    product, kind = np.nonzero((arrays["said"] > 0) & (names != "")[:, None])
    worth = np.nan_to_num(arrays["stake"][product, kind, 0], nan=-1.0)
    order = np.lexsort((kind, product, -arrays["said"][product, kind], -worth))
    rows = []
    for at in order[:SHOWN].tolist():
        one, other = int(product[at]), int(kind[at])
        quotes = quotes_of(model, one, other)
        rows.append(
            (
                str(title.get(names[one], names[one])),
                list(CLASSES.values())[other],
                int(arrays["said"][one, other]),
                int(arrays["texts"][one]),
                int(arrays["returned"][one, other]),
                *_amounts(arrays["stake"][one, other]),
                quotes[0] if quotes else "",
            )
        )
    return Grid(
        title="Where it hurts most",
        columns=(
            "product",
            "objection",
            "texts that raise it",
            "texts about it",
            "units back",
            "at stake a year",
            "from",
            "to",
            "in a customer's words",
        ),
        units=("", "", "units", "units", "units", "minor", "minor", "minor", ""),
        rows=tuple(rows),
        note="What is personal in a quote is masked.",
    )


def _amounts(three: Any) -> tuple[int | None, int | None, int | None]:
    """Return amount and interval in whole minor units, None where unknown."""
    if np.isnan(three[0]):
        return None, None, None
    return round(three[0]), round(three[1]), round(three[2])
