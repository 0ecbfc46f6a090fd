"""English objections: ways of many trades to say a thing, and what is none."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.text.objections.gate import Gate, letters_needed, letters_of
from cartwheel.text.objections.rules import LANGUAGES, phrases_of, read_sentence

SAID = {
    "size_fit": [
        "The helmet sits far too tight around my ears.",
        "I could barely get the boots over my calves.",
        "Would only work on someone with very narrow hips.",
        "My daughter normally wears a medium but needed a large.",
        "These gloves are huge!",
        "The bracelet keeps slipping off my wrist.",
        "I wish the curtains were ten inches longer.",
        "Neither size fit me.",
        "Everything about it is lovely except the length.",
        "Will a queen size mattress fit in this frame?",
        "The sofa was way to big for our room.",
    ],
    "colour_picture": [
        "Looks nothing like the pictures.",
        "The rug is much more orange than in the photo.",
        "I thought it would be thicker, judging by the photos.",
        "The lipstick is more brown than red.",
        "The description says navy but it is clearly black.",
    ],
    "compatibility": [
        "Will this charger work with a Galaxy S21?",
        "Does it need a 220 outlet?",
        "Can I use generic capsules?",
        "I am looking for a lid that fits my Instant Pot.",
        "Do these brake pads fit a 2014 Honda Civic?",
    ],
    "missing_instructions": [
        "The manual is in Chinese and useless.",
        "How often should I descale it?",
        "Can the shelf be hung sideways?",
        "What does the red light mean?",
        "Is the lunch box dishwasher safe?",
        "We could not figure out how to assemble the crib.",
    ],
    "quality_doubt": [
        "The handle came off after two weeks.",
        "The dye rubbed off on my sofa.",
        "The blender makes a loud grinding noise.",
        "It looks like it was sewn by a child.",
        "The battery barely holds a charge.",
        "The cream broke me out.",
        "You can see right through it.",
        "The biscuits were stale.",
    ],
    "price": [
        "You can get the same one for half the price elsewhere.",
        "Not even worth ten dollars.",
        "I would only buy it on sale.",
        "Far too expensive for what you get.",
    ],
    "missing_information": [
        "is there a hook for the towel",
        "The page does not say whether it is vegan?",
        "Nowhere in the description do they mention the weight.",
        "Where is it made?",
        "It would be helpful to list the ingredients.",
    ],
    "damaged": [
        "There was a stain on the collar when I opened the package.",
        "The jar arrived shattered.",
        "One button was missing when it came.",
    ],
    "wrong_item": [
        "I ordered the blue one and received a red one.",
        "They sent only one of the two lamps.",
        "The screws were not in the box.",
        "The label said large but inside was a small.",
    ],
    "service": [
        "The seller never answered my emails.",
        "They refuse to refund me.",
        "The staff was rude.",
    ],
    "shipping_time": [
        "It took six weeks to arrive.",
        "My order is lost in the mail.",
        "When will it ship?",
    ],
    "shipping_cost": [
        "They charge too much for shipping.",
        "How much is delivery?",
    ],
}


@pytest.mark.parametrize(
    ("objection", "sentence"),
    [(objection, one) for objection, some in SAID.items() for one in some],
)
def test_an_objection_is_found_in_any_trade(objection: str, sentence: str) -> None:
    assert objection in read_sentence(sentence, ["en"]).objections
    assert phrases_of(sentence, ["en"], objection)


@pytest.mark.parametrize(
    "sentence",
    [
        "Fits like a glove and is not too tight.",
        "Great fit, I got many compliments.",
        "I am a petite woman and ordered a small.",
        "The colour is even prettier in person.",
        "Not itchy or stiff at all.",
        "No problems with delivery, came early and well packed.",
        "It works for me.",
        "Worth every penny.",
        "The instructions are clear and easy to follow.",
        "My only complaint is that I did not buy two.",
        "I got it on sale for half price, what a bargain.",
        "I love this blender.",
        "The photos do not do it justice.",
        "It arrived on time and undamaged.",
        "The staff was friendly and helpful.",
        "Good quality for the price.",
        "The sleeves are the perfect length.",
        "When I saw this online I had to have it.",
        "My old one broke after ten years, so I bought this.",
        "I wear it without a belt.",
        "He is very tall and thin.",
        "The phone charges quickly and holds its charge.",
        "My daughter loves the puzzle.",
        "The soup tastes great and is easy to make.",
        "I followed the instructions and it was done in ten minutes.",
        "No complaints!",
        "The fabric is not thin or see-through.",
        "We are very happy with the service.",
    ],
)
def test_praise_and_told_facts_raise_nothing(sentence: str) -> None:
    assert read_sentence(sentence, ["en"]).objections == ()


@pytest.mark.parametrize(
    ("sentence", "objections"),
    [
        ("I would like to know the measurements.", ("missing_information",)),
        ("I like the measurements.", ()),
        ("The page does not list the ingredients.", ("missing_information",)),
    ],
)
def test_a_wish_to_know_counts_like_a_question(
    sentence: str, objections: tuple[str, ...]
) -> None:
    said = read_sentence(sentence, ["en"])
    assert said.objections == objections
    assert not said.asked


def patterns_of(language: str) -> list[str]:
    text = files("cartwheel.text.objections").joinpath(f"{language}.toml")
    classes = tomllib.loads(text.read_text("utf-8"))
    classes.pop("mood")
    return [
        pattern
        for rules in classes.values()
        for kind in ("says", "asks")
        for pattern in rules[kind]
    ]


PATTERNS = {language: patterns_of(language) for language in LANGUAGES}
WORDS = {
    language: sorted(set(re.findall(r"[a-z0-9]+", " ".join(some))))
    for language, some in PATTERNS.items()
}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@settings(deadline=None)
@given(data=st.data())
def test_the_gate_lets_every_rule_that_matches_through(
    language: str, data: st.DataObject
) -> None:
    gate = Gate(PATTERNS[language])
    words = data.draw(st.lists(st.sampled_from(WORDS[language]), max_size=20))
    text = " ".join(words)
    matched = {
        place
        for place, pattern in enumerate(PATTERNS[language])
        if re.search(pattern, text)
    }
    assert matched <= set(gate.likely(letters_of(text)))


@pytest.mark.parametrize("sentence", [one for some in SAID.values() for one in some])
def test_the_gate_lets_through_what_is_said(sentence: str) -> None:
    text = re.sub(r"[^a-z0-9 ]", "", sentence.lower())
    gate = Gate(PATTERNS["en"])
    likely = set(gate.likely(letters_of(text)))
    for place, pattern in enumerate(PATTERNS["en"]):
        assert place in likely or not re.search(pattern, text), pattern


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"\bbroken\b", {"bro"}),
        ("(small|large) sizes?", {"siz"}),
        ("(tight|loose)", {"tig", "loo"}),
        ("(tight|no)", set()),
        ("colou?rs", {"col"}),
        ("(tight)? fit", {"fit"}),
        ("[a-z]{0,20}", set()),
        ("a b c", set()),
    ],
)
def test_letters_that_a_match_must_hold(pattern: str, needed: set[str]) -> None:
    assert letters_needed(pattern) == needed
