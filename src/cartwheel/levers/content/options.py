"""Settings under `levers.content`."""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.levers.options import read_options
from cartwheel.signals.base import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.content`.

    Attributes:
        most_a_turn: Page fixes proposed in one turn, at most.
        least_mentions: Texts that raise an objection from which it is more than one
            person's.
    """

    most_a_turn: int = 25
    least_mentions: int = 2

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "content")
