"""Rule 5: who is left alone, by the wheel, by one lever, or by an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate, GateContext, Refusal, Verdict, sift
from cartwheel.measure.assign import held_out_by, held_out_of
from cartwheel.measure.experiment.trial import left_alone_by


def assignment(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Hold out decisions about customers and products that are left alone."""
    return sift(_check(candidate, context) for candidate in candidates)


def _check(candidate: Candidate, context: GateContext) -> Candidate | Refusal:
    why = _why(candidate, context)
    if why is None:
        return candidate
    return Refusal(candidate=candidate, rule="assignment", reason=why, state="held_out")


def _why(candidate: Candidate, context: GateContext) -> str | None:
    holdout, lever = context.settings.holdout, candidate.lever
    customer = product = None
    if candidate.subject_type == "customer":
        customer = candidate.subject_id
        whose = held_out_of(customer, lever, holdout)
        if whose == "wheel":
            return f"in the holdout of {holdout.share_bps / 10_000:.1%} of customers"
        if whose is not None:
            share = holdout.levers[lever] / 10_000
            return f"in the holdout of {share:.1%} of customers of {lever}"
    elif candidate.subject_type in ("variant", "product"):
        product = _product_of(candidate, context)
        if held_out_by(product, lever, holdout):
            share = holdout.levers[lever] / 10_000
            return f"in the holdout of {share:.1%} of products of {lever}"
    if context.day is not None:
        trial = left_alone_by(
            context.trials,
            lever,
            context.day,
            customer=customer,
            product=product,
            place=None if customer is None else context.places.get(customer),
        )
        if trial is not None:
            return f"left alone by the experiment {trial}"
    return None


def _product_of(candidate: Candidate, context: GateContext) -> str:
    """Return a subject's product: its variants are held out together."""
    if candidate.subject_type == "product":
        return candidate.subject_id
    facts = context.variants.get(candidate.subject_id)
    return candidate.subject_id if facts is None else facts.product_id
