"""A list drafted from two rankings, as two captains pick teams.

Everybody who looks compares both, so how readily people click, in which they differ
most, drops out; `interleave` reads the clicks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Team = Literal["control", "arm", ""]


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
        chances: Probability of each slot's item, given the items before it.
    """

    slots: tuple[Slot, ...]
    picks: tuple[Team, ...]
    chances: tuple[float, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The products in order."""
        return tuple(slot.item for slot in self.slots)

    def votes(self, clicked: Iterable[str]) -> tuple[int, int]:
        """Return the clicked slots of the arm and those of the control.

        Args:
            clicked: Products clicked in this visit; each counts once.
        """
        won = set(clicked)
        teams = [slot.team for slot in self.slots if slot.item in won]
        return teams.count("arm"), teams.count("control")


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
    chances: list[float] = []
    agreed = True
    while len(slots) < length and left["control"] and left["arm"]:
        order: list[Team] = ["control", "arm"]
        if rng.random() < 0.5:
            order.reverse()
        # Who picks is a coin until a pick gives it away: the second pick of a round is
        # as open as the first where both would have begun with the same item.
        open_ = True
        for team in order:
            if len(slots) == length or not left[team]:
                break
            same = left["control"][:1] == left["arm"][:1]
            agreed = agreed and same
            # With one ranking at its end the other fills the slot, whoever picks.
            settled = same or not (left["control"] and left["arm"])
            chances.append(1.0 if settled or not open_ else 0.5)
            open_ = open_ and settled
            _take(left[team][0], team, "" if agreed else team, left, slots, picks)
    for item in (left["control"] or left["arm"])[: length - len(slots)]:
        slots.append(Slot(item=item, team=""))
        picks.append("")
        chances.append(1.0)
    return Draft(slots=tuple(slots), picks=tuple(picks), chances=tuple(chances))


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
