"""What the price lever's page shows."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.price.choice import (
    LEFT_ALONE,
    Choices,
    Options,
    choose_prices,
    past_changes,
)
from cartwheel.levers.price.steps import Z80
from cartwheel.levers.report import Bars, Figure, Grid, Report
from cartwheel.signals.base import Signals

SHOWN = 200
BINS = (-8.0, -4.0, -3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 2.0)


def price_report(model: Model, data: Signals, lacks: tuple[str, ...]) -> Report:
    """Return the page of a model on the data it decided from."""
    if "mean" not in model.arrays:
        said = "; ".join(lacks) or "no healthy model"
        return Report(summary=f"Prices stay as they are: {said}.")
    choices = choose_prices(model, data)
    return Report(
        summary=_summary(choices),
        figures=_figures(model, data),
        bars=(_spread(model), _reasons(choices)),
        grids=(_proposals(choices), _left(choices)),
    )


def _summary(choices: Choices) -> str:
    kinds = Counter(choice.kind for choice in choices.made)
    names = {"price_change": "price changes", "price_test": "price tests"}
    said = ", ".join(
        f"{kinds[kind]} {names.get(kind, 'markdowns')}"
        for kind in ("price_change", "price_test", "markdown")
        if kinds[kind]
    )
    left = Counter(choices.left.values()).most_common(3)
    why = "; ".join(f"{count:,} variants: {LEFT_ALONE[code]}" for code, count in left)
    return f"Proposes {said or 'nothing'}. Left alone: {why or 'none'}."


def _known(model: Model, data: Signals) -> np.ndarray:
    options = Options.of(data)
    arrays = model.arrays
    return np.asarray(
        (2 * Z80 * arrays["sd"] <= options.useful_width)
        & (arrays["own_share"] >= options.least_own_share)
        & (arrays["prices"] >= options.least_prices)
        & (arrays["weeks"] >= options.least_weeks)
    )


def _figures(model: Model, data: Signals) -> tuple[Figure, ...]:
    known = int(_known(model, data).sum())
    mean, sd = float(model.meta["shop_mean"]), float(model.meta["shop_sd"])
    past = past_changes(data)
    held = past["actual"].between(past["low"], past["high"]).mean()
    return (
        Figure(
            label="Variants whose reaction to price is known",
            value=float(known),
            unit="",
            definition=f"Of {len(model.arrays['mean']):,}: 80 % interval of the "
            f"elasticity at most {Options.of(data).useful_width} wide, own sales at "
            "several prices contributed.",
        ),
        Figure(
            label="Mean elasticity of the shop",
            value=mean,
            low=mean - Z80 * sd,
            high=mean + Z80 * sd,
            unit="",
            definition="Percent change of units per percent change of price, with "
            f"80 % interval; the prior is {model.meta['prior_mean']} ± "
            f"{model.meta['prior_sd']} from published studies.",
        ),
        Figure(
            label="Earlier price changes inside their interval",
            value=None if past.empty else float(held),
            unit="share",
            definition="Share of measured price changes whose outcome fell inside the "
            "predicted 80 % interval.",
            not_yet="not yet: no price change has been measured",
        ),
    )


def _spread(model: Model) -> Bars:
    counts, _ = np.histogram(np.clip(model.arrays["mean"], -7.9, 1.9), BINS)
    edges = [f"{low:g} to {high:g}" for low, high in pairwise(BINS)]
    labels = [f"under {BINS[1]:g}", *edges[1:-1], f"over {BINS[-2]:g}"]
    return Bars(
        title="Variants by elasticity",
        unit="",
        labels=tuple(labels),
        values=tuple(float(c) for c in counts),
        note="Nearer to 0 means demand reacts less. Little-known variants stand near "
        "their category's mean.",
    )


def _reasons(choices: Choices) -> Bars:
    counts = Counter(choices.left.values()).most_common()
    return Bars(
        title="Why prices are left alone",
        unit="",
        labels=tuple(LEFT_ALONE[code] for code, _ in counts),
        values=tuple(float(count) for _, count in counts),
    )


def _proposals(choices: Choices) -> Grid:
    rows = [
        (
            str(choice.rows["title"][0] or choice.rows["variant_id"][0]),
            choice.kind.replace("_", " "),
            choice.article.price,
            choice.gain.price,
            round(choice.article.elasticity, 2),
            round(choice.gain.value),
            round(choice.gain.low),
            round(choice.gain.high),
        )
        for choice in choices.made[:SHOWN]
    ]
    return Grid(
        title="Proposals",
        columns=(
            "Article",
            "Kind",
            "Price now",
            "Price proposed",
            "Elasticity",
            "Gain",
            "Gain, low",
            "Gain, high",
        ),
        units=("", "", "minor", "minor", "", "minor", "minor", "minor"),
        rows=tuple(rows),
        note="Sizes of one article at one price move together and are one row.",
    )


def _left(choices: Choices) -> Grid:
    counts = Counter(choices.left.values())
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Grid(
        title="Left alone",
        columns=("Why", "Variants"),
        units=("", ""),
        rows=tuple((LEFT_ALONE[code], count) for code, count in order),
    )
