"""What a fix of each kind takes back, in the light of fixes of other kinds.

Kinds with few products are drawn towards what all others did (`experiment.shrink`, in
logarithms of the ratio; other kinds' as if what they count were counted). Only kinds
that a test told have an estimate: what nobody tested is unknown, whatever others did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cartwheel.measure.credit.effects import KindEffect, LogRatio, pooled
from cartwheel.measure.experiment.shrink import prior_of, shrink

USUAL = 0.5
"""Size of a log ratio that would not surprise: an objection more or less by 40 %."""

HARM_AT = 2.2414
"""Standard errors beyond which harm is told: 95 % for two things looked at."""

TO_NORMAL = 1.959964

LEAST_LEFT = 0.05
"""Share of what is counted that is left at least, seen from another kind."""

COUNTED = ("all returns", "returns", "messages")
"""What may be counted; what tells most of the money first."""

HARMS = {
    "all returns": "more returns",
    "returns": "more returns for it",
    "messages": "more messages about it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a fix of one kind takes back; a row of the fact table `fix_effects`.

    Attributes:
        objection: Objection that fixes of this kind answer.
        form: What such a fix is called.
        experiments: Tests it rests on, a name a line.
        fixed: Products whose page was to be mended.
        held_out: Products left alone.
        shown: Visitors who were to be shown a page with such a fix.
        not_shown: Visitors shown pages as they were.
        counted: "all returns", "returns" for the objection, or "messages".
        control_rate: Times a unit sold, of those left alone.
        change: Change of that rate, by these tests alone.
        change_low: Lower end of its 95 % interval.
        change_high: Upper end.
        share: Share of the objection taken back, drawn to other kinds'.
        share_low: Lower end of its 95 % interval.
        share_high: Upper end.
        harm: What tests that are over told it does harm to, None for nothing.
    """

    objection: str
    form: str
    experiments: str
    fixed: int
    held_out: int
    shown: int
    not_shown: int
    counted: str
    control_rate: float
    change: float
    change_low: float
    change_high: float
    share: float
    share_low: float
    share_high: float
    harm: str | None

    def to_row(self) -> dict[str, Any]:
        """Return its columns."""
        return asdict(self)


def estimates(effects: Iterable[KindEffect]) -> list[Estimate]:
    """Return what each kind takes back, by objection and form.

    Args:
        effects: What tests tell, no two of one test and kind.
    """
    by_kind: dict[tuple[str, str], list[KindEffect]] = {}
    for one in effects:
        by_kind.setdefault(one.kind, []).append(one)
    by_kind = {kind: _alike(some) for kind, some in by_kind.items()}
    told = {kind: _told(some) for kind, some in by_kind.items()}
    found = []
    for kind, some in sorted(by_kind.items()):
        own, each = told[kind]
        others = [
            _as_if(ratio, per, each)
            for name, (ratio, per) in told.items()
            if name != kind
        ]
        found.append(_estimate(some, own, each, others))
    return found


def _told(some: Sequence[KindEffect]) -> tuple[LogRatio, float]:
    """Return the tests of a kind as one, and what is counted per objection."""
    weights = [one.times.error**-2 for one in some]
    pairs = zip(some, weights, strict=True)
    per = sum(one.per_objection * w for one, w in pairs) / sum(weights)
    return pooled([one.times for one in some]), per


def _as_if(ratio: LogRatio, per: float, each: float) -> tuple[float, float]:
    """Return another kind's log ratio and error, as if counted like this kind's.

    The share taken back, `per * (1 - exp(value))`, stays the same.

    Args:
        ratio: The other kind's.
        per: What was counted there per objection.
        each: What is counted here per objection.
    """
    left = max(1 + math.expm1(ratio.value) * per / each, LEAST_LEFT)
    slope = math.exp(ratio.value) * per / (each * left)
    return math.log(left), ratio.error * slope


def _alike(some: Sequence[KindEffect]) -> list[KindEffect]:
    """Return the tests that count what tells most of the money, of those there are."""
    counted = min((one.counted for one in some), key=COUNTED.index)
    return [one for one in some if one.counted == counted]


def _estimate(
    some: Sequence[KindEffect],
    own: LogRatio,
    each: float,
    others: Sequence[tuple[float, float]],
) -> Estimate:
    drawn = shrink(own.value, own.error, prior_of(others, usual=USUAL))
    sure = [one.times.error**-2 for one in some]
    rate = sum(one.control_rate * w for one, w in zip(some, sure, strict=True))
    rate /= sum(sure)
    products = [one for one in some if one.unit == "product"]
    visitors = [one for one in some if one.unit == "visitor"]
    half = TO_NORMAL * own.error
    return Estimate(
        objection=some[0].objection,
        form=some[0].form,
        experiments="\n".join(sorted({one.experiment for one in some})),
        fixed=sum(one.fixed for one in products),
        held_out=sum(one.held_out for one in products),
        shown=sum(one.fixed for one in visitors),
        not_shown=sum(one.held_out for one in visitors),
        counted=some[0].counted,
        control_rate=rate,
        change=rate * math.expm1(own.value),
        change_low=rate * math.expm1(own.value - half),
        change_high=rate * math.expm1(own.value + half),
        share=-each * math.expm1(drawn.effect),
        share_low=-each * math.expm1(drawn.high),
        share_high=-each * math.expm1(drawn.low),
        harm=_harm(some),
    )


def _harm(some: Sequence[KindEffect]) -> str | None:
    """Return what tests that are over told a kind does harm to."""
    over = [one for one in some if one.over]
    if not over:
        return None
    times = pooled([one.times for one in over])
    bought = [one.conversion for one in over if one.conversion is not None]
    told = []
    if times.value - HARM_AT * times.error > 0:
        told.append(HARMS[over[0].counted])
    if bought:
        orders = pooled(bought)
        if orders.value + HARM_AT * orders.error < 0:
            by_product = any(one.unit == "product" for one in over)
            told.append(f"fewer orders per {'view' if by_product else 'visitor'}")
    return " and ".join(told) or None
