"""What is known of a query and a product, as numbers the ranker reads.

All of it is about relevance; what earns or sells is no feature, and comes in only as a
bounded boost inside a tier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.search.learned import learned_scores
from cartwheel.levers.search.match import Matches
from cartwheel.levers.search.meaning import Near
from cartwheel.levers.search.query import Part, Understood
from cartwheel.levers.search.runs import runs
from cartwheel.levers.search.triples import triples

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
    "rank",  # logarithm of the place by blend
    "meaning",  # cosine to the query, 0 where meanings are not known
    "nearness",  # the same as a share of the nearest product's
)


def features(
    arrays: Mapping[str, Array],
    asked: Understood,
    found: Matches,
    close: Near | None,
    at: Array,
) -> Array:
    """Return features of candidates, float64, shape (n_candidates, n_features).

    Args:
        arrays: The model's arrays.
        asked: The query.
        found: How well every product meets it.
        close: How near every product is to it in meaning, where that is known.
        at: Numbers of the candidates.
    """
    parts = asked.parts
    blend = found.blend[at]
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
        "rank": np.log1p((-blend).argsort(kind="stable").argsort()),
        "meaning": np.zeros(len(at)) if close is None else close.cosine[at],
        "nearness": np.zeros(len(at)) if close is None else close.share(at),
    }
    return np.column_stack([np.asarray(columns[name], float) for name in NAMES])


def _title(
    arrays: Mapping[str, Array], parts: Sequence[Part], at: Array
) -> dict[str, Array]:
    """Return where and in what order the titles say the query's words."""
    n = len(at)
    places, whose = runs(arrays["title_start"], at)
    term = arrays["title_term"][places]
    length = np.bincount(whose, minlength=n)
    begin = np.cumsum(length) - length
    number, bits, main = _bits(parts)
    mask, exact = _looked_up(number, term, bits, main)
    said = mask > 0
    first = np.full(n, 1.0)
    spot = (np.arange(len(term)) - begin[whose]) / np.maximum(length[whose], 1)
    np.minimum.at(first, whose[said], spot[said])
    near = ((mask[:-1] << np.uint64(1)) & mask[1:] > 0) & (whose[:-1] == whose[1:])
    pairs = np.bincount(whose[:-1][near], minlength=n) / max(len(parts) - 1, 1)
    head, _ = _looked_up(number, arrays["title_head"][at], bits, main)
    last = np.uint64(1) << np.uint64(max(len(parts) - 1, 0))
    return {
        "title_share": np.bincount(whose[said], minlength=n) / np.maximum(length, 1),
        "title_terms": length,
        "first_at": first,
        "in_order": pairs,
        "exact": np.bitwise_count(_any(exact, begin, length)) / max(len(parts), 1),
        "head_met": head > 0,
        "last_at_head": head & last > 0,
    }


def _bits(parts: Sequence[Part]) -> tuple[Array, Array, Array]:
    """Return the parts' terms, sorted, with a bit for each part they meet.

    The second row of bits has those that are the part's very word.
    """
    bits: dict[int, int] = {}
    main: dict[int, int] = {}
    for at, part in enumerate(parts):
        for number in part.terms:
            bits[number] = bits.get(number, 0) | 1 << at
        main[part.terms[0]] = main.get(part.terms[0], 0) | 1 << at
    numbers = sorted(bits)
    return (
        np.array(numbers, np.int64),
        np.array([bits[number] for number in numbers], np.uint64),
        np.array([main.get(number, 0) for number in numbers], np.uint64),
    )


def _looked_up(
    numbers: Array, term: Array, bits: Array, main: Array
) -> tuple[Array, Array]:
    if not len(numbers):
        nothing = np.zeros(len(term), np.uint64)
        return nothing, nothing
    place = np.minimum(numbers.searchsorted(term), len(numbers) - 1)
    same = numbers[place] == term
    none = np.uint64(0)
    return np.where(same, bits[place], none), np.where(same, main[place], none)


def _any(bits: Array, begin: Array, length: Array) -> Array:
    """Return the bits that stand anywhere in each run; none in an empty one."""
    found = np.zeros(len(begin), np.uint64)
    some = length > 0
    if some.any():
        found[some] = np.bitwise_or.reduceat(bits, begin[some])
    return found


def _letters(
    arrays: Mapping[str, Array], asked: Understood, at: Array
) -> tuple[Array, Array]:
    """Return the shares of letter triples that query and titles have in common.

    The first 64 different triples of a query count.
    """
    wanted = list(dict.fromkeys(triples(asked.corrected or asked.text).tolist()))[:64]
    n = len(at)
    if not wanted or not n:
        return np.zeros(n), np.zeros(n)
    table = np.zeros(1 << 16, np.uint64)
    for bit, code in enumerate(wanted):
        table[code] |= np.uint64(1 << bit)
    places, whose = runs(arrays["triple_start"], at)
    length = np.bincount(whose, minlength=n)
    bits = table[arrays["triple"][places]]
    found = _any(bits, np.cumsum(length) - length, length)
    back = np.bincount(whose[bits > 0], minlength=n) / np.maximum(length, 1)
    return np.bitwise_count(found) / len(wanted), back
