"""The search bench: its figures by hand, and its groups."""

from __future__ import annotations

import numpy as np
import pytest
from bench.search import ndcg, part, random_ndcg, score
from bench.search_shop import Judged, edits, learned_model, plain_model
from bench.search_speed import answers, titled_shop

from cartwheel.levers.search.learn import keyword_model

JUDGED = Judged(
    products=["a", "b", "c", "d"],
    titles=["Red mug", "Blue mug", "Shower head", "Fence"],
    pairs={
        "red mug": ([0, 1], [2.0, 1.0]),
        "showre": ([2], [2.0]),
        "nothing": ([3], [0.0]),
    },
)


def test_ndcg_by_hand() -> None:
    ideal = 2 + 1 / np.log2(3)
    assert ndcg([1.0, 2.0], [2.0, 1.0]) == pytest.approx((1 + 2 / np.log2(3)) / ideal)
    assert np.isnan(ndcg([0.0], [0.0]))
    assert random_ndcg([1.0, 1.0]) == pytest.approx(1.0)


def test_score_counts_the_unjudged_as_nothing_and_ranks_the_judged_alone() -> None:
    row = score(JUDGED, "red mug", [3, 0, 1])
    ideal = 2 + 1 / np.log2(3)
    assert row.ndcg == pytest.approx((2 / np.log2(3) + 1 / 2) / ideal)
    assert row.judged == 1.0
    assert (row.recall, row.strict) == (1.0, 1.0)
    assert score(JUDGED, "red mug", [1]).strict == 0.0


def test_misspelled_is_a_word_no_title_has_but_nearly() -> None:
    assert JUDGED.misspelled("showr head")
    assert not JUDGED.misspelled("shower head")
    assert not JUDGED.misspelled("zzzzzz")
    assert not JUDGED.misspelled("mugg")  # too short to tell
    assert edits("abc", "acb", 3) == 2


def test_a_query_is_always_in_the_same_part() -> None:
    assert [part(q, 5, "fold") for q in ("mug", "hose", "mug")][::2] == [
        part("mug", 5, "fold")
    ] * 2


def test_models_of_the_bench_answer() -> None:
    assert JUDGED.queries == ["red mug", "showre"]
    for model in (
        plain_model(JUDGED),
        learned_model(JUDGED, ["red mug"], plain_model(JUDGED)),
    ):
        assert len(model.arrays["product_id"]) == 4


def test_the_shop_of_speeds_says_titles_again_in_other_colours() -> None:
    model = keyword_model(titled_shop(["Delta kitchen faucet", "Hose"], 5))
    assert len(model.arrays["product_id"]) == 5
    assert model.meta["facets"] == ["category", "brand", "colour", "material"]
    assert (model.arrays["price_low"] > 0).all()
    figures = list(answers({"keywords": model}, ["faucet", "kitchen"], 5))
    assert [figure.name.partition(", ")[2] for figure in figures] == [
        "keywords, first page, p50",
        "keywords, first page, p99",
        "keywords, next page, p50",
        "keywords, next page, p99",
    ]
    assert all(figure.values[0] > 0 for figure in figures)
