"""Corrections of themes: read from the next turn on, learned from, taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.learned import prior, surely_most, surely_wrong
from cartwheel.levers.voice.mentions import read_mentions
from cartwheel.levers.voice.quotes import read_quotes
from cartwheel.signals.base import Signals
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.text.objections import CLASSES, sentence_key
from tests.levers.made import replace
from tests.levers.test_voice import told

LEVER = Voice()
NUMBER = {name: at for at, name in enumerate(CLASSES)}
SIZE, QUALITY = NUMBER["size_fit"], NUMBER["quality_doubt"]
SENTENCES = (
    "Runs small.",
    "Much too tight around the hips!",
    "The fabric feels cheap.",
    "It arrived broken.",
    "Too expensive for what it is.",
    "My parcel has still not arrived.",
    "Runs small and feels cheap.",
    "Lovely.",
)
TEXTS = [
    ("review", f"{one} {SENTENCES[(at * 3) % 8]}", f"p{at % 3}", at)
    for at, one in enumerate(SENTENCES * 2)
] + [("return", "size_too_small", "p1", 4), ("return", "too small", "p1", 4)]


def corrected(data: Signals, *rows: dict[str, Any]) -> Signals:
    if not rows:
        return data
    empty = {name: None for name in THEME_CORRECTIONS.column_names}
    frame = pd.DataFrame(
        [{**empty, "position": at, **row} for at, row in enumerate(rows)]
    )
    return replace(data, THEME_CORRECTIONS, frame)


def row(name: str, kind: str, objection: str, sentence: str = "", **more: Any) -> Any:
    key = sentence_key(sentence) if sentence else None
    made = {"correction_id": name, "kind": kind, "objection": objection}
    return {**made, "sentence": key, **more}


def learned(data: Signals) -> Model:
    return LEVER.learn(data, None, seed=1)


def said_of(model: Model) -> Any:
    return model.arrays["said"].sum(axis=0)


def test_a_sentence_said_not_to_raise_a_class_raises_it_nowhere() -> None:
    data = told([("review", "RUNS SMALL!! Arrived broken.", "p", 1)] * 3)
    model = learned(corrected(data, row("a", "not_this", "size_fit", "Runs small.")))
    assert said_of(model)[SIZE] == 0
    assert said_of(model)[NUMBER["damaged"]] == 3
    assert model.meta["corrected"] == {sentence_key("runs small"): ["RUNS SMALL!!", 3]}


def test_a_moved_sentence_raises_the_other_class() -> None:
    data = told([("review", "Runs small.", "p", 1), ("review", "Too tight.", "p", 2)])
    moved = row("a", "move", "size_fit", "Runs small.", into_objection="quality_doubt")
    model = learned(corrected(data, moved))
    assert (said_of(model)[SIZE], said_of(model)[QUALITY]) == (1, 1)
    at = model.arrays["product_id"].tolist().index("p")
    (quote,) = read_quotes(model, "quote")[at, QUALITY]
    assert (quote.text, quote.source, quote.days_ago) == ("Runs small.", "review", 1)


def test_a_merged_class_counts_under_the_other_and_a_text_once() -> None:
    data = told([("review", "Runs small. Feels cheap.", "p", 1)])
    model = learned(
        corrected(data, row("a", "merge", "size_fit", into_objection="quality_doubt"))
    )
    assert (said_of(model)[SIZE], said_of(model)[QUALITY]) == (0, 1)
    assert model.meta["merged"] == {"size_fit": "quality_doubt"}


def test_a_sentence_shown_under_a_merged_class_can_be_corrected_there() -> None:
    data = told([("review", "Runs small.", "p", 1), ("review", "Feels cheap.", "p", 1)])
    rows = (
        row("a", "merge", "size_fit", into_objection="quality_doubt"),
        row("b", "not_this", "quality_doubt", "Runs small."),
    )
    assert said_of(learned(corrected(data, *rows)))[QUALITY] == 1


def test_a_split_has_counts_and_quotes_of_its_own_and_moves_no_money() -> None:
    data = told(
        [
            ("review", "Sleeves too short. Feels cheap.", "p", 1),
            ("review", "Runs small.", "p", 40),
            ("review", "The sleeves feel cheap.", "p", 1),
        ]
    )
    plain = learned(data)
    model = learned(
        corrected(data, row("s", "split", "size_fit", words="sleeves", title="Sleeves"))
    )
    assert model.arrays["split_said"].sum(axis=0).tolist() == [1]
    assert model.arrays["split_recent"].sum(axis=0).tolist() == [1]
    (quotes,) = read_quotes(model, "split").values()
    assert [one.text for one in quotes] == ["Sleeves too short."]
    for name in ("said", "stake", "total", "recent"):
        assert np.array_equal(
            model.arrays[name], plain.arrays[name], equal_nan=name[0] in "st"
        )


KINDS = st.sampled_from(["not_this", "move", "merge", "split"])


@st.composite
def one_correction(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(KINDS)
    objection, into = draw(
        st.lists(st.sampled_from(list(CLASSES)), min_size=2, max_size=2, unique=True)
    )
    return row(
        "x",
        kind,
        objection,
        draw(st.sampled_from(SENTENCES)),
        into_objection=into,
        words="small",
        title="Own",
    )


@settings(deadline=None, max_examples=60)
@given(one_correction())
def test_other_classes_count_what_they_counted(said: dict[str, Any]) -> None:
    data = told(TEXTS)
    before = read_mentions(data).raised
    after = read_mentions(corrected(data, said)).raised
    touched = {NUMBER[said["objection"]]}
    if said["kind"] in ("move", "merge"):
        touched.add(NUMBER[said["into_objection"]])
    if said["kind"] == "split":
        touched = set()
    others = [at for at in range(len(CLASSES)) if at not in touched]
    assert (before[:, others] == after[:, others]).all()
    if said["kind"] == "not_this":
        assert (after <= before).all()
    if said["kind"] == "merge":
        both = sorted(touched)
        assert (before[:, both].any(axis=1) == after[:, both].any(axis=1)).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(one_correction(), min_size=1, max_size=5), st.data())
def test_taking_back_gives_the_very_same_model(
    said: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = [{**one, "correction_id": f"c{at}"} for at, one in enumerate(said)]
    kept = data.draw(st.integers(0, len(rows) - 1))
    backs = [
        {"correction_id": f"b{at}", "kind": "take_back", "takes_back": f"c{at}"}
        for at in range(kept, len(rows))
    ]
    texts = told(TEXTS)
    before = learned(corrected(texts, *rows[:kept]))
    after = learned(corrected(texts, *rows, *backs))
    assert before.fingerprint() == after.fingerprint()


def tents(wrong: int, right: int = 0, into: str | None = None) -> Signals:
    """Return a shop of tents whose owner corrects `wrong` sentences and leaves some."""
    others = [f"We pitched this tent in place {at}." for at in range(60, 70)]
    left = [f"We slept in the tent for {at} nights." for at in range(right)]
    bad = [f"The tent has {at} poles." for at in range(wrong)]
    texts = [("review", one, "p", 1) for one in [*bad, *left, *others]]
    beside = " ".join(map(sentence_key, left)) or None
    kind = "move" if into else "not_this"
    rows = [
        row(f"c{at}", kind, "size_fit", one, beside=beside, into_objection=into)
        for at, one in enumerate(bad)
    ]
    return corrected(told(texts), *rows)


def test_a_phrase_corrected_again_and_again_falls_silent() -> None:
    enough = next(n for n in range(1, 20) if surely_wrong("size_fit", n, n))
    few = learned(tents(enough - 1))
    assert said_of(few)[SIZE] == 10
    assert few.meta["lessons"] == []
    model = learned(tents(enough))
    assert said_of(model)[SIZE] == 0
    (lesson,) = model.meta["lessons"]
    assert lesson["words"] == ["tent"]
    assert (lesson["corrected"], lesson["seen"]) == (enough, enough)
    assert lesson["objection"] == "size_fit"


def test_what_was_left_beside_a_corrected_sentence_speaks_for_the_phrase() -> None:
    enough = next(n for n in range(1, 20) if surely_wrong("size_fit", n, n))
    assert said_of(learned(tents(enough, right=3)))[SIZE] == 13


def test_a_phrase_moved_again_and_again_means_the_other_class() -> None:
    model = learned(tents(9, into="missing_information"))
    assert said_of(model)[SIZE] == 0
    assert said_of(model)[NUMBER["missing_information"]] == 19
    assert model.meta["lessons"][0]["into_objection"] == "missing_information"


def test_one_word_said_often_silences_no_rule() -> None:
    data = tents(12)
    model = learned(data)
    assert not any(one["whole"] for one in model.meta["lessons"])


def test_a_rule_whose_phrases_are_wrong_one_after_the_other_falls_silent_whole() -> (
    None
):
    words = ["tent", "boxy", "baggy", "frumpy", "saggy", "enormous", "humongous"]
    words += ["maternity", "shapeless", "balloon", "potato sack", "muumuu"]
    texts = [("review", f"Some {one} here.", "p", 1) for one in [*words, "ginormous"]]
    rows = [
        row(f"c{at}", "not_this", "size_fit", f"Some {one} here.")
        for at, one in enumerate(words)
    ]
    model = learned(corrected(told(texts), *rows))
    assert said_of(model)[SIZE] == 0
    whole = [one for one in model.meta["lessons"] if one["whole"]]
    assert whole
    assert whole[0]["corrected"] == whole[0]["seen"] >= 7


def test_the_prior_is_the_measured_precision_and_weighs_little() -> None:
    right, wrong = prior("size_fit")
    assert right + wrong == pytest.approx(2.0)
    assert right / 2 == pytest.approx((93 * 0.87 + 1) / 95)
    assert prior("shipping_cost") == (1.0, 1.0), "of which none was held out"
    # The density x^.7244 (1 - x)^6.2756 integrated numerically: .979 below one half.
    assert surely_wrong("size_fit", 7, 7)
    assert not surely_wrong("size_fit", 6, 6)
    assert not surely_wrong("size_fit", 4, 5)
    assert surely_most(5, 5)
    assert not surely_most(1, 2)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_more_corrections_never_make_a_phrase_speak_again(
    corrected_: int, left: int
) -> None:
    seen = corrected_ + left
    if surely_wrong("price", corrected_, seen):
        assert surely_wrong("price", corrected_ + 1, seen + 1)
    else:
        assert not surely_wrong("price", corrected_, seen + 1)


def test_hostile_rows_do_nothing() -> None:
    data = told(TEXTS)
    rows = [
        row("a", "not_this", "no_such_class", "Runs small."),
        row("b", "move", "size_fit", "Runs small.", into_objection="<script>"),
        {**row("c", "not_this", "size_fit"), "sentence": "' OR 1=1 --"},
        row("d", "split", "size_fit", words="\n \n", title="Empty"),
        row("e", "merge", "size_fit", into_objection="size_fit"),
        row("f", "not_this", "size_fit", "A sentence that nobody ever said."),
        {"correction_id": "g", "kind": "take_back", "takes_back": "nobody"},
    ]
    before, after = learned(data), learned(corrected(data, *rows))
    assert (said_of(before) == said_of(after)).all()
    assert after.meta["standing"] == ["f"]


def test_a_cut_link_reads_as_if_nobody_had_corrected() -> None:
    data = corrected(told(TEXTS), row("a", "not_this", "size_fit", "Runs small."))
    names = [signal.name for signal in LEVER.reads]
    cut = data.restricted(names, ("theme_corrections",))
    assert learned(cut).fingerprint() == learned(told(TEXTS)).fingerprint()


def test_five_to_eight_corrections_of_one_phrase_are_enough() -> None:
    enough = {
        next(n for n in range(1, 30) if surely_wrong(objection, n, n))
        for objection in CLASSES
    }
    assert enough == {5, 6, 7, 8}


def test_a_move_stands_though_the_rules_no_longer_tell_the_class() -> None:
    moved = row("a", "move", "damaged", "Runs small.", into_objection="price")
    model = learned(corrected(told([("review", "Runs small.", "p", 1)]), moved))
    assert said_of(model)[NUMBER["price"]] == 1
    assert said_of(model)[SIZE] == 1


def test_a_sentence_with_another_phrase_keeps_its_class() -> None:
    data = tents(9)
    texts = data.frame(FEEDBACK)
    texts.loc[0, "text"] += " This tent, sadly, runs too small."
    model = learned(replace(data, FEEDBACK, texts))
    assert model.meta["lessons"][0]["words"] == ["tent"]
    assert said_of(model)[SIZE] == 1


def test_a_silent_rule_spares_what_was_left_as_right() -> None:
    words = ["tent", "boxy", "baggy", "frumpy", "saggy", "enormous", "humongous"]
    words += ["maternity", "shapeless", "balloon", "potato sack", "muumuu"]
    right = "Some ginormous here."
    texts = [("review", f"Some {one} here.", "p", 1) for one in words]
    texts += [("review", right, "p", 1), ("review", "So ginormous.", "p", 1)]
    rows = [
        row(f"c{at}", "not_this", "size_fit", one, beside=sentence_key(right))
        for at, one in enumerate(f"Some {one} here." for one in words)
    ]
    model = learned(corrected(told(texts), *rows))
    assert any(one["whole"] for one in model.meta["lessons"])
    assert said_of(model)[SIZE] == 2
