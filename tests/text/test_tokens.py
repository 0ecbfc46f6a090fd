from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.tokens import LONGEST_WORD, fold, term, terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3/4 in. x 10 ft. PVC Pipe", ["0.75in", "10ft", "0.75x10", "pvc", "pipe"]),
        ("¾ in pipe", ["0.75in", "pipe"]),
        ('1-1/2" drain', ["1.5in", "drain"]),
        ("1 1/2 inch drain", ["1.5in", "drain"]),
        (
            "2 in. x 4 in. x 8 ft. Lumber",
            ["2in", "4in", "8ft", "2x4x8", "2x4", "lumber"],
        ),
        ("2x4", ["2", "4", "2x4"]),
        ("rug 5 by 7", ["rug", "5", "7", "5x7"]),
        ("5 gal. bucket", ["5gal", "bucket"]),
        ("18 cu. ft. fridge", ["18cuft", "fridge"]),
        ("1,000 sq. ft.", ["1000sqft"]),
        ("20-Volt drill", ["20v", "drill"]),
        ("0.750 g", ["0.75g"]),
        ("1/0 wire", ["1", "0", "wire"]),
        ("T-Shirt, été & Größe", ["t", "shirt", "ete", "grosse"]),
        ("men's", ["mens"]),
        ("<b>bold</b> &amp; red", ["bold", "red"]),
        ("日本語 abc", ["日本", "本語", "abc"]),
        ("茶", ["茶"]),
        ("هاتف ذكي", ["هاتف", "ذكي"]),
        ("\u200bm\u202eug", ["mug"]),
        ("ＭＵＧ", ["mug"]),
        ("👍", []),
        ("mug \ud83d", ["mug"]),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_sizes_written_differently_are_one_term() -> None:
    said = {
        tuple(terms(t)) for t in ('3/4" elbow', "0.75 inches elbow", "3/4in. elbows")
    }
    assert said == {("0.75in", "elbow")}


def test_spelling_variants_are_one_term() -> None:
    assert term("mouldings") == term("molding")
    assert term("grey") == term("gray")
    assert term("colourful") == term("colorful")
    assert term("litre") == term("liters")


@given(st.text(max_size=200))
def test_words_of_any_text_are_short_folded_and_stable(text: str) -> None:
    found = words(text)
    assert all(0 < len(word) <= LONGEST_WORD + 1 for word in found)
    assert words(unicodedata.normalize("NFD", fold(text))) == words(fold(text))


def test_a_huge_text_is_cut() -> None:
    assert len(words("a " * 1_000_000)) <= 50_000
