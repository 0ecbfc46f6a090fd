"""Search: what is like the best products, below the first page."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.levers.search.alike import FIRST, RARE, below_first, likeness
from cartwheel.levers.search.index import postings, term_number
from cartwheel.text.tokens import term
from tests.levers.test_search import ask, found, model_of, shop, with_clicks

Array = np.ndarray[Any, Any]

FILLERS = 300
SAID = 24


@cache
def roofs(said: int = SAID) -> Model:
    """Return a shop of three sealants, `said` tars that say so, and others.

    Sealants cost 2 each, tars 10; the last sealant and every second tar are black.
    """
    alike = [f"Roof sealant brush{n}" for n in range(3)]
    tars = [f"Tar roof sealant type{n}" for n in range(said)]
    others = [f"Roofless{n} gadget{n} tool" for n in range(FILLERS)]
    blacks = [False, False, True, *(n % 2 == 0 for n in range(said))]
    blacks += [False] * FILLERS
    return model_of(
        shop(
            [*alike, *tars, *others],
            price_minor=[200] * 3 + [1_000] * (said + FILLERS),
            attributes=[
                '{"Colour": "black"}' if black else '{"Colour": "grey"}'
                for black in blacks
            ],
        )
    )


def numbered(*numbers: int) -> set[str]:
    return {f"p{number:02}" for number in numbers}


def places(model: Model, *numbers: int) -> Array:
    """Return where products stand in the model, which sorts their ids as texts."""
    return model.arrays["product_id"].searchsorted([f"p{at:02}" for at in numbers])


SEALANTS = numbered(0, 1, 2)
TARS = numbered(*range(3, 3 + SAID))


def test_a_full_page_finds_its_kind_below_it() -> None:
    model = roofs()
    answer = ask(model, "tar", limit=100)
    names = [slot.product_id for slot in answer.slots]
    assert set(names[:SAID]) == TARS
    assert set(names[SAID:]) == SEALANTS
    assert answer.about["total"] == SAID + 3
    assert answer.slots[0].reason == "Says tar"
    assert answer.slots[-1].reason == "Like what fits the search best"


def test_a_search_that_fills_no_page_finds_what_says_it_alone() -> None:
    few = FIRST - 1
    assert set(found(roofs(few), "tar", limit=100)) == numbered(*range(3, 3 + few))


def test_who_is_held_out_finds_what_says_it_alone() -> None:
    answer = ask(roofs(), "tar", limit=100, holdout=True)
    assert {slot.product_id for slot in answer.slots} == TARS
    assert answer.about["total"] == SAID


def test_what_is_hidden_or_left_out_is_not_found_by_likeness() -> None:
    names = found(roofs(), "tar", limit=100, excluded=frozenset({"p01"}))
    assert SEALANTS & set(names) == {"p00", "p02"}


def test_what_is_alike_makes_no_constraint_hold() -> None:
    # Sealants cost less than 5, tars do not: the price is given up all the same.
    answer = ask(roofs(), "tar under 5", limit=100)
    assert answer.about["relaxed"] == ["-500"]
    assert answer.about["total"] == SAID + 3


def test_what_is_alike_keeps_the_filters_and_counts_in_facets() -> None:
    facets = ask(roofs(), "tar", limit=100).about["facets"]
    assert [facet["name"] for facet in facets] == ["colour", "price"]
    for facet in facets:
        for value in facet["values"]:
            left = ask(roofs(), "tar", filters={facet["name"]: (value["value"],)})
            assert left.about["total"] == value["count"], (facet["name"], value)
    black = found(roofs(), "tar", limit=100, filters={"colour": ("black",)})
    assert black[-1] == "p02"
    assert len(black) == SAID // 2 + 1


def test_likeness_by_hand() -> None:
    arrays = roofs().arrays
    best = places(roofs(), 3, 0)  # a tar and a sealant
    trust = np.array([1.0, 1 / np.log2(3)])
    trust /= trust.sum()
    share = {
        "tar": trust[0],
        "roof": 1.0,
        "sealant": 1.0,
        "type0": trust[0],
        "brush0": trust[1],
    }
    expected = np.zeros(len(arrays["product_id"]))
    for word, part in share.items():
        number = term_number(arrays, term(word))
        rarity = float(arrays["term_idf"][number])
        assert rarity > RARE
        products, weights = postings(arrays, number)
        expected[products] += part * rarity**1.5 * weights
    assert likeness(arrays, best, 40) == pytest.approx(expected, rel=1e-5)
    assert expected[places(roofs(), SAID + 3)] == 0.0
    assert not likeness(arrays, best[:0], 40).any()
    # With two words looked for, those that both say, any tar is as like as any other.
    first, second = likeness(arrays, best, 2)[places(roofs(), 3, 4)]
    assert first == second > 0.0


def test_below_the_first_page_places_and_likeness_count_by_hand() -> None:
    arrays = roofs().arrays
    order = places(roofs(), *range(3, 3 + SAID))
    rest = places(roofs(), 23, 0, SAID + 3)  # a tar, a sealant, a gadget
    alike = likeness(arrays, order[:10], 40)
    share = alike[rest] / alike.max()
    place = np.array([20 / 40, 0.0, 0.0])
    relevance = np.array([0.9, 0.1, 0.0])
    assert below_first(arrays, order, rest, relevance) == pytest.approx(
        relevance + 0.5 * place + 0.8 * share
    )
    assert share[2] == 0.0


@cache
def clicked() -> Model:
    return model_of(with_clicks())


@given(
    query=st.sampled_from(
        ["tar", "roof", "tar roof tool", "sealant brush1", "tool", "model5", "thing7"]
    ),
    learned=st.booleans(),
    page=st.integers(7, 50),
)
@settings(deadline=None, max_examples=40)
def test_pages_join_up_however_long_they_are(
    query: str, learned: bool, page: int
) -> None:
    model = clicked() if learned else roofs()
    whole = found(model, query, limit=1_000)
    joined = [
        name
        for at in range(0, len(whole) + 1, page)
        for name in found(model, query, limit=page, offset=at)
    ]
    assert joined == whole
    assert len(set(whole)) == len(whole) == ask(model, query).about["total"]
