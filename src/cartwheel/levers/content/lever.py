"""Content: from what customers object to, to what the page should say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from cartwheel.levers.content.draft import Draft, Line, form_of, in_table
from cartwheel.levers.content.drafting import MAIL, OFFLINE, PAGE
from cartwheel.levers.content.mail import KIND as MAIL_KIND
from cartwheel.levers.content.mail import in_prose
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.page import page
from cartwheel.levers.content.propose import (
    Proposal,
    gaps,
    harmful,
    propose,
    propose_mails,
    shop_facts,
    wishes,
    with_drafts,
)
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
from cartwheel.text.objections import CLASSES
from cartwheel.text.page_block import block_of, digest, mail_of, page_of
from cartwheel.text.page_table import Comparison, source_of

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
            yield _fix(one, data)
        for one in [one for one in found if one.purpose == MAIL][:most]:
            yield _mail(one, data)
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
        return page(_drafted(data, shop), harmful(data, shop), shop)


def _drafted(data: Signals, shop: ShopFacts) -> list[Proposal]:
    return with_drafts(data, [*propose(data, shop), *propose_mails(data, shop)])


def _fix(one: Proposal, data: Signals) -> Decision:
    draft = one.draft
    assert draft is not None
    held, markup = page_of(one.page)
    lines = [line for line in draft.lines if not in_table(line, draft.table)]
    said = [*_said(draft.paragraph, paragraph=True), *_said(lines)]
    said += _said(draft.questions)
    table = {} if draft.table is None else {"table": draft.table.to_json()}
    return Decision(
        kind="page_fix",
        subject=f"product:{one.product_id}",
        action={
            "form": form_of(draft),
            "objection": one.objection,
            "heading": draft.heading,
            "block": block_of(draft.heading, said, markup, draft.table),
            "markup": markup,
            "before": digest(held),
            "said": said,
            **table,
            "writer": one.written.writer if one.written else OFFLINE,
            "generated": True,
        },
        reason=f"{_reason(one, data)}; {_told(one, draft.form, data)}.",
        predicted=one.saved,
        worth_minor=one.stake_minor,
        evidence={
            **_evidence(one),
            **_service(one),
            "sources": _cited(one, draft) | _cells(draft.table),
            "rank_minor": one.rank_minor,
            "credit": None if one.credit is None else one.credit.to_json(),
        },
    )


def _mail(one: Proposal, data: Signals) -> Decision:
    draft = one.draft
    assert draft is not None
    said = in_prose((*draft.paragraph, *draft.lines)) + _said(draft.questions)
    return Decision(
        kind=MAIL_KIND,
        subject=f"product:{one.product_id}",
        action={
            "form": draft.form,
            "objection": one.objection,
            "heading": draft.heading,
            "text": mail_of(draft.heading, said, "text"),
            "html": mail_of(draft.heading, said, "html"),
            "said": said,
            "writer": one.written.writer if one.written else OFFLINE,
            "generated": True,
        },
        reason=f"{_reason(one, data)}; a mail to the buyer can say how it is answered.",
        worth_minor=one.stake_minor,
        evidence={
            **_evidence(one),
            **_service(one),
            "sources": _cited(one, draft),
        },
    )


def _cited(one: Proposal, draft: Draft) -> dict[str, str]:
    """Return the facts that a draft rests on, by id."""
    cited = {source for line in draft.says for source in line.sources}
    return {
        source.id: f"{source.name}: {source.text}" if source.name else source.text
        for source in one.facts
        if source.id in cited
    }


def _cells(table: Comparison | None) -> dict[str, str]:
    """Return the facts in a table's cells, each with whose it is."""
    if table is None:
        return {}
    return {
        source_of(product, row.attribute): f"{title}, {row.attribute}: {value}"
        for row in table.rows
        for product, title, value in zip(
            table.products, table.titles, row.values, strict=True
        )
    }


def _said(lines: Sequence[Line], *, paragraph: bool = False) -> list[dict[str, Any]]:
    where = {"paragraph": True} if paragraph else {}
    return [
        {
            "text": line.text,
            "question": line.question,
            "sources": list(line.sources),
            **where,
        }
        for line in lines
    ]


def _service(one: Proposal) -> dict[str, Any]:
    """Return what became of the text service's draft, where one was wanted."""
    if one.written is None:
        return {}
    blocked = [{"text": text, "why": why} for text, why in one.written.blocked]
    return {"service": {"failed": one.written.failed, "blocked": blocked}}


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
