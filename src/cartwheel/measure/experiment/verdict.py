"""A verdict in one sentence, which cannot be read as more than was found."""

from __future__ import annotations

from collections.abc import Callable

from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.power import spread_wanted

ALPHA = 0.05

Write = Callable[[float, bool], str]
"""Writes a value of the metric, with its sign when the second argument says so."""


def verdict(
    found: Comparison,
    *,
    adjusted: float,
    rough: bool = False,
    write: Write | None = None,
) -> str:
    """Return one sentence about a comparison.

    Args:
        found: The comparison.
        adjusted: Its p value for the number of comparisons made together.
        rough: There are too few units to name a winner.
        write: Writes a value with its unit; plain numbers without it.
    """
    write = write or number
    span = f"{write(found.low, True)} to {write(found.high, True)}"
    effect = f"{write(found.effect, True)} ({found.level:.0%}: {span})"
    if found.relative is not None:
        effect += f", {found.relative:+.1%}"
    who = f"{found.metric} with {found.arm} against {found.control}"
    if rough:
        return f"Not yet: {who} is {effect}, from too few units to name a winner."
    if adjusted < ALPHA and found.decided:
        direction = "higher" if found.effect > 0 else "lower"
        return f"{who} is {direction}: {effect}."
    if found.decided:
        return (
            f"Not shown: {who} is {effect}; alone it would count, but several "
            f"comparisons were made together (p {adjusted:.3f})."
        )
    return f"Not shown: {who} is {effect}; {seen(found, write)}."


def seen(found: Comparison, write: Write | None = None) -> str:
    """Return what the comparison could have found, and what less would need."""
    detectable = spread_wanted(level=found.level) * found.error
    text = f"effects from {(write or number)(detectable, False)}"
    if found.relative is not None:
        text += f" ({detectable / found.control_value:.1%})"
    return f"{text} would be found four times in five, half of it with {4 * found.n:,}"


def number(value: float, sign: bool = False) -> str:
    """Return a number with four figures that count, thousands set apart."""
    if value != value or value in (float("inf"), float("-inf")):
        return "unknown" if value != value else ("−∞" if value < 0 else "+∞")
    digits = 0 if abs(value) >= 1_000 else 4
    text = f"{value:+,.{digits}g}" if digits else f"{value:+,.0f}"
    if "e" in text:
        text = f"{value:+.3e}"
    return text if sign else text.removeprefix("+")
