"""Rule 3a: no price under its floor and no change above its cap, for any model output.

The floor is the unit cost plus the smallest margin of the price; where the cost is
unknown there is no floor to check, so only a price rise may pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cartwheel.gate.base import (
    Candidate,
    GateContext,
    Refusal,
    VariantFacts,
    Verdict,
    sift,
)
from cartwheel.settings import Guardrails

RULE = "price limits"


def price_limits(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse prices outside the shop's limits."""
    return sift(_check(candidate, context) for candidate in candidates)


def floor_minor(cost_minor: int, minimum_margin_bps: int) -> int:
    """Return the smallest price, in minor units, that keeps the margin.

    A margin m of the price p means p - cost >= m p, so p >= cost / (1 - m).
    """
    if minimum_margin_bps >= 10_000:
        raise ValueError("a margin of 100 % of the price has no finite floor")
    return -(-cost_minor * 10_000 // (10_000 - minimum_margin_bps))


def _check(candidate: Candidate, context: GateContext) -> Candidate | Refusal:
    if "price_minor" not in candidate.decision.action:
        return candidate
    reason = _fault(candidate, context)
    if reason is None:
        return candidate
    return Refusal(candidate=candidate, rule=RULE, reason=reason)


def _fault(candidate: Candidate, context: GateContext) -> str | None:
    price = candidate.decision.action["price_minor"]
    facts = context.variants.get(candidate.subject_id)
    if isinstance(price, bool) or not isinstance(price, int | float):
        return f"price {price!r} is not a number"
    if not math.isfinite(price) or price != int(price) or price <= 0:
        return f"price {price} is not a positive whole number of minor units"
    if facts is None or facts.price_minor is None or facts.price_minor <= 0:
        return "the present price is not known, so the change cannot be limited"
    return _outside(int(price), facts, candidate, context.settings.guardrails)


def _outside(
    price: int, facts: VariantFacts, candidate: Candidate, limits: Guardrails
) -> str | None:
    now = facts.price_minor or 0
    markdown = candidate.decision.kind == "markdown"
    cap = limits.max_markdown_bps if markdown else limits.max_price_change_bps
    if abs(price - now) * 10_000 > cap * now:
        return (
            f"a change from {now} to {price} is above the cap of {cap / 100:g} % "
            f"(guardrails.max_{'markdown' if markdown else 'price_change'}_bps)"
        )
    if facts.cost_minor is None:
        return None if price >= now else "the cost is unknown, so there is no floor"
    if limits.minimum_margin_bps >= 10_000:
        return "a minimum margin of 100 % leaves no price (guardrails)"
    floor = floor_minor(facts.cost_minor, limits.minimum_margin_bps)
    if price < floor:
        return (
            f"{price} is under the floor of {floor} "
            f"(cost {facts.cost_minor}, guardrails.minimum_margin_bps "
            f"{limits.minimum_margin_bps})"
        )
    return None
