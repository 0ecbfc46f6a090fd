"""What a ledger's entry holds; every figure has an interval or a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

WHEEL = "wheel"
"""Name of the entry of the whole wheel."""

Unit = Literal["customer", "product"]
Basis = Literal["margin", "revenue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def off_zero(self) -> bool:
        """The interval leaves zero out."""
        return not self.low <= 0 <= self.high

    def times(self, factor: float) -> Range:
        """Return the figure for that many units, `factor` not below 0."""
        return Range(
            value=self.value * factor, low=self.low * factor, high=self.high * factor
        )

    def less(self, known: float) -> Range:
        """Return the figure less an amount that is known."""
        return Range(
            value=self.value - known, low=self.low - known, high=self.high - known
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One cost of an entry.

    Attributes:
        name: "tools" or "labour".
        minor: Money in the window; None when it is unknown, which is not zero.
        note: How it was counted, or what to set.
    """

    name: str
    minor: float | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindEarned:
    """One kind of decision of a lever.

    Attributes:
        kind: Its name.
        applied: Decisions approved or applied in the window.
        predicted_minor: What they were said to put at stake, summed; None if not said.
        incremental: What they earned more, where that can be told.
        note: Why there is no figure, or how it was told.
    """

    kind: str
    applied: int
    predicted_minor: float | None
    incremental: Range | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEarned:
    """One link that a lever reads, and what an experiment on it found.

    Attributes:
        link: Its name.
        cut_turns: Turns in which it was cut for everybody.
        turns: Turns counted.
        note: How it is known, or why it is not.
        experiment: The newest experiment that cut it for a part; "" for none.
        unit: What the experiment drew.
        worth: What the link earned more per unit that kept it, minor units; None
            where nothing can be told yet.
        money: The same for all units that kept it; None where units do not add up.
    """

    link: str
    cut_turns: int
    turns: int
    note: str
    experiment: str = ""
    unit: str = ""
    worth: Range | None = None
    money: Range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What can be seen today, and what a smaller effect needs.

    Attributes:
        detectable: Smallest effect per unit found four times in five, minor units.
        wanted: The effect that the rest is about, minor units per unit.
        units_missing: Units still needed for it, at the present split.
        by: ISO day on which they are there at the present pace, None beyond ten years.
    """

    detectable: float
    wanted: float
    units_missing: int
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """One figure a day before a lever decided and now; not what the lever caused."""

    name: str
    before: Range
    after: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one lever, or the whole wheel, earned.

    Attributes:
        lever: The lever's name, or "wheel".
        title: What a merchant calls it.
        since: ISO day on which it first acted, None before.
        first: ISO first day counted, None when nothing is.
        days: Days counted.
        unit: What is held out: customers or products.
        basis: What a unit's earnings are.
        reached: Units reached.
        held_out: Units left alone.
        moved: Units left out because they changed sides in the window.
        effect: Earned more per unit reached, minor units.
        money: The same for all units reached.
        money_watched: `money` with the interval that holds at every look together; it
            decides. None with too few units for it.
        p_value: Chance of such an effect were there none, at one look.
        p_watched: The same for all looks together.
        costs: What it cost besides discounts.
        offered_minor: Discounts expected from offers, in the earnings already.
        net: Money less costs; None also when a cost is not known.
        verdict: One sentence.
        not_yet: Why it cannot be said, and when; "" when it can.
        needed: What is needed to say it.
        kinds: Its kinds of decision.
        links: The links it reads.
        before_after: Before and after, only where there is a figure to stand beside.
    """

    lever: str
    title: str
    unit: Unit
    since: str | None = None
    first: str | None = None
    days: int = 0
    basis: Basis = "margin"
    reached: int = 0
    held_out: int = 0
    moved: int = 0
    effect: Range | None = None
    money: Range | None = None
    money_watched: Range | None = None
    p_value: float | None = None
    p_watched: float | None = None
    costs: tuple[Cost, ...] = ()
    offered_minor: float = 0.0
    net: Range | None = None
    verdict: str = ""
    not_yet: str = ""
    needed: Needed | None = None
    kinds: tuple[KindEarned, ...] = ()
    links: tuple[LinkEarned, ...] = ()
    before_after: tuple[BeforeAfter, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The entries as of a day, the whole wheel first."""

    on: str
    entries: tuple[Entry, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"on": self.on, "entries": [one.to_json() for one in self.entries]}

    def entry(self, lever: str) -> Entry:
        """Return a lever's entry; raise `KeyError` when there is none."""
        found: Mapping[str, Entry] = {one.lever: one for one in self.entries}
        return found[lever]
