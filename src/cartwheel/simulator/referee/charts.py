"""Charts of the report: numbers in, one SVG element as text out.

Colours are classes of the report's style, so a chart follows light, dark and print.
Verdicts and arms also differ by shape and dash, for those who see no colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.referee.paired import Verdict
from cartwheel.svg import (
    clean,
    drawing,
    known,
    number,
    shorten,
    tag,
    ticks,
)

Array = np.ndarray[Any, Any]
Write = Callable[[float], str]

LETTER = 6.9
"""Mean width of a letter of a label in CSS pixels."""
NARROW = 420
"""Below this width labels stand above their row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One estimate with its interval; nan where it is unknown."""

    label: str
    value: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """One arm's series by day with its band, shape (days,) each."""

    label: str
    mean: Array
    low: Array
    high: Array
    place: int


def interval_chart(
    *, title: str, spots: Sequence[Spot], write: Write, width: int = 476
) -> str:
    """Draw a mark and a whisker a row on one axis with a line at no difference.

    Args:
        title: Name of the chart, read by screen readers.
        spots: Estimates; those without a value are drawn as "not known".
        write: Writes a value with its sign.
        width: Width in CSS pixels.
    """
    ends = known([v for spot in spots for v in (spot.low, spot.value, spot.high)])
    if not ends:
        return ""
    steps = _steps(ends, max(3, width // 130))
    above = width < NARROW
    row = 42 if above else 30
    longest = LETTER * max(len(spot.label) for spot in spots)
    left = 14 if above else min(round(width * 0.42), 16 + round(longest))
    right = round(14 + LETTER * max(len(write(v)) for v in ends))
    scale = (width - left - right) / (steps[-1] - steps[0])
    bottom = row * len(spots) + 6.0

    def at(value: float) -> float:
        return left + (value - steps[0]) * scale

    axis = [
        tag("line", class_="grid", x1=at(v), x2=at(v), y1=4, y2=bottom)
        + tag(
            "text",
            clean(write(v)),
            class_="tick",
            x=at(v),
            y=bottom + 16,
            text_anchor="middle",
        )
        for v in steps
    ]
    zero = tag("line", class_="zero", x1=at(0), x2=at(0), y1=4, y2=bottom)
    rows = []
    for i, spot in enumerate(spots):
        y = 4.0 + row * i + (row - 12 if above else row / 2)
        place = (14.0, y - 14, "start") if above else (left - 10.0, y + 4, "end")
        letters = int((width - 28 if above else left - 12) / LETTER)
        label = tag(
            "text",
            clean(shorten(spot.label, max(4, letters))),
            class_="label",
            x=place[0],
            y=place[1],
            text_anchor=place[2],
        )
        rows.append(tag("g", _said(spot, write), label, _mark(spot, y, at, write)))
    return drawing(
        *axis,
        zero,
        *rows,
        width=width,
        height=round(bottom) + 24,
        label=title,
        class_="chart",
    )


def _steps(values: Sequence[float], wanted: int) -> list[float]:
    """Return round values that cover the data and 0."""
    low, high = min(0.0, *values), max(0.0, *values)
    # Rounding noise around 0 is no range to draw.
    return ticks(low, high, wanted) if high - low > 1e-6 else ticks(0, 1, wanted)


def _said(spot: Spot, write: Write) -> str:
    if not known([spot.value]):
        return tag("title", clean(f"{spot.label}: not known"))
    between = (
        f" ({write(spot.low)} to {write(spot.high)}), {spot.verdict}"
        if known([spot.low, spot.high])
        else ", no interval"
    )
    return tag("title", clean(f"{spot.label}: {write(spot.value)}{between}"))


def _mark(spot: Spot, y: float, at: Callable[[float], float], write: Write) -> str:
    """Draw a disc above 0, a diamond below it, a ring where it is not told."""
    if not known([spot.value]):
        return tag("text", "not known", class_="tick", x=at(0) + 6, y=y + 4)
    kind = spot.verdict.split()[0]
    x, end = at(spot.value), spot.value
    parts = []
    if len(known([spot.low, spot.high])) == 2:
        end = spot.high
        parts.append(
            tag(
                "line",
                class_=f"whisker is-{kind}",
                x1=at(spot.low),
                x2=at(spot.high),
                y1=y,
                y2=y,
            )
        )
    if kind == "below":
        corners = ((x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6))
        points = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
        parts.append(tag("polygon", class_="mark is-below", points=points))
    else:
        parts.append(tag("circle", class_=f"mark is-{kind}", cx=x, cy=y, r=5))
    parts.append(
        tag(
            "text",
            clean(write(spot.value)),
            class_="value",
            x=max(at(end), x) + 10,
            y=y + 4,
        )
    )
    return "".join(parts)


def band_chart(
    *, title: str, bands: Sequence[Band], write: Write, width: int = 476
) -> str:
    """Draw one line an arm over days with its band; names stand beside the ends.

    Args:
        title: Name of the chart, read by screen readers.
        bands: Series from the first day after warm-up, at least one day each.
        write: Writes a value of the upright axis.
        width: Width in CSS pixels.
    """
    values = known([v for band in bands for s in _series(band) for v in s])
    days = max((len(band.mean) for band in bands), default=0)
    if not values or days == 0:
        return ""
    height = 280 if width >= NARROW else 240
    steps = _steps(values, 4)
    left = 14 + LETTER * max(len(write(v)) for v in steps)
    room = 16 + LETTER * max(min(len(band.label), 16) for band in bands)
    right, top, bottom = width - room, 10.0, height - 42.0
    scale = (bottom - top) / (steps[-1] - steps[0])

    def x(day: float) -> float:
        return left + (day - 1) / max(days - 1, 1) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - steps[0]) * scale

    parts = [
        tag(
            "line",
            class_="zero" if v == 0 else "grid",
            x1=left,
            x2=right,
            y1=y(v),
            y2=y(v),
        )
        + tag(
            "text",
            clean(write(v)),
            class_="tick",
            x=left - 8,
            y=y(v) + 4,
            text_anchor="end",
        )
        for v in steps
    ]
    parts += [_day(day, x(day), bottom, days) for day in _days_shown(days, width)]
    parts.append(
        tag(
            "text",
            "days after warm-up",
            class_="tick",
            x=(left + right) / 2,
            y=height - 6,
            text_anchor="middle",
        )
    )
    parts += [_polygon(band, x, y) for band in bands]
    parts += [_line(band, x, y) for band in bands]
    parts += _names(bands, right + 8, y, top, bottom)
    return drawing(*parts, width=width, height=height, label=title, class_="chart")


def _series(band: Band) -> tuple[list[float], ...]:
    return tuple(one.tolist() for one in (band.mean, band.low, band.high))


def _days_shown(days: int, width: int) -> list[int]:
    """Return round days that fall on the axis, or its ends when it is short."""
    round_ = [int(v) for v in ticks(0, days, width // 80) if v == int(v)]
    return [day for day in round_ if 0 < day <= days] if days > 3 else [1, days]


def _day(day: int, x: float, bottom: float, days: int) -> str:
    anchor = "end" if day == days > 1 else "middle"
    return tag("text", str(day), class_="tick", x=x, y=bottom + 18, text_anchor=anchor)


def _polygon(
    band: Band, x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    mean, low, high = _series(band)
    if len(known([*low, *high])) < 2 * len(mean):
        return ""
    there = [(x(i + 1), y(v)) for i, v in enumerate(high)]
    back = [(x(i + 1), y(v)) for i, v in enumerate(low)][::-1]
    points = " ".join(f"{number(a)},{number(b)}" for a, b in there + back)
    return tag("polygon", class_=f"band arm-{band.place}", points=points)


def _line(band: Band, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    spots = [
        f"{number(x(i + 1))} {number(y(v))}" for i, v in enumerate(band.mean.tolist())
    ]
    # A lone day would be an invisible line of no length.
    tail = " h0.1" if len(spots) == 1 else ""
    return tag("path", class_=f"line arm-{band.place}", d="M" + " L".join(spots) + tail)


def _names(
    bands: Sequence[Band],
    x: float,
    y: Callable[[float], float],
    top: float,
    bottom: float,
) -> list[str]:
    """Write names beside the ends of their lines, moved apart where they collide."""
    placed = sorted(bands, key=lambda band: y(float(band.mean[-1])))
    heights: list[float] = []
    for band in placed:
        wanted = y(float(band.mean[-1])) + 4
        heights.append(max(wanted, heights[-1] + 15) if heights else max(wanted, top))
    over = max(0.0, heights[-1] - bottom - 4)
    return [
        tag(
            "text",
            clean(shorten(band.label, 16)),
            class_=f"name arm-{band.place}",
            x=x,
            y=height - over,
        )
        for band, height in zip(placed, heights, strict=True)
    ]
