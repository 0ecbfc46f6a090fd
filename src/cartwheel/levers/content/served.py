"""Proposals and the shop's text service: what is asked of it, and what it answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cartwheel.levers.content.draft import shown_on
from cartwheel.levers.content.drafting import PAGE, request_for, with_answer
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.proposal import Proposal
from cartwheel.signals.base import Signals
from cartwheel.signals.drafts import DRAFTS
from cartwheel.text.claims import Brand
from cartwheel.text.drafting import DraftRequest, Wishes

UNASKED: Mapping[str, Any] = {"failed": "it was not asked", "sentences": None}
"""What is known of a draft that is wanted and not there: the turn had no time left,
or the link is cut."""


def wishes(data: Signals, proposals: Sequence[Proposal]) -> Wishes | None:
    """Return what a text service is asked for proposals; None where there is none.

    Args:
        data: The lever's signals.
        proposals: As `propose` returns them.
    """
    options = Options.of(data)
    if options.terms is None:
        return None
    brand = _brand(data)
    wanted = (
        _request(one, options, brand) for one in proposals if one.draft is not None
    )
    found = [one for one in wanted if one is not None]
    return Wishes(terms=options.terms, requests=tuple(found[: options.terms.most]))


def with_drafts(data: Signals, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return proposals with what the text service drafted, as far as facts say it.

    Args:
        data: The lever's signals.
        proposals: As `propose` returns them.
    """
    wished = wishes(data, proposals)
    if wished is None:
        return list(proposals)
    options = Options.of(data)
    asked = {request.key for request in wished.requests}
    answers = {row["request"]: row for row in data.table(DRAFTS).to_pylist()}
    brand = _brand(data)
    return [_with_draft(one, options, asked, answers, brand) for one in proposals]


def _brand(data: Signals) -> Brand:
    """Return what drafts may not say; the gate holds them to the same."""
    guardrails = data.context.options.get("guardrails", {})
    return Brand(
        forbidden=tuple(guardrails.get("forbidden_words", ())),
        quoted_terms=not guardrails.get("terms_in_other_words", False),
    )


def _with_draft(
    one: Proposal,
    options: Options,
    asked: Collection[str],
    answers: Mapping[str, Mapping[str, Any]],
    brand: Brand,
) -> Proposal:
    request = _request(one, options, brand)
    if one.draft is None or request is None or request.key not in asked:
        return one
    answer = answers.get(request.key, UNASKED)
    shown = shown_on(one.page) if one.purpose == PAGE else ""
    draft, written = with_answer(one.draft, answer, one.facts, shown, brand)
    return replace(one, draft=draft, written=written)


def _request(one: Proposal, options: Options, brand: Brand) -> DraftRequest | None:
    if one.draft is None:
        return None
    return request_for(
        one.draft,
        one.facts,
        purpose=one.purpose,
        page=one.page,
        objection=one.objection,
        quotes=one.quotes,
        options=options,
        brand=brand,
    )
