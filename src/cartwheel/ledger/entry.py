"""One decision as the ledger holds it, and the states it may take.

proposed ──► approved ──► applied
   │  ▲          │           │
   │  └─ undo ─ rejected     │        refused    the gate's rule stands
   └──► expired  └─► reverted ◄┘      held_out   its subject is left alone
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class DecisionState(StrEnum):
    """State of a decision."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    REVERTED = "reverted"
    EXPIRED = "expired"
    REFUSED = "refused"
    HELD_OUT = "held_out"


MOVES: dict[DecisionState, frozenset[DecisionState]] = {
    DecisionState.PROPOSED: frozenset(
        {DecisionState.APPROVED, DecisionState.REJECTED, DecisionState.EXPIRED}
    ),
    DecisionState.APPROVED: frozenset(
        {DecisionState.APPLIED, DecisionState.REVERTED, DecisionState.EXPIRED}
    ),
    DecisionState.APPLIED: frozenset({DecisionState.REVERTED, DecisionState.EXPIRED}),
    DecisionState.REJECTED: frozenset({DecisionState.PROPOSED}),
    DecisionState.REVERTED: frozenset(),
    DecisionState.EXPIRED: frozenset(),
    DecisionState.REFUSED: frozenset(),
    DecisionState.HELD_OUT: frozenset(),
}

UNDO: dict[DecisionState, DecisionState] = {
    DecisionState.APPROVED: DecisionState.REVERTED,
    DecisionState.APPLIED: DecisionState.REVERTED,
    DecisionState.REJECTED: DecisionState.PROPOSED,
}
"""Where `undo` leads from each state that can be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A decision with its stamp and state.

    Attributes:
        id: Unique id, carried by exposures and outcomes.
        turn: Turn that made it.
        lever: Lever that made it.
        kind: Kind of decision.
        subject: What it is about.
        state: Present state.
        body: The decision as the lever made it (never changes).
        action: The action in force; the gate may have trimmed it, a person edited it.
        edited: A person changed the action.
        model: Fingerprint of the model that decided.
        refusal: `{"rule", "reason"}` when the gate refused it.
        expires_on: ISO day after which it lapses.
    """

    id: str
    turn: int
    lever: str
    kind: str
    subject: str
    state: DecisionState
    body: Mapping[str, Any]
    action: Mapping[str, Any]
    edited: bool
    model: str
    refusal: Mapping[str, Any] | None
    expires_on: str | None

    @property
    def reason(self) -> str:
        """Why, in the merchant's words."""
        return str(self.body["reason"])

    @property
    def propensity(self) -> float | None:
        """Probability of the choice when it was drawn at random."""
        value: float | None = self.body["propensity"]
        return value

    @property
    def predicted(self) -> Mapping[str, Any] | None:
        """Predicted value: metric, value, low, high, level."""
        value: Mapping[str, Any] | None = self.body["predicted"]
        return value

    @property
    def worth_minor(self) -> int | None:
        """Money at stake."""
        value: int | None = self.body["worth_minor"]
        return value

    @property
    def cost_minor(self) -> int | None:
        """What carrying it out costs."""
        value: int | None = self.body["cost_minor"]
        return value

    @property
    def evidence(self) -> Mapping[str, Any]:
        """Inputs behind the reason."""
        value: Mapping[str, Any] = self.body["evidence"]
        return value

    @property
    def options(self) -> list[Mapping[str, Any]]:
        """Alternatives weighed."""
        return list(self.body["options"])

    def to_json(self) -> dict[str, Any]:
        """Return the shape other programs rely on."""
        return {
            "id": self.id,
            "turn": self.turn,
            "lever": self.lever,
            "kind": self.kind,
            "subject": self.subject,
            "action": dict(self.action),
            "propensity": self.propensity,
            "predicted": self.predicted,
            "reason": self.reason,
            "state": self.state.value,
            "worth_minor": self.worth_minor,
            "cost_minor": self.cost_minor,
            "evidence": dict(self.evidence),
            "options": self.options,
            "refusal": self.refusal,
            "expires_on": self.expires_on,
            "edited": self.edited,
        }


def entry_from_row(row: Mapping[str, Any]) -> Entry:
    """Build an entry from a row of the `decisions` table."""
    return Entry(
        id=row["id"],
        turn=row["turn"],
        lever=row["lever"],
        kind=row["kind"],
        subject=row["subject"],
        state=DecisionState(row["state"]),
        body=json.loads(row["body"]),
        action=json.loads(row["action"]),
        edited=bool(row["edited"]),
        model=row["model"],
        refusal=None if row["refusal"] is None else json.loads(row["refusal"]),
        expires_on=row["expires_on"],
    )
