"""What is like the best products: wanted too, though it says other words.

The words that the best products' titles have in common name their kind (`roof`,
`cement`, `sealant` after a search for tar), and whatever says those is of the same
kind. This orders what comes below the first page, and adds to a search that fills it.
Nothing on the first page moves by it: there the best have to prove themselves.

References:
    Rocchio (1971), "Relevance feedback in information retrieval"; Lavrenko and Croft
    (2001), "Relevance-based language models".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.search.index import postings
from cartwheel.levers.search.match import Matches
from cartwheel.levers.search.runs import runs

Array = np.ndarray[Any, Any]

FIRST = 20
"""Products of the first page: no likeness moves them, and fewer found add nothing."""

BEST = 10
"""Products that tell what is wanted."""

FEW, MANY = 20, 40
"""Words of theirs that are looked for: to find more, and to order what is found."""

RARE = 2.0
"""Inverse document frequency from which a word tells a kind: an eighth says it."""

LEAST = 0.2
"""Likeness, as a share of the likeliest product's, that makes a product found."""

ALIKE, PLACE = 0.8, 0.5
"""What likeness, and the place that the product had, count beside its relevance."""

FADES = 20.0
"""Places after which a place counts half of what the first does."""


def likeness(arrays: Mapping[str, Array], best: Array, most: int) -> Array:
    """Return how much products say of what the best have in common.

    A word of the best counts by the share of them that say it, the first saying most,
    times its rarity.

    Args:
        arrays: The model's arrays.
        best: Numbers of the products that tell what is wanted, best first.
        most: Words of theirs that are looked for.

    Returns:
        Not negative, shape (n,); what it means is told by the likeliest's alone.
    """
    n = len(arrays["title_start"]) - 1
    terms, weights = _told(arrays, best, most)
    if not len(terms):
        return np.zeros(n)
    found = [postings(arrays, number) for number in terms.tolist()]
    said = [w * np.float32(own) for (_, w), own in zip(found, weights, strict=True)]
    products = np.concatenate([products for products, _ in found])
    return np.bincount(products, weights=np.concatenate(said), minlength=n)


def _told(arrays: Mapping[str, Array], best: Array, most: int) -> tuple[Array, Array]:
    """Return the words that the best have in common, and what each counts."""
    places, whose = runs(arrays["title_start"], best)
    size = np.int64(max(len(arrays["term_hash"]), 1))
    pair = np.unique(whose * size + arrays["title_term"][places])  # each title once
    terms, where = np.unique(pair % size, return_inverse=True)
    trust = 1.0 / np.log2(np.arange(len(best)) + 2.0)
    trust /= max(float(trust.sum()), 1e-9)
    share = np.bincount(where, weights=trust[pair // size], minlength=len(terms))
    rarity = arrays["term_idf"][terms].astype(float)
    told = np.where(rarity >= RARE, share * np.sqrt(rarity), 0.0)
    at = np.argsort(-told, kind="stable")[:most]
    at = at[told[at] > 0]
    return terms[at], told[at] * rarity[at]


def also_alike(arrays: Mapping[str, Array], found: Matches, met: Array) -> Array:
    """Return which products are found by their likeness to what is met best, (n,).

    None where what is met fills no page: whoever finds little wants that, or nothing.

    Args:
        arrays: The model's arrays.
        found: How well every product meets the query's words.
        met: Which products are met and may be shown, shape (n,).
    """
    at = np.flatnonzero(met)
    if len(at) < FIRST:
        return np.zeros(len(met), bool)
    blend = found.blend[at]
    first = np.argpartition(-blend, BEST - 1)[:BEST]
    first = first[np.lexsort((first, -blend[first]))]
    alike = likeness(arrays, at[first[blend[first] > 0]], FEW)
    return alike >= max(LEAST * float(alike.max()), 1e-9)


def below_first(
    arrays: Mapping[str, Array], order: Array, rest: Array, relevance: Array
) -> Array:
    """Return the relevance of products that come below the first page.

    Args:
        arrays: The model's arrays.
        order: Numbers of the products met, best first.
        rest: Numbers of the products that come below the first page.
        relevance: Of those, before any click, 1 for the most relevant of all.
    """
    place = np.zeros(len(arrays["title_start"]) - 1)
    place[order] = FADES / (FADES + np.arange(len(order)))
    alike = likeness(arrays, order[:BEST], MANY)
    share = alike[rest] / max(float(alike.max(initial=0.0)), 1e-9)
    found: Array = relevance + PLACE * place[rest] + ALIKE * share
    return found
