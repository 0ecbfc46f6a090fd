"""What a fact says may be said in other words, and no more than it says."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cartwheel.text.claims import Source, check_draft
from cartwheel.text.claims.words import read
from cartwheel.text.stem import stem


def attribute(name: str, value: str) -> Source:
    return Source(id=f"attribute:{name}", kind="attribute", name=name, text=value)


def answer(number: int, question: str, text: str) -> Source:
    return Source(id=f"answer:q{number}", kind="answer", name=question, text=text)


FACTS = (
    Source(id="title", kind="title", text="Roll-top backpack Vandrar"),
    Source(id="category", kind="category", text="Bags > Backpacks"),
    attribute("Hip belt", "detachable"),
    attribute("Frame", "solid oak"),
    attribute("Lining", "cotton jersey"),
    attribute("Outer fabric", "polyester"),
    attribute("Care", "wipe with a damp cloth, do not machine wash"),
    attribute("Made in", "Portugal"),
    attribute("Pile", "none, flat weave"),
    attribute("Pockets", "2 side pockets, one zip pocket at the back"),
    attribute("Lying area", "60 × 120 cm"),
    attribute("Run time", "high: up to 3 h; low: up to 40 h"),
    attribute("Age", "3+"),
    attribute("Battery", "1 × AA, not included"),
    Source(
        id="variants",
        kind="variants",
        name="Variants",
        text="S / navy\nM / navy\nM / rust",
    ),
    answer(1, "Is a rain cover included?", "No, a rain cover is sold separately."),
    answer(2, "Can it stay outside in winter?", "No, please store it frost-free."),
    answer(3, "Does it slip?", "We recommend an anti-slip mat on smooth floors."),
    answer(4, "Can it be engraved?", "Yes, for 9 EUR."),
    answer(5, "Is it escape-proof?", "No bag can be guaranteed to be escape-proof."),
    answer(6, "Can I mount it sideways?", "Yes, as long as it is under water."),
    answer(7, "Can the cover be washed?", "It can be wiped, not washed."),
    Source(id="price", kind="price", name="Price", text="59.00 EUR"),
    Source(
        id="policy:returns",
        kind="policy",
        text=(
            "Unopened goods can be returned within 30 days. Cut rolls are excluded. "
            "Downloads cannot be returned once they have been opened. Used goods "
            "cannot be returned, unless they are faulty."
        ),
    ),
    Source(
        id="policy:guarantee",
        kind="policy",
        text=(
            "We guarantee the frame for 3 years and the fabric for 1 year. Damage "
            "caused by airlines is excluded."
        ),
    ),
    Source(id="policy:shipping", kind="policy", text="We dispatch within 2 days."),
)


def reasons(draft: str) -> list[str]:
    return [one.blocked for one in check_draft(draft, FACTS) if one.blocked]


@pytest.mark.parametrize(
    "draft",
    [
        "The hip belt can be taken off.",
        "Do not put the rucksack in the washing machine.",
        "The frame is made of oak wood.",
        "Outside it is polyester, inside cotton jersey.",
        "It is sewn in Portugal.",
        "It has no pile.",
        "It is for children aged three and up.",
        "You would have to buy a rain cover separately.",
        "Before winter, please store it away from frost.",
        "Goods that have not been opened may be sent back within 30 days.",
        "As long as they are still sealed, you can send goods back within 30 days.",
        "Rolls that have been cut cannot be returned.",
        "Downloads that you have opened cannot go back.",
        "Used goods can only go back if they are faulty.",
        "We guarantee the frame for three years and the fabric for one.",
        "For the frame the guarantee lasts three years, for the fabric one.",
        "Damage done by airlines does not fall under it.",
        "Damage done by airlines is not covered by the guarantee.",
        "It leaves our warehouse within two days.",
        "On high it runs for up to three hours, on low for up to 40.",
        "Navy can be had in S and M, rust in M.",
        "The lying area measures 60 by 120 cm.",
    ],
)
def test_other_words_for_what_a_fact_says_are_let_through(draft: str) -> None:
    assert reasons(draft) == []


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        ("The hip belt cannot be taken off.", "turns round"),
        ("The rucksack can go in the washing machine.", "turns round"),
        ("The hip belt is made of oak wood.", ""),
        ("Outside it is cotton jersey, inside polyester.", ""),
        ("It is sewn in Italy.", "no fact says"),
        ("It has a pile.", "turns round"),
        ("It is for children aged two and up.", "no fact says"),
        ("A rain cover is in the box.", "turns round"),
        ("One AA battery is supplied.", "included"),
        ("An anti-slip mat comes with the rucksack.", "included"),
        ("For 59 EUR we engrave it.", ""),
        ("It can be guaranteed to be escape-proof.", "turns round"),
        ("You can mount it sideways.", ""),
        ("The cover can be washed, not wiped.", ""),
        ("Goods that have been opened may be sent back within 30 days.", ""),
        ("You can send goods back within 30 days, opened or not.", ""),
        ("Rolls that have been cut can be returned.", ""),
        ("Used goods cannot go back if they are faulty.", ""),
        ("We guarantee the fabric for three years and the frame for one.", "beside"),
        ("For the fabric the guarantee lasts three years, for the frame one.", ""),
        ("Damage done by airlines falls under the guarantee.", ""),
        ("It leaves our warehouse within three days.", "no fact says"),
        ("On high it runs for up to 40 hours, on low for up to three.", "beside"),
        ("On high it runs for three hours, on low for up to 40.", "limit"),
        ("Rust can be had in S and M, navy in M.", "no variant"),
        ("There is a zip pocket on each side and one at the back.", "mixes"),
        ("The lying area measures 120 by 60 cm.", "beside"),
        ("It can be had in any size you like.", ""),
    ],
)
def test_other_words_for_what_no_fact_says_are_blocked(draft: str, why: str) -> None:
    found = reasons(draft)
    assert found
    assert why in found[0]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_values_swapped_in_a_shorter_sentence_are_blocked(a: int, b: int) -> None:
    assume(a != b)
    text = f"We guarantee the frame for {a} years and the seat for {b} years."
    facts = (Source(id="policy:guarantee", kind="policy", text=text),)
    true = f"For the frame the guarantee lasts {a} years, for the seat {b}."
    false = f"For the seat the guarantee lasts {a} years, for the frame {b}."
    assert not any(one.blocked for one in check_draft(true, facts))
    assert any(one.blocked for one in check_draft(false, facts))


@settings(deadline=None)
@given(st.sampled_from(["oak", "beech", "walnut"]), st.booleans())
def test_a_wider_word_is_not_denied_with_a_narrower_one(wood: str, no: bool) -> None:
    facts = (attribute("Material", f"{'no ' if no else ''}{wood}"),)
    assert bool(_blocked("It is made of wood.", facts)) == no
    assert _blocked("It is made without wood.", facts)


def _blocked(draft: str, facts: tuple[Source, ...]) -> list[str]:
    return [one.blocked for one in check_draft(draft, facts) if one.blocked]


def test_a_wider_word_is_no_narrower_one() -> None:
    facts = (attribute("Material", "wood"),)
    assert _blocked("It is made of oak.", facts)


def test_another_name_for_the_product_is_no_thing_that_comes_with_it() -> None:
    assert reasons("The rucksack is sewn in Portugal.") == []
    assert reasons("It comes with a rucksack.") != []


def test_what_a_fact_calls_something_else_does_not_name_the_product() -> None:
    facts = (*FACTS, answer(8, "Is a satchel included?", "No."))
    assert _blocked("The satchel is sewn in Portugal.", facts)
    assert not _blocked("The rucksack is sewn in Portugal.", facts)


def test_units_go_on_to_what_is_left_without_one() -> None:
    terms = [t.term for t in read("five years on the frame, two on parts").tokens]
    assert [t for t in terms if t.startswith("#")] == ["#months:60", "#months:24"]


def test_a_no_that_belongs_to_what_is_said_answers_nothing() -> None:
    assert "turns round" in reasons("It is escape-proof.")[0]


def _table(name: str) -> dict[str, dict[str, str]]:
    text = files("cartwheel.text.claims").joinpath(name).read_text("utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


def test_no_word_has_two_meanings() -> None:
    held: dict[str, set[str]] = {}
    for name in ("en.toml", "paraphrases.toml"):
        for first, words in _table(name)["same"].items():
            for word in (first, *words.split()):
                held.setdefault(stem(word), set()).add(stem(first))
    assert {word: firsts for word, firsts in held.items() if len(firsts) > 1} == {}


def test_no_turn_repeats_without_end() -> None:
    raw = files("cartwheel.text.claims").joinpath("turns.toml").read_text("utf-8")
    for one in tomllib.loads(raw)["turns"]:
        bare = re.sub(r"\\[.+*]", "", one["said"])
        assert not set("*+") & set(bare), one["said"]
