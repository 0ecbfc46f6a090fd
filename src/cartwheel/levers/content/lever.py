"""Content: from what customers object to, to what the page should say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cartwheel.levers.base import (
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Rule,
)
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.page import page
from cartwheel.levers.content.propose import (
    Proposal,
    gaps,
    harmful,
    propose,
    shop_facts,
)
from cartwheel.levers.report import Report
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.fix_effects import FIX_EFFECTS
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES
from cartwheel.text.page_block import Entry, digest, page_of, write_block

if TYPE_CHECKING:
    import pyarrow as pa

MOST_TASKS = 25


def objections(data: Signals) -> float:
    """Count products with an objection."""
    return float(data.table(OBJECTIONS).num_rows)


def written(data: Signals) -> Model:
    """Return the model: the writer learns nothing, it only recombines facts."""
    return Model(rule="facts recombined")


class Content:
    """Page fixes from the shop's own facts, what takes most back first."""

    name = "content"
    title = "Page content"
    group = Group.GROWTH
    reads: tuple[Signal, ...] = (
        OBJECTIONS,
        LISTING,
        CATALOGUE,
        QUESTIONS,
        POLICIES,
        FIX_EFFECTS,
    )
    writes: tuple[Signal, ...] = ()
    kinds: tuple[Kind, ...] = (
        Kind(
            name="page_fix",
            title="Page fix",
            autonomy=Autonomy.APPROVE,
            expires_days=28,
        ),
        Kind(
            name="page_task",
            title="Page to do",
            autonomy=Autonomy.SUGGEST,
            expires_days=28,
        ),
    )
    floor = Floor(
        needs=(
            Need(
                what="objection to a product, told by the voice of customers",
                at_least=1,
                count=objections,
            ),
        ),
        meanwhile="Proposes nothing: no page is known to cause an objection.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Return the writer's name; what fixes earn their tests tell, as a signal."""
        return written(data)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return nothing: a page is read by shoppers."""
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return page fixes, and what a person must find out before one can be made."""
        shop = shop_facts(data)
        found = propose(data, shop)
        fixes = [one for one in found if one.draft is not None]
        tasks = [one for one in found if one.draft is None]
        for one in fixes[: int(Options.of(data).most_a_turn)]:
            yield _fix(one, data)
        for one in tasks[:MOST_TASKS]:
            yield _task(one, data, shop)

    def fallback(self) -> Rule:
        """Return the rule used meanwhile."""
        return Rule(
            name="facts recombined",
            doc="Says on a page what the shop's own facts say about an objection.",
            model=written,
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return what could be written, and what is missing."""
        shop = shop_facts(data)
        return page(propose(data, shop), harmful(data, shop), shop)


def _fix(one: Proposal, data: Signals) -> Decision:
    draft = one.draft
    assert draft is not None
    held, markup = page_of(one.page)
    entries = [Entry(text=line.text, question=line.question) for line in draft.says]
    count = len(draft.lines)
    block = write_block(draft.heading, entries[:count], entries[count:], markup)
    said = [
        {"text": line.text, "question": line.question, "sources": [line.source]}
        for line in draft.says
    ]
    cited = {line.source for line in draft.says}
    return Decision(
        kind="page_fix",
        subject=f"product:{one.product_id}",
        action={
            "form": draft.form,
            "objection": one.objection,
            "heading": draft.heading,
            "block": block,
            "markup": markup,
            "before": digest(held),
            "said": said,
            "writer": "offline",
            "generated": True,
        },
        reason=f"{_reason(one, data)}; {_told(one, draft.form, data)}.",
        predicted=one.saved,
        worth_minor=one.stake_minor,
        evidence={
            **_evidence(one),
            "rank_minor": one.rank_minor,
            "credit": None if one.credit is None else one.credit.to_json(),
            "sources": {
                source.id: f"{source.name}: {source.text}"
                if source.name
                else source.text
                for source in one.facts
                if source.id in cited
            },
        },
    )


def _task(one: Proposal, data: Signals, shop: ShopFacts) -> Decision:
    missing = gaps(one, shop)
    return Decision(
        kind="page_task",
        subject=f"product:{one.product_id}",
        action={"objection": one.objection, **missing},
        reason=f"{_reason(one, data)}; no fact on record answers it.",
        worth_minor=one.stake_minor,
        evidence=_evidence(one),
    )


def _reason(one: Proposal, data: Signals) -> str:
    name = CLASSES[one.objection].lower()
    words = f"{one.mentions:,} texts of a year raise an objection ({name})"
    if one.returned_units:
        words += f", {one.returned_units:,} units came back for it"
    if one.stake_minor is not None:
        words += f", {data.context.money(one.stake_minor)} a year at stake"
    return words


def _told(one: Proposal, form: str, data: Signals) -> str:
    """Return what tests told of such a fix, and what it takes back here."""
    words = f"the page can say it: {form}"
    if one.credit is None:
        return (
            f"{words}. Nobody has tested a fix of this kind; what it brings is told by "
            "a test of the fix"
        )
    names = ", ".join(one.credit.experiments)
    words += f". In tests ({names}), {one.credit.sentence(one.objection)}"
    if one.saved is None:
        return f"{words}; what is at stake here is unknown"
    value, low, high = (
        data.context.money(amount)
        for amount in (one.saved.value, one.saved.low, one.saved.high)
    )
    return f"{words}; of what is at stake here it takes back {value} ({low} to {high})"


def _evidence(one: Proposal) -> dict[str, Any]:
    return {
        "mentions": one.mentions,
        "texts": one.texts,
        "returned_units": one.returned_units,
        "stake_minor": one.stake_minor,
        "low_minor": one.low_minor,
        "high_minor": one.high_minor,
        "quotes": list(one.quotes),
    }
