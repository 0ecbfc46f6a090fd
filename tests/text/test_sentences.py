"""Sentences cover a text, in order, and none is long."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cartwheel.text.sentences import LONGEST, sentences, spans


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Runs small. Love it!", ["Runs small.", "Love it!"]),
        ("approx. 3 in. wide etc. and so on", ["approx. 3 in. wide etc. and so on"]),
        ("Ends here (yes!). And on", ["Ends here (yes!).", "And on"]),
        ("no end\nnew line; and more", ["no end", "new line;", "and more"]),
        ("It costs 3.50 now", ["It costs 3.50 now"]),
        ("小さいです。とても。", ["小さいです。", "とても。"]),
        ("... !!! ??", []),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, found: list[str]) -> None:
    assert sentences(text) == found


def test_a_long_sentence_is_cut_at_a_comma_or_a_space() -> None:
    words = ", ".join(["a few words"] * 60)
    cut = sentences(words)
    assert len(cut) > 1
    assert all(one.endswith(",") for one in cut[:-1])
    assert all(len(one) <= LONGEST for one in sentences("x" * 1_000))


@given(st.text())
@example("x" * (3 * LONGEST))
@example(" ," * 400 + "a")
def test_every_letter_is_in_one_sentence(text: str) -> None:
    found = spans(text)
    last = 0
    for start, end in found:
        assert last <= start < end <= len(text)
        assert end - start <= LONGEST
        assert not any(char.isalnum() for char in text[last:start])
        last = end
    assert not any(char.isalnum() for char in text[last:])
