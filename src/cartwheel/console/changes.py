"""Figures beside what they were a turn before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cartwheel.console.formatting import MINUS, Formatter


def with_changes(
    figures: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    fmt: Formatter,
) -> list[dict[str, Any]]:
    """Return figures, each with how it moved since the turn before, "" if unknown."""
    earlier = {str(item.get("label")): item for item in before}
    return [
        {**item, "change": change_text(item, earlier.get(str(item.get("label"))), fmt)}
        for item in figures
    ]


def change_text(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, fmt: Formatter
) -> str:
    """Return "+€120 since the turn before", "" where either value is unknown."""
    new, old = now.get("value"), (before or {}).get("value")
    if new is None or old is None:
        return ""
    unit = str(now.get("unit") or "")
    moved = float(new) - float(old)
    if unit == "share":
        written = f"{100 * abs(moved):.1f} points"
    else:
        written = fmt.value(abs(moved), unit)
    if not any(letter in "123456789" for letter in written):
        return "unchanged since the turn before"
    return f"{'+' if moved > 0 else MINUS}{written} since the turn before"
