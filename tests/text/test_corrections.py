"""Corrections of how sentences are read: what stands, and on which sentences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.text.objections import (
    CLASSES,
    LANGUAGES,
    phrases_of,
    read_sentence,
    sentence_key,
    standing,
)
from cartwheel.text.objections.classes import MEASURED
from cartwheel.text.objections.corrections import read_title, read_words, words_pattern
from cartwheel.text.tokens import fold

KEY, OTHER = sentence_key("Runs small."), sentence_key("Too tight.")


def said(name: str, kind: str, **columns: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        (
            *("objection", "into_objection", "sentence", "beside", "words", "title"),
            "takes_back",
        )
    )
    return {**empty, "correction_id": name, "kind": kind, **columns}


def test_a_later_correction_overrules_and_its_taking_back_gives_the_first_back() -> (
    None
):
    first = said("a", "not_this", objection="size_fit", sentence=KEY, beside=OTHER)
    second = said(
        "b", "move", objection="size_fit", sentence=KEY, into_objection="price"
    )
    assert standing([first, second]).sentences == {(KEY, "size_fit"): "price"}
    back = said("c", "take_back", takes_back="b")
    stands = standing([first, second, back])
    assert stands.sentences == {(KEY, "size_fit"): ""}
    assert stands.beside == {(OTHER, "size_fit")}
    assert list(stands.by_id) == ["a"]


def merge(name: str, objection: str, into: str) -> dict[str, Any]:
    return said(name, "merge", objection=objection, into_objection=into)


def test_merges_go_on_and_never_round() -> None:
    rows = [
        merge("a", "price", "service"),
        merge("b", "service", "damaged"),
        merge("c", "damaged", "price"),  # would close the circle
    ]
    assert standing(rows).merged == {"price": "damaged", "service": "damaged"}
    assert standing(rows[:1]).counted_as("price") == "service"
    assert standing(rows[:1]).counted_as("service") == "service"


CLASS = st.sampled_from([*CLASSES, "no_class", None])


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            said,
            st.sampled_from("abcdef"),
            st.sampled_from(
                ["not_this", "move", "merge", "split", "take_back", "other"]
            ),
            objection=CLASS,
            into_objection=CLASS,
            sentence=st.sampled_from([KEY, "x", None]),
            beside=st.sampled_from([OTHER, "", None]),
            words=st.text(max_size=8),
            title=st.text(max_size=8),
            takes_back=st.sampled_from([*"abc", None]),
        ),
        max_size=12,
    )
)
def test_whatever_rows_say_what_stands_is_sound(rows: list[dict[str, Any]]) -> None:
    stands = standing(rows)
    assert {*stands.merged, *stands.merged.values()} <= set(CLASSES)
    for objection in stands.merged:
        assert stands.counted_as(objection) not in stands.merged
    assert all(one.words and one.title for one in stands.splits)
    for (key, objection), instead in stands.sentences.items():
        assert (key, objection in CLASSES) == (KEY, True)
        assert instead != objection


def test_a_sentence_is_known_by_its_words() -> None:
    assert sentence_key("  RUNS   small!!") == KEY
    assert sentence_key("Rúns-small") == KEY
    assert sentence_key("Runs smaller.") != KEY


def test_words_are_found_as_whole_words() -> None:
    found = words_pattern(read_words("Sleeve, the Back\nback"))
    assert found.search(fold("The SLEEVE is short"))
    assert found.search(fold("at the  back"))
    assert not found.search(fold("Sleeves are short"))
    assert words_pattern(read_words("a.c, (")).search("abc") is None


@pytest.mark.parametrize(
    "typed", ["", " , ;\n", "...", "x" * 41, ",".join(map(str, range(11))), "x" * 10**4]
)
def test_words_that_do_not_fit_are_refused(typed: str) -> None:
    with pytest.raises(Misuse):
        read_words(typed)


@pytest.mark.parametrize("typed", ["", "  ", "x" * 61, "a\u202eb", "x" * 10_000])
def test_names_that_do_not_fit_are_refused(typed: str) -> None:
    with pytest.raises(Misuse):
        read_title(typed)


def test_a_name_is_kept_as_typed() -> None:
    assert read_title(" <b>Wide</b>  sleeves ") == "<b>Wide</b> sleeves"


WORDS = [
    *("runs", "too", "small", "tent", "broken", "not", "as", "pictured", "the"),
    *("price", "?", "late", "muito"),
]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=9,
    ).map(" ".join)
    | st.text(),
    st.sampled_from(sorted(LANGUAGES)),
    st.booleans(),
)
def test_what_is_raised_has_phrases(text: str, language: str, blamed: bool) -> None:
    for objection in read_sentence(text, [language], blamed=blamed).objections:
        found = phrases_of(text, [language], objection, blamed=blamed)
        assert found
        assert len(set(found)) == len(found)
        assert {one.objection for one in found} == {objection}


def test_a_phrase_says_what_was_met_and_not_what_was_taken_out() -> None:
    (found,) = phrases_of("It looks like a tent.", ["en"], "size_fit")[:1]
    assert "tent" in {
        one.words for one in phrases_of("A tent, really", ["en"], "size_fit")
    }
    assert found.language == "en"
    praised = phrases_of("Not too small and true to size.", ["en"], "size_fit")
    assert not any("too small" in one.words for one in praised)


def test_every_class_has_its_figures_none_where_no_sentence_was_held_out() -> None:
    assert set(MEASURED) == set(CLASSES)
    held_out = [one for one in MEASURED.values() if one[0]]
    assert len(held_out) >= len(CLASSES) - 1
    assert all(0 < share <= 1 for _, share in held_out)
    assert all(one == (0, 0.0) for one in MEASURED.values() if one not in held_out)


def test_the_measured_precision_is_what_the_document_shows() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "voice.md"
    rows = re.findall(r"^\| ([a-z ]+) \| (\d+) \| ([\d.]+) \|", page.read_text(), re.M)
    shown = {name: (int(count), float(share)) for name, count, share in rows}
    names = {**CLASSES, "damaged": "damaged", "wrong_item": "wrong item"}
    assert shown == {names[code].lower(): one for code, one in MEASURED.items()}
