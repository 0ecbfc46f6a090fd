"""Which places fall short of what is usual by more than chance, and by how many visits.

Two questions are asked of a place. Did it fall: are so few of the visits of the last 28
days that go on explained by its own days before? Is it low: are so few of all 126 days
explained by the others of its kind? Either way the law is beta-binomial: a share is
drawn from how far shares move by themselves around what is usual, the visits from that
share. What is lost is lost in the last 28 days. All places of all steps are corrected
together, each question by itself, by Benjamini and Hochberg (1995).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cartwheel.measure.journey.spread import (
    LEAST_VISITS,
    Usual,
    moves_of,
    precision,
    sums_of,
    usual_of_itself,
    usual_of_others,
)
from cartwheel.measure.journey.steps import AMONG_OTHERS
from cartwheel.measure.journey.tally import Tally

ALPHA = 0.05
"""Share of the drop-offs named that may be chance alone."""

LEAST_FALL = 0.2
"""Part of the usual share that must be missing for a drop-off to be named."""

LEAST_ON = 10
"""Visits that usually go on from which a place is looked at."""

Against = Literal["itself", "others"]
QUESTIONS: tuple[Against, ...] = ("itself", "others")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One place held against what is usual.

    Attributes:
        tally: The place with its visits.
        against: Others of its kind, or its own earlier days.
        usual: Share that usually goes on, in days like these.
        usual_sd: Standard error of that.
        good: First parameter of the beta law of the place's true share.
        bad: Second parameter.
        needed: Visits of 28 days from which it is looked at.
        p_value: Chance of so few going on, None below `needed`.
        adjusted: The same, corrected for all places of which this was asked.
    """

    tally: Tally
    against: Against
    usual: float
    usual_sd: float
    good: float
    bad: float
    needed: int
    p_value: float | None = None
    adjusted: float | None = None

    @property
    def share(self) -> float:
        """Share that goes on, drawn to what is usual where visits are few."""
        return self.good / (self.good + self.bad)

    @property
    def lost(self) -> float:
        """Visits of 28 days that go on no further than usual; below 0 for more."""
        return self.tally.recent[0] * (self.usual - self.share)

    @property
    def named(self) -> bool:
        """Whether it falls short by enough to matter, and beyond chance."""
        if self.adjusted is None or self.adjusted > ALPHA:
            return False
        return self.share <= (1 - LEAST_FALL) * self.usual


def look_at(tallies: Sequence[Tally]) -> list[Look]:
    """Return every place held against what is usual, p values corrected.

    A place of which too little is known before has no look.

    Args:
        tallies: All places of all steps.
    """
    groups: dict[tuple[str, str], list[Tally]] = {}
    for one in tallies:
        groups.setdefault((one.step, one.kind), []).append(one)
    looks = [look for alike in groups.values() for look in _looks(alike)]
    asked = [[x for x in looks if x.against == against] for against in QUESTIONS]
    return [look for one in asked for look in correct(one)]


def correct(looks: Sequence[Look]) -> list[Look]:
    """Return looks with p values corrected by Benjamini and Hochberg's step-up rule."""
    tested = [i for i, look in enumerate(looks) if look.p_value is not None]
    p_values = np.array([looks[i].p_value for i in tested], float)
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * len(tested) / np.arange(1, len(tested) + 1)
    lowest = np.minimum.accumulate(raised[::-1])[::-1]
    done = list(looks)
    for place, value in zip(order.tolist(), lowest.tolist(), strict=True):
        at = tested[place]
        done[at] = replace(done[at], adjusted=min(1.0, value))
    return done


def tail(on: int, visits: int, good: float, bad: float) -> float:
    """Return the chance that at most `on` of `visits` go on, beta-binomial.

    Args:
        on: Visits that went on.
        visits: All of them, at least `on`.
        good: First parameter of the beta law.
        bad: Second parameter.
    """
    from scipy.special import betaln, gammaln

    k = np.arange(on + 1, dtype=float)
    ways = gammaln(visits + 1) - gammaln(k + 1) - gammaln(visits - k + 1)
    logs = ways + betaln(good + k, bad + visits - k) - betaln(good, bad)
    return min(1.0, float(np.exp(logs).sum()))


def visits_needed(usual: float) -> int:
    """Return the visits of 28 days from which a place is looked at."""
    return max(LEAST_VISITS, math.ceil(LEAST_ON / usual))


def _looks(alike: Sequence[Tally]) -> Iterator[Look]:
    """Yield the looks at places of one step and kind."""
    moves, sums = moves_of(alike), sums_of(alike)
    recent = np.array([one.recent for one in alike], float).sum(axis=0)
    before = np.array([one.before for one in alike], float).sum(axis=0)
    for own in alike:
        if own.recent[0] == 0:
            continue
        fell = _fell(recent - np.array(own.recent), before - np.array(own.before))
        others = None
        if own.kind in AMONG_OTHERS:
            others = usual_of_others(sums.without(own), moves)
        if others is not None:
            yield _look(own, "others", others, fell)
        itself = usual_of_itself(own, moves, others)
        if itself is not None:
            yield _look(own, "itself", itself, fell)


def _fell(recent: np.ndarray, before: np.ndarray) -> float:
    """Return what is left of the usual share at all other places, at most 1.

    A fall that all places share is the shop's, and no drop-off of each of them.
    """
    if min(recent[0], before[0]) < LEAST_VISITS or before[1] == 0:
        return 1.0
    return float(min(1.0, (recent[1] / recent[0]) / (before[1] / before[0])))


def _look(own: Tally, against: Against, usual: Usual, fell: float) -> Look:
    # What is usual falls with the shop, and all that moves around it in proportion.
    share = max(usual.share * fell, 1e-6)
    scale = (share / usual.share) ** 2
    visits, on = own.recent
    # Drawn no harder than this, one more visit that goes on never raises what is lost.
    most = LEAST_VISITS * (1 - share) / share
    weight = min(precision(share, usual.spread * scale), most)
    return Look(
        tally=own,
        against=against,
        usual=share,
        usual_sd=math.sqrt(usual.known * scale),
        good=weight * share + on,
        bad=weight * (1 - share) + visits - on,
        needed=visits_needed(share),
        p_value=_p_value(own, against, usual, share),
    )


def _p_value(own: Tally, against: Against, usual: Usual, share: float) -> float | None:
    visits, on = own.recent
    if visits < visits_needed(share):
        return None
    if against == "others":
        visits, on, share = visits + own.before[0], on + own.before[1], usual.share
    law = precision(share, usual.moved * (share / usual.share) ** 2)
    return tail(on, visits, law * share, law * (1 - share))
