"""Which page of which product to mend, and what its facts can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cartwheel.levers.content.compare import Shelf
from cartwheel.levers.content.credit import Credits, read_credits
from cartwheel.levers.content.draft import (
    Draft,
    form_of,
    with_table,
    write,
)
from cartwheel.levers.content.drafting import (
    MAIL,
    PAGE,
)
from cartwheel.levers.content.mail import comes_after_purchase, write_mail
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.promises import Policy
from cartwheel.levers.content.proposal import Proposal
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.claims import Checker, Source
from cartwheel.text.claims.facts import ShopFacts

MOST_LOOKED_AT = 400
"""Objections looked at in a turn, the costliest first."""

TORN = "a part of the same terms may not be said, and terms hold as a whole"


def shop_facts(data: Signals) -> ShopFacts:
    """Return the facts that the lever's signals hold."""
    signals = (LISTING, CATALOGUE, QUESTIONS, POLICIES, OBJECTIONS)
    return ShopFacts({signal.name: data.table(signal) for signal in signals})


def propose(data: Signals, shop: ShopFacts) -> list[Proposal]:
    """Return one proposal a product: its objection that it pays most to answer.

    That is the one of which a fix takes most back, as tests told; before any test, the
    costliest. Where no objection of a product can be answered from facts, its costliest
    one is returned without a draft. Kinds that a test told do harm are left out, see
    `harmful`.

    Args:
        data: The lever's signals.
        shop: Facts that they hold.
    """
    found: dict[str, Proposal] = {}
    for one in _all(data, shop):
        have = found.get(one.product_id)
        if not one.harm and (have is None or _better(one, have)):
            found[one.product_id] = one
    return sorted(found.values(), key=_place)


def harmful(data: Signals, shop: ShopFacts) -> list[Proposal]:
    """Return what could be said and is not, since a test told it does harm.

    Args:
        data: The lever's signals.
        shop: Facts that they hold.
    """
    if not any(one.harm for one in read_credits(data).of.values()):
        return []
    return [one for one in _all(data, shop) if one.harm]


def _all(data: Signals, shop: ShopFacts) -> Iterator[Proposal]:
    """Yield proposals, the costliest objection first.

    Before any test an objection that stands after an answered one of its product cannot
    win, so its draft is not written.
    """
    policies = {
        f"policy:{row['policy_id']}": Policy(
            topic=str(row["topic"]), title=str(row["title"] or "")
        )
        for row in data.table(POLICIES).to_pylist()
    }
    shelf = Shelf(data, shop)
    credits = read_credits(data)
    answered: set[str] = set()
    for row in _costliest(data)[:MOST_LOOKED_AT]:
        if not credits.of and str(row["product_id"]) in answered:
            continue
        one = _credited(_proposal(row, shop, policies, shelf), credits)
        if one.draft is not None:
            answered.add(one.product_id)
        yield one


def _credited(one: Proposal, credits: Credits) -> Proposal:
    """Return a proposal with what tests told of its kind."""
    told = None
    if one.draft is not None:
        told = credits.of.get((one.objection, form_of(one.draft)))
    return replace(one, credit=told, usual=credits.usual)


def _better(one: Proposal, have: Proposal) -> bool:
    """Tell whether a proposal, not costlier, takes the other's place."""
    if (one.draft is None) != (have.draft is None):
        return one.draft is not None
    return one.draft is not None and _place(one) < _place(have)


def _place(one: Proposal) -> tuple[int, int]:
    return _rank(one.rank_minor, one.mentions)


def propose_mails(data: Signals, shop: ShopFacts) -> list[Proposal]:
    """Return one proposal a product whose trouble comes after the purchase.

    Those without a fact that speaks are left out. Dearest first.

    Args:
        data: The lever's signals.
        shop: Facts that they hold.
    """
    least = Options.of(data).least_mentions
    rows = [r for r in _costliest(data) if comes_after_purchase(r, least)]
    found: dict[str, Proposal] = {}
    for row in rows[:MOST_LOOKED_AT]:
        product, objection = str(row["product_id"]), str(row["objection"])
        page = shop.listing(product)
        if product in found or not page:
            continue
        facts = shop.own(product)
        draft, blocked = checked(write_mail(objection, facts, page), facts)
        if draft is not None:
            found[product] = _made(row, page, facts, draft, blocked, purpose=MAIL)
    return list(found.values())


def _costliest(data: Signals) -> list[dict[str, Any]]:
    least = Options.of(data).least_mentions
    rows = [r for r in data.table(OBJECTIONS).to_pylist() if r["mentions"] >= least]
    return sorted(
        rows,
        key=lambda row: (
            *_rank(row["stake_minor"], row["mentions"]),
            row["product_id"],
            row["objection"],
        ),
    )


def _rank(stake_minor: int | None, mentions: int) -> tuple[int, int]:
    return -(-1 if stake_minor is None else stake_minor), -mentions


def _proposal(
    row: Mapping[str, Any],
    shop: ShopFacts,
    policies: Mapping[str, Policy],
    shelf: Shelf,
) -> Proposal:
    product, objection = str(row["product_id"]), str(row["objection"])
    page = shop.listing(product)
    facts = shop.own(product)
    written = write(objection, facts, policies, page) if page else None
    draft, blocked = checked(written, facts)
    table = shelf.beside(product, objection) if page else None
    if table is not None:
        draft = with_table(draft, table, objection, page)
    return _made(row, page, facts, draft, blocked)


def _made(
    row: Mapping[str, Any],
    page: Mapping[str, Any],
    facts: tuple[Source, ...],
    draft: Draft | None,
    blocked: tuple[tuple[str, str], ...],
    *,
    purpose: str = PAGE,
) -> Proposal:
    return Proposal(
        product_id=str(row["product_id"]),
        objection=str(row["objection"]),
        page=page,
        facts=facts,
        draft=draft,
        mentions=row["mentions"],
        texts=row["texts"],
        returned_units=row["returned_units"],
        stake_minor=row["stake_minor"],
        low_minor=row["low_minor"],
        high_minor=row["high_minor"],
        quotes=tuple((row["quotes"] or "").splitlines()),
        blocked=blocked,
        purpose=purpose,
    )


def checked(
    draft: Draft | None, facts: tuple[Source, ...]
) -> tuple[Draft | None, tuple[tuple[str, str], ...]]:
    """Return a draft without the lines that the claim check blocks, and those.

    Args:
        draft: What was written.
        facts: What it may rest on.
    """
    if draft is None:
        return None, ()
    blocked, checker = {}, Checker(facts)
    for line in draft.says:
        why = [c.blocked for c in checker.check(line.text) if c.blocked]
        if why:
            blocked[line] = why[0]
    terms = {one.id for one in facts if one.kind == "policy"}
    torn = terms & {name for line in blocked for name in line.sources}
    for line in draft.says:
        if line not in blocked and torn & set(line.sources):
            blocked[line] = TORN
    kept = [one for one in draft.lines if one not in blocked]
    asked = [one for one in draft.questions if one not in blocked]
    said = tuple((line.text, why) for line, why in blocked.items())
    if not kept and not asked:
        return None, said
    return replace(draft, lines=tuple(kept), questions=tuple(asked)), said
