"""What shoppers asked support and what became of it: kept before they are answered.

A contact is what a person wrote, masked, with the answer and its sources. One that was
handed over waits until a person closes it. Nothing is edited; closing is added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Engine, case, func, insert, select, update

from cartwheel.errors import Conflict, NotFound
from cartwheel.operations import contacts, now_text, reading
from cartwheel.text.masking import mask

OUTCOMES: Mapping[str, str] = {
    "answered": "Answered",
    "asked_back": "Asked back",
    "handed_over": "Handed over",
}
"""What may become of a contact, with what a merchant reads."""

REASONS: Mapping[str, str] = {
    "evidence": "answered from the shop's texts",
    "order": "told how the customer's own order stands",
    "greeting": "greeted",
    "urgent": "somebody may be in danger, or threatens",
    "person": "asked for a person, or threatens with law",
    "safety": "asks for harm, others' data or a breach of the shop's rules",
    "modality": "needs eyes, ears or a call",
    "unverified": "about an order, and nobody is signed in",
    "no_order": "about an order that is not on record",
    "not_yours": "about an order number that is not this customer's",
    "late_order": "an order is late",
    "which_product": "no product is named",
    "unclear": "says too little to be understood",
    "no_evidence": "nothing the shop has written answers it for certain",
    "language": "in a language nobody taught it",
    "held_out": "left to people, to measure what answering is worth",
    "no_model": "no turn had made it ready, or it failed",
}
"""Reasons, with what a merchant reads."""

LONGEST = 2_000
"""Characters of the longest message that is accepted; more of one is never read."""

URGENT = "urgent"
"""Reason that comes first in the queue."""
LATE = "late_order"
"""Reason of an answer that a person has to follow up as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One question of a shopper.

    Attributes:
        id: Its id; sorts by time.
        at: Instant, UTC text.
        turn: Turn whose model answered, None for none.
        customer_id: Who asked, where the shop verified it.
        visitor_id: Device, if known.
        product_id: Product looked at, if any.
        reply_to: E-mail address that a person may answer to, if one was left.
        asked: What was written, masked.
        outcome: One of `OUTCOMES`.
        why: Reason, a word of the lever's.
        arm: treated, holdout or fallback.
        body: What was said with its sources, and how sure it was; JSON values.
        closed_at: A person closed it at, None while open or never handed over.
        closed_by: Who did.
    """

    id: str
    at: str
    turn: int | None
    customer_id: str | None
    visitor_id: str | None
    product_id: str | None
    asked: str
    outcome: str
    why: str
    arm: str
    body: Mapping[str, Any] = field(default_factory=dict)
    reply_to: str | None = None
    closed_at: str | None = None
    closed_by: str | None = None

    @property
    def waiting(self) -> bool:
        """A person has to deal with it."""
        handed = self.outcome == "handed_over" or self.why == LATE
        return handed and self.closed_at is None


def masked(asked: str) -> str:
    """Return what was asked as it is kept: what is personal masked, any text storable.

    Args:
        asked: The message as written.
    """
    text = mask(asked).encode("utf-8", "replace").decode()
    return text.replace("\x00", " ")


def keep(engine: Engine, contact: Contact) -> None:
    """Write a contact.

    Args:
        engine: Operational database.
        contact: A new one, `asked` as `masked` gives it.
    """
    with engine.begin() as con:
        con.execute(
            insert(contacts).values(
                id=contact.id,
                at=contact.at,
                turn=contact.turn,
                customer_id=contact.customer_id,
                visitor_id=contact.visitor_id,
                product_id=contact.product_id,
                reply_to=contact.reply_to,
                asked=contact.asked,
                outcome=contact.outcome,
                why=contact.why,
                arm=contact.arm,
                body=json.dumps(dict(contact.body), ensure_ascii=True, sort_keys=True),
            )
        )


def _waiting() -> ColumnElement[bool]:
    handed = (contacts.c.outcome == "handed_over") | (contacts.c.why == LATE)
    return handed & contacts.c.closed_at.is_(None)


def count_waiting(engine: Engine) -> int:
    """Return how many contacts wait for a person."""
    query = select(func.count()).select_from(contacts).where(_waiting())
    with reading(engine) as con:
        return int(con.execute(query).scalar_one())


def list_contacts(
    engine: Engine, *, waiting: bool | None = None, since: str = "", limit: int = 200
) -> list[Contact]:
    """Return contacts, urgent ones first among those that wait, then newest first.

    Args:
        engine: Operational database.
        waiting: Only those a person has to deal with, only the others, or None for all.
        since: Instant from which, UTC text.
        limit: Most rows.
    """
    open_ = _waiting()
    query = select(contacts).where(contacts.c.at >= since)
    if waiting is not None:
        query = query.where(open_ if waiting else ~open_)
    urgent = case((contacts.c.why == URGENT, 0), else_=1)
    newest = (contacts.c.at.desc(), contacts.c.id.desc())
    order = (urgent, *newest) if waiting else newest
    with reading(engine) as con:
        rows = con.execute(query.order_by(*order).limit(limit)).mappings().all()
    return [Contact(**{**row, "body": json.loads(row["body"])}) for row in rows]


def close(engine: Engine, name: str, who: str) -> None:
    """Say that a person has dealt with a contact.

    Args:
        engine: Operational database.
        name: Id of the contact.
        who: The person.

    Raises:
        NotFound: If there is no such contact.
        Conflict: If nobody waits, or somebody closed it before.
    """
    with engine.begin() as con:
        row = (
            con.execute(select(contacts).where(contacts.c.id == name))
            .mappings()
            .first()
        )
        if row is None:
            raise NotFound(f"There is no contact {name}.", "See the page Support.")
        found = Contact(**{**row, "body": json.loads(row["body"])})
        if not found.waiting:
            raise Conflict(
                f"Nobody waits for an answer to the contact {name}.",
                "See the page Support for those who do.",
            )
        con.execute(
            update(contacts)
            .where(contacts.c.id == name)
            .values(closed_at=now_text(), closed_by=who)
        )
