"""Drafts of the lever `content` from shops' manuals and from reviews of clothing.

The manuals were written for another bench, `python -m bench support`. They hold no
objections, so these are made: in turn n of twelve the product at place i is given the
class at place i + n, by five of twenty texts. These two numbers stand in no draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.clothing import READ, SEED, signals, table
from bench.drafts_read import Draft, draft_of, machine_read
from bench.drafts_sources import Manual, fit_text
from bench.support_sets import ON, signal_rows
from cartwheel.levers.base import Decision
from cartwheel.levers.content import Content
from cartwheel.levers.content.propose import propose, propose_mails, shop_facts
from cartwheel.levers.voice import Voice
from cartwheel.signals.base import ShopContext, Signals, When
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES

MENTIONS, TEXTS, MOST = 5, 20, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was drafted in one shop.

    Attributes:
        shop: Shop.
        drafts: Drafts, each once: one that says what an earlier one does is left out.
        repeated: Drafts left out so.
        kept_out: Lines that the writer's own check kept out, with why.
    """

    shop: str
    drafts: tuple[Draft, ...]
    repeated: int
    kept_out: tuple[tuple[str, str], ...]


def turn(held: Mapping[str, Any], number: int) -> Signals:
    """Return the signals of a shop in one turn.

    Args:
        held: The shop's manual.
        number: The turn; it shifts the class of objections that each product has.
    """
    codes = list(CLASSES)
    objections = [
        {
            **OBJECTIONS.neutral,
            "product_id": row["product_id"],
            "objection": codes[(place + number) % len(codes)],
            "mentions": MENTIONS,
            "contacts": MENTIONS,
            "texts": TEXTS,
        }
        for place, row in enumerate(held["products"])
    ]
    rows = {**signal_rows(held), OBJECTIONS: objections}
    tables = {one.name: table(one, rows.get(one, [])) for one in Content.reads}
    context = ShopContext(
        currency=held["products"][0]["currency"],
        minor_digits=2,
        when=When(as_of=ON, cutoff_at="2026-03-02T00:00:00", timezone="UTC"),
        holdout_share=0.0,
        holdout_salt="-",
        options={"content": {"most_a_turn": MOST}},
    )
    return Signals(tables, context)


def from_manual(shop: str, held: Mapping[str, Any]) -> Written:
    """Return what is drafted from a manual in twelve turns, and its structured data."""
    manual, found = Manual(held), list[Draft]()
    kept_out: dict[tuple[str, str], None] = {}
    asked: dict[str, Decision] = {}
    for number in range(len(CLASSES)):
        data = turn(held, number)
        facts = shop_facts(data)
        for one in (*propose(data, facts), *propose_mails(data, facts)):
            kept_out |= dict.fromkeys(one.blocked)
        for decision in _decided(data):
            made = draft_of(shop, decision, manual, facts)
            found += [made] if made.lines else []
            best = asked.get(decision.subject, decision)
            if decision.kind == "page_fix" and _answers(decision) >= _answers(best):
                asked[decision.subject] = decision
    for row in held["products"]:
        fix = asked.get(f"product:{row['product_id']}")
        found += [machine_read(shop, row, fix, manual)] if fix else []
    once = {(one.form, one.heading, one.lines): one for one in reversed(found)}
    kept = tuple(reversed(once.values()))
    repeated = len(found) - len(kept)
    return Written(shop=shop, drafts=kept, repeated=repeated, kept_out=tuple(kept_out))


def from_reviews(rows: Sequence[dict[str, Any]]) -> Written:
    """Return the size notes that reviews of clothing can carry.

    Args:
        rows: As `bench.clothing.read_rows` returns them.
    """
    data, voice = signals(rows), Voice()
    told = data.with_tables(dict(voice.emit(voice.learn(data, None, seed=SEED), data)))
    facts = ShopFacts({name: told.table(one) for name, one in READ.items()})
    counts = {
        row["product_id"]: fit_text(row)
        for row in told.table(OBJECTIONS).to_pylist()
        if row["objection"] == "size_fit"
    }
    shop, empty, found = "clothing reviews", Manual(EMPTY), []
    for one in _decided(told):
        made = draft_of(shop, one, empty, facts)
        count = counts.get(one.subject.partition(":")[2], "")
        if one.kind == "page_fix":
            found.append(replace(made, sources=(count,) * len(made.lines)))
    return Written(shop=shop, drafts=tuple(found), repeated=0, kept_out=())


EMPTY: Mapping[str, Any] = {"products": [], "policies": [], "questions": []}
"""A manual that says nothing: the set of reviews has none."""


def _decided(data: Signals) -> list[Decision]:
    lever = Content()
    return list(lever.decide(lever.learn(data, None, seed=SEED), data, seed=SEED))


def _answers(fix: Decision) -> int:
    return sum(bool(one["question"]) for one in fix.action.get("said", ()))
