"""What is known of a query and a product, as numbers the ranker reads.

All of it is about relevance; what earns or sells is no feature, and comes in only as a
bounded boost inside a tier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.search.learned import learned_scores
from cartwheel.levers.search.match import Matches, rarity_of
from cartwheel.levers.search.query import Part, Understood
from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]

NAMES = (
    "blend",  # BM25F times the share covered, over the best candidate's
    "bm25",
    "covered",
    "parts",
    "parts_met",
    "title_share",  # of the title's terms, those the query says
    "title_terms",
    "first_at",  # where in the title the first word met stands, 0 to 1
    "in_order",  # neighbours of the query that are neighbours in the title
    "first_met",
    "last_met",
    "last_at_head",  # the query's last word is what the title is about
    "head_met",
    "numbers",
    "numbers_met",
    "exact",  # parts met by the very word, not by what stands for it
    "letters",  # share of the query's letter triples in the title
    "letters_back",  # share of the title's letter triples in the query
    "clicked",  # how well queries that led to the product agree with this one
    "clicked_met",
    "rank_share",  # share of the candidates with a better blend
)


def features(
    arrays: Mapping[str, Array], asked: Understood, found: Matches, at: Array
) -> Array:
    """Return features of candidates, float64, shape (n_candidates, n_features).

    Args:
        arrays: The model's arrays.
        asked: The query.
        found: How well every product meets it.
        at: Numbers of the candidates.
    """
    parts = asked.parts
    blend = found.score[at] * found.covered[at]
    met = found.parts[:, at] > 0
    numeric = np.array([part.said[:1].isdigit() for part in parts], bool)
    title = _title(arrays, parts, at)
    letters, back = _letters(arrays, asked, at)
    clicked, clicked_met = learned_scores(arrays, parts, at)
    columns = {
        "blend": blend / max(float(blend.max(initial=0.0)), 1e-9),
        "bm25": found.score[at],
        "covered": found.covered[at],
        "parts": np.full(len(at), len(parts)),
        "parts_met": met.mean(axis=0) if len(parts) else np.zeros(len(at)),
        **title,
        "first_met": met[0] if len(parts) else np.zeros(len(at)),
        "last_met": met[-1] if len(parts) else np.zeros(len(at)),
        "numbers": np.full(len(at), int(numeric.sum())),
        "numbers_met": met[numeric].sum(axis=0),
        "letters": letters,
        "letters_back": back,
        "clicked": clicked,
        "clicked_met": clicked_met,
        "rank_share": (-blend).argsort(kind="stable").argsort() / max(len(at), 1),
    }
    return np.column_stack([np.asarray(columns[name], float) for name in NAMES])


def runs(start: Array, at: Array) -> tuple[Array, Array]:
    """Return the places of products' runs, one after another, and whose each is.

    Args:
        start: Where each product's run begins, shape (n + 1,).
        at: Numbers of products.
    """
    begin, end = start[at], start[at + 1]
    length = (end - begin).astype(np.int64)
    whose = np.repeat(np.arange(len(at)), length)
    first = np.cumsum(length) - length
    return np.arange(int(length.sum())) - first[whose] + begin[whose], whose


def _title(
    arrays: Mapping[str, Array], parts: Sequence[Part], at: Array
) -> dict[str, Array]:
    """Return where and in what order the titles say the query's words."""
    n = len(at)
    places, whose = runs(arrays["title_start"], at)
    term = arrays["title_term"][places]
    length = np.bincount(whose, minlength=n)
    begin = np.cumsum(length) - length
    hit = np.array([np.isin(term, part.terms) for part in parts]).reshape(-1, len(term))
    said = hit.any(axis=0)
    first = np.full(n, 1.0)
    spot = (np.arange(len(term)) - begin[whose]) / np.maximum(length[whose], 1)
    np.minimum.at(first, whose[said], spot[said])
    pairs = np.zeros(n)
    if len(parts) > 1 and len(term) > 1:
        near = (hit[:-1, :-1] & hit[1:, 1:]).any(axis=0) & (whose[:-1] == whose[1:])
        pairs = np.bincount(whose[:-1][near], minlength=n) / (len(parts) - 1)
    exact = np.zeros(n)
    for part in parts:
        exact += np.bincount(whose[term == part.terms[0]], minlength=n) > 0
    head = arrays["title_head"][at]
    at_head = np.array([np.isin(head, part.terms) for part in parts]).reshape(-1, n)
    return {
        "title_share": np.bincount(whose[said], minlength=n) / np.maximum(length, 1),
        "title_terms": length,
        "first_at": first,
        "in_order": pairs,
        "exact": exact / max(len(parts), 1),
        "head_met": at_head.any(axis=0),
        "last_at_head": at_head[-1] if len(parts) else np.zeros(n),
    }


def _letters(
    arrays: Mapping[str, Array], asked: Understood, at: Array
) -> tuple[Array, Array]:
    """Return the shares of letter triples that query and titles have in common."""
    wanted = np.unique(_triples(_bytes(asked.corrected or asked.text)))
    n = len(at)
    if not len(wanted) or not n:
        return np.zeros(n), np.zeros(n)
    places, whose = runs(arrays["name_start"], at)
    said = arrays["folded_text"][places]
    triple = _triples(said)
    own = whose[: len(triple)]
    same = own == whose[2:] if len(said) > 2 else np.zeros(0, bool)
    triple, own = triple[same], own[same]
    place = np.minimum(wanted.searchsorted(triple), len(wanted) - 1)
    hit = wanted[place] == triple
    total = np.bincount(own, minlength=n)
    back = np.bincount(own[hit], minlength=n) / np.maximum(total, 1)
    seen = np.unique(own[hit] * len(wanted) + place[hit])
    forth = np.bincount(seen // len(wanted), minlength=n) / len(wanted)
    return forth, back


def _bytes(text: str) -> Array:
    return np.frombuffer(f" {fold(text)} ".encode("utf-8", "replace"), np.uint8)


def _triples(said: Array) -> Array:
    """Return the triples of neighbouring bytes as numbers."""
    wide = said.astype(np.int64)
    return wide[:-2] << 16 | wide[1:-1] << 8 | wide[2:]


def rarities(arrays: Mapping[str, Array], parts: Sequence[Part]) -> Array:
    """Return the inverse document frequency of each part."""
    return np.array([rarity_of(arrays, part) for part in parts])
