"""Settings under `levers.search`."""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.levers.options import read_options
from cartwheel.signals.base import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.search`.

    Attributes:
        clicks_to_learn: Searches followed by opening a product from which the order
            is learned.
        weak_searches: Searches of a query in 90 days from which it is told as weak.
        boost: Most that popularity, margin, stock and taste together may add to a
            product's relevance or take from it, as a share; never past its tier.
        model_folder: Folder of a sentence model, or name of a package that has one,
            by which products are also found by their meaning; empty for none.
        model_texts: Products whose texts the sentence model reads in one turn, at
            most.
    """

    clicks_to_learn: int = 500
    weak_searches: int = 3
    boost: float = 0.3
    model_folder: str = ""
    model_texts: int = 10_000

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "search")
