"""Who is displeased: by words, and by what a shop's own stars teach."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.board import board
from cartwheel.levers.voice.mood import FEWEST
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.text.objections import CLASSES
from tests.levers.made import AS_OF
from tests.levers.new_themes import PLACES, one, shop

LEVER = Voice()
SIZE = list(CLASSES).index("size_fit")
LOST, FINE = "It runs small, donated on the spot, {}.", "It runs small, fetching, {}."
"""Neither has a word of mood that the rules know; stars tell which is which."""


def starred(many: int, bad: int = 1, good: int = 5) -> list[dict[str, Any]]:
    """Return as many displeased reviews as pleased ones, in words of their own."""
    return [
        one(said.format(f"{PLACES[at % 20]} {PLACES[at // 20 % 20]}"), at, rating=stars)
        for at in range(many)
        for said, stars in (
            ("Donated on the spot, {}.", bad),
            ("Fetching, so fetching, {}.", good),
        )
    ]


def displeased(rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Return how many texts raise size and fit, and how many in displeasure."""
    arrays = LEVER.learn(shop(rows), None, seed=1).arrays
    return int(arrays["said"][:, SIZE].sum()), int(arrays["displeased"][:, SIZE].sum())


ASKED = [
    one(said.format(place), 7, rating=None)
    for place in PLACES[:6]
    for said in (LOST, FINE)
]


def test_stars_teach_what_words_leave_open() -> None:
    assert displeased([*starred(FEWEST), *ASKED]) == (12, 6)


def test_too_few_stars_teach_nothing() -> None:
    assert displeased([*starred(FEWEST - 1), *ASKED]) == (12, 0)
    assert displeased([*starred(FEWEST, bad=3), *ASKED]) == (12, 0)


def test_words_speak_first_and_a_return_is_displeased() -> None:
    rows = [
        one("I love it, donated on the spot, though it runs small.", rating=None),
        one("Awful: it runs small, fetching.", rating=None),
        one("runs small", source="return", rating=None),
        one("Does it run small, donated on the spot?", source="question", rating=None),
    ]
    assert displeased([*starred(FEWEST), *rows])[1] == 2


@settings(deadline=None, max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_texts_changes_nothing(random: Any) -> None:
    rows = [*starred(FEWEST), *ASKED]
    random.shuffle(rows)
    assert displeased(rows) == (12, 6)


def test_a_theme_tells_how_many_are_displeased_and_from_what() -> None:
    data = shop([*starred(FEWEST), *ASKED])
    model = LEVER.learn(data, None, seed=1)
    body = board(model, AS_OF)
    (theme,) = [row for row in body["themes"] if row["objection"] == "size_fit"]
    assert (theme["mentions"], theme["displeased"]) == (12, 6)
    assert body["mood_texts"] == 2 * FEWEST
    rows = LEVER.emit(model, data)[OBJECTIONS.name].to_pylist()
    told = [row["displeased"] for row in rows if row["objection"] == "size_fit"]
    assert sum(told) == 6
    assert np.all(model.arrays["displeased"] <= model.arrays["said"])
