"""A sparkline: the shape of a series in the height of a line of text."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.console.charts.svg import drawing, known, number, runs, tag


def sparkline(
    *,
    label: str,
    values: Sequence[float | None],
    width: int = 120,
    height: int = 28,
) -> str:
    """Draw the series as one thin line with a dot at its last known value.

    Args:
        label: What it shows, read by screen readers.
        values: The series, None where unknown.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
    """
    finite = known(values)
    if len(finite) < 2:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0

    def spot(i: int) -> tuple[float, float]:
        x = 3 + i / (len(values) - 1) * (width - 6)
        return x, height - 3 - ((values[i] or 0.0) - low) / span * (height - 6)

    pieces = runs(values)
    paths = [
        tag(
            "path",
            class_="line-actual",
            d="M" + " L".join(f"{number(x)} {number(y)}" for x, y in map(spot, run)),
        )
        for run in pieces
    ]
    x, y = spot(pieces[-1][-1])
    return drawing(
        *paths,
        tag("circle", class_="dot", cx=x, cy=y, r=2.5),
        width=width,
        height=height,
        label=label,
        class_="chart chart-spark",
    )
