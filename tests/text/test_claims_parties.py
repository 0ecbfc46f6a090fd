"""A draft has nobody else pay, send or answer for something than the facts do."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib.resources import files

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cartwheel.text.claims import Source, check_draft
from cartwheel.text.claims.duties import duties
from cartwheel.text.claims.parties import borne_by, misassigned
from cartwheel.text.claims.words import english
from cartwheel.text.sentences import sentences


def policy(**texts: str) -> tuple[Source, ...]:
    return tuple(
        Source(id=f"policy:{name}", kind="policy", text=text)
        for name, text in texts.items()
    )


BY_CUSTOMER = policy(
    returns=(
        "Goods can be returned within 30 days. Return postage is paid by the customer."
    ),
    repairs="Repairs are free of charge within Austria.",
)
SPLIT = policy(
    returns=(
        "We pay the return label within Germany; from other countries the customer "
        "pays the postage."
    )
)
COLLECTED = policy(
    returns="Within 30 days we collect the shelf from your home free of charge.",
    repairs=(
        "In the first two years we repair it free of charge. After that the customer "
        "pays for the repair. The customer always pays the postage to us."
    ),
)
DEDUCTED = policy(
    returns="We collect the shelf. 39 EUR is deducted from the refund for this."
)
MADE_ELSEWHERE = policy(guarantee="The manufacturer gives a 5-year guarantee.")
GUARANTEED = policy(
    guarantee="Within the guarantee we repair it and pay the postage both ways.",
    returns="The customer pays the return postage.",
)

RETURNED = policy(
    exchange="You pay for sending it back, and we pay the postage back to you."
)
SHIPPED = policy(
    returns="We cover the return postage.",
    shipping="Shipping costs 3.90 EUR, which the customer pays.",
    repairs=(
        "We repair parts free of charge for 2 years; the customer brings them to us "
        "or pays for collection."
    ),
)
FAULTY = policy(
    returns="If the bed is faulty we pay the return postage, otherwise you pay it.",
    fees="The handling fee of 5 EUR is deducted from the refund.",
    repairs="Repairs are carried out by the manufacturer at its own expense.",
)


def faults(draft: str, facts: tuple[Source, ...]) -> list[str]:
    """Return what the rule alone finds, as if every fact said the draft's words."""
    borne = borne_by(facts)
    cited = [one.id for one in facts]
    return [
        fault
        for one in sentences(draft)
        if (fault := misassigned(duties(english(one)), cited, borne))
    ]


TRUE = [
    ("You pay the return postage.", BY_CUSTOMER),
    ("Return postage is at your own expense.", BY_CUSTOMER),
    ("We do not pay the return postage.", BY_CUSTOMER),
    ("Returns are not free.", BY_CUSTOMER),
    ("You bear the cost of the return.", BY_CUSTOMER),
    ("The return postage is yours to pay.", BY_CUSTOMER),
    ("Within 30 days you can send it back; you pay the postage.", BY_CUSTOMER),
    ("From Austria, repairs cost you nothing.", BY_CUSTOMER),
    ("Within Germany the return label is on us.", SPLIT),
    ("German customers return it at no charge.", SPLIT),
    ("Returns are free within Germany, elsewhere you pay the postage.", SPLIT),
    ("Outside Germany the return postage is at your expense.", SPLIT),
    ("It is collected at no cost.", COLLECTED),
    ("In the first two years the repair is on us.", COLLECTED),
    ("After that you pay for the repair.", COLLECTED),
    ("39 EUR is taken off the refund for collection.", DEDUCTED),
    ("It has a 5-year guarantee from the manufacturer.", MADE_ELSEWHERE),
    ("You pay for sending it back.", RETURNED),
    ("You can replace the insole.", BY_CUSTOMER),
    ("We repair it.", BY_CUSTOMER),
    ("Unless the bed is faulty, you pay the return postage.", FAULTY),
    ("If it is faulty, the return postage is on us.", FAULTY),
    ("The manufacturer carries out repairs at its own expense.", FAULTY),
    ("Within the guarantee we cover the postage both ways.", GUARANTEED),
]
FALSE = [
    ("Sending it back costs you nothing.", BY_CUSTOMER),
    ("Returns are on us.", BY_CUSTOMER),
    ("We cover the postage both ways.", BY_CUSTOMER),
    ("We bear the return postage.", BY_CUSTOMER),
    ("Return postage is covered.", BY_CUSTOMER),
    ("You need not pay the return postage.", BY_CUSTOMER),
    ("Return postage is included in the price.", BY_CUSTOMER),
    ("You will not be charged for the return.", BY_CUSTOMER),
    ("The manufacturer pays the return postage.", BY_CUSTOMER),
    ("Returns are free, repairs are on us from Austria.", BY_CUSTOMER),
    ("Repairs are free.", BY_CUSTOMER),
    ("We pick it up free of charge.", BY_CUSTOMER),
    ("We pay the return label.", SPLIT),
    ("The customer pays the postage.", SPLIT),
    ("From other countries the return is on us.", SPLIT),
    ("Within Germany you pay the return postage.", SPLIT),
    ("We pay the return label within Germany and from other countries.", SPLIT),
    ("Outside Germany, returns are free.", SPLIT),
    ("Your courier picks it up.", COLLECTED),
    ("A courier collects it.", COLLECTED),
    ("You pay for the collection.", COLLECTED),
    ("We repair it free of charge.", COLLECTED),
    ("After that the repair is at our expense.", COLLECTED),
    ("The maker repairs it in the first two years.", COLLECTED),
    ("Collection is free.", DEDUCTED),
    ("Our guarantee is 5 years.", MADE_ELSEWHERE),
    ("In the first two years we repair it and pay for the postage to us.", COLLECTED),
    ("You can send it back within 30 days; we pay postage both ways.", RETURNED),
    ("You can exchange it, and we pay for sending it back.", RETURNED),
    ("Return postage is on us, faulty or not.", FAULTY),
    ("Unless the bed is faulty, we pay the return postage.", FAULTY),
    ("We pick it up.", BY_CUSTOMER),
    ("You can return it, and we cover the postage both ways.", SHIPPED),
    ("We repair parts free of charge for 2 years and pay for collection.", SHIPPED),
    ("There is no handling fee.", FAULTY),
    ("We carry out repairs.", FAULTY),
    ("Within the guarantee you only pay for the way back.", GUARANTEED),
    ("Within the guarantee we repair it, and you pay for the way back.", GUARANTEED),
]


