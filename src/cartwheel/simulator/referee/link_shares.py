"""What each link is worth over all kinds of worlds: shares of the wheel's profit.

Amounts of different worlds do not add up; shares of each world's own profit do. A share
is of what the arm with the link earned in the same world: of the isolated levers for
add-one, of the whole wheel for leave-one-out and Shapley.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.simulator.referee.groups import (
    CONNECTED,
    ISOLATED,
    MINUS,
    PLUS,
    Group,
    groups_of,
    is_link_arm,
)
from cartwheel.simulator.referee.link_table import (
    adjust,
    orders_played,
    shapley_shares,
)
from cartwheel.simulator.referee.paired import LEVEL, Paired, paired
from cartwheel.simulator.referee.results import Run

Array = np.ndarray[Any, Any]

FORMS = ("add-one", "leave-one-out", "Shapley")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkShare:
    """Worth of one link as a share of profit, over all kinds of worlds.

    Attributes:
        link: Name of the link.
        forms: Add-one, leave-one-out and Shapley; None when not played.
        adjusted: p values adjusted for the number of links, in the same order.
        left_out: Worlds whose base earned nothing, of which there is no share.
    """

    link: str
    forms: tuple[Paired | None, Paired | None, Paired | None]
    adjusted: tuple[float, float, float]
    left_out: int


def link_shares(
    runs: Sequence[Run],
    *,
    links: Sequence[str],
    orders: Sequence[Sequence[str]] | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> list[LinkShare]:
    """Return the worth of every link as a share of profit, each world once.

    Every world weighs the same, whatever its kind. p values are adjusted by Holm over
    the links of one form.

    Args:
        runs: Runs of any worlds and arms.
        links: Every link of the wheel.
        orders: Orders of joining; when not given, as many as were played in full.
        level: Confidence level.
        seed: Seed of the bootstrap.
    """
    groups = [g for g in groups_of(runs) if any(is_link_arm(r.arm) for r in g.runs)]
    if not groups:
        return []
    parts = [_shares(group, links, orders) for group in groups]

    def pooled(form: str, link: str) -> tuple[Paired | None, int]:
        """Return the worth over all worlds, and the worlds that have no share."""
        values = [part[form, link] for part in parts if (form, link) in part]
        shares = np.concatenate(values) if values else np.zeros(0)
        told = shares[np.isfinite(shares)]
        one = paired(told, np.zeros(len(told)), level=level, seed=seed)
        return (one if len(told) else None), len(shares) - len(told)

    found = {form: [pooled(form, link) for link in links] for form in FORMS}
    adjusted = [adjust([one for one, _ in found[form]]) for form in FORMS]
    rows = []
    for at, link in enumerate(links):
        add, leave, joined = (found[form][at] for form in FORMS)
        p_add, p_leave, p_joined = (float(form[at]) for form in adjusted)
        rows.append(
            LinkShare(
                link=link,
                forms=(add[0], leave[0], joined[0]),
                adjusted=(p_add, p_leave, p_joined),
                left_out=max(add[1], leave[1], joined[1]),
            )
        )
    return rows


def _shares(
    group: Group, links: Sequence[str], orders: Sequence[Sequence[str]] | None
) -> dict[tuple[str, str], Array]:
    """Return shares by form and link of one kind of world, a value a seed."""
    found: dict[tuple[str, str], Array] = {}
    for link in links:
        for form, arm, base, sign in (
            ("add-one", PLUS + link, ISOLATED, 1),
            ("leave-one-out", MINUS + link, CONNECTED, -1),
        ):
            seeds = group.shared(arm, base)
            if seeds:
                whole = group.per_visit(base, seeds)
                other = group.per_visit(arm, seeds)
                found[form, link] = _share(sign * (other - whole), whole)
    arms = {run.arm for run in group.runs}
    wanted = orders_played(links, arms) if orders is None else orders
    if wanted:
        joined, seeds = shapley_shares(group, links, wanted)
        for link, worth in joined.items():
            found["Shapley", link] = _share(worth, group.per_visit(CONNECTED, seeds))
    return found


def _share(worth: Array, whole: Array) -> Array:
    """Return shares, nan where the base earned nothing or lost."""
    result: Array = np.where(whole > 0, worth / np.where(whole > 0, whole, 1), np.nan)
    return result
