"""Content: from what customers object to, to what the page should say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

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
from cartwheel.levers.content.decisions import (
    OUTLINE_KIND,
    fix_of,
    mail_decision,
    outline_of,
    task_of,
)
from cartwheel.levers.content.drafting import MAIL, PAGE
from cartwheel.levers.content.mail import KIND as MAIL_KIND
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.outline import outlines
from cartwheel.levers.content.page import page
from cartwheel.levers.content.proposal import Proposal
from cartwheel.levers.content.propose import (
    harmful,
    propose,
    propose_mails,
    shop_facts,
)
from cartwheel.levers.content.served import wishes, with_drafts
from cartwheel.levers.report import Report
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.drafts import DRAFTS
from cartwheel.signals.fix_effects import FIX_EFFECTS
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.signals.stock import STOCK
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.drafting import Wishes

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
    """Page fixes from the shop's own facts, the costliest objection first."""

    name = "content"
    title = "Page content"
    group = Group.GROWTH
    reads: tuple[Signal, ...] = (
        OBJECTIONS,
        LISTING,
        CATALOGUE,
        QUESTIONS,
        POLICIES,
        DRAFTS,
        STOCK,
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
            name=MAIL_KIND,
            title="Paragraph for order mails",
            autonomy=Autonomy.APPROVE,
            expires_days=28,
        ),
        Kind(
            name="page_task",
            title="Page to do",
            autonomy=Autonomy.SUGGEST,
            expires_days=28,
        ),
        Kind(
            name=OUTLINE_KIND,
            title="Buying guide to write",
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
        """Return the writer's name; what a fix earns is learned by its test."""
        return written(data)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return nothing: a page is read by shoppers."""
        return {}

    def wishes(self, data: Signals) -> Wishes | None:
        """Return what the shop's text service is to draft; None where it has none."""
        if Options.of(data).terms is None:
            return None
        shop = shop_facts(data)
        return wishes(data, [*propose(data, shop), *propose_mails(data, shop)])

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return page fixes, and what a person must find out before one can be made."""
        shop = shop_facts(data)
        found = _drafted(data, shop)
        most = int(Options.of(data).most_a_turn)
        pages = [one for one in found if one.purpose == PAGE]
        fixes = [one for one in pages if one.draft is not None]
        tasks = [one for one in pages if one.draft is None]
        for one in fixes[:most]:
            yield fix_of(one, data)
        for one in [one for one in found if one.purpose == MAIL][:most]:
            yield mail_decision(one, data)
        for one in tasks[:MOST_TASKS]:
            yield task_of(one, data, shop)
        for guide in outlines(data, shop):
            yield outline_of(guide, data)

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
        proposals = _drafted(data, shop)
        return page(proposals, harmful(data, shop), shop, outlines(data, shop))


def _drafted(data: Signals, shop: ShopFacts) -> list[Proposal]:
    return with_drafts(data, [*propose(data, shop), *propose_mails(data, shop)])
