"""Line chart over days: history, prediction and its interval band."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from cartwheel.svg import clean, drawing, known, number, runs, tag, ticks

Values = Sequence[float | None]
Format = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where data coordinates fall on the drawing."""

    left: float
    right: float
    top: float
    bottom: float
    first: float
    last: float
    low: float
    high: float

    def x(self, at: float) -> float:
        share = (at - self.first) / ((self.last - self.first) or 1)
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.bottom - share * (self.bottom - self.top)


def line_chart(
    *,
    title: str,
    x: Sequence[str],
    actual: Values,
    predicted: Values = (),
    low: Values = (),
    high: Values = (),
    format_value: Format = str,
    names: tuple[str, str] = ("", "predicted"),
    width: int = 720,
    height: int = 240,
) -> str:
    """Draw history as a line, the prediction dashed, its interval as a band.

    Args:
        title: Name of the chart, read by screen readers.
        x: ISO days, one per point; other texts are spaced evenly.
        actual: History, None where unknown; a gap breaks the line.
        predicted: Prediction, None where there is none.
        low: Lower end of the band.
        high: Upper end of the band.
        format_value: Writes a value with its unit.
        names: What the two lines are called beside the pointer.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
    """
    values = known([*actual, *predicted, *low, *high])
    if not x or not values:
        return ""
    steps = ticks(min(0.0, *values), max(values))
    margin = 12 + 6.6 * max(len(format_value(v)) for v in steps)
    positions = _positions(x)
    frame = _Frame(
        left=margin,
        right=width - 10.0,
        top=10.0,
        bottom=height - 26.0,
        first=positions[0],
        last=positions[-1],
        low=steps[0],
        high=steps[-1],
    )
    points = {"actual": actual, "predicted": predicted, "low": low, "high": high}
    return drawing(
        _y_axis(frame, steps, format_value),
        _x_axis(frame, x, positions, width),
        _band(frame, positions, low, high),
        _split(frame, positions, actual, predicted),
        _path(frame, positions, predicted, "line-predicted"),
        _path(frame, positions, actual, "line-actual"),
        tag(
            "line",
            class_="cursor",
            y1=frame.top,
            y2=frame.bottom,
            x1=-9,
            x2=-9,
        ),
        width=width,
        height=height,
        label=title,
        class_="chart chart-line",
        data_points=_tooltips(frame, x, positions, points, format_value, names),
    )


def _positions(x: Sequence[str]) -> list[float]:
    try:
        return [float(date.fromisoformat(day[:10]).toordinal()) for day in x]
    except ValueError:
        return [float(i) for i in range(len(x))]


def _y_axis(frame: _Frame, steps: Sequence[float], write: Format) -> str:
    parts = []
    for value in steps:
        y = frame.y(value)
        parts.append(
            tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y)
        )
        parts.append(
            tag(
                "text",
                clean(write(value)),
                class_="tick",
                x=frame.left - 6,
                y=y + 4,
                text_anchor="end",
            )
        )
    return "".join(parts)


def _x_axis(
    frame: _Frame, x: Sequence[str], positions: Sequence[float], width: int
) -> str:
    wanted = max(2, min(len(x), width // 120))
    chosen = sorted({round(i * (len(x) - 1) / (wanted - 1)) for i in range(wanted)})
    parts = []
    for i in chosen:
        at = frame.x(positions[i])
        anchor = "end" if i == len(x) - 1 else "start" if i == 0 else "middle"
        parts.append(
            tag(
                "text",
                clean(short_day(x[i])),
                class_="tick",
                x=at,
                y=frame.bottom + 18,
                text_anchor=anchor,
            )
        )
    return "".join(parts)


def short_day(text: str) -> str:
    """Return an ISO day as "9 Nov", any other text unchanged."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{day.day} {day:%b}"


def _band(frame: _Frame, positions: Sequence[float], low: Values, high: Values) -> str:
    if not low or not high:
        return ""
    both = [
        None if a is None or b is None else a for a, b in zip(low, high, strict=False)
    ]
    parts = []
    for run in runs(both):
        upper = [(positions[i], high[i]) for i in run]
        lower = [(positions[i], low[i]) for i in reversed(run)]
        corners = " ".join(
            f"{number(frame.x(p))},{number(frame.y(v))}"
            for p, v in upper + lower
            if v is not None
        )
        parts.append(tag("polygon", class_="band", points=corners))
    return "".join(parts)


def _path(
    frame: _Frame, positions: Sequence[float], values: Values, class_: str
) -> str:
    parts = []
    for run in runs(values):
        spots = [
            f"{number(frame.x(positions[i]))} {number(frame.y(values[i] or 0.0))}"
            for i in run
        ]
        # A lone known day would be an invisible line of no length.
        tail = " h0.1" if len(spots) == 1 else ""
        parts.append(tag("path", class_=class_, d="M" + " L".join(spots) + tail))
    return "".join(parts)


def _split(
    frame: _Frame, positions: Sequence[float], actual: Values, predicted: Values
) -> str:
    """Mark where history ends, when a prediction goes on after it."""
    seen = [i for run in runs(actual) for i in run]
    ahead = [i for run in runs(predicted) for i in run]
    if not seen or not ahead or ahead[-1] <= seen[-1]:
        return ""
    at = frame.x(positions[seen[-1]])
    return tag("line", class_="split", x1=at, x2=at, y1=frame.top, y2=frame.bottom)


def _tooltips(
    frame: _Frame,
    x: Sequence[str],
    positions: Sequence[float],
    series: dict[str, Values],
    write: Format,
    names: tuple[str, str],
) -> str:
    def text(i: int) -> str:
        said = [short_day(x[i])]
        value = _at(series["actual"], i)
        if value is not None:
            said.append(f"{names[0]} {write(value)}".strip())
        value = _at(series["predicted"], i)
        if value is not None:
            low, high = _at(series["low"], i), _at(series["high"], i)
            between = (
                ""
                if low is None or high is None
                else (f" ({write(low)} to {write(high)})")
            )
            said.append(f"{names[1]} {write(value)}{between}")
        return " · ".join(said)

    spots = [[round(frame.x(p), 1), text(i)] for i, p in enumerate(positions)]
    return json.dumps(spots, ensure_ascii=False, separators=(",", ":"))


def _at(values: Values, i: int) -> float | None:
    return values[i] if i < len(values) else None
