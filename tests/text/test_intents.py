"""Intents are learned from labelled texts, kept as arrays, and read alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.text.intents import FLOOR, Intents, TooFewTexts, fit
from cartwheel.text.learned.calibrate import folds, probabilities, sharpest
from cartwheel.text.learned.grams import letter_grams, word_grams
from cartwheel.text.learned.tfidf import learn_known
from tests.text.synonyms import Synonyms

SAID = {
    "where is it": ("where is my {} order", "has the {} parcel been sent", "track {}"),
    "send back": ("I want to return the {}", "refund for {} please", "{} goes back"),
    "invoice": ("need a bill for the {}", "invoice of {} with tax", "{} receipt?"),
}
THINGS = ("red", "shoe", "lamp", "#1234", "chair", "blue coat", "kettle", "mug")
STRANGE = (
    "",
    "   ",
    "😀🛒",
    "أين طلبي؟",
    "\u202emirrored\u202c",
    "x" * 10_000,
    "where is " * 1_250,
    "<script>alert(1)</script><b>refund</b>",
    "\x00\ud800",
    "注文はどこですか",
)


def labelled() -> tuple[list[str], list[str]]:
    pairs = [
        (text.format(thing), label)
        for label, texts in SAID.items()
        for text in texts
        for thing in THINGS
    ]
    return [text for text, _ in pairs], [label for _, label in pairs]


@pytest.fixture(scope="module")
def model() -> Intents:
    return fit(*labelled(), seed=1)


def test_what_was_learned_is_read_in_other_words(model: Intents) -> None:
    read = model.read(["where is the parcel", "refund of my table", "an invoice"])
    assert read.labels == ["where is it", "send back", "invoice"]
    assert read.scope.min() > model.read(["sing me a song"]).scope[0]
    assert model.meta["sharpness"] < 20
    assert model.arrays["held_probability"].max() < 1


@pytest.mark.parametrize("mapped", [False, True])
def test_saved_arrays_read_the_same(
    model: Intents, tmp_path: Path, mapped: bool
) -> None:
    Model(rule="intents", arrays=model.arrays, meta=model.meta).save(tmp_path)
    kept = Model.load(tmp_path, mapped=mapped)
    again = Intents(arrays=kept.arrays, meta=kept.meta)
    texts = [*labelled()[0], *STRANGE]
    first, second = model.read(texts), again.read(texts)
    assert first.labels == second.labels
    np.testing.assert_array_equal(first.probability, second.probability)
    np.testing.assert_array_equal(first.scope, second.scope)
    assert again.sure_from(0.9) == model.sure_from(0.9)


def test_reading_loads_no_heavy_library(model: Intents, tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", allow_pickle=False, **model.arrays)
    (tmp_path / "meta.json").write_text(json.dumps(model.meta), encoding="utf-8")
    code = (
        "import json, sys, numpy as np; from cartwheel.text.intents import Intents; "
        f"a = np.load({str(tmp_path / 'arrays.npz')!r}); "
        f"m = json.load(open({str(tmp_path / 'meta.json')!r})); "
        "print(Intents(arrays=a, meta=m).read(['refund please']).labels[0]); "
        "print(sorted({'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines() == ["send back", "[]"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=6), st.randoms(use_true_random=False))
@example(list(STRANGE), None)
def test_a_text_is_read_by_itself(model: Intents, texts: list[str], rng) -> None:
    shares = model.shares(texts)
    assert shares.shape == (len(texts), 3)
    assert ((shares >= 0) & (shares <= 1)).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    order = list(range(len(texts)))
    if rng is not None:
        rng.shuffle(order)
    read, other = model.read(texts), model.read([texts[at] for at in order])
    assert [read.labels[at] for at in order] == other.labels
    np.testing.assert_array_equal(read.probability[order], other.probability)
    np.testing.assert_array_equal(read.scope[order], other.scope)


def test_order_of_learning_changes_nothing_and_neither_does_a_second_time(
    model: Intents,
) -> None:
    texts, labels = labelled()
    order = np.random.default_rng(3).permutation(len(texts))
    other = fit([texts[at] for at in order], [labels[at] for at in order], seed=1)
    assert other.meta == model.meta
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


def test_strange_texts_can_be_learned_from() -> None:
    texts = [*STRANGE, *(f"{one} again" for one in STRANGE)]
    model = fit(texts, ["a", "b"] * len(STRANGE), seed=1)
    assert np.isfinite(model.shares(texts)).all()


def test_labels_of_nothing_say_nothing() -> None:
    rng = np.random.default_rng(5)
    made = [" ".join(f"w{n}" for n in rng.integers(0, 300, 8)) for _ in range(600)]
    labels = rng.permutation(["a", "b"] * 300).tolist()
    model = fit(made[:400], labels[:400], seed=1)
    read = model.read(made[400:])
    right = np.mean([a == b for a, b in zip(read.labels, labels[400:], strict=True)])
    assert 0.38 < right < 0.62
    assert model.arrays["held_right"].mean() < 0.62
    assert read.probability.mean() < 0.65
    assert model.sure_from(0.97) is None


def test_a_thin_label_is_named_and_never_answered() -> None:
    texts, labels = labelled()
    texts += [f"gift card number {at}" for at in range(FLOOR - 1)]
    labels += ["gift"] * (FLOOR - 1)
    model = fit(texts, labels, seed=1)
    assert model.meta["thin"] == {"gift": FLOOR - 1}
    assert "gift" not in model.labels
    assert model.meta["texts"] == len(texts) - FLOOR + 1


def test_too_few_texts_are_refused() -> None:
    texts, labels = ["a"] * (2 * FLOOR - 1), ["x"] * FLOOR + ["y"] * (FLOOR - 1)
    with pytest.raises(TooFewTexts, match="1 labels have 5 texts"):
        fit(texts, labels, seed=1)
    with pytest.raises(ValueError, match="argument"):
        fit(texts, labels[1:], seed=1)
    assert len(fit([*texts, "b"], [*labels, "y"], seed=1).labels) == 2


def test_sure_from_answers_texts_of_one_probability_together() -> None:
    held = {
        "held_probability": np.array([0.9, 0.8, 0.8, 0.7]),
        "held_right": np.array([True, True, False, True]),
        "held_scope": np.array([1.0, 2.0, 3.0, 5.0]),
    }
    model = Intents(arrays=held, meta={})
    assert model.sure_from(0.95) == 0.9
    assert model.sure_from(0.70) == 0.7
    assert model.sure_from(1.01) is None
    assert model.scope_from(1.0) == 1.0
    assert model.scope_from(0.0) == 5.0


def test_unknown_grams_count_nothing() -> None:
    known = learn_known([[3, 7], [7, 9]])
    assert known.keys.tolist() == [3, 7, 9]
    rows = known.rows([[1, 8, 2**32 - 1], [7], []])
    assert rows.start.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(rows.scores(np.ones((3, 1)))[:, 0], [0, 1, 0])


def test_a_pair_is_the_same_in_either_order() -> None:
    first, second = set(word_grams("my card")), set(word_grams("card my"))
    assert len(first - second) == 1  # the two stems in a row
    assert set(letter_grams("card")) & set(letter_grams("a cart"))


def test_sharpness_makes_held_out_classes_likeliest() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(4_000, 3))
    share = probabilities(scores, 2.0)
    classes = (rng.random((4_000, 1)) > share.cumsum(axis=1)).sum(axis=1)
    assert sharpest(scores, classes) == pytest.approx(2.0, rel=0.15)


def test_every_text_is_held_out_once_and_no_class_is_lost() -> None:
    classes = np.array([0] * 11 + [1] * 5 + [2])
    held_ever = []
    for learned, held in folds(classes, seed=2):
        assert set(classes[learned]) == {0, 1, 2}
        assert not set(learned) & set(held)
        held_ever += held.tolist()
    assert sorted(held_ever) == list(range(16))


def test_a_sentence_model_reads_words_that_nobody_labelled() -> None:
    texts = [f"{word} {thing}" for word in ("parcel", "refund") for thing in THINGS]
    labels = [word for word in ("parcel", "refund") for _ in THINGS]
    without, taught = (
        fit(texts, labels, seed=1),
        fit(texts, labels, seed=1, meaning=Synonyms()),
    )
    read = taught.read(["my package", "money now", "package of the kettle"])
    assert read.labels == ["parcel", "refund", "parcel"]
    unknown = without.read(["my package", "money now"]).probability
    assert (read.probability[:2] > unknown + 0.1).all()
    assert taught.read([]).labels == []


def test_a_model_is_read_with_the_sentence_model_it_learned_with() -> None:
    taught = fit(*labelled(), seed=1, meaning=Synonyms())
    again = Intents(arrays=taught.arrays, meta=taught.meta, meaning=Synonyms())
    asked = ["where is the box", "an invoice"]
    assert np.array_equal(again.shares(asked), taught.shares(asked))
    with pytest.raises(ValueError, match="synonyms"):
        Intents(arrays=taught.arrays, meta=taught.meta)
    plain = fit(*labelled(), seed=1)
    with pytest.raises(ValueError, match="synonyms"):
        Intents(arrays=plain.arrays, meta=plain.meta, meaning=Synonyms())
