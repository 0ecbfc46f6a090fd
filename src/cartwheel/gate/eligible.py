"""Rule 1: what is promoted, ordered or priced is for sale and is not blocked."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate, GateContext, Refusal, Verdict, sift, trim

RULE = "eligible"


def eligible(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse blocked or inactive products and what is sold out with nothing inbound."""
    hidden = dict.fromkeys(context.hidden, "excluded by the merchant")
    gone = {**unpromotable(context), **hidden}
    blocked = frozenset(context.settings.guardrails.blocked_products)
    return sift(_check(candidate, context, gone, blocked) for candidate in candidates)


def unpromotable(context: GateContext) -> dict[str, str]:
    """Return the reason for every product that must not be put before a shopper."""
    gone = {
        product: "sold out and nothing inbound"
        for product, variants in context.variants_of().items()
        if all(
            v.on_hand_units is not None
            and v.on_hand_units <= 0
            and v.inbound_units <= 0
            for v in variants
        )
    }
    gone.update({product: "not active" for product in context.inactive_products})
    blocked = context.settings.guardrails.blocked_products
    gone.update({product: "blocked in the settings" for product in blocked})
    return gone


def _check(
    candidate: Candidate,
    context: GateContext,
    gone: dict[str, str],
    blocked: frozenset[str],
) -> Candidate | Refusal:
    product = _subject_product(candidate, context)
    if product in blocked and candidate.decision.kind != "forecast_plan":
        return Refusal(
            candidate=candidate,
            rule=RULE,
            reason=f"product {product} is blocked (guardrails.blocked_products)",
        )
    return trim(candidate, gone, RULE)


def _subject_product(candidate: Candidate, context: GateContext) -> str | None:
    if candidate.subject_type == "product":
        return candidate.subject_id
    facts = context.variants.get(candidate.subject_id)
    return facts.product_id if facts and candidate.subject_type == "variant" else None
