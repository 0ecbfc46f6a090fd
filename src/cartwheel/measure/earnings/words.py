"""A ledger entry's sentences, which cannot be read as more than was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from cartwheel.measure.earnings.costs import net_of
from cartwheel.measure.earnings.figures import WHEEL, Entry, Needed, Range

if TYPE_CHECKING:
    from cartwheel.settings import Settings


WANTED = 0.05
"""Effect that the date is told for, as a share of what a unit left alone brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Writes money and days.

    Attributes:
        currency: ISO 4217 code.
        digits: Its decimal places.
    """

    currency: str
    digits: int

    @classmethod
    def of(cls, settings: Settings) -> Words:
        """Return what writes a shop's money."""
        return cls(currency=settings.currency, digits=settings.minor_digits)

    def money(self, minor: float) -> str:
        """Return an amount, without its decimals when it is large."""
        major = minor / 10**self.digits
        digits = self.digits if abs(major) < 100 else 0
        return f"{major:,.{digits}f} {self.currency}".replace("-", "−")

    def span(self, found: Range) -> str:
        """Return an amount with its interval."""
        ends = f"{self.money(found.low)} to {self.money(found.high)}"
        return f"{self.money(found.value)} (95 %: {ends})"


def day(text: str | date) -> str:
    """Return a day as "9 Nov 2026"."""
    at = date.fromisoformat(text) if isinstance(text, str) else text
    return f"{at.day} {at:%b %Y}"


def verdict(entry: Entry, write: Words, *, decided: bool) -> str:
    """Return one sentence about an entry with figures.

    Args:
        entry: The entry, `money` included.
        write: Writes its money.
        decided: It may be told from luck.

    Raises:
        ValueError: If the entry has no money.
    """
    if entry.money is None or entry.first is None:
        raise ValueError(f"{entry.lever} has no money to speak of")
    who = "Reaching people" if entry.lever == WHEEL else entry.title
    what = "margin" if entry.basis == "margin" else "revenue, costs unknown,"
    found = write.span(entry.money)
    if not decided:
        return (
            f"Not shown: {who} stands at {found} of {what} since {day(entry.first)}, "
            "which cannot be told from luck."
        )
    more = "earned" if entry.money.value > 0 else "lost: it stands at"
    return f"{who} {more} {found} of {what} since {day(entry.first)}{_net(entry)}."


def _net(entry: Entry) -> str:
    if entry.net is None:
        missing = [cost.name for cost in entry.costs if cost.minor is None]
        return f"; {' and '.join(missing)} not counted" if missing else ""
    # The ledger is read at every turn: what is said must hold at every look.
    net = net_of(entry.money_watched, entry.costs)
    if net is not None and net.low > 0:
        return " and more than it cost"
    if net is not None and net.high < 0:
        return " and less than it cost"
    return "; whether that is more than it cost is open"


def not_yet(
    needed: Needed | None, unit: str, write: Words, *, why: str, thin: bool = False
) -> str:
    """Return why a figure cannot be said, and what is still needed by when.

    Args:
        needed: What can be seen; None when nothing varies yet.
        unit: "customer" or "product".
        write: Writes money.
        why: Why it cannot be said.
        thin: So few units are there that what a smaller effect needs is a guess.
    """
    text = f"Not yet: {why}."
    if needed is None:
        return text
    text += (
        f" An effect from {write.money(needed.detectable)} a {unit} would be found "
        "four times in five"
    )
    if thin:
        return f"{text}."
    if needed.units_missing == 0:
        return f"{text}, so one of {WANTED:.0%} would very likely have been seen."
    text += f"; for one of {WANTED:.0%}, {needed.units_missing:,} more {unit}s"
    if needed.by is None:
        return f"{text} are needed, which takes over ten years at the present pace."
    return f"{text} are needed: about {day(needed.by)} at the present pace."


def nothing(name: str, *, turned: bool) -> str:
    """Return why an entry has nothing to count.

    Args:
        name: The lever's name, or "wheel".
        turned: A turn was published by then.
    """
    if not turned:
        return "Not yet: no turn was published by then."
    if name == WHEEL:
        return "Not yet: nothing that a model decided reached a customer by then."
    return (
        "Not yet: nothing it decided with a model of its own was approved or carried "
        "out by then."
    )
