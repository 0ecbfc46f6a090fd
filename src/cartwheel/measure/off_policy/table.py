"""What other policies would have earned as rows, for a spreadsheet."""

from __future__ import annotations

from cartwheel.measure.off_policy.figures import Figure, Part, Policy, WhatIf

HEADER = (
    *("about", "policy", "title", "reward", "unit", "value", "low", "high", "logged"),
    *("gain", "gain_low", "gain_high", "decided", "rows", "customers"),
    *("effective_rows", "effective_customers", "largest_weight", "refused", "note"),
)

Cell = str | int | float | None


def csv_rows(found: WhatIf) -> list[list[Cell]]:
    """Return a heading and a row a figure; what is unknown is empty."""
    rows: list[list[Cell]] = [list(HEADER)]
    for part in found.parts:
        if part.cannot:
            rows.append(_cannot(part))
        for policy in part.policies:
            rows += [_row(part, policy, one) for one in policy.figures]
    return rows


def _cannot(part: Part) -> list[Cell]:
    values: dict[str, Cell] = {
        "about": part.about,
        "title": part.title,
        "refused": f"{part.cannot} {part.would_need}".strip(),
    }
    return [values.get(name) for name in HEADER]


def _row(part: Part, policy: Policy, one: Figure) -> list[Cell]:
    known = one.value is not None
    numbers = ("value", "low", "high", "logged", "gain", "gain_low", "gain_high")
    values: dict[str, Cell] = {name: _round(getattr(one, name)) for name in numbers}
    values |= {
        "about": part.about,
        "policy": policy.name,
        "title": policy.title,
        "reward": one.reward,
        "unit": one.unit,
        "decided": int(one.decided) if known else None,
        "rows": one.rows,
        "customers": one.customers,
        "effective_rows": round(one.effective_rows, 1),
        "effective_customers": round(one.effective_customers, 1),
        "largest_weight": round(one.largest_weight, 2),
        "refused": one.refused,
        "note": policy.note,
    }
    return [values[name] for name in HEADER]


def _round(value: float | None) -> Cell:
    return None if value is None else round(value, 4)
