"""Interleaving: two rankings share one list, and clicks say which is preferred.

A shopper sees one list drafted from both rankings, as two captains pick teams. Because
everybody compares both, far fewer visits tell two rankings apart than a split test
needs. It says which ranking shoppers click more, not what either earns: an interleaving
chooses what is worth a test by customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.comparison import LEVEL, Comparison

Array = np.ndarray[Any, Any]
Team = Literal["control", "arm", ""]

LEAST_CUSTOMERS = 20
"""Customers with a preference below which no interval is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place of a drafted list.

    Attributes:
        item: The product shown.
        team: Whose pick it was; "" where the rankings agreed, or one had run out, so
            that a click says nothing.
    """

    item: str
    team: Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted list.

    Attributes:
        slots: What is shown, in order.
        picks: Who picked each slot, "control" or "arm", before agreement was taken
            off; "" once one ranking had run out.
    """

    slots: tuple[Slot, ...]
    picks: tuple[Team, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The products in order."""
        return tuple(slot.item for slot in self.slots)

    def credit(self, clicked: Iterable[str]) -> int:
        """Return clicks on the arm's slots less those on the control's.

        Args:
            clicked: Products clicked in this visit; each counts once.
        """
        won = set(clicked)
        worth = {"arm": 1, "control": -1, "": 0}
        return sum(worth[slot.team] for slot in self.slots if slot.item in won)


def draft(
    control: Sequence[str],
    arm: Sequence[str],
    *,
    length: int,
    rng: np.random.Generator,
) -> Draft:
    """Draft one list from two rankings.

    In each round a coin says who picks first; each side picks the best item of its
    ranking that is not taken. Sides never differ by more than one pick. While both
    rankings would pick the same next, the coin alone decides whose it is, so those
    slots go to nobody: the preference stays the same on average and loses that noise.
    When a ranking runs out, the other fills the list up for nobody's credit.

    Args:
        control: Items, best first, each once.
        arm: Items, best first, each once.
        length: Slots to fill; fewer come back if there are fewer items.
        rng: Source of the coins; the same state drafts the same list.

    Raises:
        ValueError: If a ranking names an item twice or `length` is negative.

    References:
        Team draft: Radlinski, Kurup and Joachims (2008). Leaving out what both agree
        on: Chapelle, Joachims, Radlinski and Yue (2012).
    """
    if length < 0:
        raise ValueError(f"length is {length}; expected 0 or more")
    for name, ranking in (("control", control), ("arm", arm)):
        if len(set(ranking)) < len(ranking):
            raise ValueError(f"the ranking of {name} names an item twice")
    left: dict[Team, list[str]] = {"control": list(control), "arm": list(arm)}
    slots: list[Slot] = []
    picks: list[Team] = []
    agreed = True
    while len(slots) < length and left["control"] and left["arm"]:
        order: list[Team] = ["control", "arm"]
        if rng.random() < 0.5:
            order.reverse()
        for team in order:
            if len(slots) == length or not left[team]:
                break
            agreed = agreed and left["control"][:1] == left["arm"][:1]
            _take(left[team][0], team, "" if agreed else team, left, slots, picks)
    for item in (left["control"] or left["arm"])[: length - len(slots)]:
        slots.append(Slot(item=item, team=""))
        picks.append("")
    return Draft(slots=tuple(slots), picks=tuple(picks))


def _take(
    item: str,
    picker: Team,
    team: Team,
    left: dict[Team, list[str]],
    slots: list[Slot],
    picks: list[Team],
) -> None:
    slots.append(Slot(item=item, team=team))
    picks.append(picker)
    for ranking in left.values():
        if item in ranking:
            ranking.remove(item)


def compare_rankings(
    credits: Sequence[float] | Array,
    customers: Sequence[str] | Array,
    *,
    control: str = "control",
    arm: str = "arm",
    metric: str = "preference",
    level: float = LEVEL,
) -> Comparison:
    """Return whether visits prefer the arm's ranking.

    A visit votes for the side whose slots got more clicks; a draw is half a vote for
    each, and a visit without a click that tells is no vote and must be left out or
    given as NaN. The effect is the arm's share of the votes less one half. Visits of a
    customer go together.

    Args:
        credits: `Draft.credit` of each visit with a click on a slot that has a team,
            shape (n_visits,); NaN for a visit without one.
        customers: Whose visit it was, shape (n_visits,).
        control: Name of the control's ranking.
        arm: Name of the arm's ranking.
        metric: Name of the metric.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If fewer than `LEAST_CUSTOMERS` customers voted, or all voted alike.

    References:
        Linearised share with errors clustered by customer and Student's t with
        customers less one degrees of freedom.
    """
    from scipy.stats import t

    values = np.asarray(credits, dtype=float)
    told = np.isfinite(values)
    _, who = np.unique(np.asarray(customers)[told], return_inverse=True)
    votes = 0.5 + np.sign(values[told]) / 2
    people, visits = int(who.max(initial=-1)) + 1, len(votes)
    if people < LEAST_CUSTOMERS:
        raise Misuse(
            f"{metric}: {people} customers clicked where the rankings differ; "
            f"{LEAST_CUSTOMERS} are needed.",
            "Wait for more visits, or compare rankings that differ more.",
        )
    share = float(votes.mean())
    off = np.bincount(who, weights=votes - share)
    error = float(np.sqrt(people / (people - 1) * (off @ off))) / visits
    if error <= 1e-12:
        raise Misuse(
            f"{metric}: all {visits} visits voted alike, so nothing says how far "
            "chance reaches.",
            "Check that clicks are joined to the slots that were shown.",
        )
    effect = share - 0.5
    reach = float(t.ppf(0.5 + level / 2, people - 1)) * error
    return Comparison(
        metric=metric,
        control=control,
        arm=arm,
        control_value=0.5,
        arm_value=share,
        effect=effect,
        low=effect - reach,
        high=effect + reach,
        error=error,
        p_value=float(2 * t.sf(abs(effect) / error, people - 1)),
        method="interleave",
        n=visits,
        level=level,
    )
