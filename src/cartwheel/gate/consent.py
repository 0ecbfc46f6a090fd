"""Rule 2: nobody is mailed without a yes on record."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import (
    MESSAGE_KINDS,
    Candidate,
    GateContext,
    Refusal,
    Verdict,
    sift,
)


def consent(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse messages to customers without consent to marketing e-mail."""
    return sift(_check(candidate, context) for candidate in candidates)


def _check(candidate: Candidate, context: GateContext) -> Candidate | Refusal:
    if candidate.decision.kind not in MESSAGE_KINDS:
        return candidate
    if candidate.subject_id in context.email_consent:
        return candidate
    return Refusal(
        candidate=candidate,
        rule="consent",
        reason="no consent to marketing e-mail on record",
    )
