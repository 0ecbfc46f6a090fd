"""Whether a text recommends, and what a sentence holds of what it speaks of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.text.sentiment import Aspects, Recommends, fit, fit_aspects
from cartwheel.text.sentiment.grams import (
    about_grams,
    denied,
    denied_grams,
    headline_grams,
    stem_grams,
)
from tests.text.synonyms import Synonyms
from tests.text.test_intents import STRANGE

THINGS = ("dress", "coat", "shirt", "skirt", "jacket", "scarf")
GOOD = ("Great\nI love this {}", "the {} fits and is comfortable", "{} is not bad")
BAD = ("Bad\nI returned this {}", "the {} is not comfortable", "{} fell apart")
JUDGED = (
    ("the screen is bright", [("SCREEN#QUALITY", "positive")]),
    ("a dim screen", [("SCREEN#QUALITY", "negative")]),
    ("the keyboard is great", [("KEYBOARD#QUALITY", "positive")]),
    ("a broken keyboard", [("KEYBOARD#QUALITY", "negative")]),
    (
        "the screen is bright but a broken keyboard",
        [("SCREEN#QUALITY", "positive"), ("KEYBOARD#QUALITY", "negative")],
    ),
)


def reviews() -> tuple[list[str], list[bool]]:
    texts = [one.format(thing) for one in (*GOOD, *BAD) for thing in THINGS]
    return texts, [True] * len(GOOD) * len(THINGS) + [False] * len(BAD) * len(THINGS)


def sentences() -> tuple[list[str], list[list[tuple[str, str]]]]:
    texts = [f"{text} {word}" for text, _ in JUDGED for word in ("", "here", "now")]
    return texts, [said for _, said in JUDGED for _ in range(3)]


@pytest.fixture(scope="module")
def model() -> Recommends:
    return fit(*reviews(), seed=1)


@pytest.fixture(scope="module")
def aspects() -> Aspects:
    return fit_aspects(*sentences(), seed=1)


def test_denial_and_headline_are_understood(model: Recommends) -> None:
    good, bad, head, tail = model.read(
        [
            "the hat is comfortable",
            "the hat is not comfortable",
            "Great\nhat",
            "Bad\nhat",
        ]
    )
    assert good > 0.5 > bad
    assert head > 0.5 > tail


def test_a_denial_marks_the_rest_of_its_clause() -> None:
    assert denied("not too tight, soft") == ["not", "no~too", "no~tight", "soft"]
    assert denied("It isn't warm but pretty")[-1] == "pretti"
    assert set(denied_grams("not warm")) != set(stem_grams("not warm"))
    assert headline_grams("one line alone") == []
    assert headline_grams("x" * 200 + "\ntext") == []
    assert headline_grams("So soft\ntext") == stem_grams("So soft")


def test_a_sentence_is_another_for_another_category() -> None:
    screen, keys = (
        set(about_grams("a dim one", f"{one}#GENERAL")) for one in ("SCREEN", "KEYS")
    )
    assert screen & keys
    assert screen - keys
    assert set(about_grams("a dim one", "plain"))


def test_aspects_are_found_with_what_is_held_of_each(aspects: Aspects) -> None:
    both = "the screen is bright but a broken keyboard today"
    said = aspects.read([both, "a dim screen indeed"])
    assert sorted(said[0]) == sorted(JUDGED[4][1])
    assert said[1] == [("SCREEN#QUALITY", "negative")]
    names = ["SCREEN#QUALITY", "KEYBOARD#QUALITY"]
    assert aspects.polarity([both, both], names) == ["positive", "negative"]


def test_a_word_may_praise_one_thing_and_blame_another() -> None:
    # Neither the word nor the category tells; only both together do.
    praised = {("cold", "BEER"), ("hot", "SOUP")}
    cases = [(word, of) for word in ("cold", "hot") for of in ("BEER", "SOUP")]
    texts = [f"it was {word}" for word, _ in cases] * 5
    judged = [[(f"{of}#TASTE", str((word, of) in praised))] for word, of in cases] * 5
    model = fit_aspects(texts, judged, seed=1)
    said = model.polarity(texts, [one[0][0] for one in judged])
    assert said == [one[0][1] for one in judged]


def test_saved_arrays_read_the_same(
    model: Recommends, aspects: Aspects, tmp_path: Path
) -> None:
    texts = [*reviews()[0], *sentences()[0], *STRANGE]
    for name, one in (("whole", model), ("aspects", aspects)):
        Model(rule=name, arrays=one.arrays, meta=one.meta).save(tmp_path / name)
    whole = Model.load(tmp_path / "whole", mapped=True)
    again = Recommends(arrays=whole.arrays, meta=whole.meta)
    np.testing.assert_array_equal(again.read(texts), model.read(texts))
    parts = Model.load(tmp_path / "aspects", mapped=True)
    assert Aspects(arrays=parts.arrays, meta=parts.meta).read(texts) == aspects.read(
        texts
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=6))
@example(list(STRANGE))
def test_any_text_is_read_by_itself(
    model: Recommends, aspects: Aspects, texts: list[str]
) -> None:
    found = model.read(texts)
    assert found.shape == (len(texts),)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(model.read(texts[::-1])[::-1], found)
    said = aspects.read(texts)
    assert aspects.read(texts[::-1])[::-1] == said
    assert all(said)


def test_order_of_learning_changes_nothing(model: Recommends, aspects: Aspects) -> None:
    texts, good = reviews()
    other = fit(texts[::-1], good[::-1], seed=1)
    said, judged = sentences()
    again = fit_aspects(said[::-1], judged[::-1], seed=1)
    for one, two in ((model, other), (aspects, again)):
        assert one.meta == two.meta
        for name, array in one.arrays.items():
            np.testing.assert_array_equal(array, two.arrays[name])


def test_marks_of_nothing_say_nothing() -> None:
    rng = np.random.default_rng(5)
    made = [" ".join(f"w{n}" for n in rng.integers(0, 300, 8)) for _ in range(600)]
    good = rng.permutation([True, False] * 300)
    model = fit(made[:400], good[:400].tolist(), seed=1)
    read = model.read(made[400:])
    assert 0.38 < ((read > 0.5) == good[400:]).mean() < 0.62
    assert np.abs(read - 0.5).mean() < 0.15


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="4 texts of one kind"):
        fit(["a"] * 20, [True] * 16 + [False] * 4, seed=1)
    with pytest.raises(ValueError, match="1 polarities"):
        fit_aspects(["a"] * 20, [[("X", "good")]] * 20, seed=1)


def test_a_sentence_model_tells_what_words_do_not() -> None:
    things = ("screen", "keyboard", "battery", "case", "lid", "fan")
    rows = [
        (f"{word} {thing}", [("LAPTOP#QUALITY", held)])
        for thing in things
        for word, held in (("nice", "2"), ("bad", "0"))
    ]
    texts, judged = [text for text, _ in rows], [said for _, said in rows]
    taught = fit_aspects(texts, judged, seed=1, meaning=Synonyms())
    assert taught.read(["lovely hinge", "poor hinge"]) == [
        [("LAPTOP#QUALITY", "2")],
        [("LAPTOP#QUALITY", "0")],
    ]
    again = Aspects(arrays=taught.arrays, meta=taught.meta, meaning=Synonyms())
    assert again.read(texts) == taught.read(texts)
    with pytest.raises(ValueError, match="synonyms"):
        Aspects(arrays=taught.arrays, meta=taught.meta)
