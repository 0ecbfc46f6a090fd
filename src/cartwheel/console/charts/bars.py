"""Horizontal bars: one number per label, values written beside the bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cartwheel.svg import clean, drawing, known, shorten, tag

ROW = 30


def bar_chart(
    *,
    title: str,
    labels: Sequence[str],
    values: Sequence[float],
    format_value: Callable[[float], str] = str,
    width: int = 720,
) -> str:
    """Draw one bar a label, from zero; negative values go to the left of zero.

    Args:
        title: Name of the chart, read by screen readers.
        labels: One label a bar.
        values: One value a bar.
        format_value: Writes a value with its unit.
        width: Width in CSS pixels.
    """
    finite = known(values)
    if not labels or not finite:
        return ""
    room = min(int(width * 0.4), 24 + round(7.2 * max(len(text) for text in labels)))
    tail = 16 + round(7.4 * max(len(format_value(v)) for v in finite))
    low, high = min(0.0, *finite), max(0.0, *finite)
    scale = (width - room - tail) / ((high - low) or 1)
    zero = room - low * scale
    parts = [_axis(zero, len(labels))]
    for i, (label, value) in enumerate(zip(labels, values, strict=True)):
        parts.append(_bar(i, label, value, zero, scale, room, format_value))
    return drawing(
        *parts,
        width=width,
        height=ROW * len(labels) + 8,
        label=title,
        class_="chart chart-bars",
    )


def _axis(zero: float, count: int) -> str:
    return tag("line", class_="axis", x1=zero, x2=zero, y1=4, y2=ROW * count + 4)


def _bar(
    i: int,
    label: str,
    value: float,
    zero: float,
    scale: float,
    room: int,
    write: Callable[[float], str],
) -> str:
    top = 4.0 + i * ROW
    length = abs(value) * scale
    start = zero if value >= 0 else zero - length
    letters = max(4, int((room - 12) / 6.8))
    return "".join(
        [
            tag(
                "text",
                clean(shorten(label, letters)),
                class_="label",
                x=room - 10,
                y=top + 19,
                text_anchor="end",
            ),
            tag(
                "rect",
                tag("title", clean(f"{label}: {write(value)}")),
                class_="bar" if value >= 0 else "bar bar-negative",
                x=start,
                y=top + 6,
                width=max(length, 1.5),
                height=18,
                rx=3,
            ),
            tag(
                "text",
                clean(write(value)),
                class_="value",
                x=zero + max(value, 0) * scale + 7,
                y=top + 19,
            ),
        ]
    )