@pytest.mark.parametrize(("draft", "facts"), TRUE)
def test_the_same_party_in_other_words_is_let_through(
    draft: str, facts: tuple[Source, ...]
) -> None:
    assert faults(draft, facts) == []


@pytest.mark.parametrize(("draft", "facts"), FALSE)
def test_another_party_or_a_place_left_out_is_blocked(
    draft: str, facts: tuple[Source, ...]
) -> None:
    assert faults(draft, facts)


@pytest.mark.parametrize(
    ("draft", "facts"),
    [
        ("Returns are on us.", BY_CUSTOMER),
        ("It is on us.", BY_CUSTOMER),
        ("Goods can be returned within 30 days at no cost.", BY_CUSTOMER),
        ("We pay the return label.", SPLIT),
        ("Within 30 days you collect the shelf from your home.", COLLECTED),
    ],
)
def test_the_check_asks_the_rule(draft: str, facts: tuple[Source, ...]) -> None:
    assert any(one.blocked for one in check_draft(draft, facts))


def test_a_thing_said_in_one_sentence_is_told_of_in_the_next() -> None:
    told = [one.duty for one in borne_by(DEDUCTED) if one.duty.act == "pays"]
    assert [(one.thing, one.party) for one in told] == [("collection", "customer")]


def test_each_part_of_a_sentence_has_its_own_party() -> None:
    said = english("You pay for sending it back, we pay for the new parcel")
    assert [(one.thing, one.party) for one in duties(said)] == [
        ("back", "customer"),
        ("again", "shop"),
    ]


def test_what_only_sounds_like_paying_is_no_duty() -> None:
    for said in ("free of silicone", "caffeine-free", "feel free to try it", "it fits"):
        assert duties(english(said)) == ()


PARTIES = {
    "shop": ("We pay", "us", "We bear"),
    "customer": ("The customer pays", "the customer", "You pay"),
}
THINGS = ("return postage", "delivery", "repair", "collection", "customs duties")
Way = Callable[[str, str], str]
WAYS: tuple[Way, ...] = (
    lambda party, thing: f"{PARTIES[party][0]} for the {thing}.",
    lambda party, thing: f"The {thing} is paid for by {PARTIES[party][1]}.",
    lambda party, thing: f"{PARTIES[party][2]} the {thing}.",
)
PLACES = ("", " within Austria", " within Portugal")


@settings(deadline=None)
@given(
    st.sampled_from(sorted(PARTIES)),
    st.sampled_from(THINGS),
    st.sampled_from(WAYS),
    st.sampled_from(WAYS),
    st.sampled_from(PLACES),
)
def test_swapping_the_party_of_a_passing_draft_blocks_it(
    party: str, thing: str, told: Way, said: Way, place: str
) -> None:
    other = "customer" if party == "shop" else "shop"
    facts = policy(terms=told(party, thing).replace(".", f"{place}."))
    true = said(party, thing).replace(".", f"{place}.")
    swapped = said(other, thing).replace(".", f"{place}.")
    assert faults(true, facts) == []
    assert faults(swapped, facts)
    assume(not any(one.blocked for one in check_draft(true, facts)))
    assert any(one.blocked for one in check_draft(swapped, facts))


@settings(deadline=None)
@given(
    st.sampled_from(sorted(PARTIES)),
    st.sampled_from(THINGS),
    st.sampled_from(WAYS),
    st.sampled_from(PLACES[1:]),
)
def test_leaving_out_the_place_that_parts_the_parties_is_blocked(
    party: str, thing: str, said: Way, place: str
) -> None:
    other = "customer" if party == "shop" else "shop"
    here = said(party, thing).replace(".", f"{place}.")
    there = said(other, thing).replace(".", " in other countries.")
    facts = policy(terms=f"{here} {there}")
    assert faults(here, facts) == faults(there, facts) == []
    assert faults(said(party, thing), facts)
    assert faults(said(other, thing), facts)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_gets_an_answer(draft: str, fact: str) -> None:
    assert isinstance(faults(draft, policy(returns=fact)), list)


def test_what_the_facts_say_themselves_has_no_other_party() -> None:
    for facts in (BY_CUSTOMER, SPLIT, COLLECTED, DEDUCTED, MADE_ELSEWHERE, GUARANTEED):
        for source in facts:
            for one in sentences(source.text):
                assert faults(one, facts) == [] or "this" in one or ";" in source.text


def test_no_way_to_say_it_repeats_without_end() -> None:
    raw = files("cartwheel.text.claims").joinpath("parties.toml").read_text("utf-8")
    lines = re.sub(r"#.*", "", raw)
    assert not set("*+") & set(lines)
    assert tomllib.loads(raw)["things"]
