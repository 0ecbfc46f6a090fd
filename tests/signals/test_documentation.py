"""docs/signals.md tells every signal, column, unit and neutral value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cartwheel.signals.base import Field, Signal
from cartwheel.signals.registry import SIGNALS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "signals.md"


def _shown(neutral: Any) -> str:
    if neutral is None:
        return "unknown"
    if isinstance(neutral, bool):
        return "yes" if neutral else "no"
    return str(neutral)


def _row(field: Field, *, key: bool) -> list[str]:
    name = f"**`{field.name}`**" if key else f"`{field.name}`"
    neutral = "key" if key else _shown(field.neutral)
    return [name, field.type, field.unit, neutral, field.doc]


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)
def test_documentation_of_a_signal(signal: Signal) -> None:
    sections = PAGE.read_text(encoding="utf-8").split("\n### ")
    (section,) = [text for text in sections if text.startswith(f"`{signal.name}`")]
    assert signal.doc in section
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith(("| `", "| **`"))
    ]
    expected = [_row(key, key=True) for key in signal.keys]
    assert rows == expected + [_row(field, key=False) for field in signal.fields]
    for name in (*signal.facts, *signal.reads):
        assert f"`{name}`" in section
