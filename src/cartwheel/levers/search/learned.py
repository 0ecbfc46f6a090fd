"""What clicks teach the index: words a product is found by, and words that mean alike.

Both come from pairs of a query and a product that was wanted after it. A product is
found by the words of the queries that led to it, whether its page says them or not; and
a word that leads to pages saying another word, far more often than chance, stands for
it (a search for `doorbell` ends at door chimes).

References:
    Craswell and Szummer (2007), "Random walks on the click graph", for queries as
    texts of products; Church and Hanks (1990), "Word association norms, mutual
    information, and lexicography", for the association of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.search.match import rarity_of
from cartwheel.levers.search.query import Part

Array = np.ndarray[Any, Any]

HALF = 1.0
"""Wanted clicks by a word at which it counts half of what it can."""

SYNONYM = 0.5
"""Weight of a word that surely stands for another."""

LEAST_QUERIES = 3
"""Different queries that must agree before a word stands for another."""

LEAST_LIFT = 8.0
"""How much more often than by chance the two must meet."""

MOST_SYNONYMS = 4

SURE_OF_A_KIND = 2.0
"""Wanted clicks by a word at which its categories count half of what they can."""


NOTHING_LEARNED: Mapping[str, Array] = {
    "clicked_key": np.zeros(0, np.int64),
    "clicked_gain": np.zeros(0, np.float32),
    "synonym_term": np.zeros(0, np.int32),
    "synonym_other": np.zeros(0, np.int32),
    "synonym_weight": np.zeros(0, np.float32),
    "asked_term": np.zeros(0, np.int32),
    "asked_kind": np.zeros(0, np.int32),
    "asked_share": np.zeros(0, np.float32),
}
"""What there is to know of clicks before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Queries and what was wanted after them.

    Attributes:
        queries: Texts, each once.
        query: Number of the query of each pair.
        product: Number of the product of each pair.
        gain: How much it was wanted, 0 for shown and not wanted, at most about 2.
    """

    queries: Sequence[str]
    query: Array
    product: Array
    gain: Array

    def only(self, keep: Array) -> Wanted:
        """Return the queries that are kept, numbered anew."""
        number = np.cumsum(keep) - 1
        pair = keep[self.query]
        return Wanted(
            queries=[q for q, k in zip(self.queries, keep, strict=True) if k],
            query=number[self.query[pair]],
            product=self.product[pair],
            gain=self.gain[pair],
        )


def learn_words(
    arrays: Mapping[str, Array],
    parts: Sequence[Sequence[Part]],
    wanted: Wanted,
    keep: Array | None = None,
) -> dict[str, Array]:
    """Return words by which products were found, as an index of their own.

    Args:
        arrays: The index.
        parts: The parts of each query.
        wanted: What was wanted after each.
        keep: Pairs that teach, shape (n_pairs,); None for all.
    """
    use = wanted.gain > 0 if keep is None else (wanted.gain > 0) & keep
    terms: list[int] = []
    products: list[int] = []
    gains: list[float] = []
    for query, product, gain in zip(
        wanted.query[use].tolist(),
        wanted.product[use].tolist(),
        wanted.gain[use].tolist(),
        strict=True,
    ):
        for number in main_terms(parts[query]):
            terms.append(number)
            products.append(product)
            gains.append(gain)
    n = max(len(arrays["title_start"]) - 1, 1)
    key, where = np.unique(
        np.array(terms, np.int64) * n + np.array(products, np.int64),
        return_inverse=True,
    )
    gain = np.bincount(where, weights=np.array(gains), minlength=len(key))
    return {"clicked_key": key, "clicked_gain": gain.astype(np.float32)}


def main_terms(parts: Sequence[Part]) -> list[int]:
    """Return the first term of every part, each once."""
    return list(dict.fromkeys(part.terms[0] for part in parts))


def learned_scores(
    arrays: Mapping[str, Array], parts: Sequence[Part], at: Array
) -> tuple[Array, Array]:
    """Return how well the queries that led to products agree with this one.

    Args:
        arrays: The index with what `learn_words` returned.
        parts: The query's parts.
        at: Numbers of products.

    Returns:
        Rarity of the words by which each was found, as a share of the query's, each
        word counted by how sure it is; and the share of words found at all.
    """
    keys, gains = arrays["clicked_key"], arrays["clicked_gain"]
    n = len(arrays["title_start"]) - 1
    score, met, whole = np.zeros(len(at)), np.zeros(len(at)), 0.0
    if not len(keys):
        return score, met
    for part in parts:
        rarity = rarity_of(arrays, part)
        whole += rarity
        wanted = np.int64(part.terms[0]) * n + at
        place = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
        gain = np.where(keys[place] == wanted, gains[place], 0.0)
        score += rarity * gain / (gain + HALF)
        met += gain > 1e-6
    return score / (whole or 1.0), met / max(len(parts), 1)


def found_by_clicks(
    arrays: Mapping[str, Array], parts: Sequence[Part], most: int
) -> Array:
    """Return the products that most of the query's words led to."""
    keys = arrays["clicked_key"]
    n = len(arrays["title_start"]) - 1
    if not len(keys) or not parts:
        return np.zeros(0, np.int64)
    runs = []
    for part in parts:
        first, last = keys.searchsorted([part.terms[0] * n, (part.terms[0] + 1) * n])
        runs.append(keys[first:last] - part.terms[0] * n)
    at = np.unique(np.concatenate(runs))
    score, _ = learned_scores(arrays, parts, at)
    best = np.lexsort((at, -score))[:most]
    return at[best[score[best] > 0]]


