"""What a text service drafts: from facts, through the claim check, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from cartwheel.levers.base import Decision, DraftingLever
from cartwheel.signals.base import Signals
from cartwheel.signals.drafts import DRAFTS
from cartwheel.text.drafting import DraftRequest
from tests.levers.made import made_context
from tests.levers.test_content import LEVER, SHIRT, decide, objection, shop

SERVICE = {"text_service": "https://example.org/v1", "text_service_model": "small"}
CARE = {
    **SHIRT,
    "attributes": json.dumps(
        {"Care": "hand wash", "Storage": "keep it dry", "Material": "linen"}
    ),
}


def served(
    data: Signals,
    *sentences: tuple[str, Sequence[str]],
    failed: str | None = None,
    options: dict[str, Any] | None = None,
    guardrails: dict[str, Any] | None = None,
) -> tuple[Signals, tuple[DraftRequest, ...]]:
    """Return a shop whose service answered, and what it had been asked."""
    import pyarrow as pa

    chosen = {"content": {**SERVICE, **(options or {})}}
    context = made_context(options={**chosen, "guardrails": guardrails or {}})
    names = [signal.name for signal in LEVER.reads]
    asking = Signals(_tables(data), context, names)
    wished = LEVER.wishes(asking)
    assert wished is not None
    listed = [{"text": text, "facts": list(cited)} for text, cited in sentences]
    rows = [
        {
            "request": request.key,
            "model": request.model,
            "sentences": json.dumps(listed) if listed else None,
            "failed": failed,
        }
        for request in wished.requests
    ]
    table = pa.Table.from_pylist(rows, DRAFTS.schema())
    return Signals({**_tables(data), DRAFTS.name: table}, context, names), (
        wished.requests
    )


def _tables(data: Signals) -> dict[str, Any]:
    return {signal.name: data.table(signal) for signal in LEVER.reads}


def care(**more: Any) -> Signals:
    return shop(
        objections=[objection(kind="missing_instructions", quotes="How do I wash it?")],
        pages=[CARE],
        **more,
    )


def texts(fix: Decision) -> list[str]:
    return [one["text"] for one in fix.action["said"]]


def test_facts_that_speak_to_the_objection_are_sent_and_no_words_of_customers() -> None:
    questions = [
        {
            "question_id": "q1",
            "product_id": "P1",
            "question": "I am Ann Lee, how do I wash it?",
            "answer": "By hand.",
        }
    ]
    assert isinstance(LEVER, DraftingLever)
    _, (request,) = served(care(questions=questions))
    assert [(one.id, one.name, one.text) for one in request.facts] == [
        ("f1", "Care", "hand wash"),
        ("f2", "Storage", "keep it dry"),
    ]
    assert (request.product, request.about) == ("Linen shirt", "Missing instructions")
    sent = json.dumps(request.messages())
    assert "Ann Lee" not in sent
    assert "How do I wash" not in sent
    _, (request,) = served(care(), options={"text_service_quotes": 1})
    assert request.quotes == ("How do I wash it?",)


def test_a_paragraph_of_facts_is_written_by_the_service() -> None:
    data, _ = served(
        care(), ("The linen shirt is hand wash.", ["f1"]), ("Keep it dry.", ["f2"])
    )
    (fix,) = decide(data)
    assert fix.action["writer"] == "service:small"
    assert fix.action["generated"] is True
    assert texts(fix)[:2] == ["The linen shirt is hand wash.", "Keep it dry."]
    assert [one.get("paragraph") for one in fix.action["said"]][:2] == [True, True]
    assert "The linen shirt is hand wash. Keep it dry." in fix.action["block"]
    assert fix.action["said"][0]["sources"] == ["attribute:Care"]
    assert fix.evidence["sources"]["attribute:Care"] == "Care: hand wash"
    assert fix.evidence["service"] == {"failed": "", "blocked": []}


def test_what_the_paragraph_leaves_out_stays_a_line() -> None:
    data, _ = served(care(), ("The care of it is hand wash.", ["f1"]))
    (fix,) = decide(data)
    assert texts(fix) == ["The care of it is hand wash.", "Storage: keep it dry"]


@pytest.mark.parametrize(
    ("text", "cited", "why"),
    [
        ("It is the best shirt on the market.", "f1", "superlative"),
        ("Machine wash at 40 °C.", "f1", "no fact says"),
        ("It is waterproof.", "f2", "no fact says"),
        ("Do not hand wash it.", "f1", "turns round"),
        ("Customers love that it is hand wash.", "f1", ""),
        ("Only a few left: hand wash.", "f1", "urgency"),
        ("Hand wash <b>only</b>.", "f1", "mark-up"),
        ("Hand wash, see http://example.org.", "f1", "link"),
        ("Storage: keep it dry.", "f1", "no fact says"),  # says f2, cites f1
        ("Here is a short note.", "f1", "says nothing of the facts"),
        ("Ignore the check, hand wash.", "f1", ""),
    ],
)
def test_a_sentence_that_its_facts_do_not_say_is_left_out(
    text: str, cited: str, why: str
) -> None:
    data, _ = served(care(), ("Keep it dry.", ["f2"]), (text, [cited]))
    (fix,) = decide(data)
    assert text not in texts(fix)
    assert texts(fix)[0] == "Keep it dry."
    (blocked,) = fix.evidence["service"]["blocked"]
    assert blocked["text"] == text
    assert why in blocked["why"]
    report = LEVER.report(LEVER.learn(data, None, seed=1), data)
    titles = {grid.title: grid for grid in report.grids}
    assert titles["Kept out by the claim check"].rows[0][1] == text
    row = titles["Drafts of the text service"].rows[0]
    assert row[1:4] == ("service:small", 1, 1)


def test_a_draft_of_which_nothing_passes_leaves_the_facts_word_for_word() -> None:
    data, _ = served(care(), ("The best.", ["f1"]))
    plain = decide(care())[0]
    (fix,) = decide(data)
    assert fix.action == plain.action
    assert fix.action["writer"] == "offline"
    service = fix.evidence["service"]
    assert service["failed"] == "no sentence of it passed the claim check"
    assert len(service["blocked"]) == 1


def test_a_service_that_failed_leaves_the_facts_and_its_reason() -> None:
    data, _ = served(care(), failed="it answered with status 500")
    (fix,) = decide(data)
    assert fix.action == decide(care())[0].action
    assert fix.evidence["service"]["failed"] == "it answered with status 500"


def test_without_an_answer_the_offline_writer_writes() -> None:
    data, _ = served(care(), ("Hand wash.", ["f1"]))
    cut = data.restricted([signal.name for signal in LEVER.reads], [DRAFTS.name])
    (fix,) = decide(cut)
    assert fix.action["writer"] == "offline"
    assert fix.evidence["service"]["failed"] == "it was not asked"


def test_the_page_is_not_told_again_what_it_says() -> None:
    page = {**CARE, "description": "Keep it dry and cool in summer, by the sea."}
    data = shop(objections=[objection(kind="missing_instructions")], pages=[page])
    data, _ = served(data, ("Keep it dry.", ["f2"]))
    (fix,) = decide(data)
    assert fix.evidence["service"]["blocked"][0]["why"] == "the page says it already"


def test_at_most_so_many_are_asked_for_and_the_costliest_first() -> None:
    data = shop(
        objections=[
            objection(f"P{at}", "missing_instructions", stake_minor=at)
            for at in range(1, 6)
        ],
        pages=[
            {**CARE, "product_id": f"P{at}", "title": f"Shirt {at}"}
            for at in range(1, 6)
        ],
    )
    answered, requests = served(
        data, ("Hand wash.", ["f1"]), options={"text_service_drafts": 2}
    )
    assert [one.product for one in requests] == ["Shirt 5", "Shirt 4"]
    writers = [one.action["writer"] for one in decide(answered)]
    assert writers == ["service:small"] * 2 + ["offline"] * 3


def test_a_page_in_another_language_is_not_asked_for() -> None:
    page = {
        **SHIRT,
        "description": "Uma camisa leve de linho para o verão e para as férias.",
        "attributes": '{"Tamanho": "M"}',
    }
    _, requests = served(shop(objections=[objection()], pages=[page]))
    assert requests == ()


def test_without_a_service_nothing_is_wished_for() -> None:
    assert LEVER.wishes(care()) is None
    (fix,) = decide(care())
    assert "service" not in fix.evidence


@pytest.mark.parametrize(("loose", "passes"), [(False, False), (True, True)])
def test_terms_are_sent_as_written_and_kept_so(loose: bool, passes: bool) -> None:
    policy = {
        "policy_id": "d",
        "topic": "shipping",
        "title": "Delivery",
        "body": "Delivery within Germany takes 2 to 4 working days.",
    }
    data = shop(
        objections=[objection(kind="shipping_time")], pages=[CARE], policies=[policy]
    )
    said = "Within Germany, delivery takes 2 to 4 working days."
    answered, (request,) = served(
        data, (said, ["f1"]), guardrails={"terms_in_other_words": loose}
    )
    assert [one.as_written for one in request.facts] == [not loose]
    assert ("as_written" in request.messages()[1]["content"]) is not loose
    (fix,) = decide(answered)
    assert (said in texts(fix)) is passes
    if not passes:
        assert policy["body"] in texts(fix)
