"""Which way a size misses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.text.objections.fit import fit_of

BOTH = ("en", "pt")


@pytest.mark.parametrize(
    ("sentence", "way"),
    [
        ("Runs small, order one size up", -1),
        ("size too small", -1),
        ("Much too tight around the chest", -1),
        ("I had to order the next larger size", -1),
        ("Way too big in the shoulders", 1),
        ("I had to go down a size", 1),
        ("size too large", 1),
        ("It is not too small", 0),
        ("Fits perfectly", 0),
        ("The belt is too long and the waist too tight", 0),
        ("Ficou muito apertado", -1),
        ("O tamanho veio muito grande", 1),
        ("", 0),
    ],
)
def test_the_way_a_size_misses(sentence: str, way: int) -> None:
    assert fit_of(sentence, BOTH) == way


def test_a_language_without_words_tells_nothing() -> None:
    assert fit_of("Runs small", ("de",)) == 0


@settings(deadline=None)
@given(st.text(max_size=500))
def test_any_text_has_a_way(text: str) -> None:
    assert fit_of(text, BOTH) in (-1, 0, 1)
