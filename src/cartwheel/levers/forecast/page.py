"""The forecast lever's console page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.forecast import choose as chooser
from cartwheel.levers.report import Figure, Grid, Line, Report
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE

MONTH = chooser.MONTH


def backtest_figures(score: chooser.Score, *, seed: int) -> dict[str, Any]:
    """Return nested backtest figures as JSON values, each with a 95 % interval."""
    draws = chooser.resampled(score.row, seed=seed)

    def ratio(error: np.ndarray, size: np.ndarray) -> list[float]:
        found = chooser.ratio_with_interval(error, size, score.row, draws)
        return [value if np.isfinite(value) else 0.0 for value in found]

    error = np.abs(score.actual - score.median)
    naive = np.abs(score.actual - score.naive)
    return {
        "cases": len(score.actual),
        "wape": ratio(error, score.actual),
        "naive_wape": ratio(naive, score.actual),
        "last_28_wape": ratio(np.abs(score.actual - score.last), score.actual),
        "wape_gain": ratio(naive - error, naive),
        "wql": ratio(score.loss, score.actual),
        "naive_wql": ratio(score.naive_loss, score.actual),
        "wql_gain": ratio(score.naive_loss - score.loss, score.naive_loss),
        "coverage": ratio(score.inside.astype(float), np.ones(len(score.row))),
    }


def page(model: Model, data: Signals) -> Report:
    """Return the page: figures, charts of the best sellers, backtest table."""
    return Report(
        summary=_summary(model),
        figures=_figures(model),
        lines=_lines(model, data),
        grids=_grids(model),
    )


def _summary(model: Model) -> str:
    planned = int((model.arrays["active"] & (model.arrays["recent_units"] > 0)).sum())
    if not planned:
        return "Nothing to forecast yet: no sale is on record."
    units = float(model.arrays["mean"][:, MONTH].sum())
    text = f"{planned:,} variants planned, {units:,.0f} units expected in 28 days. "
    backtest = model.meta["backtest"]
    if not backtest:
        return text + "The pace of the last 28 days is expected to go on."
    gain, low, high = backtest["wape_gain"]
    word = "smaller" if gain >= 0 else "larger"
    sure = "" if low > 0 or high < 0 else ", a difference within chance"
    return (
        text + f"In its backtest the error was {abs(gain):.0%} {word} than seasonal "
        f"naive's ({low:.0%} to {high:.0%}{sure})."
    )


def _figures(model: Model) -> tuple[Figure, ...]:
    backtest, realised = model.meta["backtest"], model.meta["realised"]
    none = "Not yet: a backtest needs 8 weeks of sales."
    rows = (
        ("Error of 28-day totals", "wape", "Sum of |actual - median| over units sold."),
        (
            "Same, seasonal naive",
            "naive_wape",
            "Same 28 days a year ago, else last 28.",
        ),
        (
            "Quantile loss",
            "wql",
            "Mean of 2 x pinball loss at 10, 50, 90 % over units.",
        ),
        ("Same, seasonal naive", "naive_wql", "Naive with its own pooled residuals."),
        (
            "80 % interval held",
            "coverage",
            "Share of backtest totals inside; aim 80 %.",
        ),
    )
    figures = [_from_backtest(backtest.get(k), t, d, none) for t, k, d in rows]
    figures.append(
        Figure(
            label="80 % interval held, published plans",
            value=realised.get("coverage"),
            unit="share",
            definition=(
                f"Share of {realised['outcomes']:,} earlier plans whose 28 days "
                "are over and ended inside."
            ),
            low=realised.get("coverage_low"),
            high=realised.get("coverage_high"),
            not_yet=_first_outcome(model),
        )
    )
    return tuple(figures)


def _from_backtest(
    value: list[float] | None, label: str, definition: str, none: str
) -> Figure:
    if value is None:
        return Figure(
            label=label, value=None, unit="share", definition=definition, not_yet=none
        )
    point, low, high = value
    return Figure(
        label=label,
        value=point,
        unit="share",
        definition=f"{definition} Backtest, 95 % bootstrap interval over variants.",
        low=low,
        high=high,
    )


def _first_outcome(model: Model) -> str:
    day = date.fromisoformat(model.meta["as_of"]) + timedelta(days=28)
    return f"Not yet, about {day.isoformat()}: the first plan's 28 days must pass."


def _lines(model: Model, data: Signals) -> tuple[Line, ...]:
    top = model.arrays["top"]
    ids = [str(v) for v in model.arrays["variants"][top]]
    titles = data.align(CATALOGUE, ids)["title"].tolist()
    return tuple(
        _line(model, place, int(row), ids[place], titles[place])
        for place, row in enumerate(top)
    )


def _line(model: Model, place: int, row: int, variant: str, title: Any) -> Line:
    """Twelve weeks of sales, then 1, 2 and 4 weeks ahead as weekly means."""
    as_of = date.fromisoformat(model.meta["as_of"])
    past = [float(v) for v in model.arrays["top_weeks"][place]]
    days = [as_of - timedelta(days=7 * k) for k in range(len(past))][::-1]
    mean = model.arrays["mean"][row, : MONTH + 1]
    steps = np.diff(np.concatenate([[0.0], mean])) / np.array([1, 1, 2])
    ahead = [float(v) for v in (steps[0], steps[1], steps[2], steps[2])]
    # A week's own band, not a part of the month's: bands of totals do not add up.
    band = model.arrays["quantiles"][row, 0]
    gap_low = float(model.arrays["mean"][row, 0] - band[0])
    gap_high = float(band[3] - model.arrays["mean"][row, 0])
    days += [as_of + timedelta(days=7 * k) for k in range(1, 5)]
    gone: list[float | None] = [None] * len(past)
    total = model.arrays["quantiles"][row, MONTH]
    return Line(
        title=title if isinstance(title, str) and title else variant,
        subject=f"variant:{variant}",
        unit="units",
        x=tuple(day.isoformat() for day in days),
        actual=(*past, *[None] * 4),
        predicted=(*gone, *ahead),
        low=(*gone, *[max(0.0, v - gap_low) for v in ahead]),
        high=(*gone, *[v + max(0.0, gap_high) for v in ahead]),
        note=(
            "Units a week, each point the week's last day; 80 % band of single weeks. "
            f"Next 28 days together: {total[1]:,.0f} ({total[0]:,.0f} to "
            f"{total[3]:,.0f})."
        ),
    )


def _grids(model: Model) -> tuple[Grid, ...]:
    table = model.meta["table"]
    if not table:
        return ()
    methods = dict(zip(chooser.CLASSES, model.meta["methods"], strict=True))
    rows = [
        (*row, "yes" if methods[row[0]] == row[1] else "")
        for row in sorted(table, key=lambda r: (chooser.CLASSES.index(r[0]), r[4]))
    ]
    return (
        Grid(
            title="Backtest by class of variants and method",
            columns=(
                "Class",
                "Method",
                "Cases",
                "Error of 28-day totals",
                "Quantile loss",
                "Bias",
                "Used",
            ),
            units=("", "", "", "share", "share", "share", ""),
            rows=tuple(rows),
            note=(
                f"{model.meta['origins']} earlier days, each forecast from what was "
                "known then. Within a class the smallest quantile loss is used; "
                "classes with under 60 cases take the choice of all. New: under 8 "
                "weeks of history. Regular: sold in half of the last 26 weeks."
            ),
        ),
    )
