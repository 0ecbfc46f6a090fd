"""What a shop says in other words passes; what uses the freedom to lie does not."""

from __future__ import annotations

import pytest

from cartwheel.text.claims import Source, check_draft
from cartwheel.text.claims.counts import spelled
from cartwheel.text.claims.knowledge import term_of
from cartwheel.text.claims.words import read


def attribute(name: str, value: str) -> Source:
    return Source(id=f"attribute:{name}", kind="attribute", name=name, text=value)


def answer(number: int, question: str, text: str) -> Source:
    return Source(id=f"answer:q{number}", kind="answer", name=question, text=text)


def policy(name: str, text: str) -> Source:
    return Source(id=f"policy:{name}", kind="policy", text=text)


FACTS = (
    Source(id="title", kind="title", text="Trekking lamp Orla"),
    Source(id="category", kind="category", text="Outdoor > Lamps"),
    attribute("Power", "5 W"),
    attribute("Material", "steel, plastic handle"),
    attribute("Modes", "low, medium, high"),
    attribute("Pockets", "2, with zips"),
    attribute("Pieces", "8"),
    attribute("Housing", "cardboard"),
    attribute("Straps", "1"),
    attribute("Operating pressure", "max. 8 bar"),
    attribute("Burst pressure", "24 bar"),
    attribute("Weight", "480 g per pair"),
    attribute("Included", "caps and belts; bags are not included"),
    attribute("Origin of the cork", "Portugal"),
    attribute("Published", "October 2023 in Sardinia"),
    attribute("Sockets (46 pieces)", "4 to 14 mm"),
    attribute("Sockets (94 pieces)", "4 to 32 mm"),
    attribute("Print", "stars"),
    Source(
        id="variants",
        kind="variants",
        name="Variants",
        text=(
            "40 / grey\n41 / grey\n42 / grey\n42 / red\n46 pieces / red\n"
            "94 pieces / red"
        ),
    ),
    answer(1, "Can the hood be taken off?", "No, it is sewn on."),
    answer(2, "Is a rain cover included?", "No, it can be bought for 12 EUR."),
    answer(3, "Is the cork treated?", "The supplier gives no information on this."),
    answer(4, "Is there text on the cards?", "The cards bear symbols and no text."),
    answer(
        5,
        "What can go in the dishwasher?",
        "The bowl and the whisk can go in the dishwasher; the dough hook and the "
        "beater must be washed by hand.",
    ),
    policy(
        "returns",
        "Unworn lamps without engraving can be returned within 30 days. "
        "Returns are free of charge within 14 days. For later returns up to day 30 the "
        "customer pays 25 EUR.",
    ),
    policy(
        "warranty",
        "Two-year warranty on the lamp; the battery is covered for one year. Lost "
        "parts can be bought.",
    ),
    policy(
        "shipping",
        "Delivery within Austria takes 2 days. It costs 4 EUR. We collect it free of "
        "charge.",
    ),
)


def reasons(draft: str) -> list[str]:
    return [one.blocked for one in check_draft(draft, FACTS) if one.blocked]


@pytest.mark.parametrize(
    "draft",
    [
        "The lamp draws 5 W.",
        "It has three modes.",
        "Both pockets close with zips.",
        "It has eight cardboard pieces.",
        "It has one strap.",
        "In grey it comes in sizes 40 to 42.",
        "The hood is sewn on.",
        "A rain cover can be bought for 12 EUR.",
        "The cards bear symbols.",
        "Caps and belts are supplied, bags are not.",
        "A lamp that is neither worn nor engraved can be returned within 30 days.",
        "Not worn and without engraving, it can be returned within 30 days.",
        "Returns cost you nothing within 14 days.",
        "It was published in October 2023 in Sardinia.",
        "The print has stars.",
        "Whether the cork is treated is not known.",
        "Delivery within Austria costs 4 EUR.",
        "The device must not be used at more than 8 bar.",
        "The pair weighs 480 g.",
        "The warranty is two years on the lamp, one year on the battery.",
    ],
)
def test_what_a_shop_says_in_other_words_passes(draft: str) -> None:
    assert reasons(draft) == []


