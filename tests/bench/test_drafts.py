"""Drafts of the offline writer from a made manual, and a check that can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from bench.drafts import digest_of, failing, page, sample
from bench.drafts_made import from_manual
from bench.drafts_read import OUTLINE, PHOTOS, STRUCTURED, Draft
from bench.drafts_sources import Line, Manual, fit_text, unsupported, word_for_word


def lamp(number: int, colour: str, base: str, **more: str) -> dict[str, Any]:
    return {
        "product_id": f"l{number}",
        "title": f"Lamp {number}",
        "category": "Lamps",
        "brand": "Hobb",
        "price_minor": 4_950,
        "currency": "EUR",
        "description": "A lamp for the table.",
        "attributes": {"colour": colour, "base": base, **more},
    }


MANUAL: Mapping[str, Any] = {
    "products": [
        lamp(1, "red", "round", width="11 cm"),
        lamp(2, "red", "square"),
        lamp(3, "blue", "round"),
        lamp(4, "blue", "square"),
        lamp(5, "blue", "round"),
    ],
    "policies": [
        {
            "policy_id": "post",
            "topic": "shipping",
            "title": "Delivery",
            "body": "Parcels leave within 2 working days. Delivery costs 4.95 EUR.",
        }
    ],
    "questions": [
        {
            "question_id": "q1",
            "product_id": "l1",
            "question": "Is there a switch on the cable?",
            "answer": "Yes, 40 cm from the lamp.",
        }
    ],
}


@pytest.fixture(scope="module")
def drafts() -> tuple[Draft, ...]:
    return from_manual("lamps", MANUAL).drafts


def test_every_form_is_drafted_and_stands_in_the_manual(
    drafts: tuple[Draft, ...],
) -> None:
    forms = {one.form for one in drafts}
    assert {OUTLINE, PHOTOS, STRUCTURED, "size note", "delivery note"} <= forms
    assert {"mail paragraph", "facts and questions", "comparison table"} <= forms
    assert [one for one in drafts if failing(one)] == []
    assert all(one.blocked == () for one in drafts)
    assert len({(one.form, one.heading, one.lines) for one in drafts}) == len(drafts)


def test_the_same_words_on_five_pages_are_one_draft(drafts: tuple[Draft, ...]) -> None:
    notes = [one for one in drafts if one.form == "delivery note"]
    assert sorted(one.heading for one in notes) == ["Delivery", "Delivery costs"]


@pytest.mark.parametrize(
    ("form", "was", "altered"),
    [
        ("size note", "width: 11 cm", "width: 12 cm"),
        ("delivery note", "Delivery costs 4.95 EUR.", "Delivery costs 4.90 EUR."),
        ("delivery note", "Delivery costs 4.95 EUR.", "Delivery never costs 4.95 EUR."),
        ("compatibility table", "Yes, 40 cm from the lamp.", "Yes, beside the lamp."),
        (STRUCTURED, "49.50 EUR", "94.50 EUR"),
        (OUTLINE, "base: round, 3 products", "base: round, 4 products"),
        (OUTLINE, "base: round, 3 products", "base: square, 3 products"),
    ],
)
def test_an_altered_line_fails(
    drafts: tuple[Draft, ...], form: str, was: str, altered: str
) -> None:
    draft, place = next(
        (one, at)
        for one in drafts
        for at, line in enumerate(one.lines)
        if one.form == form and was in line.text
    )
    lines = list(draft.lines)
    lines[place] = replace(lines[place], text=lines[place].text.replace(was, altered))
    assert [at for at, _ in failing(replace(draft, lines=tuple(lines)))] == [place]


def test_a_value_of_another_product_is_no_source() -> None:
    manual = Manual(MANUAL)
    assert manual.text("l1", ["product:l3/attribute:colour"]) == "Lamp 3, colour: blue"
    assert manual.text("l2", ["answer:q1"]) == ""
    assert manual.text("l1", ["attribute:weight"]) == ""
    line = Line(text="Lamp 1, colour: blue", sources=("product:l1/attribute:colour",))
    assert unsupported(line, manual.text("l1", line.sources)) == ("blue",)


@pytest.mark.parametrize(
    ("told", "many", "way", "words"),
    [
        (9, 8, "large", ()),
        (11, 8, "large", ("11",)),
        (8, 8, "large", ("8",)),
        (9, 8, "small", ("small",)),
    ],
)
def test_a_size_note_counts_the_texts_that_say_which_way(
    told: int, many: int, way: str, words: tuple[str, ...]
) -> None:
    text = (
        f"Of {told} reviews, messages and returns that call it too small or too "
        f"large, {many} found it too {way}."
    )
    line = Line(text=text, sources=("count:size_fit:en",), kind="count")
    source = fit_text({"mentions": 11, "smaller": 1, "larger": 8})
    assert unsupported(line, source) == words
    assert not word_for_word(line, source)


def test_the_sample_takes_each_form_in_turn_and_the_same_each_time(
    drafts: tuple[Draft, ...],
) -> None:
    forms = {one.form for one in drafts}
    chosen = sample(drafts, len(forms))
    assert {one.form for one in chosen} == forms
    assert chosen == sample(tuple(reversed(drafts)), len(forms))


def test_the_page_prints_a_line_that_fails(drafts: tuple[Draft, ...]) -> None:
    written = from_manual("lamps", MANUAL)
    wrong = replace(
        drafts[0], lines=(Line(text="made of gold", sources=("brand",)),), sources=("",)
    )
    text = "\n".join(page([replace(written, drafts=(wrong,))], "no reviews"))
    assert "1 fail" in text
    assert "“made of gold” has made, gold" in text
    assert "    - Not read yet." in text
    assert digest_of(wrong) != digest_of(drafts[0])
