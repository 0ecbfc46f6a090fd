"""Rule 5: people in the holdout are left alone by every lever."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate, GateContext, Refusal, Verdict, sift
from cartwheel.measure.assign import in_holdout


def assignment(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Hold out decisions about customers in the holdout."""
    return sift(_check(candidate, context) for candidate in candidates)


def _check(candidate: Candidate, context: GateContext) -> Candidate | Refusal:
    if candidate.subject_type != "customer":
        return candidate
    holdout = context.settings.holdout
    share = holdout.share_bps / 10_000
    if not in_holdout(candidate.subject_id, share, holdout.salt):
        return candidate
    return Refusal(
        candidate=candidate,
        rule="assignment",
        reason=f"in the holdout of {share:.1%} of customers",
        state="held_out",
    )
