"""What each link of the wheel is worth, in three forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.measure.experiment.correct import holm
from cartwheel.simulator.referee.groups import (
    COALITION,
    CONNECTED,
    ISOLATED,
    MINUS,
    PLUS,
    Group,
    groups_of,
    is_link_arm,
)
from cartwheel.simulator.referee.paired import (
    LEVEL,
    Coalition,
    Paired,
    coalitions_of,
    orders_of,
    paired,
    shapley,
)
from cartwheel.simulator.referee.results import Run

Array = np.ndarray[Any, Any]

SHAPLEY_ORDERS = 24
MOST_ORDERS = 1_000
SHAPLEY_SEED = 1953
"""Fixed, so that playing the coalitions and reading them agree on the orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """Worth of one link in minor units of profit per visit, in three forms.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        currency: Its currency, "" when unknown.
        link: Name of the link.
        add_one: Isolated plus the link against isolated; None when not run.
        leave_one_out: Connected against connected minus the link; None when not run.
        shapley: Mean addition over random orders of joining; None when not run.
        add_one_holm: p value adjusted for the number of links, nan when not run.
        leave_one_out_holm: The same.
        shapley_holm: The same.
        worlds: Seeds played with any arm of the link table.
        orders: Orders of joining that the Shapley form is made of.
    """

    world: str
    size: str
    currency: str
    link: str
    add_one: Paired | None
    leave_one_out: Paired | None
    shapley: Paired | None
    add_one_holm: float
    leave_one_out_holm: float
    shapley_holm: float
    worlds: int
    orders: int = 0

    def forms(self) -> tuple[tuple[str, Paired | None, float], ...]:
        """Return name, estimate and adjusted p value of the three forms."""
        return (
            ("add-one", self.add_one, self.add_one_holm),
            ("leave-one-out", self.leave_one_out, self.leave_one_out_holm),
            ("Shapley", self.shapley, self.shapley_holm),
        )

    def counts(self) -> tuple[int, int, int]:
        """Return how many worlds entered each of the three forms."""
        add, leave, joined = (0 if f is None else f.n for _, f, _ in self.forms())
        return add, leave, joined


def arm_of(coalition: Iterable[str], links: Sequence[str]) -> str:
    """Return the arm that plays with just these links of the wheel connected.

    None is `isolated` and all are `connected`; one alone and all but one have their own
    names, so that the Shapley form plays no arm twice.

    Args:
        coalition: Links connected.
        links: Every link of the wheel.

    Raises:
        ValueError: If the coalition has a link the wheel has not.
    """
    chosen, every = set(coalition), set(links)
    if not chosen <= every:
        raise ValueError(f"{sorted(chosen - every)} are no links of the wheel")
    if chosen == every:
        return CONNECTED
    if not chosen:
        return ISOLATED
    if len(chosen) == 1:
        return PLUS + chosen.pop()
    if len(every - chosen) == 1:
        return MINUS + (every - chosen).pop()
    return COALITION + "+".join(sorted(chosen))


