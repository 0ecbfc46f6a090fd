"""Which products a query meets, and how well: numpy over postings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.search.index import postings
from cartwheel.levers.search.query import Part

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """How well every product meets a query's words.

    Attributes:
        score: BM25F, shape (n,).
        covered: Share of the query's weight that is met, 0 to 1, shape (n,).
        blend: Both multiplied, shape (n,).
        parts: Score by part of the query, shape (n_parts, n).
    """

    score: Array
    covered: Array
    blend: Array
    parts: Array


def match(arrays: Mapping[str, Array], parts: Sequence[Part], n: int) -> Matches:
    """Score every product.

    A word that is met by several terms counts the best of them only, with the rarity
    of the commonest, so that a rare synonym cannot outweigh the word that was typed.

    Args:
        arrays: The model's arrays.
        parts: The query's words.
        n: Number of products.
    """
    by_part = np.zeros((len(parts), n), np.float32)
    whole = 0.0
    covered = np.zeros(n, np.float32)
    for row, part in enumerate(parts):
        rarity = rarity_of(arrays, part)
        whole += rarity
        mine = by_part[row]
        for number, weight in zip(part.terms, part.weights, strict=True):
            products, weights = postings(arrays, number)
            value = weights * np.float32(weight * rarity)
            mine[products] = np.maximum(mine[products], value)
        if len(part.terms) == 1:  # the usual one, and a good deal faster so
            covered[products] += np.float32(rarity)
        else:
            covered += (mine > 0) * np.float32(rarity)
    score = by_part.sum(axis=0)
    covered /= np.float32(whole or 1.0)
    return Matches(score=score, covered=covered, blend=score * covered, parts=by_part)


def rarity_of(arrays: Mapping[str, Array], part: Part) -> float:
    """Return the inverse document frequency a part is counted with."""
    sure = [n for n, w in zip(part.terms, part.weights, strict=True) if w >= 1.0]
    return float(arrays["term_idf"][sure or list(part.terms)].min())
