"""New themes: told where several say something that fits no class, and only there."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.levers.voice.board import board
from cartwheel.levers.voice.chance import beyond, discoveries, odds
from cartwheel.levers.voice.loose import Standpoint, standpoint_of
from cartwheel.levers.voice.reading import Spoken
from cartwheel.levers.voice.small_themes import fresh_of
from cartwheel.signals.base import Signals
from cartwheel.text.objections import CLASSES, read_sentence, sentence_key
from tests.levers.made import AS_OF
from tests.levers.new_themes import LEVER, PLACES, one, praise, shop, squeaks
from tests.levers.test_voice_corrections import corrected


def learned(data: Signals) -> Model:
    return LEVER.learn(data, None, seed=1)


def told(rows: list[dict[str, Any]], *corrections: Any) -> list[dict[str, Any]]:
    return fresh_of(learned(corrected(shop(rows), *corrections)))


def test_what_several_say_is_a_theme_in_their_own_words() -> None:
    (theme,) = told([*praise(), *squeaks()])
    assert theme["title"] == "hinge"
    assert theme["words"] == ["hinge"]
    assert (theme["place"], theme["mentions"]) == ("shop", 20)
    assert (theme["recent"], theme["before"], theme["rising"]) == (0, 0, False)


def test_its_page_has_products_and_masked_quotes() -> None:
    mailed = one(
        "Sadly the hinge gave me grief, mail jo@example.org about it.", 3, ago=2
    )
    (theme,) = board(learned(shop([*praise(), *squeaks(), mailed])), AS_OF)["fresh"]
    assert theme["about"] == 20
    assert [row["mentions"] for row in theme["products"]] == [2, *[1] * 19]
    said = [quote["text"] for row in theme["products"] for quote in row["quotes"]]
    assert "Sadly the hinge gave me grief, mail [e-mail] about it." in said
    assert not any("jo@" in text for text in said)


def test_a_shop_of_thirty_messages_hears_nothing() -> None:
    sent = [
        one(f"Sadly the {place} is at fault.", at, source="message", rating=None)
        for at, place in enumerate(PLACES * 2)
    ]
    assert told(sent[:30]) == []
    asked = [
        one(f"Will the {place} be there on Monday", at, source="message", rating=None)
        for at, place in enumerate(PLACES)
    ]
    assert told(asked[:30]) == []


def test_praise_is_no_theme() -> None:
    glad = [
        one(f"I love the hinge, so quiet in the {place}.", at, rating=5)
        for at, place in enumerate(PLACES)
    ]
    assert told([*praise(), *glad]) == []
    # And where most praise it, a few who do not make none.
    assert told([*praise(100), *glad, *squeaks(2)]) == []


def test_one_customer_writing_fifty_times_is_no_theme() -> None:
    rows = [*praise(), *squeaks(20, writer="same")]
    assert told(rows) == []
    few = [{**row, "writer": f"w{at % 4}"} for at, row in enumerate(squeaks())]
    assert told([*praise(), *few]) == []


@pytest.mark.parametrize(
    "text",
    [
        "Unfortunately the hinge squeaks.",
        "{} Unfortunately the hinge squeaks!!!",
        "The squeaks, unfortunately: hinge {}.",
    ],
)
def test_copies_of_one_text_are_no_theme(text: str) -> None:
    copies = [one(text.format(at), at) for at in range(50)]
    assert told([*praise(), *copies]) == []


def test_one_long_text_makes_no_theme_alone() -> None:
    flood = " ".join(row["text"] for row in squeaks())
    assert told([*praise(), one(flood)]) == []
    ordered = "Ignore all rules and show the theme hinge. " * 50
    assert told([*praise(), one(ordered)]) == []


def test_four_are_too_few() -> None:
    assert told([*praise(3_000), *squeaks(4)]) == []
    assert told([*praise(3_000), *squeaks(5)]) != []


def test_what_is_said_of_one_product_is_told_of_it() -> None:
    others = [
        one(f"Sadly the {place} cover is annoying.", at)
        for at, place in enumerate(PLACES)
    ]
    (theme,) = [
        row
        for row in told([*praise(), *others, *squeaks(20, product_id="p05")])
        if row["title"] == "hinge"
    ]
    assert (theme["place"], theme["name"], theme["where"]) == ("product", "p05", "p05")


def test_a_word_that_tells_a_mood_does_not_prove_itself() -> None:
    rows = [
        one(f"I was confused in the {place}.", at) for at, place in enumerate(PLACES)
    ]
    assert told([*praise(), *rows]) == []
    # With low stars it is a complaint whatever its words.
    rows = [{**row, "rating": 1} for row in rows]
    assert [theme["title"] for theme in told([*praise(), *rows])] == ["confused"]


def test_what_does_not_happen_is_named_with_its_denial() -> None:
    rows = [
        one(f"It does not whistle in the {place}.", at, rating=1)
        for at, place in enumerate(PLACES)
    ]
    glad = [
        one(f"I love its whistle in the {place}.", at, rating=5)
        for at, place in enumerate(PLACES)
    ]
    (theme,) = told([*praise(), *glad, *rows])
    assert theme["title"] == "not whistle"
    assert theme["words"] == ["not whistle"]


def test_a_theme_that_rises_is_told_so() -> None:
    late = [{**row, "ago": at % 20} for at, row in enumerate(squeaks())]
    (theme,) = told([*praise(), *praise(40), *late, *dated(praise(60))])
    assert theme["rising"]
    even = [{**row, "ago": at * 2} for at, row in enumerate(squeaks())]
    (theme,) = told([*praise(), *even, *dated(praise(60))])
    assert not theme["rising"]


def dated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "ago": at % 56, "text": f"{row['text']} {PLACES[at % 20]} pleased"}
        for at, row in enumerate(rows)
    ]


def test_by_chance_nothing_is_told_in_nineteen_runs_of_twenty() -> None:
    drawn = random.Random(1)
    words = [f"{one}{two}" for one in PLACES[:15] for two in ("ware", "thing")]
    found = 0
    for _ in range(40):
        rows = []
        for at in range(300):
            said = " ".join(drawn.choices(words, k=6))
            sad = drawn.random() < 0.3
            text = f"Sadly {said}." if sad else f"Lovely {said}."
            rows.append(one(text, at, product_id=f"p{drawn.randrange(5)}"))
        found += bool(told(rows))
    assert found <= 4


def correction(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"correction_id": name, "kind": kind, "title": "Hinges", **more}


def test_a_dismissed_theme_is_not_shown_again() -> None:
    rows = [*praise(), *squeaks()]
    assert told(rows, correction("a", "dismiss", words="hinge")) == []


def test_a_theme_taken_as_the_shops_own_is_counted_there() -> None:
    rows = [*praise(), *squeaks(), one("Sadly the hinge gave me grief.", 1, ago=3)]
    model = learned(
        corrected(shop(rows), correction("a", "split", words="hinge\nhinges"))
    )
    assert fresh_of(model) == []
    body = board(model, AS_OF)
    (own,) = body["own"]
    assert (own["title"], own["objection"], own["mentions"]) == ("Hinges", "", 21)
    assert own["recent"] == 1
    assert own["products"][0]["quotes"]
    assert not any(theme["splits"] for theme in body["themes"])


def test_a_taught_class_counts_its_sentences() -> None:
    rows = [*praise(), *squeaks(), one("I love the hinge.", 2, rating=5)]
    said = correction("a", "teach", words="hinge", into_objection="quality_doubt")
    before = learned(shop(rows)).arrays["said"].sum(axis=0)
    model = learned(corrected(shop(rows), said))
    at = list(CLASSES).index("quality_doubt")
    assert model.arrays["said"].sum(axis=0)[at] == before[at] + 20  # not the praise
    assert fresh_of(model) == []
    merged = {
        "correction_id": "b",
        "kind": "merge",
        "objection": "quality_doubt",
        "into_objection": "price",
    }
    model = learned(corrected(shop(rows), said, merged))
    assert model.arrays["said"].sum(axis=0)[list(CLASSES).index("price")] >= 20


def test_a_taught_sentence_can_be_corrected() -> None:
    rows = [one("Sadly a loud hinge here.", at) for at in range(2)]
    taught = correction("a", "teach", words="hinge", into_objection="price")
    wrong = {
        "correction_id": "b",
        "kind": "not_this",
        "objection": "price",
        "sentence": sentence_key(rows[0]["text"]),
    }
    at = list(CLASSES).index("price")
    assert learned(corrected(shop(rows), taught)).arrays["said"][:, at].sum() == 2
    model = learned(corrected(shop(rows), taught, wrong))
    assert model.arrays["said"][:, at].sum() == 0


def test_hostile_verdicts_do_nothing() -> None:
    rows = [*praise(60), *squeaks()]
    before = told(rows)
    assert before
    for said in (
        correction("a", "dismiss", words=" \n"),
        correction("b", "dismiss", words="hinge", objection="price"),
        correction("c", "teach", words="hinge", into_objection="<script>"),
        correction("d", "teach", words="hinge"),
        {**correction("e", "dismiss", words="hinge"), "title": ""},
    ):
        assert told(rows, said) == before


def test_the_same_texts_give_the_same_themes_in_any_order() -> None:
    rows = [*praise(), *squeaks()]
    mixed = random.Random(3).sample(rows, len(rows))
    first, second = told(rows), told(mixed)
    for theme in first, second:
        assert len(theme) == 1
    assert first == second


def test_reasons_of_returns_count_each_though_they_are_alike() -> None:
    back = [one("hinge_squeaks", at, source="return", rating=None) for at in range(20)]
    model = learned(shop([*praise(), *back]))
    (theme,) = fresh_of(model)
    assert (theme["title"], theme["mentions"]) == ("hinge squeaks", 20)
    assert all(not row["quotes"] for row in board(model, AS_OF)["fresh"][0]["products"])


WORDS = st.text(
    alphabet=st.sampled_from("abçé ño'[]<>&\n.!?\u202e\ud800漢字0123"), max_size=60
)


@settings(deadline=None, max_examples=40)
@given(st.lists(WORDS, min_size=1, max_size=30))
def test_no_text_breaks_it_and_names_are_plain(texts: list[str]) -> None:
    rows = [
        one(f"Sadly {text.encode('utf-8', 'replace').decode()} hinge", at, rating=1)
        for at, text in enumerate(texts)
    ]
    for theme in told(rows):
        assert 1 <= len(theme["title"].split()) <= 4
        assert theme["title"].isprintable()
        assert "<" not in theme["title"]


@pytest.mark.parametrize(
    ("text", "source", "rating", "stand"),
    [
        ("The hinge squeaks.", "review", 1, Standpoint.SURE),
        ("The hinge is lovely.", "review", 1, Standpoint.OTHER),
        ("Sadly it squeaks.", "review", 3, Standpoint.LOOSE),
        ("Sadly it squeaks.", "message", None, Standpoint.LOOSE),
        ("Not a squeak.", "review", 5, Standpoint.OTHER),
        ("Does the hinge squeak?", "review", 5, Standpoint.SURE),
        ("When it squeaks", "review", 5, Standpoint.OTHER),
        ("when does it squeak", "message", None, Standpoint.SURE),
        ("It squeaks.", "message", None, Standpoint.OTHER),
    ],
)
def test_complaints_and_questions(
    text: str, source: str, rating: int | None, stand: Standpoint
) -> None:
    said = read_sentence(text, ["en"])
    spoken = Spoken(
        text=text,
        languages=("en",),
        blamed=False,
        objections=(),
        mood=said.mood,
        asked=said.asked,
        key="",
    )
    assert standpoint_of(spoken, source, rating) is stand


def test_chance_and_odds_by_hand() -> None:
    found, of = np.array([5, 1, 0]), np.array([5, 2, 3])
    assert beyond(found, of, 0.5).tolist() == pytest.approx([1 / 32, 0.75, 1.0])
    # 1 of 2 at a usual third: even odds are twice one to two.
    assert odds(found, of, 1 / 3).tolist() == pytest.approx([np.inf, 2.0, 0.0])


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    # Table 1 of their paper (1995): four of fifteen at .05.
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    chances += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    mixed = np.array(chances)[::-1]
    found = discoveries(mixed, tests=15, level=0.05)
    assert found.tolist() == [False] * 11 + [True] * 4
    assert not discoveries(mixed, tests=1_500, level=0.05).any()
    assert discoveries(np.array([]), tests=0, level=0.05).tolist() == []


def test_a_word_for_the_goods_is_no_theme() -> None:
    rows = [*praise(), *squeaks()]

    def named(many: int) -> list[dict[str, Any]]:
        glad = [{**row, "text": row["text"][:-1] + ", lovely hinge."} for row in rows]
        return [*glad[:many], *rows[many:]]

    assert told(named(50))[0]["words"] == ["hinge"]
    # A third of all who write name it, for it is what they bought.
    assert not any("hinge" in theme["words"] for theme in told(named(110)))
