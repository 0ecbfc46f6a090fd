"""What is found of a policy, in sentences that cannot be read as more."""

from __future__ import annotations

from dataclasses import replace

from cartwheel.measure.earnings.words import Words
from cartwheel.measure.off_policy.figures import Figure

MONEY = ("spent_minor", "paid_minor")


def amount(figure: Figure, value: float, write: Words) -> str:
    """Return one number of a figure, money as money."""
    if figure.reward in MONEY:
        return write.money(value)
    return f"{value:,.2f}".replace("-", "−")


def span(
    figure: Figure,
    value: float | None,
    low: float | None,
    high: float | None,
    write: Words,
) -> str:
    """Return a number with its interval, "" where there is none."""
    if value is None or low is None or high is None:
        return ""
    ends = f"{amount(figure, low, write)} to {amount(figure, high, write)}"
    return f"{amount(figure, value, write)} (95 %: {ends})"


def said(figure: Figure, write: Words) -> Figure:
    """Return a figure with its sentence.

    Args:
        figure: The figure.
        write: Writes money.
    """
    if figure.refused or figure.value is None:
        why = figure.refused or "there is no value"
        return replace(figure, sentence=f"Not known: {why[:1].lower()}{why[1:]}")
    value = span(figure, figure.value, figure.low, figure.high, write)
    if figure.gain is None:
        return replace(figure, sentence=f"{value} {figure.unit}.")
    gain = span(figure, figure.gain, figure.gain_low, figure.gain_high, write)
    if figure.decided:
        more = "more" if figure.gain > 0 else "less"
        told = f"{more} than what ran, by {gain}"
    else:
        told = f"which cannot be told from what ran: the difference is {gain}"
    return replace(figure, sentence=f"It would have had {value} {figure.unit}, {told}.")
