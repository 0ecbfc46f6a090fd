"""Settings under `levers.support`."""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.levers.options import read_options
from cartwheel.signals.base import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.support`.

    Attributes:
        least_evidence: Chance that the evidence answers the question, from which it
            is answered; below, a person is asked.
        late_after_days: Days beyond the promised or usual delivery after which a
            notice is proposed.
        model_folder: Folder of a sentence model, or name of a package that has one,
            by which evidence is also found by its meaning; empty for none.
    """

    least_evidence: float = 0.35
    late_after_days: int = 2
    model_folder: str = ""

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "support")