@pytest.mark.parametrize(
    "draft",
    [
        "The lamp draws 8 W.",
        "It has four modes.",
        "Both pockets close with buttons.",
        "It has three cardboard pieces.",
        "It has straps.",
        "In red it comes in sizes 40 to 42.",
        "In grey it comes in sizes 40 to 43.",
        "The hood can be taken off.",
        "A rain cover is included for 12 EUR.",
        "The cards bear text.",
        "Caps and bags are supplied.",
        "Engraved lamps can be returned within 30 days.",
        "You may return the lamp within 30 days, even if it has been worn.",
        "Worn lamps can be returned within 30 days.",
        "Within 14 days returns are at the customer's expense.",
        "It was published in 2023 inches.",
        "It has five stars.",
        "Rated 4.8 by shoppers.",
        "The cork is treated.",
        "Delivery within Austria is free.",
        "The device may be used at up to 24 bar.",
        "Do not use it at more than 24 bar.",
        "Each lamp weighs 480 g.",
        "A lamp weighs 480 g.",
        "The battery is covered for two years.",
        "The handle is steel.",
        "The cork and the steel come from Portugal.",
        "The set of 46 pieces has sockets from 4 to 32 mm.",
        "The bowl and the dough hook are dishwasher safe.",
        "We collect it for a fee.",
        "It has a wider head than other lamps.",
        "If you have a lamp of another make, Orla can be joined to it.",
    ],
)
def test_a_freedom_lets_nothing_false_through(draft: str) -> None:
    assert reasons(draft)


def test_a_range_stands_for_options_that_there_all_are() -> None:
    options = [frozenset({str(n)}) for n in (40, 41, 42)]
    assert spelled("sizes 40 to 42", options) == "sizes 40, 41 and 42"
    assert spelled("sizes 40 to 43", options) == "sizes 40 to 43"
    letters = [frozenset({one}) for one in ("s", "m", "l")]
    assert spelled("S to L", letters) == "s, m and l"
    assert spelled("40 to 42 cm", options) == "40 to 42 cm"


def test_what_can_be_done_is_the_deed() -> None:
    assert term_of("stackable") == term_of("stacked")
    assert term_of("available") == "avail"
    assert term_of("portable") != term_of("port")


def test_two_noes_are_told_apart_by_their_words() -> None:
    assert [t.denied for t in read("not unopened").tokens] == [False]
    assert [t.denied for t in read("unopened").tokens] == [True]


def test_what_one_variant_has_is_nothing_of_another() -> None:
    facts = (
        Source(id="title", kind="title", text="Torvek Socket Set"),
        attribute("Sockets (94 pieces)", "4 to 32 mm"),
        attribute("Case", "plastic"),
        Source(
            id="variants", kind="variants", name="Variants", text="46 pieces\n94 pieces"
        ),
    )
    case = "comes in a plastic case and has sockets from 4 to"
    assert check_draft(f"The 46-piece set {case} 32 mm.", facts)[0].blocked
    assert not check_draft(f"The 94-piece set {case} 32 mm.", facts)[0].blocked


def test_where_a_part_comes_from_is_told_of_that_part() -> None:
    facts = (
        Source(id="title", kind="title", text="Chili sauce Glo"),
        attribute("Ingredients", "chili, water, sea salt, garlic"),
        attribute("Origin of the chili", "Hungary"),
    )
    assert not check_draft("The chili comes from Hungary.", facts)[0].blocked
    told = check_draft("The chili and the garlic come from Hungary.", facts)[0]
    assert "is of a part" in told.blocked


def test_a_year_takes_no_unit_and_an_in_is_no_inch() -> None:
    assert "2019" in read("18 V batteries of 2019 for drills").terms
    assert not any(t.kind == "#length" for t in read("October 2023 in Spain").tokens)
    assert "#length:50.8" in read("2 in long").terms


def test_each_measure_keeps_the_unit_of_its_place() -> None:
    found = read("780 g with 18 l and 890 g with 22").terms
    assert {"#mass:780", "#mass:890", "#volume:18000", "#volume:22000"} <= found


def test_what_is_said_after_a_but_is_said_of_the_subject() -> None:
    tokens = read("batteries can be replaced but are not covered").tokens
    assert not any(t.denials or t.limits for t in tokens if t.side == 0)
    assert tokens[-1].limits or tokens[-1].denials
