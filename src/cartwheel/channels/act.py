"""What a person does to decisions, from whichever face: the ledger, then the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from cartwheel.channels.outbox import refresh
from cartwheel.channels.visitor_fixes import delivered_ids, to_page, to_visitors
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import find, move
from cartwheel.ledger.store import undo as take_back
from cartwheel.shop import Shop
from cartwheel.wheel import find_kinds, find_levers

Verb = Literal["approve", "reject", "undo"]


def act(
    shop: Shop, verb: Verb, ids: Iterable[str], *, actor: str, note: str = ""
) -> list[Entry]:
    """Approve, reject or undo decisions, all of them or none, and carry it out.

    Returns:
        The decisions as they are now.

    Raises:
        NotFound: If an id is unknown.
        Conflict: If one cannot be moved from its present state.
    """
    if verb == "undo":
        moved = take_back(shop.database, ids, actor=actor, note=note)
    else:
        target = {
            "approve": DecisionState.APPROVED,
            "reject": DecisionState.REJECTED,
        }[verb]
        moved = move(shop.database, ids, target.value, actor=actor, note=note)
    refresh(shop, find_kinds(find_levers()))
    return [find(shop.database, entry.id) for entry in moved]


def show_to_visitors(shop: Shop, ids: Sequence[str], *, actor: str) -> list[Entry]:
    """Approve page fixes for the visitors of a test's arm, on no page.

    Args:
        shop: The shop.
        ids: Page fixes that nobody has said yes to yet.
        actor: Who says yes.

    Raises:
        NotFound: If an id is unknown.
        Conflict: If a fix is no longer open.
    """
    to_visitors(shop.database, ids, actor=actor)
    return act(shop, "approve", ids, actor=actor)


def bring_to_page(shop: Shop, ids: Iterable[str]) -> list[str]:
    """Have page fixes that visitors were shown stand on the page for everybody.

    Args:
        shop: The shop.
        ids: Page fixes, delivered to visitors or not.

    Returns:
        Those that are in force and now go to their page.
    """
    apart = delivered_ids(shop.database)
    moved = [name for name in dict.fromkeys(ids) if name in apart]
    if not moved:
        return []
    to_page(shop.database, moved)
    refresh(shop, find_kinds(find_levers()))
    in_force = (DecisionState.APPROVED, DecisionState.APPLIED)
    return [name for name in moved if find(shop.database, name).state in in_force]
