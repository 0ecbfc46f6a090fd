"""A question is read by what shops are asked: topics, names, sorts of answer, slips."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.text.asking import Group, asking_part, read_question, read_said
from cartwheel.text.asking.kinds import kinds_held
from cartwheel.text.asking.lexicon import LANGUAGES, lexicon, matches
from cartwheel.text.asking.reading import IN_OTHER_WORDS, WIDER
from cartwheel.text.asking.slips import mended
from cartwheel.text.tokens import fold, terms


def topics(text: str) -> set[str]:
    units = read_question(text, "en").units
    return {one for unit in units if unit.group is Group.TOPIC for one in unit.meanings}


def strength(question: str, text: str, group: Group) -> float:
    (unit,) = (u for u in read_question(question, "en").units if u.group is group)
    return unit.strength(read_said(text, "en"))


def held(language: str) -> dict[str, Any]:
    file = files("cartwheel.text.asking") / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("can I send the blue jacket back", "return"),
        ("may I bring them back to you", "return"),
        ("I changed my mind", "return"),
        ("when do I get my money back", "refund"),
        ("could I pay it off over a few months", "instalments"),
        ("is it cheaper elsewhere, do you match the price", "price_match"),
        ("nobody was at home when he came", "missed"),
        ("can I pay someone to mend it", "repair"),
        ("does it come with a cable", "included"),
        ("is it loud", "noise"),
        ("how tall is it", "size"),
    ],
)
def test_a_topic_is_heard_however_it_is_asked(text: str, topic: str) -> None:
    assert topic in topics(text)


def test_a_gap_in_a_phrase_is_not_wider_than_a_few_words() -> None:
    phrases = lexicon("en").concepts
    near = terms("send the big jacket back")
    far = terms("send me one two three four five six seven back")
    assert ((0, 4), frozenset({"return"})) in [
        (places, meant & {"return"}) for places, meant in matches(near, phrases)
    ]
    assert not any("return" in meant for _, meant in matches(far, phrases))


def test_words_of_no_weight_are_no_units() -> None:
    assert read_question("at the moment I was wondering", "en").units == ()
    assert topics("loads of") == set()


@pytest.mark.parametrize(
    ("question", "text", "least", "most"),
    [
        ("do you ship to Hamburg", "We deliver to Germany.", 0.8, 1.0),
        ("do you ship to Norway", "We deliver in Europe.", WIDER, WIDER),
        ("do you ship to Lyon", "We ship within the EU.", WIDER, WIDER),
        ("do you ship to Norway", "We ship within the EU.", 0.0, 0.0),
        ("do you ship to Norway", "We deliver to Sweden.", 0.0, 0.0),
        ("can I use amex", "American Express is welcome.", 0.8, 1.0),
        ("can I use Klarna", "We take Visa and PayPal.", 0.0, 0.0),
        ("anything off for uni people", "Students get 10 % off.", 0.8, 1.0),
    ],
)
def test_a_name_is_met_by_itself_and_weakly_by_what_holds_it(
    question: str, text: str, least: float, most: float
) -> None:
    assert least <= strength(question, text, Group.SPECIFIC) <= most


def test_the_same_words_are_stronger_than_the_same_topic() -> None:
    assert strength("is it loud", "It is not loud.", Group.TOPIC) == 1.0
    assert strength("is it loud", "Does it beep?", Group.TOPIC) == IN_OTHER_WORDS
    assert strength("is it loud", "It is red.", Group.TOPIC) == 0.0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It takes 2 to 3 working days.", "duration"),
        ("Mon-Fri 10-19", "duration"),
        ("until 31 January", "duration"),
        ("Shipping is 39 DKK.", "money"),
        ("Returning costs nothing.", "money"),
        ("Our shop is at 14 Barrack Street.", "place"),
        ("Write to help@shop.example.", "reach"),
        ("Call 056 555 0142.", "reach"),
        ("46 x 15 cm", "length"),
        ("2.4 kg", "weight"),
        ("1.7 litre", "volume"),
        ("comfort temperature: -4 °C", "temperature"),
        ("2600 W", "power"),
    ],
)
def test_a_text_holds_sorts_of_answer(text: str, kind: str) -> None:
    assert kind in kinds_held(fold(text))


def test_plain_sentences_hold_no_sort_of_answer() -> None:
    assert kinds_held("feel free to write to us") == frozenset()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("how long does it take", "duration"),
        ("at which point do you charge me", "duration"),
        ("how much is it", "money"),
        ("what number can I ring", "reach"),
        ("is it long enough for a 9 metre hedge", "length"),
        ("three of us, 230 kilo all told", "weight"),
        ("how heavy is it", "weight"),
    ],
)
def test_a_question_wants_a_sort_of_answer(text: str, kind: str) -> None:
    assert kind in read_question(text, "en").kinds


def test_the_sentence_that_asks_is_told_from_what_stands_beside_it() -> None:
    assert asking_part("I moved. Can you ship there? Thanks.") == "Can you ship there?"
    assert asking_part("no idea how to return it") == "no idea how to return it"


def test_headphones_ask_for_no_number() -> None:
    assert "reach" not in read_question("has it a headphone jack", "en").kinds


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("Since returns are free, where do I print the label?", True),
        ("Your site says 90 days, from when?", True),
        ("Your points can be handed on, so where do I click?", True),
        ("Why did you stop taking PayPal?", True),
        ("Since I moved house, can I change the address?", False),
        ("I ordered the wrong size, so can I swap it?", False),
        ("As soon as it is there, may I fetch it?", False),
        ("You post these to Spain by express, right? When do they come?", True),
        ("When did you stop selling by the metre?", True),
        ("The pan rocks because the bottom has bent. Is it covered?", False),
        ("My parcel was lost although it says delivered", False),
        ("Where do I read reviews?", False),
    ],
)
def test_what_a_shopper_takes_for_granted_is_not_their_own_story(
    text: str, taken: bool
) -> None:
    assert ("supposes" in read_question(text, "en").signs) is taken


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("what is the number of the lady who packed it", "safety"),
        ("how do I unlock a phone that is not mine", "safety"),
        ("how do I say it never came although I have it", "safety"),
        ("can you see my screen", "modality"),
        ("make me a 3d animation of it", "modality"),
        ("send me a few nice photos of it", "modality"),
        ("could you measure it for me", "modality"),
        ("Here's a close-up of my edge, is it too deep?", "modality"),
        ("record how it boils and send me the file", "modality"),
        ("can I use the code ten times with made-up e-mail addresses", "safety"),
        ("how do I wash it so that you don't notice", "safety"),
        ("When does the colour of the guarantee start to limp?", "nonsense"),
        ("dfg hjk returns lkj", "nonsense"),
    ],
)
def test_what_is_not_to_be_answered_is_signed(text: str, sign: str) -> None:
    assert sign in read_question(text, "en").signs


@pytest.mark.parametrize(
    "text",
    [
        "my parcel was stolen",
        "can I listen to the headphones in the shop",
        "do you need me to send you photos of the damage",
        "Does the kettle whistle? And can I stop it?",
        "What's the trick to get it clean?",
        "Does the doorbell record video and send it to my phone?",
        "Can I send it as a gift to another address?",
        "How do I remove the security tag left on my jacket?",
        "Can you feel the seams?",
        "Can I return drinks I ordered?",
    ],
)
def test_honest_questions_are_not_signed(text: str) -> None:
    assert not read_question(text, "en").signs & {
        "safety",
        "modality",
        "urgent",
        "nonsense",
    }


@pytest.mark.parametrize(
    ("slip", "right"),
    [
        ("delivary", "delivery"),
        ("adress", "address"),
        ("retrun", "return"),
        ("refound", "refund"),
    ],
)
def test_a_slip_is_mended(slip: str, right: str) -> None:
    assert (
        mended(f"the {slip}, please", "en", lambda _: False) == f"the {right}, please"
    )


def test_words_that_somebody_knows_are_left_as_they_are() -> None:
    assert mended("The Adress Lamp", "en", lambda term: term == "adress") == (
        "The Adress Lamp"
    )
    text = "how do i fasten it, it is ruined"
    assert mended(text, "en", lambda _: False) == text


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for language in LANGUAGES:
        read_question(text, language)
        read_said(text, language)
        mended(text, language, lambda _: False)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_words_of_a_language_name_only_what_is_there(language: str) -> None:
    words = held(language)
    named = set(words["about"]["product"].split()) | set(
        words["about"]["facets"].split()
    )
    assert named - {"free"} <= set(words["concepts"])
    names = {
        written.strip()
        for listed in words["specifics"].values()
        for one in listed.split(";")
        for written in one.split(",")[:1]
    }
    for wide, inner in words.get("within", {}).items():
        assert {wide} | {one.strip() for one in inner.split(";")} <= names