def link_orders(links: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the random orders of joining that the Shapley form is made of."""
    return orders_of(links, SHAPLEY_ORDERS, seed=SHAPLEY_SEED)


def orders_played(links: Sequence[str], arms: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the orders of which every coalition was played, however many they are.

    Orders are drawn one pair after the other, so those of a short run are the first of
    a long one. Pairs beyond the declared number count only when something was played
    for them.

    Args:
        links: Every link of the wheel.
        arms: Arms that were played.
    """
    played, asked = set(arms), set[frozenset[str]]()
    drawn = orders_of(links, MOST_ORDERS, seed=SHAPLEY_SEED)
    found: list[tuple[str, ...]] = []
    for start in range(0, len(drawn), 2):
        pair = drawn[start : start + 2]
        wanted = coalitions_of(pair)
        old = wanted <= asked and len(found) >= SHAPLEY_ORDERS
        if old or not {arm_of(one, links) for one in wanted} <= played:
            break
        asked |= wanted
        found += pair
    return found


def link_table(
    runs: Sequence[Run],
    *,
    links: Sequence[str] | None = None,
    orders: Sequence[Sequence[str]] | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> list[LinkRow]:
    """Return the worth of every link in every world and size, in three forms.

    p values are adjusted by Holm over the links of one world and one form. The Shapley
    form uses the worlds in which every coalition of every order is done.

    Args:
        runs: Runs of any worlds and arms.
        links: Every link of the wheel; those named by the arms when not given.
        orders: Orders of joining; when not given, as many as were played in full.
        level: Confidence level.
        seed: Seed of the bootstrap.
    """
    names = tuple(sorted(_named(runs) if links is None else links))
    if not names:
        return []
    rows: list[LinkRow] = []
    for group in groups_of(runs):
        if any(is_link_arm(run.arm) for run in group.runs):
            arms = {run.arm for run in group.runs}
            wanted = orders_played(names, arms) if orders is None else orders
            rows += _link_rows(group, names, wanted, level, seed)
    return rows


def _named(runs: Sequence[Run]) -> set[str]:
    found: set[str] = set()
    for arm in {run.arm for run in runs}:
        for prefix in (MINUS, PLUS):
            if arm.startswith(prefix):
                found.add(arm.removeprefix(prefix))
        if arm.startswith(COALITION):
            found |= set(arm.removeprefix(COALITION).split("+"))
    return found


def _link_rows(
    group: Group,
    links: Sequence[str],
    orders: Sequence[Sequence[str]],
    level: float,
    seed: int,
) -> list[LinkRow]:
    def differ(arm: str, base: str) -> Paired | None:
        played = {run.arm for run in group.runs}
        if arm not in played or base not in played:
            return None
        seeds = group.shared(arm, base)
        return paired(
            group.per_visit(arm, seeds),
            group.per_visit(base, seeds),
            level=level,
            seed=seed,
        )

    shares = shapley_shares(group, links, orders)[0] if orders else {}
    add = [differ(PLUS + link, ISOLATED) for link in links]
    leave = [differ(CONNECTED, MINUS + link) for link in links]
    joined = [
        paired(shares[link], np.zeros(len(shares[link])), level=level, seed=seed)
        if link in shares
        else None
        for link in links
    ]
    adjusted = [adjust(form) for form in (add, leave, joined)]
    worlds = group.seeds(run.arm for run in group.runs if is_link_arm(run.arm))
    currency = group.currency
    return [
        LinkRow(
            world=group.world,
            size=group.size,
            currency=currency,
            link=link,
            add_one=add[i],
            leave_one_out=leave[i],
            shapley=joined[i],
            add_one_holm=float(adjusted[0][i]),
            leave_one_out_holm=float(adjusted[1][i]),
            shapley_holm=float(adjusted[2][i]),
            worlds=worlds,
            orders=len(orders) if shares else 0,
        )
        for i, link in enumerate(links)
    ]


def adjust(form: Sequence[Paired | None]) -> Array:
    """Return p values adjusted by Holm for the links played, nan where one was not."""
    return holm([float("nan") if one is None else one.p_value for one in form])


def shapley_shares(
    group: Group, links: Sequence[str], orders: Sequence[Sequence[str]]
) -> tuple[dict[str, Array], list[int]]:
    """Return each link's share by world, nothing when no world has all coalitions.

    Args:
        group: Runs of one kind of world.
        links: Every link of the wheel.
        orders: Orders of joining.

    Returns:
        Profit per visit in minor units by link, a value a world, and their seeds.
    """
    arms = {one: arm_of(one, links) for one in coalitions_of(orders)}
    seeds = group.shared(*arms.values())
    if not seeds:
        return {}, []

    def value(coalition: Coalition) -> Array:
        return group.per_visit(arms[coalition], seeds)

    return shapley(links, value, orders), seeds
