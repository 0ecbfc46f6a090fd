"""What a check of one spoke found, and what it puts at stake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cartwheel.measure.health.data import HealthData

State = Literal["broken", "weak", "well", "unknown"]
Part = Literal["input", "link", "lever"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """Money of a month that hangs on a spoke, in minor units.

    Attributes:
        value: Best guess, or None when nobody can say.
        low: Lower end: the 95 % lower end of what is touched, times the lowest share
            assumed lost.
        high: Upper end, likewise.
        basis: What it is a part of, and what was assumed.
    """

    value: float | None
    low: float | None
    high: float | None
    basis: str


UNKNOWN = Stake(value=None, low=None, high=None, basis="unknown: no sales to go by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        check: Name of the check.
        spoke: The signal input, link or lever it is about.
        part: Which of these.
        state: "broken" when it changed for the worse beyond chance and by enough to
            matter; "weak" when it stands badly without having changed; "well";
            "unknown" when the check lacks data.
        says: One sentence with the numbers.
        evidence: Numbers by name.
        rows: Ids of some rows behind it.
        p_value: Of the change, None when nothing was tested.
        adjusted: The same after Holm over all checks that tested.
        stake: Money of a month at stake.
        lacks: What is missing, "" when nothing.
        next_step: What to do.
        after: Checks that explain this one when they fail too.
        explained_by: The check that does.
    """

    check: str
    spoke: str
    part: Part
    state: State
    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    p_value: float | None = None
    adjusted: float | None = None
    stake: Stake = UNKNOWN
    lacks: str = ""
    next_step: str = ""
    after: tuple[str, ...] = ()
    explained_by: str = ""


Check = Callable[[HealthData], list[Finding]]
"""A check looks and returns one finding or several; it never raises on little data."""
