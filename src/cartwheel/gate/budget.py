"""Rule 3c: reorders of one turn stay within the budget, most worth per money first."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate, GateContext, Refusal, Verdict, sift


def budget(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse reorders above `guardrails.reorder_budget_minor`."""
    limit = context.settings.guardrails.reorder_budget_minor
    orders = [c for c in candidates if c.decision.kind == "reorder"]
    if limit is None or not orders:
        return Verdict(list(candidates), [])
    left = limit
    within: set[int] = set()
    for candidate in sorted(orders, key=_return_on_money, reverse=True):
        cost = candidate.decision.cost_minor
        if cost is not None and cost <= left:
            left -= cost
            within.add(id(candidate))
    return sift(
        candidate
        if candidate.decision.kind != "reorder" or id(candidate) in within
        else Refusal(
            candidate=candidate, rule="budget", reason=_reason(candidate, limit)
        )
        for candidate in candidates
    )


def _return_on_money(candidate: Candidate) -> tuple[float, str]:
    worth = candidate.decision.worth_minor or 0
    cost = candidate.decision.cost_minor or 0
    return (worth / cost if cost > 0 else float(worth), candidate.decision.subject)


def _reason(candidate: Candidate, limit: int) -> str:
    if candidate.decision.cost_minor is None:
        return "its cost is unknown, so it cannot be held against the budget"
    return (
        f"{candidate.decision.cost_minor} does not fit the budget of {limit} "
        "(guardrails.reorder_budget_minor)"
    )
