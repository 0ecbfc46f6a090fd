"""Rule 3b: no customer gets more offers than the cap, counting this turn's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cartwheel.gate.base import (
    MESSAGE_KINDS,
    Candidate,
    GateContext,
    Refusal,
    Verdict,
    sift,
)


def frequency(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse messages above `guardrails.max_messages_30_days`."""
    cap = context.settings.guardrails.max_messages_30_days
    sent = Counter(context.recent_offers)
    results: list[Candidate | Refusal] = []
    for candidate in candidates:
        if candidate.decision.kind not in MESSAGE_KINDS:
            results.append(candidate)
            continue
        sent[candidate.subject_id] += 1
        if sent[candidate.subject_id] > cap:
            results.append(
                Refusal(
                    candidate=candidate,
                    rule="frequency",
                    reason=f"more than {cap} offers in 30 days "
                    "(guardrails.max_messages_30_days)",
                )
            )
        else:
            results.append(candidate)
    return sift(results)
