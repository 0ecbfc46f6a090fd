"""What stands between the data and a verdict: refusals and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One obstacle, found before any effect is computed.

    Attributes:
        check: Short name, such as "sample_ratio".
        level: "refusal" when it forbids a verdict, "warning" when it must be known.
        rows: How many rows, or units where it is about units, are concerned.
        message: What is wrong, with the numbers.
        next_step: What to do about it.
        metric: The metric it is about; None when it is about all of them.
    """

    check: str
    level: Literal["refusal", "warning"]
    rows: int
    message: str
    next_step: str
    metric: str | None = None

    @property
    def refuses(self) -> bool:
        """It forbids a verdict."""
        return self.level == "refusal"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "check": self.check,
            "level": self.level,
            "metric": self.metric,
            "rows": self.rows,
            "message": self.message,
            "next_step": self.next_step,
        }
