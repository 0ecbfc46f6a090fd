"""A paragraph for order mails: where trouble follows the purchase and facts say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.gate.page_changes import page_changes
from cartwheel.levers.base import Autonomy, Decision
from cartwheel.levers.content.mail import SPEAK_OF
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES
from tests.gate.test_page_changes import candidate, context
from tests.levers.test_content import LEVER, SHIRT, decide, objection, shop
from tests.levers.test_content_drafting import CARE, care, served

ASKED = {
    "question_id": "q1",
    "product_id": "P1",
    "question": "How do I wash it?",
    "answer": "By hand, in cold water.",
}


def bought(kind: str = "missing_instructions", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = objection(
        kind=kind, **{"contacts": 1, "returned_units": 1, **more}
    )
    return found


def mails(decisions: list[Decision]) -> list[Decision]:
    return [one for one in decisions if one.kind == "mail_paragraph"]


def test_facts_of_use_and_care_become_a_paragraph() -> None:
    (mail,) = mails(
        decide(
            shop(
                objections=[bought(stake_minor=4_000)], pages=[CARE], questions=[ASKED]
            )
        )
    )
    assert mail.subject == "product:P1"
    assert mail.worth_minor == 4_000
    assert mail.action["text"] == (
        "Good to know about what you ordered\n"
        "Care: hand wash. Storage: keep it dry.\n"
        "How do I wash it?\nBy hand, in cold water."
    )
    assert mail.action["html"] == (
        "<h3>Good to know about what you ordered</h3>"
        "<p>Care: hand wash. Storage: keep it dry.</p>"
        "<dl><dt>How do I wash it?</dt><dd>By hand, in cold water.</dd></dl>"
    )
    assert [one["sources"] for one in mail.action["said"]] == [
        ["attribute:Care"],
        ["attribute:Storage"],
        ["answer:q1"],
    ]
    assert mail.evidence["sources"]["attribute:Care"] == "Care: hand wash"
    assert (mail.action["writer"], mail.action["generated"]) == ("offline", True)
    (kind,) = [one for one in LEVER.kinds if one.name == "mail_paragraph"]
    assert kind.autonomy is Autonomy.APPROVE


def test_a_mail_is_no_page_fix_and_beside_one() -> None:
    found = decide(shop(objections=[bought()], pages=[CARE]))
    assert [one.kind for one in found] == ["page_fix", "mail_paragraph"]


def test_what_the_page_says_is_said_to_the_buyer_too() -> None:
    told = "A shirt. Care: hand wash. Storage: keep it dry."
    found = decide(shop(objections=[bought()], pages=[{**CARE, "description": told}]))
    assert [one.kind for one in found] == ["mail_paragraph", "page_task"]


@pytest.mark.parametrize(
    "row",
    [
        bought(contacts=0, returned_units=0),
        bought(contacts=1, returned_units=0),
        bought(kind="quality_doubt"),
        bought(kind="shipping_time"),
    ],
)
def test_trouble_before_the_purchase_gets_no_mail(row: dict[str, Any]) -> None:
    assert mails(decide(shop(objections=[row], pages=[CARE]))) == []


@pytest.mark.parametrize("kind", sorted(SPEAK_OF))
def test_without_a_fact_nothing_is_mailed(kind: str) -> None:
    page = {**SHIRT, "attributes": '{"Brand line": "Sea"}'}
    assert mails(decide(shop(objections=[bought(kind)], pages=[page]))) == []
    assert mails(decide(shop(objections=[bought(kind)]))) == []


def test_sizes_are_told_with_care_and_not_what_others_found() -> None:
    row = bought("size_fit", smaller=10, larger=0)
    (mail,) = mails(decide(shop(objections=[row], pages=[SHIRT])))
    assert [one["text"] for one in mail.action["said"]] == [
        "Care: hand wash.",
        "Chest width: 54 cm.",
    ]


def test_one_paragraph_a_product_the_costliest_first() -> None:
    rows = [
        bought(stake_minor=1),
        bought("size_fit", stake_minor=9),
        bought(stake_minor=5) | {"product_id": "P2"},
    ]
    pages = [CARE, {**CARE, "product_id": "P2"}]
    found = mails(decide(shop(objections=rows, pages=pages)))
    assert [(one.subject, one.action["objection"]) for one in found] == [
        ("product:P1", "size_fit"),
        ("product:P2", "missing_instructions"),
    ]


def test_a_text_service_may_draft_it_after_the_pages() -> None:
    data, (first, second) = served(
        shop(objections=[bought()], pages=[CARE]),
        ("The shirt is hand wash.", ["f1"]),
        ("It is machine washable.", ["f1"]),
    )
    assert "page" in first.purpose
    assert "mail" in second.purpose
    (mail,) = mails(decide(data))
    assert mail.action["writer"] == "service:small"
    assert mail.action["text"].splitlines()[1] == (
        "The shirt is hand wash. Care: hand wash. Storage: keep it dry."
    )
    assert mail.evidence["service"]["blocked"][0]["text"] == "It is machine washable."
    titles = [
        g.title for g in LEVER.report(LEVER.learn(data, None, seed=1), data).grids
    ]
    assert "Paragraphs for order mails" in titles


def test_few_drafts_go_to_pages_first() -> None:
    data, (only,) = served(
        shop(objections=[bought()], pages=[CARE]), options={"text_service_drafts": 1}
    )
    assert "page" in only.purpose
    assert mails(decide(data))[0].action["writer"] == "offline"


def test_without_contacts_a_page_alone_is_mended() -> None:
    assert mails(decide(care())) == []


LOUD = ("the best there is", "only 3 left", "<b>bold</b>", "safe for babies", "30 °C")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CLASSES)),
    st.dictionaries(
        st.sampled_from(["Care", "Wash", "Size", "Fits", "Use"]),
        st.one_of(st.sampled_from(LOUD), st.text(max_size=40)),
        max_size=5,
    ),
    st.one_of(st.sampled_from(["How do I wash it?", "Does it fit?"]), st.text()),
    st.one_of(st.sampled_from(LOUD), st.text(max_size=80)),
)
def test_every_paragraph_passes_the_gate(
    kind: str, held: dict[str, str], question: str, answer: str
) -> None:
    data = shop(
        objections=[bought(kind)],
        pages=[{**SHIRT, "attributes": json.dumps(held)}],
        questions=[{**ASKED, "question": question, "answer": answer}],
    )
    facts = ShopFacts({s.name: data.table(s) for s in LEVER.reads})
    for mail in mails(decide(data)):
        verdict = page_changes([candidate(mail)], context(facts=facts))
        assert [one.reason for one in verdict.refused] == []
