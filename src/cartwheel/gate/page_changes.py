"""Rule 3d: what shoppers read rests on facts, and one change is watched at a time.

Every sentence of a page fix, and of a paragraph for order mails, is checked again here,
against the facts of the turn, so that no lever's draft, ours or a third party's, is let
through on its own word.
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
    brand_of,
    cut_table,
    gone_from_tables,
    table_fault,
    table_of,
)
from cartwheel.text.claims import Checker, Source
from cartwheel.text.page_block import Markup, block_of, mail_of
from cartwheel.text.page_table import Comparison

KIND = "page_fix"
MAIL = "mail_paragraph"
WRITTEN = (KIND, MAIL)
"""Kinds whose sentences are checked."""

RULE = "page changes"
QUOTING = re.compile(r"[\"“”„«»]|customer|shopper|buyer|reviewer|owner", re.IGNORECASE)
"""Marks and words of a sentence that may tell a customer's words."""

MAILED: tuple[Markup, ...] = ("text", "html")
"""Forms of a paragraph for mails, both of which a decision holds."""

NOTHING = "it adds nothing, or in no known mark-up"
UNDECLARED = "its text is not made of the sentences that it declares"

WATCHED_DAYS = 28
"""Days for which a page that was mended is left as it is, so that its effect shows."""

REMEMBERED_DAYS = 90
"""Days for which what a person turned down or took back is not proposed again."""


def page_changes(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Refuse unsupported sentences, and changes on top of one that is watched."""
    written = any(one.decision.kind in WRITTEN for one in candidates)
    gone = gone_from_tables(context) if written else {}
    return sift(
        _check(one, context, gone) if one.decision.kind in WRITTEN else one
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
        kind = candidate.decision.kind
        past = context.page_fixes.get(candidate.subject_id, ())
        same = [one for one in past if one.kind == kind]
        why = _too_soon(kind, candidate.decision.action, same)
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
        heading, table = str(action["heading"]), table_of(action)
        if candidate.decision.kind == MAIL:
            fault = _not_its_mail(action)
        else:
            fault = _not_its_block(action, table)
    except (KeyError, TypeError, AttributeError, ValueError):
        return "it does not say sentence by sentence what it adds"
    if fault or not (said or table):
        return fault if said or table else NOTHING
    facts = _facts(candidate.subject_id, said, context)
    brand = brand_of(context)
    questions = {one.name for one in facts if one.kind == "answer"}
    # It names what follows; only what a shop never says is kept out of it.
    why = ""
    for name in (heading, *([table.caption] if table else [])):
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


def _not_its_block(action: Mapping[str, Any], table: Comparison | None) -> str:
    """Return how a page fix's block is not what it declares, "" where it is."""
    if action["markup"] not in ("html", "text"):
        return NOTHING
    made = block_of(str(action["heading"]), action["said"], action["markup"], table)
    return "" if action["block"] == made else UNDECLARED


def _not_its_mail(action: Mapping[str, Any]) -> str:
    """Return how a mail's paragraph is not what it declares, "" where it is."""
    if action.get("table") is not None:
        return "a mail shows no other products"
    heading, said = str(action["heading"]), action["said"]
    same = all(action[name] == mail_of(heading, said, name) for name in MAILED)
    return "" if same else UNDECLARED


def written_text(action: Mapping[str, Any]) -> str:
    """Return the text by which two proposals are known to be the very same."""
    return str(action.get("block") or action.get("text") or "")


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


def _too_soon(kind: str, action: Mapping[str, Any], past: Sequence[PastFix]) -> str:
    for one in past:
        in_force = one.state in ("approved", "applied")
        if kind == KIND and in_force and one.days_ago < WATCHED_DAYS:
            return (
                f"the page was changed by turn {one.turn}; it is left alone for "
                f"{WATCHED_DAYS} days, so that what the change brings can be seen"
            )
        if one.block == written_text(action):
            if in_force:
                return f"the very same stands there since turn {one.turn}"
            if one.days_ago < REMEMBERED_DAYS:
                return (
                    f"the very same was {one.state} in turn {one.turn}; it is not "
                    f"proposed again for {REMEMBERED_DAYS} days"
                )
    return ""
