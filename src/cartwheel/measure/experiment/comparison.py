"""One arm against the control on one metric: the result every analysis returns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEVEL = 0.95

UNKNOWN: Mapping[str, float] = {
    "low": -math.inf,
    "high": math.inf,
    "effect": math.nan,
    "error": math.inf,
    "control_value": math.nan,
    "arm_value": math.nan,
    "p_value": 1.0,
}
"""What a value stands for that is None in JSON, which knows no infinity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What an arm did to a metric, with its interval.

    Attributes:
        metric: Name of the metric.
        control: Name of the control arm.
        arm: Name of the arm compared with it.
        control_value: The metric in the control, in its own unit.
        arm_value: The metric in the arm, adjusted where the method adjusts.
        effect: Arm less control.
        low: Lower end of the effect's interval.
        high: Upper end of the effect's interval.
        error: Standard error of the effect.
        p_value: Chance of an effect as large were there none; with an always-valid
            method it holds at every look.
        method: How it was computed, such as "welch", "cuped", "ratio".
        n: Units in both groups: people, product weeks or periods.
        level: Share of intervals that hold the truth.
        relative: Effect as a share of the control, None where that means nothing.
        relative_low: Lower end of the relative effect's interval.
        relative_high: Upper end of the relative effect's interval.
        reduction: Share of the variance that a covariate took away, 0 without one.
    """

    metric: str
    control: str
    arm: str
    control_value: float
    arm_value: float
    effect: float
    low: float
    high: float
    error: float
    p_value: float
    method: str
    n: int
    level: float = LEVEL
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    reduction: float = 0.0

    @property
    def decided(self) -> bool:
        """The interval leaves zero out."""
        return self.low > 0 or self.high < 0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        """Return the comparison of plain values, in which None is without end.

        Args:
            value: As `to_json` gives it; other values in it are left out.

        Raises:
            KeyError: If a value is missing.
        """
        found = {name: value[name] for name in cls.__dataclass_fields__}
        for name, unknown in UNKNOWN.items():
            if found[name] is None:
                found[name] = unknown
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "metric": self.metric,
            "control": self.control,
            "arm": self.arm,
            "control_value": self.control_value,
            "arm_value": self.arm_value,
            "effect": self.effect,
            "low": self.low,
            "high": self.high,
            "error": self.error,
            "relative": self.relative,
            "relative_low": self.relative_low,
            "relative_high": self.relative_high,
            "p_value": self.p_value,
            "method": self.method,
            "n": self.n,
            "level": self.level,
            "reduction": self.reduction,
        }
