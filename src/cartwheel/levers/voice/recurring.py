"""Words, and pairs of words, that complaints without a class have beyond chance.

Two questions are asked of a word, a denied word, or two in a row. Over the shop: do
those who say it complain of something that fits no class, rather than say it otherwise,
in praise or in an objection that has a class? At one product or in one category: do
they so there, and does it come up there more than its share of such sentences? Each is
asked against chance, all at once (`chance.discoveries`), and must be no trifle.

A word that tells a mood ("broken", "did not open") may itself be why a sentence is
taken for a complaint. Of such words only complaints count that are ones without it: by
their stars, as a question or as the reason of a return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.voice.chance import beyond, discoveries, odds
from cartwheel.levers.voice.heard import Heard
from cartwheel.levers.voice.spoken_rows import Rows, first_of_writers, rows_of

Array = np.ndarray[Any, Any]

LEAST = 5
"""Different writers, with different words, from whom on something is a theme."""

ODDS = 2.0
"""Times the usual odds from which a difference is more than a trifle."""

GOODS = 0.2
"""Share of a place's texts that say a word otherwise, from which it names the goods."""

LEVEL = 0.05
"""Chance of any theme where there is none: over the shop, and at places."""

PLACES = ("product", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A word or two that recur beyond chance.

    Attributes:
        terms: Numbers of the words.
        place: "shop", "product" or "category".
        name: Which product or category, "" for the whole shop.
        sentences: Numbers of its sentences, of each writer the first.
        excess: Share of them beyond the usual.
    """

    terms: tuple[int, ...]
    place: str
    name: str
    sentences: Array
    excess: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """How much of what is said is a complaint without a class, over words.

    Attributes:
        rows: Words that tell no mood, each writer's once.
        share: Share of such complaints.
        sure: Share of those that are ones whatever their words, among these and what is
            no such complaint.
    """

    rows: Rows
    share: float
    sure: float

    def of(self, rows: Rows) -> Array:
        """Return the usual share for each row's word."""
        return np.where(rows.mood, self.sure, self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Products or categories.

    Attributes:
        kind: product or category.
        names: Those that are spoken of; shape (places,).
        number: Which it is, of each text.
        texts: Texts of each.
        part: Share of each in what complaints without a class say.
        more: Times the usual share that such complaints have at each, 1 at least.
    """

    kind: str
    names: Array
    number: Array
    texts: Array
    part: Array
    more: Array


def find_recurring(
    heard: Heard, writer: Array, places: Mapping[str, Array]
) -> list[Recurring]:
    """Return what recurs beyond chance, the whole shop's first.

    Args:
        heard: The sentences.
        writer: Number of the writer of each text.
        places: "product" and "category" of each text, "" where none is known.
    """
    rows = rows_of(heard)
    usual = _usual(rows, heard, writer)
    if usual is None:
        return []
    codes, number, times = np.unique(rows.code, return_inverse=True, return_counts=True)
    loose = np.bincount(number[rows.loose], minlength=len(codes))
    tests = int((times >= LEAST).sum())
    rows = first_of_writers(rows.where(loose[number] >= LEAST), heard, writer)
    told = list(_of_shop(rows, heard, usual, len(writer), tests))
    for kind in PLACES:
        place = _place(kind, places[kind], usual.rows, heard)
        told += _of_places(rows, heard, usual, place)
    return told


def _usual(rows: Rows, heard: Heard, writer: Array) -> _Usual | None:
    plain = rows.where((rows.code < len(heard.mood)) & ~rows.mood)
    plain = first_of_writers(plain, heard, writer)
    if not plain.loose.any():
        return None
    return _Usual(
        rows=plain,
        share=float(plain.loose.mean()),
        sure=float(plain.sure.sum() / max((plain.sure | ~plain.loose).sum(), 1)),
    )


def _of_shop(
    rows: Rows, heard: Heard, usual: _Usual, texts: int, tests: int
) -> Iterator[Recurring]:
    fair = rows.where(rows.fair)
    codes, first, number, of = np.unique(
        fair.code, return_index=True, return_inverse=True, return_counts=True
    )
    found = np.bincount(number[fair.loose], minlength=len(codes))
    share = usual.of(fair)[first]
    told = discoveries(beyond(found, of, share), tests=tests, level=LEVEL)
    told &= (found >= LEAST) & (odds(found, of, share) >= ODDS)
    told &= of - found <= GOODS * texts
    said = _sentences(rows.code, rows, codes[told])
    for at in np.flatnonzero(told).tolist():
        yield Recurring(
            terms=_terms(int(codes[at]), heard),
            place="shop",
            name="",
            sentences=said[int(codes[at])],
            excess=float(1.0 - share[at] * of[at] / found[at]),
        )


def _place(kind: str, named: Array, usual: Rows, heard: Heard) -> _Place:
    """Return what is known of the products, or of the categories."""
    names, number = np.unique(named, return_inverse=True)
    where = number[heard.text[usual.sentence]]
    every = np.bincount(where, minlength=len(names))
    loose = np.bincount(where[usual.loose], minlength=len(names))
    share = loose / np.maximum(every, 1)
    return _Place(
        kind=kind,
        names=names,
        number=number,
        texts=np.bincount(number, minlength=len(names)),
        part=loose / loose.sum(),
        more=np.maximum(share * every.sum() / loose.sum(), 1.0),
    )


def _of_places(
    rows: Rows, heard: Heard, usual: _Usual, place: _Place
) -> Iterator[Recurring]:
    """Yield what recurs at one product, or in one category, and not so elsewhere."""
    many = len(place.names)
    pair = rows.code * many + place.number[heard.text[rows.sentence]]
    fair = rows.where(rows.fair)
    pairs, first, number, of = np.unique(
        pair[rows.fair], return_index=True, return_inverse=True, return_counts=True
    )
    found = np.bincount(number[fair.loose], minlength=len(pairs))
    code, where = np.divmod(pairs, many)
    over_shop, times = np.unique(fair.code[fair.loose], return_counts=True)
    may = np.flatnonzero(
        (found >= LEAST)
        & (place.names[where] != "")
        & (of - found <= GOODS * place.texts[where])
    )
    here, all_here, at = found[may], of[may], where[may]
    shop = times[np.searchsorted(over_shop, code[may])]
    share = np.minimum(usual.of(fair)[first][may] * place.more[at], 1.0)
    part = place.part[at]
    chance = np.maximum(beyond(here, all_here, share), beyond(here, shop, part))
    more = np.minimum(odds(here, all_here, share), odds(here, shop, part))
    tests, level = int((of >= LEAST).sum()), LEVEL / len(PLACES)
    told = discoveries(chance, tests=tests, level=level) & (more >= ODDS)
    said = _sentences(pair, rows, pairs[may[told]])
    for one in np.flatnonzero(told).tolist():
        yield Recurring(
            terms=_terms(int(code[may[one]]), heard),
            place=place.kind,
            name=str(place.names[at[one]]),
            sentences=said[int(pairs[may[one]])],
            excess=float(1.0 - share[one] * all_here[one] / here[one]),
        )


def _sentences(group: Array, rows: Rows, wanted: Array) -> dict[int, Array]:
    """Return the loose sentences of some groups of rows."""
    chosen = rows.loose & np.isin(group, wanted)
    group, sentence = group[chosen], rows.sentence[chosen]
    order = np.argsort(group, kind="stable")
    names, start = np.unique(group[order], return_index=True)
    ends = [*start[1:].tolist(), len(order)]
    return {
        name: np.sort(sentence[order[begin:end]])
        for name, begin, end in zip(names.tolist(), start.tolist(), ends, strict=False)
    }


def _terms(code: int, heard: Heard) -> tuple[int, ...]:
    terms = len(heard.mood)
    return (code,) if code < terms else divmod(code - terms, terms)
