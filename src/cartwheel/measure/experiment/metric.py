"""What a metric is: a mean over units, or a ratio of two sums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of an experiment.

    Attributes:
        name: What it is called.
        value: Column of the value, or of the numerator.
        per: Column of the denominator; None for a mean over units.
        covariates: Columns known before the start that foretell it.
    """

    name: str
    value: str
    per: str | None = None
    covariates: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Columns measured after the start."""
        return (self.value,) if self.per is None else (self.value, self.per)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it needs, each once."""
        return tuple(dict.fromkeys((*self.outcomes, *self.covariates)))
