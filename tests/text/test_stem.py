from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.stem import stem

# From the Snowball project's own vocabulary.
PAIRS = {
    "consigned": "consign",
    "consistency": "consist",
    "knackeries": "knackeri",
    "knives": "knive",
    "hopping": "hop",
    "hoping": "hope",
    "ties": "tie",
    "cries": "cri",
    "gas": "gas",
    "kiwis": "kiwi",
    "agreed": "agre",
    "luxuriated": "luxuri",
    "rationally": "ration",
    "generously": "generous",
    "communism": "communism",
    "dying": "die",
    "skies": "sky",
    "proceeding": "proceed",
    "y": "y",
    "sayings": "say",
    "installation": "instal",
    "batteries": "batteri",
    "shelves": "shelv",
    "fixtures": "fixtur",
}


@pytest.mark.parametrize(("word", "root"), PAIRS.items())
def test_stem_of_the_reference_vocabulary(word: str, root: str) -> None:
    assert stem(word) == root


@pytest.mark.parametrize("word", ["größe", "2x4", "kühl", "日本", "it", "a1s"])
def test_stem_leaves_what_is_not_english_letters(word: str) -> None:
    assert stem(word) == word


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=25))
def test_stem_of_any_letters_is_no_longer(word: str) -> None:
    assert len(stem(word)) <= len(word) + 1
