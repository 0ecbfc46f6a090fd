"""Rule 4: levers do not work against each other.

No message, slot or hint promotes an item that is running out, that sells under its
floor, or that its reader has an open return of.
"""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate, GateContext, Refusal, Verdict, sift, trim
from cartwheel.gate.price_limits import floor_minor

RULE = "conflicts"


def conflicts(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Trim or refuse promotions that another lever is working against."""
    gone = {**under_floor(context), **below_cover(context)}
    return sift(_check(candidate, context, gone) for candidate in candidates)


def below_cover(context: GateContext) -> dict[str, str]:
    """Return the reason for products whose every variant runs out soon."""
    least = context.settings.guardrails.minimum_cover_days
    found = {}
    for product, variants in context.variants_of().items():
        covers = [v.cover_days for v in variants]
        known = [cover for cover in covers if cover is not None]
        if known and len(known) == len(covers) and max(known) < least:
            found[product] = (
                f"stock lasts {max(known):.1f} days, under the {least:g} days of "
                "guardrails.minimum_cover_days"
            )
    return found


def under_floor(context: GateContext) -> dict[str, str]:
    """Return the reason for products that sell under their floor."""
    margin = min(context.settings.guardrails.minimum_margin_bps, 9_999)
    found = {}
    for product, variants in context.variants_of().items():
        for v in variants:
            if v.price_minor is None or v.cost_minor is None:
                continue
            floor = floor_minor(v.cost_minor, margin)
            if v.price_minor < floor:
                found[product] = f"sells at {v.price_minor}, under its floor of {floor}"
    return found


def _check(
    candidate: Candidate, context: GateContext, gone: dict[str, str]
) -> Candidate | Refusal:
    if not candidate.decision.promotes:
        return candidate
    returned = (
        context.open_returns.get(candidate.subject_id, frozenset())
        if candidate.subject_type == "customer"
        else frozenset()
    )
    theirs = {product: "the reader has an open return of it" for product in returned}
    return trim(candidate, {**gone, **theirs}, RULE)