def learn_synonyms(
    arrays: Mapping[str, Array], parts: Sequence[Sequence[Part]], wanted: Wanted
) -> dict[str, Array]:
    """Return words that stand for others, sorted by the word they stand for.

    Args:
        arrays: The index.
        parts: The parts of each query.
        wanted: What was wanted after each.
    """
    size, n = len(arrays["term_hash"]), len(arrays["title_start"]) - 1
    pairs: list[Array] = []
    said = np.zeros(size)
    good = wanted.gain >= 0.5 * max(float(wanted.gain.max(initial=0.0)), 1e-9)
    order = np.argsort(wanted.query[good], kind="stable")
    query, product = wanted.query[good][order], wanted.product[good][order]
    first = np.searchsorted(query, np.arange(len(wanted.queries) + 1))
    for number, mine in enumerate(parts):
        found = product[first[number] : first[number + 1]]
        if not len(found) or not mine:
            continue
        titles = np.concatenate([_terms(arrays, int(p)) for p in found])
        other, count = np.unique(titles, return_counts=True)
        other = other[count * 2 >= len(found)]  # said by half of what was wanted
        own = main_terms(mine)
        said[own] += 1
        for one in own:
            pairs.append(np.int64(one) * size + other[~np.isin(other, own)])
    key, together = (
        np.unique(np.concatenate(pairs), return_counts=True)
        if pairs
        else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    )
    one, other = key // max(size, 1), key % max(size, 1)
    df = np.diff(arrays["term_start"])
    share = together / np.maximum(said[one], 1)
    lift = share / np.maximum(df[other] / max(n, 1), 1e-9)
    keep = (together >= LEAST_QUERIES) & (lift >= LEAST_LIFT) & (share >= 0.15)
    one, other, share = one[keep], other[keep], share[keep]
    order = np.lexsort((other, -share, one))
    one, other, share = one[order], other[order], share[order]
    rank = np.arange(len(one)) - np.searchsorted(one, one)
    few = rank < MOST_SYNONYMS
    return {
        "synonym_term": one[few].astype(np.int32),
        "synonym_other": other[few].astype(np.int32),
        "synonym_weight": (SYNONYM * np.sqrt(share[few])).astype(np.float32),
    }


def learn_kinds(
    arrays: Mapping[str, Array], parts: Sequence[Sequence[Part]], wanted: Wanted
) -> dict[str, Array]:
    """Return the categories that words lead to, sorted by word.

    A word's categories share its wanted clicks, and count less the fewer those are.

    Args:
        arrays: The index.
        parts: The parts of each query.
        wanted: What was wanted after each.
    """
    kind = arrays["kind"][wanted.product]
    use = np.flatnonzero((wanted.gain > 0) & (kind >= 0))
    told = [(t, at) for at in use for t in main_terms(parts[int(wanted.query[at])])]
    term = np.array([t for t, _ in told], np.int64)
    pair = np.array([at for _, at in told], np.int64)
    n_kinds = int(arrays["kind"].max(initial=0)) + 1
    key, where = np.unique(term * n_kinds + kind[pair], return_inverse=True)
    gain = np.bincount(where, weights=wanted.gain[pair], minlength=len(key))
    asked, which = np.unique(key // n_kinds, return_inverse=True)
    whole = np.bincount(which, weights=gain, minlength=len(asked))[which]
    return {
        "asked_term": (key // n_kinds).astype(np.int32),
        "asked_kind": (key % n_kinds).astype(np.int32),
        "asked_share": (gain / (whole + SURE_OF_A_KIND)).astype(np.float32),
    }


def kinds_asked(
    arrays: Mapping[str, Array], parts: Sequence[Part], n_kinds: int
) -> Array:
    """Return how surely each category is asked for, 0 to 1, shape (n_kinds,).

    A query's words agree by the mean of what each says, rarer words saying more.
    """
    found = np.zeros(n_kinds)
    terms = arrays.get("asked_term")
    if terms is None or not len(terms) or not parts:
        return found
    rarity = [rarity_of(arrays, part) for part in parts]
    for part, weight in zip(parts, rarity, strict=True):
        first, last = terms.searchsorted([part.terms[0], part.terms[0] + 1])
        share = arrays["asked_share"][first:last]
        found[arrays["asked_kind"][first:last]] += weight * share
    return found / max(sum(rarity), 1e-9)


def _terms(arrays: Mapping[str, Array], product: int) -> Array:
    begin, end = arrays["title_start"][product : product + 2].tolist()
    return np.unique(arrays["title_term"][begin:end])
