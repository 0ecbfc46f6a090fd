"""What a shop's people agreed to, from its ledger to its world and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from cartwheel.channels.act import act
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import list_decisions, move
from cartwheel.levers.base import OnlineLever
from cartwheel.measure.experiment.options import variant_of
from cartwheel.measure.experiment.trial import InForce as Trials
from cartwheel.simulator.arms.actions import PRICE_KINDS, Agreed
from cartwheel.simulator.living.policy import InForce
from cartwheel.turn.publish import published_turn
from cartwheel.turn.steps import stage_of
from cartwheel.wheel import find_levers

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ACTOR = "world"
ONLINE = "recommend"
CARRIED = (*sorted(PRICE_KINDS), "reorder", "winback", "leave_alone")
"""Kinds of decision that a world can carry out."""

AGREED = (DecisionState.APPROVED, DecisionState.APPLIED)


def approve_everything(shop: Shop, *, actor: str) -> int:
    """Approve every proposal as a person would; return how many."""
    waiting = list_decisions(shop.database, state="proposed", limit=None)
    if waiting:
        act(shop, "approve", [entry.id for entry in waiting], actor=actor)
    return len(waiting)


def to_carry_out(shop: Shop, carried: Collection[str]) -> list[Entry]:
    """Return decisions to carry out: agreed to, and not carried out before.

    Those of earlier turns come first, so that the newest price of an article stays.
    """
    done = set(carried)
    found = [
        entry
        for kind in CARRIED
        for state in AGREED
        for entry in list_decisions(
            shop.database, kind=kind, state=state.value, limit=None, order="position"
        )
        if entry.id not in done
    ]
    return sorted(found, key=lambda entry: entry.turn)


def in_force(shop: Shop, fresh: Sequence[Entry]) -> InForce:
    """Return what a shop published, with decisions to be carried out."""
    number = published_turn(shop)
    lever = cast(OnlineLever, find_levers()[ONLINE])
    if number is None:
        return InForce(
            settings=shop.settings, lever=lever, model=None, excluded=frozenset()
        )
    stage = stage_of(shop, number)
    standing = [
        entry
        for state in AGREED
        for entry in list_decisions(
            shop.database,
            kind="leave_alone",
            state=state.value,
            turn=number,
            limit=None,
        )
    ]
    return InForce(
        settings=shop.settings,
        lever=lever,
        model=stage.read_model(ONLINE),
        arm_model=stage.read_model(variant_of(ONLINE)),
        excluded=frozenset(stage.read_json("gate", "excluded") or {}),
        fresh=tuple(_as_agreed(entry) for entry in fresh),
        standing=tuple(_as_agreed(entry) for entry in standing),
        trials=Trials.from_json(stage.read_json("gate", "trials")),
    )


def _as_agreed(entry: Entry) -> Agreed:
    subject = entry.subject.partition(":")[2]
    return Agreed(kind=entry.kind, subject_id=subject, action=entry.action)


def why_not(entry: Entry, refused: Mapping[str, str]) -> str:
    """Return why the world did not carry a decision out, "" when it did."""
    if entry.kind != "reorder":
        return ""
    return refused.get(entry.subject.partition(":")[2], "")


def mark(shop: Shop, marks: Mapping[str, str], *, on: str) -> None:
    """Put on record what became of decisions, unless somebody took them back since.

    Args:
        shop: The shop.
        marks: Why the world refused a decision, "" when it was carried out, by id.
        on: The day it happened.
    """
    states = {
        entry.id: entry.state
        for kind in CARRIED
        for state in AGREED
        for entry in list_decisions(
            shop.database, kind=kind, state=state.value, limit=None
        )
    }
    refused: dict[str, list[str]] = {}
    for name, why in marks.items():
        if name in states and (why or states[name] is DecisionState.APPROVED):
            refused.setdefault(why, []).append(name)
    for why, ids in refused.items():
        target = DecisionState.REVERTED if why else DecisionState.APPLIED
        note = f"the supplier refused it: {why}" if why else f"carried out on {on}"
        move(shop.database, ids, target.value, actor=ACTOR, note=note)
