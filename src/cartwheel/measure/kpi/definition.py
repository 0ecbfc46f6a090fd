"""What a KPI is: its words, and where the rows it is counted from come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cartwheel.measure.kpi.workroom import Workroom

Kind = Literal["share", "amount", "ratio", "fixed"]
Gaps = Mapping[int, str]
"""Why a figure cannot be said, by the number of the look; looks that can are absent."""

ROW_COLUMNS = ("look", "what", "id", "owner", "happened_at", "about", "top", "bottom")
"""Columns of the rows behind a figure.

`owner` is whom rows belong to together (a customer, visitor or variant): intervals say
what other owners of this sort would give. A row without an owner is a constant.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure: `scale` times the sum of `top` over the sum of `bottom`.

    Attributes:
        name: Name in addresses and files.
        label: What people call it.
        unit: "minor" (money), "share", "months" or "points".
        definition: How it is counted, one sentence.
        tables: Fact tables it is counted from.
        better: Whether a shop wants it high or low.
        kind: How its interval is made: "share" of things, "amount" of money each,
            "ratio" of sums that may be negative, or "fixed", a constant over a sum.
        top: Name of what is counted above the line.
        bottom: Name of what is counted below it.
        rows: Returns SQL of the rows behind it, with `ROW_COLUMNS`.
        gaps: Returns why it cannot be said, by look.
        notes: Returns a sentence that goes with the figure, by look.
        nothing: Sentence for a figure with nothing below the line.
        owners: What owners are called, several of them.
        scale: What the quotient is multiplied with.
        most: Largest value that may be said, or None.
        too_large: Sentence for a larger value.
    """

    name: str
    label: str
    unit: Literal["minor", "share", "months", "points"]
    definition: str
    tables: tuple[str, ...]
    better: Literal["higher", "lower"]
    kind: Kind
    top: str
    bottom: str
    rows: Callable[[Workroom], str]
    gaps: Callable[[Workroom], Gaps]
    nothing: str
    owners: str
    notes: Callable[[Workroom], Gaps] = lambda room: {}
    scale: int = 1
    most: float | None = None
    too_large: str = ""
