"""Every arm by name: ours, the wheel with any links cut, and outsiders' policies."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from cartwheel.errors import Failure, Misuse
from cartwheel.simulator.arms.links import COALITION, LINKS, MINUS, PLUS, cuts_of_arm

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Policy
    from cartwheel.simulator.world.world import World

GROUP = "cartwheel.arms"
"""Entry points of outsiders' policies: a function without arguments."""

NO_AI, ISOLATED, CONNECTED, ORACLE = "no-ai", "isolated", "connected", "oracle"
CLAIRVOYANT = "clairvoyant"
DEFAULT = (NO_AI, ISOLATED, CONNECTED, ORACLE)
"""Arms that are played unless others are asked for."""

DAILY = "connected daily"
"""Decides every day by what it learned last, and learns weekly as the others."""

MEASURED = "connected measured"
"""Connected with larger holdouts; measured lifts are held against the true ones."""

MEASURED_BPS = 2_000
"""Share held out of it, in basis points. An interval's width falls with the root of the
smaller group: 20 % halve it against the product's 5 %, and what is tested is whether
intervals hold the truth, which does not depend on the share."""

MEASURED_LEVERS_BPS = {"recommend": 2_000, "lifecycle": 2_000, "price": 3_000}
"""Share each lever alone leaves alone in it, of customers or of products. A small
world has 150 products, and the ledger tells nothing of fewer than 30 in a group."""

FROZEN = "connected frozen"
"""Connected, but learns at its first turn only and decides by that ever after."""

VARIED: dict[str, dict[str, dict[str, float]]] = {
    "connected relevance only": {"recommend": {"margin_weight": 0.0}},
    "connected without exploring": {"recommend": {"explore": 0.0}},
}
"""Connected with other options of a lever: what the economics of slots are worth, and
what exploration costs."""

NEVER = 10**6
"""Days after which it would learn again."""

OURS = (*DEFAULT, CLAIRVOYANT, DAILY, MEASURED, FROZEN, *VARIED)


def arm_names() -> list[str]:
    """Return the names of arms that stand for themselves, outsiders' last."""
    return [*OURS, *sorted(point.name for point in entry_points(group=GROUP))]


def links() -> list[str]:
    """Return the links between silos."""
    return list(LINKS)


def check_arm(name: str) -> None:
    """Raise `Misuse` unless there is an arm of this name."""
    if name not in arm_names() and cuts_of_arm(name) is None:
        raise Misuse(
            f"There is no arm {name!r}.",
            f"Choose one of {', '.join(arm_names())}, or '{MINUS}LINK', '{PLUS}LINK', "
            f"'{COALITION}LINK+LINK'.",
        )


def make_arm(name: str, world: World, seed: int) -> Policy:
    """Return a fresh policy for a world after its warm-up.

    Only the oracle and the clairvoyant are shown the world itself.

    Raises:
        Misuse: If there is no such arm.
        Failure: If an outsider's policy cannot be loaded.
    """
    check_arm(name)
    if name == NO_AI:
        from cartwheel.simulator.arms.plain import Plain

        return Plain()
    if name == ORACLE:
        from cartwheel.simulator.arms.oracle import Oracle

        return Oracle(world)
    if name == CLAIRVOYANT:
        from cartwheel.simulator.arms.clairvoyant import Clairvoyant

        return Clairvoyant(world)
    whole = name in (DAILY, MEASURED, FROZEN, *VARIED)
    cuts = frozenset[str]() if whole else cuts_of_arm(name)
    if cuts is not None:
        from cartwheel.simulator.arms.wheel import TURN_DAYS, Wheel

        return Wheel(
            name,
            currency=world.spec.money.currency,
            parcel_minor=world.spec.money.parcel_minor,
            cuts=cuts,
            seed=seed,
            turn_days=1 if name == DAILY else TURN_DAYS,
            learn_days=NEVER if name == FROZEN else TURN_DAYS,
            holdout_bps=MEASURED_BPS if name == MEASURED else None,
            lever_bps=MEASURED_LEVERS_BPS if name == MEASURED else None,
            made_ahead=False,
            options=VARIED.get(name),
        )
    (point,) = entry_points(group=GROUP, name=name)
    try:
        factory: Callable[[], Policy] = point.load()
        return factory()
    except Exception as error:
        raise Failure(
            f"The arm {name} ({point.value}) cannot be loaded: {error}.",
            "Repair or uninstall the package that brings it.",
        ) from error
