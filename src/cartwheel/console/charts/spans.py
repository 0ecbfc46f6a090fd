"""Intervals over days, without the estimates in them.

A picture of a running experiment: where the truth may lie, as known on each day. There
is no dot to read as a result, and days on which nothing can be said stay empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from cartwheel.console.charts.line import short_day
from cartwheel.svg import clean, drawing, tag, ticks

ROOM_FOR_EARLY = 1.0
"""How far earlier intervals may widen the picture, in lengths of the latest one. The
first looks know next to nothing, and would press the later ones flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is known on a day.

    Attributes:
        day: The day.
        low: Lower end of the interval, None when nothing can be said yet.
        high: Upper end of the interval.
    """

    day: date
    low: float | None
    high: float | None


def span_chart(
    *,
    title: str,
    spans: Sequence[Span],
    first: date,
    last: date,
    format_value: Callable[[float], str] = str,
    reference: float = 0.0,
    width: int = 720,
    height: int = 240,
) -> str:
    """Draw one upright line a day, from the first day to the planned last one.

    Args:
        title: Name of the chart, read by screen readers.
        spans: Intervals, oldest first.
        first: First day on the axis.
        last: Last day on the axis.
        format_value: Writes a value with its unit.
        reference: Value marked by a line, such as "no effect".
        width: Width in CSS pixels.
        height: Height in CSS pixels.
    """
    told = [
        (span.day, span.low, span.high)
        for span in spans
        if span.low is not None and span.high is not None
    ]
    if not told:
        return ""
    bottom_value, top_value = _reach(told, reference)
    steps = ticks(bottom_value, top_value)
    left = 12 + 6.6 * max(len(format_value(v)) for v in steps)
    right, top, bottom = width - 14.0, 10.0, height - 26.0
    days = max(1, (last - first).days)

    def x(day: date) -> float:
        share = (day - first).days / days
        return left + min(1.0, max(0.0, share)) * (right - left)

    def y(value: float) -> float:
        share = (value - steps[0]) / (steps[-1] - steps[0])
        return bottom - min(1.0, max(0.0, share)) * (bottom - top)

    parts = []
    for value in steps:
        parts.append(
            tag("line", class_="grid", x1=left, x2=right, y1=y(value), y2=y(value))
            + tag(
                "text",
                clean(format_value(value)),
                class_="tick",
                x=left - 6,
                y=y(value) + 4,
                text_anchor="end",
            )
        )
    parts.append(
        tag(
            "line",
            class_="axis zero",
            x1=left,
            x2=right,
            y1=y(reference),
            y2=y(reference),
        )
    )
    for day, anchor in ((first, "start"), (last, "end")):
        parts.append(
            tag(
                "text",
                clean(short_day(day.isoformat())),
                class_="tick",
                x=x(day),
                y=bottom + 18,
                text_anchor=anchor,
            )
        )
    thick = max(1.0, min(7.0, (right - left) / days * 0.6))
    for day, low, high in told:
        said = (
            f"{short_day(day.isoformat())}: {format_value(low)} to {format_value(high)}"
        )
        parts.append(
            tag(
                "line",
                tag("title", clean(said)),
                class_="span",
                x1=x(day),
                x2=x(day),
                y1=y(low),
                y2=y(high),
                stroke_width=thick,
            )
        )
    return drawing(
        *parts,
        width=width,
        height=height,
        label=title,
        class_="chart chart-spans",
    )


def _reach(
    told: Sequence[tuple[date, float, float]], reference: float
) -> tuple[float, float]:
    """Return the least and the largest value of the picture."""
    _, low, high = told[-1]
    more = ROOM_FOR_EARLY * (high - low)
    lowest = max(min(one[1] for one in told), low - more)
    highest = min(max(one[2] for one in told), high + more)
    return min(lowest, reference), max(highest, reference)
