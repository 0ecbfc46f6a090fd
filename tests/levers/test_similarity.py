"""Neighbour lists: worked by hand, against the textbook formula, and in general."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from cartwheel.levers.recommend.similarity import (
    WIDE,
    Array,
    Neighbours,
    basket_neighbours,
    blend,
    cosine_neighbours,
    ease,
    strongest,
)

HAND = csr_matrix(np.array([[1, 1], [1, 1], [1, 0]], np.float32))


def random_pairs(seed: int, customers: int = 60, items: int = 17) -> csr_matrix:
    rng = np.random.default_rng(seed)
    dense = (rng.random((customers, items)) < 0.2) * rng.random((customers, items))
    return csr_matrix(dense.astype(np.float32))


def test_ease_by_hand() -> None:
    # Gram + 1 on the diagonal is [[4, 2], [2, 3]], its inverse [[3, -2], [-2, 4]] / 8.
    weights = ease(HAND, 1.0)
    np.testing.assert_allclose(weights, [[0, 0.5], [2 / 3, 0]], atol=1e-6)


def test_ease_equals_the_formula_in_double_precision() -> None:
    pairs = random_pairs(3)
    gram = (pairs.T @ pairs).toarray().astype(float) + 2.5 * np.eye(pairs.shape[1])
    inverse = np.linalg.inv(gram)
    expected = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(ease(pairs, 2.5), expected, atol=1e-4)


@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_ease_refuses_strength(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        ease(HAND, strength)


def test_strongest_sorts_breaks_ties_by_number_and_drops_negatives() -> None:
    lists = strongest(np.array([[0.0, 0.2, 0.5, 0.2], [-1.0, 0, -2, 0]]), 3)
    assert lists.index[0].tolist() == [2, 1, 3]
    assert lists.weight[0].tolist() == pytest.approx([0.5, 0.2, 0.2])
    assert lists.weight[1].tolist() == [0, 0, 0]


def test_cosine_by_hand() -> None:
    lists = cosine_neighbours(HAND, 1, shrink=0.0)
    assert lists.index.ravel().tolist() == [1, 0]
    np.testing.assert_allclose(lists.weight.ravel(), 2 / np.sqrt(6), atol=1e-6)


def test_cosine_shrinks_rare_pairs() -> None:
    free, shrunk = (cosine_neighbours(HAND, 1, shrink=s) for s in (0.0, 10.0))
    assert (shrunk.weight < free.weight).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 17))
def test_cosine_does_not_depend_on_the_block(seed: int, block: int, keep: int) -> None:
    pairs = random_pairs(seed)
    whole = cosine_neighbours(pairs, keep)
    parts = cosine_neighbours(pairs, keep, block=block)
    np.testing.assert_array_equal(whole.index, parts.index)
    np.testing.assert_allclose(whole.weight, parts.weight, atol=1e-6)
    own = np.arange(len(whole.index))[:, None] == whole.index
    assert (whole.weight[own] == 0).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_cosine_equals_the_formula_over_a_dense_table(seed: int) -> None:
    pairs = random_pairs(seed)
    dense = pairs.toarray().astype(float)
    norm = np.sqrt((dense**2).sum(axis=0))
    table = dense.T @ dense / (np.outer(norm, norm) + 3.0)
    np.fill_diagonal(table, 0.0)
    lists, expected = cosine_neighbours(pairs, 5, shrink=3.0), strongest(table, 5)
    np.testing.assert_array_equal(lists.index, expected.index)
    np.testing.assert_allclose(lists.weight, expected.weight, atol=1e-6)


@pytest.mark.parametrize(
    "row",
    [
        np.random.default_rng(1).normal(size=WIDE),
        np.random.default_rng(2).integers(0, 3, WIDE).astype(float),  # many ties
        np.arange(WIDE, dtype=float),
        np.zeros(WIDE),
        np.where(np.arange(WIDE) == 17, 5.0, -1.0),
    ],
    ids=["normal", "ties", "rising", "none", "one"],
)
def test_strongest_of_a_wide_row_are_those_of_a_sorted_one(row: Array) -> None:
    lists = strongest(row[None, :], 20)
    order = np.lexsort((np.arange(len(row)), -row))[:20]
    expected = np.where(row[order] > 0, row[order], 0)
    np.testing.assert_allclose(lists.weight[0], expected, atol=1e-6)
    found = lists.index[0][lists.weight[0] > 0]
    np.testing.assert_array_equal(found, order[row[order] > 0])


def test_baskets_by_hand() -> None:
    lists = basket_neighbours(
        np.array([0, 0]),
        np.array([1, 2]),
        np.array([4.0, 2.0]),
        np.array([8.0, 8.0]),
        np.array([8.0, 2.0]),
        n_items=4,
        keep=2,
        shrink=0.0,
    )
    assert lists.index[0].tolist() == [1, 2]  # both 0.5: the smaller number first
    assert lists.weight[0].tolist() == pytest.approx([0.5, 0.5])
    assert lists.index[2, 0] == 0
    assert lists.weight[3].tolist() == [0, 0]


def test_score_adds_weights_of_a_history() -> None:
    lists = Neighbours(
        index=np.array([[1, 2], [2, 0], [0, 0]], np.int32),
        weight=np.array([[0.5, 0.25], [1.0, 0], [0, 0]], np.float32),
    )
    score = lists.score(np.array([0, 1]), np.array([1.0, 0.5]))
    assert score.tolist() == pytest.approx([0, 0.5, 0.75])
    assert lists.score(np.zeros(0, int), np.zeros(0)).tolist() == [0, 0, 0]


def test_blend_sums_and_keeps_the_strongest() -> None:
    left = strongest(np.array([[0, 0.4, 0.1], [0, 0, 0], [0, 0, 0.0]]), 2)
    right = strongest(np.array([[0, 0, 1.0], [0, 0, 0], [0, 0, 0.0]]), 2)
    both = blend(left, right, 0.5, 1)
    assert both.index[0].tolist() == [2]
    assert both.weight[0].tolist() == pytest.approx([0.6])
