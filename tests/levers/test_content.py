"""From an objection to what the page should say, and never without a source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Decision, Prediction
from cartwheel.levers.content import Content
from cartwheel.levers.content.credit import read_credits
from cartwheel.levers.content.draft import page_language, write
from cartwheel.levers.content.options import Options
from cartwheel.levers.content.promises import MOST
from cartwheel.levers.content.propose import propose, shop_facts
from cartwheel.levers.content.wording import words_of
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.fix_effects import FIX_EFFECTS
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
    effects: Sequence[dict[str, Any]] = (),
) -> Signals:
    data = Signals({}, made_context(), [signal.name for signal in LEVER.reads])
    for signal, rows in (
        (OBJECTIONS, objections),
        (LISTING, pages),
        (QUESTIONS, questions),
        (POLICIES, policies),
        (CATALOGUE, variants),
        (STOCK, stock),
        (FIX_EFFECTS, effects),
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


ATTRIBUTES = '{"Chest width": "54 cm", "Material": "linen", "Compatible with": "hooks"}'


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
        "Of 11 reviews, messages and returns that call it too small or too large, "
        "10 found it too small.",
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
    assert "Nobody has tested a fix of this kind" in fix.reason
    assert fix.evidence["credit"] is None


def test_a_page_with_mark_up_gets_mark_up() -> None:
    page = {**SHIRT, "page_html": "<p>A light shirt.</p>"}
    (fix,) = decide(shop(objections=[objection()], pages=[page]))
    assert fix.action["markup"] == "html"
    assert fix.action["before"] == digest("<p>A light shirt.</p>")
    assert fix.action["block"].startswith("\n<section data-cartwheel=")


def effect(
    kind: str = "size_fit", form: str = "size note", share: float = 0.5, **more: Any
) -> dict[str, Any]:
    """Return what tests told of a kind of fix."""
    return {
        "objection": kind,
        "form": form,
        "experiments": "notes-1\nnotes-2",
        "fixed": 14,
        "held_out": 15,
        "counted": "returns",
        "control_rate": 0.4,
        "change": -0.21,
        "change_low": -0.27,
        "change_high": -0.12,
        "share": share,
        "share_low": share - 0.3,
        "share_high": share + 0.4,
    } | more


def test_a_fix_of_a_tested_kind_says_what_it_takes_back() -> None:
    asked = objection(stake_minor=41_000, low_minor=41_000, high_minor=41_000)
    data = shop(objections=[asked], pages=[SHIRT], effects=[effect()])
    (fix,) = decide(data)
    assert fix.predicted == Prediction(
        metric="saved_minor_365d", value=20_500, low=8_200, high=36_900, level=0.95
    )
    assert fix.worth_minor == 41_000
    assert fix.reason.endswith(
        "In tests (notes-1, notes-2), of 14 products mended and 15 left alone, returns "
        "for size and fit fell by 21 points of units sold (12 to 27). As those did on "
        "average, it takes back 205.00 GBP of what is at stake here (82.00 GBP to "
        "369.00 GBP); one product can differ more."
    )
    assert fix.evidence["credit"]["experiments"] == ["notes-1", "notes-2"]
    assert fix.evidence["credit"]["share_low"] == pytest.approx(0.2)


def test_what_is_at_stake_is_unsure_too() -> None:
    credit = read_credits(shop(effects=[effect()])).of["size_fit", "size note"]
    found = credit.saved(1_000, 600, 1_800)
    assert found.value == 500
    assert found.low == 500 - round(np.hypot(300, 200))
    assert found.high == 500 + round(np.hypot(400, 400))
    # A fix that makes it worse is worst where most is at stake.
    worse = read_credits(shop(effects=[effect(share=-0.5)])).of["size_fit", "size note"]
    assert worse.saved(1_000, 600, 1_800).low == -500 - round(np.hypot(300, 400))


def test_an_unknown_stake_is_not_priced() -> None:
    (fix,) = decide(shop(objections=[objection()], pages=[SHIRT], effects=[effect()]))
    assert fix.predicted is None
    assert fix.reason.endswith("what is at stake here is unknown.")


def test_another_form_or_objection_was_not_tested() -> None:
    for other in (effect(form="facts and questions"), effect("compatibility")):
        data = shop(
            objections=[objection(stake_minor=100)], pages=[SHIRT], effects=[other]
        )
        (fix,) = decide(data)
        assert fix.predicted is None
        assert "Nobody has tested" in fix.reason


def test_proposals_stand_by_what_tests_told() -> None:
    """What takes back half of 60 goes before a tenth of 200; untested as others do."""
    data = shop(
        objections=[
            objection("P1", "size_fit", stake_minor=20_000),
            objection("P2", "quality_doubt", stake_minor=6_000),
            objection("P3", "compatibility", stake_minor=8_500),
        ],
        pages=[
            {**SHIRT, "product_id": name, "attributes": ATTRIBUTES}
            for name in ("P1", "P2", "P3")
        ],
        effects=[
            effect(share=0.1),
            effect("quality_doubt", "changed paragraph", 0.5),
        ],
    )
    found = decide(data)
    assert [one.subject for one in found] == ["product:P2", "product:P3", "product:P1"]
    assert [one.evidence["rank_minor"] for one in found] == [3_000, 2_550, 2_000]
    assert found[1].predicted is None
    # With the link cut they stand by the money at stake, as before any test.
    cut = data.restricted([s.name for s in LEVER.reads], [FIX_EFFECTS.name])
    assert [one.subject for one in decide(cut)] == [
        "product:P1",
        "product:P3",
        "product:P2",
    ]


def test_the_objection_of_a_product_that_pays_most_is_answered() -> None:
    data = shop(
        objections=[
            objection(kind="size_fit", stake_minor=9_000),
            objection(kind="quality_doubt", stake_minor=6_000),
        ],
        pages=[{**SHIRT, "attributes": ATTRIBUTES}],
        effects=[
            effect(share=0.1),
            effect("quality_doubt", "changed paragraph", 0.5),
        ],
    )
    (fix,) = decide(data)
    assert fix.action["objection"] == "quality_doubt"


def test_a_kind_that_does_harm_is_shown_and_not_proposed() -> None:
    data = shop(
        objections=[
            objection(kind="size_fit", stake_minor=9_000),
            objection(kind="quality_doubt", stake_minor=6_000),
            objection("P2", "size_fit", stake_minor=9_000),
        ],
        pages=[{**SHIRT, "attributes": ATTRIBUTES}, {**SHIRT, "product_id": "P2"}],
        effects=[effect(share=-0.4, harm="more returns")],
    )
    (fix,) = decide(data)
    assert (fix.subject, fix.action["objection"]) == ("product:P1", "quality_doubt")
    report = LEVER.report(LEVER.learn(data, None, seed=1), data)
    (grid,) = [one for one in report.grids if "does harm" in one.title]
    assert [row[-2:] for row in grid.rows] == [("more returns", "notes-1, notes-2")] * 2


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
            {"policy_id": "a", "topic": "privacy", "body": "We keep data for 9 days."},
            {"policy_id": "b", "topic": "shipping", "body": "We send it in 2 days."},
        ],
    )
    (fix,) = decide(data)
    assert [one["text"] for one in fix.action["said"]] == ["We send it in 2 days."]


def test_terms_hold_as_a_whole_or_are_not_said() -> None:
    def said(body: str) -> list[str]:
        policy = {"policy_id": "a", "topic": "shipping", "title": "Post", "body": body}
        data = shop(
            objections=[objection(kind="shipping_cost")],
            pages=[SHIRT],
            policies=[policy],
        )
        return [
            one["text"]
            for fix in decide(data)
            if fix.kind == "page_fix"
            for one in fix.action["said"]
        ]

    costs = "Delivery costs 5 EUR."
    more = "Delivery of a bench costs more than most, 30 EUR."
    assert said(f"{costs} {more}") == [costs, more], "its own words, whatever they are"
    link = "Delivery to islands costs what http://example.org says."
    assert said(f"{costs} {link}") == []
    many = [f"Delivery to zone {n} costs {n} EUR." for n in range(MOST + 1)]
    assert said(" ".join(many[:MOST])) == many[:MOST]
    assert said(" ".join(many)) == [], "an exception may stand at its end"


def test_promises_are_of_the_one_policy_that_speaks_of_the_objection() -> None:
    back = "You have 30 days. You pay the postage. A tag that is missing costs 5."
    wrong = "If we sent the wrong thing we send the right one. Nothing is to be paid."
    policies = [
        {"policy_id": "a", "topic": "returns", "title": "Sending back", "body": back},
        {"policy_id": "b", "topic": "returns", "title": "Our mistakes", "body": wrong},
    ]
    data = shop(
        objections=[objection(kind="wrong_item")], pages=[SHIRT], policies=policies
    )
    (fix,) = decide(data)
    assert " ".join(one["text"] for one in fix.action["said"]) == wrong
    assert {tuple(one["sources"]) for one in fix.action["said"]} == {("policy:b",)}


def test_terms_that_say_nothing_of_the_objection_are_no_promise() -> None:
    data = shop(
        objections=[objection(kind="damaged")],
        pages=[SHIRT],
        policies=[
            {
                "policy_id": "a",
                "topic": "returns",
                "body": "You have 30 days to return.",
            }
        ],
    )
    assert [one.kind for one in decide(data)] == ["page_task"]


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
