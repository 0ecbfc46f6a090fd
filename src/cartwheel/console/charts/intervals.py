"""Dots with intervals: estimates side by side with how sure each is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cartwheel.svg import clean, drawing, shorten, tag, ticks

ROW = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One estimate with its interval."""

    label: str
    value: float
    low: float
    high: float


def interval_chart(
    *,
    title: str,
    rows: Sequence[Interval],
    format_value: Callable[[float], str] = str,
    reference: float | None = 0.0,
    width: int = 720,
) -> str:
    """Draw one dot and whisker a row on a common axis.

    Args:
        title: Name of the chart, read by screen readers.
        rows: Estimates.
        format_value: Writes a value with its unit.
        reference: Value marked by a line, such as "no effect"; None for none.
        width: Width in CSS pixels.
    """
    if not rows:
        return ""
    ends = [v for row in rows for v in (row.low, row.high, row.value)]
    ends += [] if reference is None else [reference]
    steps = ticks(min(ends), max(ends), max(2, width // 160))
    room = min(int(width * 0.4), 30 + round(7.2 * max(len(r.label) for r in rows)))
    scale = (width - room - 30) / (steps[-1] - steps[0])
    bottom = ROW * len(rows) + 6.0

    def at(value: float) -> float:
        return room + (value - steps[0]) * scale

    parts = [
        tag("line", class_="grid", x1=at(v), x2=at(v), y1=4, y2=bottom)
        + tag(
            "text",
            clean(format_value(v)),
            class_="tick",
            x=at(v),
            y=bottom + 16,
            text_anchor="middle",
        )
        for v in steps
    ]
    if reference is not None:
        x = at(reference)
        parts.append(tag("line", class_="split", x1=x, x2=x, y1=4, y2=bottom))
    parts += [_row(i, row, at, room, format_value) for i, row in enumerate(rows)]
    return drawing(
        *parts,
        width=width,
        height=round(bottom) + 24,
        label=title,
        class_="chart chart-intervals",
    )


def _row(
    i: int,
    row: Interval,
    at: Callable[[float], float],
    room: int,
    write: Callable[[float], str],
) -> str:
    y = 4.0 + i * ROW + ROW / 2
    said = f"{row.label}: {write(row.value)} ({write(row.low)} to {write(row.high)})"
    return tag(
        "g",
        tag("title", clean(said)),
        tag(
            "text",
            clean(shorten(row.label, max(4, int((room - 12) / 6.8)))),
            class_="label",
            x=room - 10,
            y=y + 4,
            text_anchor="end",
        ),
        tag("line", class_="whisker", x1=at(row.low), x2=at(row.high), y1=y, y2=y),
        tag("circle", class_="dot", cx=at(row.value), cy=y, r=5),
    )
