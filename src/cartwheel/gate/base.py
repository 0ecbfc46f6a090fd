"""The contract of a rule of the gate: candidates in; candidates and refusals out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from cartwheel.levers.base import Decision, Kind
from cartwheel.measure.experiment.trial import Trial
from cartwheel.settings import Settings
from cartwheel.text.claims.facts import ShopFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A decision on its way through the gate.

    Attributes:
        lever: Lever that made it.
        decision: The decision; a rule may trim what it promotes.
        body: Canonical JSON of the decision as the lever made it.
        state: State it will enter the ledger with; set by the last rule.
    """

    lever: str
    decision: Decision
    body: str
    state: str = "proposed"

    @property
    def subject_id(self) -> str:
        """Id part of the subject."""
        return self.decision.subject.partition(":")[2]

    @property
    def subject_type(self) -> str:
        """Type part of the subject: variant, product, customer, placement."""
        return self.decision.subject.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A candidate that did not pass, with the rule and the number that bound."""

    candidate: Candidate
    rule: str
    reason: str
    state: str = "refused"


class Verdict(NamedTuple):
    """What a rule says of a list of candidates."""

    passed: list[Candidate]
    refused: list[Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFacts:
    """What the gate knows of a variant on the turn's day; None is unknown."""

    product_id: str
    price_minor: int | None
    cost_minor: int | None
    on_hand_units: int | None
    inbound_units: int
    cover_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFix:
    """A change of a product's page, or of its mails, that was decided before.

    Attributes:
        turn: Turn that proposed it.
        state: Its present state.
        days_ago: Days since the day that turn looked from.
        block: What it added.
        kind: Kind of the decision.
    """

    turn: int
    state: str
    days_ago: int
    block: str
    kind: str = "page_fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateContext:
    """What the rules may look at.

    Attributes:
        settings: The shop's settings for this turn.
        kinds: Kinds of decision by name.
        variants: Facts by variant id.
        inactive_products: Products not shown to shoppers.
        email_consent: Customers with a yes on record.
        open_returns: Product ids a customer has an open return of, by customer.
        recent_offers: Offers to each customer in the last 30 days.
        day: The turn's day; None when no experiment can run.
        hidden: Products the merchant excluded from every slot.
        trials: Experiments that run.
        places: Where customers live, if an experiment is by place.
        facts: What a page's sentences may rest on.
        page_fixes: Earlier changes of a product's page or mails, newest first.
    """

    settings: Settings
    kinds: Mapping[str, Kind]
    variants: Mapping[str, VariantFacts]
    inactive_products: frozenset[str]
    email_consent: frozenset[str]
    open_returns: Mapping[str, frozenset[str]]
    recent_offers: Mapping[str, int]
    day: date | None = None
    hidden: frozenset[str] = frozenset()
    trials: tuple[Trial, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    facts: ShopFacts | None = None
    page_fixes: Mapping[str, tuple[PastFix, ...]] = field(default_factory=dict)

    def variants_of(self) -> dict[str, list[VariantFacts]]:
        """Return variants by product id."""
        grouped: dict[str, list[VariantFacts]] = {}
        for facts in self.variants.values():
            grouped.setdefault(facts.product_id, []).append(facts)
        return grouped


Rule = Callable[[Sequence[Candidate], GateContext], Verdict]

MESSAGE_KINDS = frozenset({"winback", "thank_vip", "offer", "mailing"})
"""Kinds that send something to a person."""


def trim(
    candidate: Candidate, gone: Mapping[str, str], rule: str
) -> Candidate | Refusal:
    """Take products out of what a candidate promotes; refuse it when none is left.

    Args:
        candidate: A candidate that promotes products.
        gone: Reason by product id that must not be promoted.
        rule: Name of the rule that takes them out.
    """
    decision = candidate.decision
    out = [product for product in decision.promotes if product in gone]
    if not out:
        return candidate
    kept = tuple(product for product in decision.promotes if product not in gone)
    if not kept:
        return Refusal(candidate=candidate, rule=rule, reason=gone[out[0]])
    action: dict[str, Any] = dict(decision.action)
    _trim_lists(action, kept)
    action["left_out"] = {**action.get("left_out", {}), **{p: gone[p] for p in out}}
    return replace(candidate, decision=replace(decision, promotes=kept, action=action))


def _trim_lists(action: dict[str, Any], kept: tuple[str, ...]) -> None:
    """Keep only some products, and the values that stand beside them."""
    listed = action.get("products")
    if not isinstance(listed, list | tuple):
        return
    stays = [_product_of(item) in kept for item in listed]
    for name in ("products", "slot_propensity"):
        values = action.get(name)
        if isinstance(values, list | tuple) and len(values) == len(stays):
            action[name] = [v for v, stay in zip(values, stays, strict=True) if stay]


def sift(results: Iterable[Candidate | Refusal]) -> Verdict:
    """Sort results into passed and refused, keeping their order."""
    verdict = Verdict([], [])
    for result in results:
        if isinstance(result, Refusal):
            verdict.refused.append(result)
        else:
            verdict.passed.append(result)
    return verdict


def _product_of(item: Any) -> str:
    return str(item["product_id"]) if isinstance(item, Mapping) else str(item)
