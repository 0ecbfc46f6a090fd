"""What tests told of fixes of a kind, and what the next one is therefore worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cartwheel.levers.base import Prediction
from cartwheel.signals.base import Signals
from cartwheel.signals.fix_effects import FIX_EFFECTS
from cartwheel.text.objections import CLASSES

METRIC = "saved_minor_365d"
LEVEL = 0.95
LEAST_USUAL = 0.05
"""Share by which an untested kind is ranked at least: trying it tells."""

Kind = tuple[str, str]
"""Objection and form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What tests told of fixes of one kind.

    Attributes:
        experiments: The tests.
        fixed: Products mended in them.
        held_out: Products left alone.
        shown: Visitors who were to be shown such a fix.
        not_shown: Visitors shown pages as they were.
        counted: "returns" for the objection, or "messages" that raise it.
        change: Change of how often it comes back for a unit sold.
        change_low: Lower end of its 95 % interval.
        change_high: Upper end.
        share: Share of the money at stake that such a fix takes back.
        share_low: Lower end of its 95 % interval.
        share_high: Upper end.
        harm: What a test told it does harm to, "" for nothing.
    """

    experiments: tuple[str, ...]
    fixed: int
    held_out: int
    shown: int
    not_shown: int
    counted: str
    change: float
    change_low: float
    change_high: float
    share: float
    share_low: float
    share_high: float
    harm: str

    def saved(self, stake: int, low: int, high: int) -> Prediction:
        """Return what a fix takes back of the money at stake a year, minor.

        Both what is at stake and the share are uncertain, and nothing binds them.

        Args:
            stake: Money at stake a year.
            low: Lower end of its 95 % interval.
            high: Upper end.

        References:
            Ends of a product from those of its factors, by the square root of the sum
            of squares: Zou and Donner (2008).
        """
        value = stake * self.share
        # Where a fix does harm, the most at stake is the worst.
        worse, better = (low, high) if self.share >= 0 else (high, low)
        down = (stake * (self.share - self.share_low), self.share * (stake - worse))
        up = (stake * (self.share_high - self.share), self.share * (better - stake))
        return Prediction(
            metric=METRIC,
            value=float(round(value)),
            low=float(round(value - math.hypot(*down))),
            high=float(round(value + math.hypot(*up))),
            level=LEVEL,
        )

    def sentence(self, objection: str) -> str:
        """Return what was found, for the merchant."""
        name = CLASSES[objection].lower()
        what = {
            "all returns": "returns",
            "returns": f"returns for {name}",
            "messages": f"messages about {name}",
        }[self.counted]
        ends = (self.change_low, self.change_high)
        went, (least, most) = "rose", ends
        if self.change <= 0:
            went, (least, most) = "fell", (-ends[1], -ends[0])
        compared = []
        if self.fixed or self.held_out:
            compared.append(
                f"of {self.fixed:,} products mended and {self.held_out:,} left alone"
            )
        if self.shown or self.not_shown:
            compared.append(
                f"of {self.shown:,} visitors shown such a fix and "
                f"{self.not_shown:,} shown none"
            )
        return (
            f"{' and '.join(compared)}, {what} {went} by "
            f"{abs(self.change) * 100:.0f} points of units sold "
            f"({least * 100:.0f} to {most * 100:.0f})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for the evidence."""
        return {
            "experiments": list(self.experiments),
            "fixed": self.fixed,
            "held_out": self.held_out,
            "shown": self.shown,
            "not_shown": self.not_shown,
            "counted": self.counted,
            "change": self.change,
            "change_low": self.change_low,
            "change_high": self.change_high,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """What tests told, of every kind that one told anything of.

    Attributes:
        of: By objection and form.
    """

    of: Mapping[Kind, Credit]

    @property
    def usual(self) -> float:
        """Share by which kinds that nobody tested are ranked beside others.

        What the told kinds take back on the average; it is no prediction. With nothing
        told it is one, so that proposals stand by the money at stake.
        """
        if not self.of:
            return 1.0
        shares = [one.share for one in self.of.values()]
        return max(sum(shares) / len(shares), LEAST_USUAL)


def read_credits(data: Signals) -> Credits:
    """Return what the signal `fix_effects` says; nothing where the link is cut.

    Args:
        data: The lever's signals.
    """
    return Credits(
        of={
            (row["objection"], row["form"]): _credit(row)
            for row in data.table(FIX_EFFECTS).to_pylist()
            if row["share"] is not None
        }
    )


def _credit(row: Mapping[str, Any]) -> Credit:
    return Credit(
        experiments=tuple(row["experiments"].splitlines()),
        harm=row["harm"] or "",
        shown=row["shown"] or 0,
        not_shown=row["not_shown"] or 0,
        **{
            name: row[name]
            for name in (
                *("fixed", "held_out", "counted"),
                *("change", "change_low", "change_high"),
                *("share", "share_low", "share_high"),
            )
        },
    )
