"""Page fixes delivered to visitors: shown by a script to one arm of a test, on no page.

A platform shows one page to all, so what only some are to see cannot stand in it. The
fix is approved as any other; until it is brought to the page it is in no file of the
outbox, and `GET /v1/page-block` gives its sentences to visitors of the test's arm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select

from cartwheel.errors import Conflict
from cartwheel.ledger.entry import DecisionState, Entry
from cartwheel.ledger.store import find
from cartwheel.operations import now_text, reading, visitor_fixes

KIND = "page_fix"
IN_FORCE = (DecisionState.APPROVED, DecisionState.APPLIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a visitor of the arm is shown; texts, never mark-up.

    Attributes:
        decision_id: The page fix.
        heading: Its heading.
        lines: Sentences, each with the question it answers, "" for none.
    """

    decision_id: str
    heading: str
    lines: tuple[tuple[str, str], ...]


def delivered_ids(engine: Engine) -> frozenset[str]:
    """Return the page fixes that are delivered to visitors, whatever their state."""
    with reading(engine) as con:
        return frozenset(con.execute(select(visitor_fixes.c.decision_id)).scalars())


def to_visitors(engine: Engine, ids: Iterable[str], *, actor: str) -> None:
    """Have page fixes delivered to visitors instead of on the page.

    Args:
        engine: Operational database.
        ids: Page fixes that nobody has said yes to yet.
        actor: Who wants it so.

    Raises:
        NotFound: If an id is unknown.
        Conflict: If a fix is on its page already, or no longer open.
    """
    known = delivered_ids(engine)
    wanted = [name for name in dict.fromkeys(ids) if name not in known]
    for name in wanted:
        entry = find(engine, name)
        if entry.state is not DecisionState.PROPOSED:
            raise Conflict(
                f"Page fix {entry.id} is {entry.state}; only a proposed one is "
                "delivered to visitors.",
                "What stands on a page, everybody sees. Undo it, and wait for the next "
                "proposal.",
            )
    with engine.begin() as con:
        for name in wanted:
            con.execute(
                insert(visitor_fixes).values(
                    decision_id=name, at=now_text(), actor=actor
                )
            )


def to_page(engine: Engine, ids: Iterable[str]) -> None:
    """Have page fixes stand on the page for everybody, as usual.

    Args:
        engine: Operational database.
        ids: Page fixes.
    """
    with engine.begin() as con:
        con.execute(
            delete(visitor_fixes).where(visitor_fixes.c.decision_id.in_(list(ids)))
        )


def visitor_blocks(engine: Engine) -> dict[str, Block]:
    """Return what visitors of a test are shown, by product; the newest fix of each.

    Args:
        engine: Operational database.
    """
    # Asked once a second: only what is delivered is read, not every fix there is.
    found = (find(engine, name) for name in delivered_ids(engine))
    entries = [entry for entry in found if entry.state in IN_FORCE]
    entries.sort(key=lambda entry: (entry.turn, entry.id))
    return {entry.subject.partition(":")[2]: _block(entry) for entry in entries}


def _block(entry: Entry) -> Block:
    return Block(
        decision_id=entry.id,
        heading=str(entry.action["heading"]),
        lines=tuple(
            (str(one["text"]), str(one.get("question") or ""))
            for one in entry.action["said"]
        ),
    )
