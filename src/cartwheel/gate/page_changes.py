"""Rule 3d: what goes on a page rests on facts, and one change is watched at a time.

Every sentence of a page fix is checked again here, against the facts of the turn, so
that no lever's draft, ours or a third party's, is let through on its own word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cartwheel.gate.base import (
    Candidate,
    GateContext,
    PastFix,
    Refusal,
    Verdict,
    sift,
)
from cartwheel.gate.page_tables import (
    cut_table,
    gone_from_tables,
    table_fault,
    table_of,
)
from cartwheel.text.claims import Brand, Checker, Source
from cartwheel.text.page_block import block_of

KIND = "page_fix"
RULE = "page changes"
QUOTING = re.compile(r"[\"“”„«»]|customer|shopper|buyer|reviewer|owner", re.IGNORECASE)
"""Marks and words of a sentence that may tell a customer's words."""

WATCHED_DAYS = 28
"""Days for which a page that was mended is left as it is, so that its effect shows."""

REMEMBERED_DAYS = 90
"""Days for which what a person turned down or took back is not proposed again."""


def page_changes(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse unsupported sentences, and changes on top of one that is watched."""
    fixes = any(one.decision.kind == KIND for one in candidates)
    gone = gone_from_tables(context) if fixes else {}
    return sift(
        _check(one, context, gone) if one.decision.kind == KIND else one
        for one in candidates
    )


def _check(
    candidate: Candidate, context: GateContext, gone: Mapping[str, str]
) -> Candidate | Refusal:
    why = _unsupported(candidate, context)
    if not why:
        table = table_of(candidate.decision.action)
        if table is not None:
            candidate = cut_table(candidate, table, gone)
        past = context.page_fixes.get(candidate.subject_id, ())
        why = _too_soon(candidate.decision.action, past)
    if not why:
        return candidate
    return Refusal(candidate=candidate, rule=RULE, reason=why)


def _unsupported(candidate: Candidate, context: GateContext) -> str:
    """Return the first sentence that no fact says, with the reason."""
    action = candidate.decision.action
    try:
        said = [
            (str(one["text"]), str(one.get("question") or "")) for one in action["said"]
        ]
        heading, block, markup = action["heading"], action["block"], action["markup"]
        table = table_of(action)
    except (KeyError, TypeError, AttributeError, ValueError):
        return "it does not say sentence by sentence what it adds"
    if not (said or table) or markup not in ("html", "text"):
        return "it adds nothing, or in no known mark-up"
    if block != block_of(str(heading), action["said"], markup, table):
        return "its text is not made of the sentences that it declares"
    facts = _facts(candidate.subject_id, said, context)
    brand = Brand(forbidden=context.settings.guardrails.forbidden_words)
    questions = {one.name for one in facts if one.kind == "answer"}
    # It names what follows; only what a shop never says is kept out of it.
    why = ""
    for name in (str(heading), *([table.caption] if table else [])):
        named = Source(id="heading", kind="text", text=name)
        why = why or _fault(name, Checker([named], brand))
    checker = Checker(facts, brand)
    for text, question in said:
        if question and question not in questions:
            return f"nobody asked {question[:80]!r}"
        why = why or _fault(text, checker)
    if table and not why:
        why = table_fault(table, candidate.subject_id, context)
    return why


def _facts(
    product: str, said: Sequence[tuple[str, str]], context: GateContext
) -> tuple[Source, ...]:
    """Return what sentences may rest on; customers' words only where one quotes."""
    if context.facts is None:
        return ()
    quoting = any(QUOTING.search(text) for text, _ in said)
    return context.facts.of(product) if quoting else context.facts.own(product)


def _fault(text: str, checker: Checker) -> str:
    for claim in checker.check(text):
        if claim.blocked:
            return f"{text[:120]!r}: {claim.blocked}"
    return ""


def _too_soon(action: Mapping[str, Any], past: Sequence[PastFix]) -> str:
    for one in past:
        if one.state in ("approved", "applied") and one.days_ago < WATCHED_DAYS:
            return (
                f"the page was changed by turn {one.turn}; it is left alone for "
                f"{WATCHED_DAYS} days, so that what the change brings can be seen"
            )
        if one.block == action.get("block"):
            if one.state in ("approved", "applied"):
                return f"the very same stands there since turn {one.turn}"
            if one.days_ago < REMEMBERED_DAYS:
                return (
                    f"the very same was {one.state} in turn {one.turn}; it is not "
                    f"proposed again for {REMEMBERED_DAYS} days"
                )
    return ""
