"""Figures in plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def figure_text(
    value: float | None, unit: str, *, currency: str, minor_digits: int
) -> str:
    """Return a figure with its unit, "-" for none.

    Args:
        value: The figure.
        unit: "minor", "share", "months" or "points".
        currency: ISO 4217 code.
        minor_digits: Decimal places of the currency.
    """
    if value is None:
        return "-"
    if unit == "minor":
        return f"{value / 10**minor_digits:,.{minor_digits}f} {currency}"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "months":
        return f"{value:.1f} months"
    return f"{value:.0f} {unit}"


def board_lines(
    board: Mapping[str, Any], *, currency: str, minor_digits: int
) -> list[str]:
    """Return a board as lines: figures with their intervals, then what is not yet."""

    def text(kpi: Mapping[str, Any], name: str) -> str:
        return figure_text(
            kpi[name], kpi["unit"], currency=currency, minor_digits=minor_digits
        )

    kpis = board["kpis"]
    width = max(len(kpi["label"]) for kpi in kpis)
    lines = [f"As of {board['as_of']}, window {board['window_days']} days:"]
    for kpi in kpis:
        if kpi["value"] is not None:
            between = f"95% interval {text(kpi, 'low')} to {text(kpi, 'high')}"
            lines.append(f"{kpi['label']:{width}}  {text(kpi, 'value')}  ({between})")
            if kpi["note"]:
                lines.append(f"{'':{width}}  {kpi['note']}")
    lines += [
        f"{kpi['label']:{width}}  {kpi['not_yet']}"
        for kpi in kpis
        if kpi["value"] is None
    ]
    return lines
