"""What a text service is asked to draft, and what of its answer is let through.

It is handed the facts that the offline writer found, and nothing else; what it makes of
them goes through the claim check sentence by sentence, against the facts that each
cites. Without an answer the offline writer's lines stand as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cartwheel.levers.content.draft import Draft, Line, stands_in
from cartwheel.levers.content.options import Options
from cartwheel.text.claims import Brand, Checker, Source
from cartwheel.text.claims.words import read
from cartwheel.text.drafting import DraftRequest, Fact
from cartwheel.text.language import language_of
from cartwheel.text.objections import CLASSES

PAGE = "a paragraph that is added to the product's page"
MAIL = "a paragraph in the mail that tells a buyer of the parcel"
OFFLINE = "offline"

SENT = ("attribute", "policy")
"""Kinds of facts that are sent. Questions and answers are not: somebody asked them in
words of their own, and they stand on the page word for word in any case."""

NAMING = ("title", "brand", "category")
"""Kinds of facts by which a product may be called in any sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How a draft came about where the shop has a text service.

    Attributes:
        writer: "offline", or "service:MODEL".
        failed: Why the service's words are not in it, "" where they are.
        blocked: Sentences of the service that the claim check kept out, with why.
    """

    writer: str
    failed: str
    blocked: tuple[tuple[str, str], ...] = ()


def request_for(
    draft: Draft,
    facts: Sequence[Source],
    *,
    purpose: str,
    page: Mapping[str, Any],
    objection: str,
    quotes: Sequence[str],
    options: Options,
    brand: Brand,
) -> DraftRequest | None:
    """Return what a service is asked for a draft; None where it is asked nothing.

    Asked are pages in English only: in other languages the claim check lets through
    none but a fact's own words.

    Args:
        draft: What the offline writer wrote.
        facts: Facts about the product and the shop.
        purpose: What the paragraph is for.
        page: Row of the signal `listing`.
        objection: Class of `CLASSES`.
        quotes: Customers' words, masked.
        options: The shop's options.
        brand: What the shop does not want to be heard saying.
    """
    sent = _sent(draft, facts, brand)
    told = str(page.get("description") or page.get("title") or "")
    if not sent or language_of(told) not in ("en", ""):
        return None
    return DraftRequest(
        model=options.text_service_model,
        purpose=purpose,
        product=str(page.get("title") or ""),
        about=CLASSES[objection],
        facts=tuple(fact for fact, _ in sent),
        quotes=tuple(quotes) if options.text_service_quotes else (),
    )


def _sent(
    draft: Draft, facts: Sequence[Source], brand: Brand
) -> list[tuple[Fact, Source]]:
    """Return the facts that are sent, each with the source it is cut from."""
    by_id = {source.id: source for source in facts}
    found: list[tuple[Fact, Source]] = []
    for line in draft.lines:
        source = by_id[line.sources[0]]
        if source.kind not in SENT:
            continue
        text = source.text if source.kind == "attribute" else line.text
        fact = Fact(
            id=f"f{len(found) + 1}",
            name=source.name,
            text=text,
            as_written=brand.quoted_terms and source.kind == "policy",
        )
        found.append((fact, source))
    return found


def with_answer(
    draft: Draft,
    answer: Mapping[str, Any],
    facts: Sequence[Source],
    shown: str,
    brand: Brand,
) -> tuple[Draft, Written]:
    """Return a draft with the paragraph that a service wrote, as far as facts say it.

    Args:
        draft: What the offline writer wrote; facts that the paragraph does not tell in
            full stay as lines.
        answer: Row of the signal `drafts`.
        facts: Facts about the product and the shop.
        shown: What is not said again, see `shown_on`.
        brand: What the shop does not want to be heard saying.
    """
    if answer["failed"] or not answer["sentences"]:
        why = str(answer["failed"] or "it wrote nothing")
        return draft, Written(writer=OFFLINE, failed=why)
    paragraph, blocked = _let_through(draft, answer["sentences"], facts, shown, brand)
    if not paragraph:
        why = "no sentence of it passed the claim check"
        return draft, Written(writer=OFFLINE, failed=why, blocked=blocked)
    kept = tuple(one for one in draft.lines if not _told(one, paragraph))
    written = Written(writer=f"service:{answer['model']}", failed="", blocked=blocked)
    return replace(draft, paragraph=paragraph, lines=kept), written


def _let_through(
    draft: Draft, said: str, facts: Sequence[Source], shown: str, brand: Brand
) -> tuple[tuple[Line, ...], tuple[tuple[str, str], ...]]:
    sources = {fact.id: source for fact, source in _sent(draft, facts, brand)}
    named = [source for source in facts if source.kind in NAMING]
    whole = Checker(facts, brand)
    kept: list[Line] = []
    blocked = []
    for one in json.loads(said):
        cited = list({sources[i].id: sources[i] for i in one["facts"]}.values())
        # Against what it cites, then against all, which may deny what it says.
        checkers = (Checker([*cited, *named], brand), whole)
        why, rests_on = _verdict(one["text"], checkers)
        if not why and not any(s.id in rests_on for s in cited):
            why = "it says nothing of the facts that it cites"
        if not why and stands_in(one["text"], shown):
            why = "the page says it already"
        if why:
            blocked.append((one["text"], why))
        else:
            kept.append(Line(text=one["text"], sources=rests_on))
    return tuple(dict.fromkeys(kept)), tuple(blocked)


def _verdict(text: str, checkers: Sequence[Checker]) -> tuple[str, tuple[str, ...]]:
    """Return why a sentence is blocked, and what it rests on where it is not."""
    rests_on: dict[str, None] = {}
    for at, checker in enumerate(checkers):
        for claim in checker.check(text):
            if claim.blocked:
                return claim.blocked, ()
            if at == 0:
                rests_on |= dict.fromkeys(claim.sources)
    return "", tuple(rests_on)


def _told(line: Line, paragraph: Sequence[Line]) -> bool:
    """Whether a paragraph tells all that a line does."""
    told: set[str] = set()
    for sentence in paragraph:
        if line.sources[0] in sentence.sources:
            told |= read(sentence.text).terms
    return read(line.text).terms <= told
