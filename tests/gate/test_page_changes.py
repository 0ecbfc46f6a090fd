"""What goes on a page rests on facts, whoever drafted it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from cartwheel.gate.base import Candidate, GateContext, PastFix
from cartwheel.gate.page_changes import REMEMBERED_DAYS, WATCHED_DAYS, page_changes
from cartwheel.levers.base import Decision
from cartwheel.settings import Guardrails, Holdout, Settings
from cartwheel.signals.listing import LISTING
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.page_block import block_of
from tests.page_fixes import fix, mail


def facts(**more: pa.Table) -> ShopFacts:
    listing = dict.fromkeys(LISTING.column_names) | {
        "product_id": "P1",
        "title": "Linen shirt",
        "attributes": '{"Chest width": "54 cm", "Material": "linen"}',
    }
    asked = {
        "question_id": "q1",
        "product_id": "P1",
        "day": None,
        "question": "Is it lined?",
        "answer": "No, it has no lining.",
    }
    return ShopFacts(
        {
            "listing": pa.Table.from_pylist([listing], schema=LISTING.schema()),
            "questions": pa.Table.from_pylist([asked], schema=QUESTIONS.schema()),
            **more,
        }
    )


def context(**changes: Any) -> GateContext:
    base = GateContext(
        settings=Settings(currency="EUR", holdout=Holdout(share_bps=0, levers={})),
        kinds={},
        variants={},
        inactive_products=frozenset(),
        email_consent=frozenset(),
        open_returns={},
        recent_offers={},
        facts=facts(),
    )
    return replace(base, **changes)


def candidate(decision: Decision) -> Candidate:
    return Candidate(lever="theirs", decision=decision, body="")


def line(text: str, question: str = "") -> dict[str, Any]:
    return {"text": text, "question": question, "sources": []}


def why(decision: Decision, **changes: Any) -> str:
    verdict = page_changes([candidate(decision)], context(**changes))
    assert len(verdict.passed) + len(verdict.refused) == 1
    return "" if verdict.passed else verdict.refused[0].reason


def test_a_supported_fix_passes() -> None:
    said = (
        line("Chest width: 54 cm"),
        line("No, it has no lining.", "Is it lined?"),
    )
    assert why(fix(said=said)) == ""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (line("Chest width: 55 cm"), "no fact says"),
        (line("The best shirt there is."), "superlative"),
        (line("Yes, it has a lining.", "Is it lined?"), "says"),
        (line("No, it has no lining.", "Is it the best?"), "nobody asked"),
        (line("<script>alert(1)</script>"), "mark-up"),
    ],
)
def test_an_unsupported_sentence_is_refused(said: dict[str, Any], reason: str) -> None:
    assert reason in why(fix(said=(line("Chest width: 54 cm"), said)))


def test_terms_are_in_the_shops_own_words_unless_it_lets_them_be_otherwise() -> None:
    policy = dict.fromkeys(POLICIES.column_names) | {
        "policy_id": "r",
        "topic": "returns",
        "title": "Returns",
        "body": "Returns within 30 days are free.",
    }
    told = facts(policies=pa.Table.from_pylist([policy], schema=POLICIES.schema()))
    own = fix(said=(line("Returns within 30 days are free."),))
    other = fix(said=(line("You can return it within 30 days."),))
    assert why(own, facts=told) == ""
    assert "terms" in why(other, facts=told)
    base = context().settings
    loose = base.model_copy(
        update={"guardrails": Guardrails(terms_in_other_words=True)}
    )
    assert why(other, facts=told, settings=loose) == ""


def test_text_beside_the_declared_sentences_is_refused() -> None:
    honest = fix(said=(line("Chest width: 54 cm"),))
    action = {**honest.action, "block": honest.action["block"] + "<p>Best ever!</p>"}
    assert "not made of the sentences" in why(replace(honest, action=action))
    del action["said"]
    assert "sentence by sentence" in why(replace(honest, action=action))
    empty = replace(honest, action={**honest.action, "said": []})
    assert "adds nothing" in why(empty)


def test_a_paragraph_is_checked_sentence_by_sentence_whoever_drafted_it() -> None:
    def drafted(*texts: str) -> str:
        made = fix()
        said = [{**line(text), "paragraph": True} for text in texts]
        block = block_of("Size and fit", said, "html")
        action = {**made.action, "said": said, "block": block, "writer": "service:m"}
        return why(replace(made, action=action))

    assert drafted("The shirt is linen.", "Its chest width is 54 cm.") == ""
    assert "no fact says" in drafted("The shirt is linen.", "It is waterproof.")
    assert "superlative" in drafted("It is the best linen shirt.")


def test_a_loud_heading_is_refused() -> None:
    loud = fix(said=(line("Chest width: 54 cm"),))
    block = str(loud.action["block"])
    from cartwheel.text.page_block import Entry, write_block

    heading = "The best shirt ever"
    block = write_block(heading, [Entry(text="Chest width: 54 cm")], [], "html")
    action = {**loud.action, "heading": heading, "block": block}
    assert "superlative" in why(replace(loud, action=action))


def test_words_of_the_settings_are_not_said() -> None:
    settings = Settings(
        currency="EUR", guardrails=Guardrails(forbidden_words=("chest",))
    )
    said = (line("Chest width: 54 cm"),)
    assert "does not say 'chest'" in why(fix(said=said), settings=settings)


@pytest.mark.parametrize(
    ("state", "days", "same", "passes"),
    [
        ("applied", WATCHED_DAYS - 1, False, False),
        ("approved", 0, False, False),
        ("applied", WATCHED_DAYS, False, True),
        ("applied", WATCHED_DAYS, True, False),
        ("rejected", REMEMBERED_DAYS - 1, True, False),
        ("reverted", REMEMBERED_DAYS - 1, True, False),
        ("rejected", REMEMBERED_DAYS, True, True),
        ("rejected", 1, False, True),
    ],
)
def test_one_change_is_watched_at_a_time(
    state: str, days: int, same: bool, passes: bool
) -> None:
    decision = fix(said=(line("Chest width: 54 cm"),))
    block = str(decision.action["block"]) if same else "<p>another</p>"
    past = PastFix(turn=3, state=state, days_ago=days, block=block)
    said = why(decision, page_fixes={"P1": (past,)})
    assert (said == "") == passes
    if not passes:
        assert "turn 3" in said


def test_other_kinds_pass_untouched() -> None:
    other = Decision(kind="reorder", subject="variant:V", action={}, reason="r")
    assert page_changes([candidate(other)], context()).passed == [candidate(other)]


def test_a_mail_is_checked_as_a_page_is() -> None:
    assert why(mail(said=(line("Chest width: 54 cm."),))) == ""
    assert "no fact says" in why(mail(said=(line("Chest width: 55 cm."),)))
    assert "superlative" in why(mail(said=(line("The best shirt there is."),)))
    assert "nobody asked" in why(mail(said=(line("It is linen.", "Is it good?"),)))
    assert "adds nothing" in why(mail(said=()))
    honest = mail(said=(line("Chest width: 54 cm."),))
    for name in ("text", "html"):
        loud = {**honest.action, name: honest.action[name] + " Buy now!"}
        assert "not made of the sentences" in why(replace(honest, action=loud))
        without = {key: v for key, v in honest.action.items() if key != name}
        assert "sentence by sentence" in why(replace(honest, action=without))
    heading = {**honest.action, "heading": "The best mail ever"}
    assert why(replace(honest, action=heading)) != ""


@pytest.mark.parametrize(
    ("state", "days", "same", "kind", "passes"),
    [
        ("applied", 1, False, "mail_paragraph", True),  # a fact has changed
        ("applied", 400, True, "mail_paragraph", False),
        ("rejected", REMEMBERED_DAYS - 1, True, "mail_paragraph", False),
        ("rejected", REMEMBERED_DAYS, True, "mail_paragraph", True),
        ("applied", 1, True, "page_fix", True),  # of the page, not of the mail
    ],
)
def test_the_same_mail_is_proposed_once(
    state: str, days: int, same: bool, kind: str, passes: bool
) -> None:
    decision = mail(said=(line("Chest width: 54 cm."),))
    text = str(decision.action["text"]) if same else "another"
    past = PastFix(turn=3, state=state, days_ago=days, block=text, kind=kind)
    assert (why(decision, page_fixes={"P1": (past,)}) == "") == passes


def test_a_mail_does_not_keep_a_page_from_being_mended() -> None:
    past = PastFix(
        turn=3, state="applied", days_ago=1, block="x", kind="mail_paragraph"
    )
    fixed = fix(said=(line("Chest width: 54 cm"),))
    assert why(fixed, page_fixes={"P1": (past,)}) == ""
