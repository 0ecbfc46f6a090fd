"""From an objection to what the page should say, and never without a source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Decision
from cartwheel.levers.content import Content
from cartwheel.levers.content.draft import page_language, words_of, write
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.propose import propose, shop_facts
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.signals.stock import STOCK
from cartwheel.text.claims import check_draft
from cartwheel.text.objections import CLASSES, LANGUAGES
from cartwheel.text.page_block import digest
from tests.levers.made import empty_signals, made_context, replace

LEVER = Content()


def shop(
    *,
    objections: Sequence[dict[str, Any]] = (),
    pages: Sequence[dict[str, Any]] = (),
    questions: Sequence[dict[str, Any]] = (),
    policies: Sequence[dict[str, Any]] = (),
    variants: Sequence[dict[str, Any]] = (),
    stock: Sequence[dict[str, Any]] = (),
) -> Signals:
    data = Signals({}, made_context(), [signal.name for signal in LEVER.reads])
    for signal, rows in (
        (OBJECTIONS, objections),
        (LISTING, pages),
        (QUESTIONS, questions),
        (POLICIES, policies),
        (CATALOGUE, variants),
        (STOCK, stock),
    ):
        if rows:
            empty = {**dict.fromkeys(signal.column_names), **signal.neutral}
            frame = pd.DataFrame([{**empty, **row} for row in rows])
            for field in signal.fields:
                if field.type == "int":
                    frame[field.name] = frame[field.name].astype("Int64")
            data = replace(data, signal, frame)
    return data


def objection(product: str = "P1", kind: str = "size_fit", **more: Any) -> Any:
    return {"product_id": product, "objection": kind, "mentions": 5, "texts": 9} | more


SHIRT = {
    "product_id": "P1",
    "title": "Linen shirt",
    "description": "A light shirt for summer and holidays by the sea.",
    "attributes": '{"Chest width": "54 cm", "Material": "linen", "Care": "hand wash"}',
}


def decide(data: Signals) -> list[Decision]:
    model = LEVER.learn(data, None, seed=1)
    return list(LEVER.decide(model, data, seed=1))


def test_a_size_note_says_what_was_found_and_what_is_known() -> None:
    data = shop(
        objections=[
            objection(
                smaller=10, larger=1, stake_minor=31_500, quotes="Too small.\nTight."
            )
        ],
        pages=[SHIRT],
        questions=[
            {
                "question_id": "q1",
                "product_id": "P1",
                "question": "Does it run small?",
                "answer": "Take one size up if you like it loose.",
            }
        ],
    )
    (fix,) = decide(data)
    assert (fix.kind, fix.subject) == ("page_fix", "product:P1")
    assert fix.worth_minor == 31_500
    assert fix.evidence["quotes"] == ["Too small.", "Tight."]
    assert [one["text"] for one in fix.action["said"]] == [
        "Of 11 reviews, messages and returns about its size, 10 found it too small.",
        "Chest width: 54 cm",
        "Take one size up if you like it loose.",
    ]
    assert fix.action["before"] == digest(SHIRT["description"])
    assert set(fix.evidence["sources"]) == {
        "count:size_fit:en",
        "attribute:Chest width",
        "answer:q1",
    }
    assert fix.action["markup"] == "text"
    assert fix.predicted is None  # nobody knows before a test


def test_a_page_with_mark_up_gets_mark_up() -> None:
    page = {**SHIRT, "page_html": "<p>A light shirt.</p>"}
    (fix,) = decide(shop(objections=[objection()], pages=[page]))
    assert fix.action["markup"] == "html"
    assert fix.action["before"] == digest("<p>A light shirt.</p>")
    assert fix.action["block"].startswith("\n<section data-cartwheel=")


def test_what_the_page_says_already_is_not_said_again() -> None:
    page = {**SHIRT, "description": "A shirt. Chest width: 54 cm."}
    (task,) = decide(shop(objections=[objection()], pages=[page]))
    assert task.kind == "page_task"


def test_without_a_fact_a_person_is_asked() -> None:
    data = shop(
        objections=[objection(kind="compatibility")],
        pages=[SHIRT],
        questions=[
            {
                "question_id": "q1",
                "product_id": "P1",
                "question": "Will it fit my hanger? Write to me@example.org",
            }
        ],
    )
    (task,) = decide(data)
    assert task.kind == "page_task"
    assert task.action["questions"] == ["Will it fit my hanger? Write to [e-mail]"]
    assert task.action["photos"]


def test_the_costliest_objection_that_can_be_answered_is_taken() -> None:
    data = shop(
        objections=[
            objection(kind="compatibility", stake_minor=90_000),
            objection(kind="size_fit", stake_minor=8_000),
            objection(kind="quality_doubt", stake_minor=2_000),
            objection("P2", "size_fit", stake_minor=50_000),
        ],
        pages=[SHIRT, {**SHIRT, "product_id": "P2"}],
    )
    found = decide(data)
    assert [one.subject for one in found] == ["product:P2", "product:P1"]
    assert [one.action["objection"] for one in found] == ["size_fit", "size_fit"]


def test_one_voice_alone_is_no_objection() -> None:
    data = shop(
        objections=[objection(mentions=Options().least_mentions - 1)], pages=[SHIRT]
    )
    assert decide(data) == []


def test_an_unsupported_attribute_is_kept_out_and_told() -> None:
    page = {**SHIRT, "attributes": '{"Size": "the best fit ever", "Length": "70 cm"}'}
    data = shop(objections=[objection()], pages=[page])
    (fix,) = decide(data)
    assert [one["text"] for one in fix.action["said"]] == ["Length: 70 cm"]
    (proposal,) = propose(data, shop_facts(data))
    assert "superlative" in proposal.blocked[0][1]
    report = LEVER.report(LEVER.learn(data, None, seed=1), data)
    assert report.grids[-1].title == "Kept out by the claim check"


def test_promises_come_from_the_policy_of_their_topic() -> None:
    data = shop(
        objections=[objection(kind="shipping_time")],
        pages=[SHIRT],
        policies=[
            {"policy_id": "a", "topic": "shipping", "body": "We send it in 2 days."},
            {"policy_id": "b", "topic": "privacy", "body": "We keep data for 1 year."},
        ],
    )
    (fix,) = decide(data)
    assert [one["text"] for one in fix.action["said"]] == ["We send it in 2 days."]


def test_a_portuguese_page_has_portuguese_headings() -> None:
    page = {
        **SHIRT,
        "description": "Uma camisa leve de linho para o verão e para as férias.",
        "attributes": '{"Tamanho": "M"}',
    }
    assert page_language(page) == "pt"
    (fix,) = decide(shop(objections=[objection()], pages=[page]))
    assert fix.action["heading"] == "Tamanho e caimento"
    assert page_language({"description": "Ein leichtes Hemd aus Leinen."}) == "en"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_objection_has_a_heading(language: str) -> None:
    assert {*CLASSES, "questions", "comparison", "mail"} == set(
        words_of(language)["headings"]
    )
    for part in ("attributes", "photos"):
        assert set(words_of(language)[part]) <= set(CLASSES)


def test_no_objection_no_proposal() -> None:
    assert LEVER.floor.lacks(empty_signals())
    assert decide(shop(pages=[SHIRT])) == []


LOUD = ("the best there is", "only 3 left", "<b>bold</b>", "safe for babies", "54 cm")
WORDS = st.one_of(st.sampled_from(LOUD), st.text(max_size=40))
NAMES = st.one_of(
    st.sampled_from(("Size", "Material", "Care", "Colour", "Suitable for", "Contents")),
    st.text(max_size=20),
)
ASKED = ("Does it run small?", "Is it the right colour?", "What is in the box?")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CLASSES)),
    st.dictionaries(NAMES, st.one_of(WORDS, st.lists(WORDS, max_size=3)), max_size=5),
    st.one_of(st.sampled_from(ASKED), WORDS),
    WORDS,
    st.one_of(WORDS, st.text(max_size=120)),
)
def test_no_line_is_written_that_the_check_would_block(
    kind: str, attributes: dict[str, Any], question: str, answer: str, policy: str
) -> None:
    page = {**SHIRT, "attributes": json.dumps(attributes)}
    data = shop(
        objections=[objection(kind=kind, smaller=9)],
        pages=[page],
        questions=[
            {
                "question_id": "q",
                "product_id": "P1",
                "question": question,
                "answer": answer,
            }
        ],
        policies=[{"policy_id": "p", "topic": "shipping", "body": policy}],
    )
    facts = shop_facts(data).of("P1")
    for one in decide(data):
        for said in one.action.get("said", ()):
            assert not [c for c in check_draft(said["text"], facts) if c.blocked]
            assert said["sources"]


def test_nothing_is_written_from_nothing() -> None:
    assert write("size_fit", (), {}, {"title": "A shirt"}) is None
