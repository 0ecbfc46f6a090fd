"""The index: which products say which term, and how much it says about them.

An inverted index as plain arrays. The weight of a posting is BM25F's saturated term
frequency over the fields; the inverse document frequency stands apart, so that a
synonym can be counted with the rarity of the word that was typed.

References:
    Robertson, Zaragoza and Taylor (2004), "Simple BM25 extension to multiple weighted
    fields".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cartwheel.levers.search.goods import FIELDS, Goods
from cartwheel.levers.search.triples import title_triples
from cartwheel.text.packed import find, hashed, hashes, pack
from cartwheel.text.spelling import learn_spelling
from cartwheel.text.tokens import term, words
from cartwheel.text.units import bare

Array = np.ndarray[Any, Any]

K1 = 1.2
WEIGHT: Mapping[str, float] = {
    "title": 3.0,
    "category": 1.5,
    "brand": 1.5,
    "attributes": 1.0,
    "tags": 1.0,
    "description": 0.4,
    "also": 1.5,
}
LENGTH: Mapping[str, float] = {
    "title": 0.6,
    "category": 0.3,
    "brand": 0.0,
    "attributes": 0.5,
    "tags": 0.5,
    "description": 0.75,
    "also": 0.0,
}
"""How far a field's length counts against it (BM25's b)."""

SPELLED_FROM = ("title", "category", "brand", "attributes", "tags")
"""Fields whose words are offered as corrections; descriptions have slips too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Texts of one field as numbers of terms, in order.

    Attributes:
        number: Number of each term, all products one after another.
        start: Where each product's terms begin, shape (n + 1,).
    """

    number: Array
    start: Array

    @property
    def length(self) -> Array:
        """Terms of each product."""
        return np.diff(self.start)

    @property
    def product(self) -> Array:
        """Product of each term."""
        return np.repeat(np.arange(len(self.start) - 1), self.length)


class Vocabulary:
    """Numbers of terms, given as they are met, and counts of the words behind them."""

    def __init__(self) -> None:
        self._of_word: dict[str, int] = {}
        self._of_term: dict[str, int] = {}
        self.counts: dict[str, float] = {}

    def read(self, said: Sequence[Sequence[str]], *, count: bool) -> Terms:
        """Return words as terms.

        Args:
            said: The words of each product.
            count: They may be offered as corrections.
        """
        found: list[int] = []
        start = np.zeros(len(said) + 1, np.int64)
        for at, mine in enumerate(said):
            found.extend(self._number(word) for word in mine)
            start[at + 1] = len(found)
            if count:
                for word in set(mine):
                    self.counts[word] = self.counts.get(word, 0.0) + 1.0
        return Terms(number=np.array(found, np.int64), start=start)

    def _number(self, word: str) -> int:
        known = self._of_word.get(word)
        if known is None:
            known = self._of_term.setdefault(term(word), len(self._of_term))
            self._of_word[word] = known
        return known

    def sorted(self) -> tuple[Array, Array]:
        """Return the terms' hashes, sorted, and each number's place among them."""
        keys = np.array([hashed(name) for name in self._of_term], np.uint64)
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        return keys[order], place


def build_index(goods: Goods) -> dict[str, Array]:
    """Return the inverted index, the titles in order and the spelling, as arrays."""
    vocabulary = Vocabulary()
    said = {name: [words(text) for text in goods.texts[name]] for name in FIELDS}
    fields = {
        name: vocabulary.read(said[name], count=name in SPELLED_FROM) for name in FIELDS
    }
    fields["also"] = vocabulary.read(
        [also_said(mine, vocabulary.counts) for mine in said["title"]], count=False
    )
    keys, place = vocabulary.sorted()
    n, size = len(goods), len(keys)
    parts: list[Array] = []
    values: list[Array] = []
    for name, found in fields.items():
        number = place[found.number] if len(found.number) else found.number
        key, tf = np.unique(number * n + found.product, return_counts=True)
        length = (
            found.length / max(found.length[found.length > 0].mean(), 1.0)
            if (found.length > 0).any()
            else found.length.astype(float)
        )
        norm = 1.0 - LENGTH[name] + LENGTH[name] * length
        parts.append(key)
        values.append(WEIGHT[name] * tf / norm[key % n] if n else tf.astype(float))
    key, where = np.unique(np.concatenate(parts), return_inverse=True)
    value = np.concatenate(values).astype(float) / WEIGHT["title"]
    heavy = np.bincount(where, weights=value, minlength=len(key)).astype(float)
    product = (key % n if n else key).astype(np.int32)
    number = key // n if n else key
    df = np.bincount(number, minlength=size)
    title = fields["title"]
    text, start = pack(goods.texts["title"])
    return {
        "term_hash": keys,
        "term_start": np.concatenate([[0], np.cumsum(df)]).astype(np.int64),
        "term_idf": np.log1p((n - df + 0.5) / (df + 0.5)).astype(np.float32),
        "post_product": product,
        "post_weight": ((K1 + 1) * heavy / (K1 + heavy)).astype(np.float32),
        "title_term": (place[title.number] if size else title.number).astype(np.int32),
        "title_start": title.start,
        "title_head": heads(said["title"], goods.texts["title"], title, place),
        "name_text": text,
        "name_start": start,
        **title_triples(goods.texts["title"]),
        **learn_spelling(vocabulary.counts),
    }


_AFTER = re.compile(r"\s(?:in|with|for|w/|by|of|from|featuring|-)\s|[(,;:|]")
"""What ends the part of a title that names the thing."""


def heads(
    said: Sequence[Sequence[str]], texts: Sequence[str], title: Terms, place: Array
) -> Array:
    """Return the term that names the thing, -1 for none.

    In an English title it is the last word before a preposition or a bracket:
    `5 gal. Homer Bucket in Orange`. A title that begins so is about its last word.
    """
    found = np.full(len(said), -1, np.int32)
    for at, (mine, text) in enumerate(zip(said, texts, strict=True)):
        end = _AFTER.search(text, 1)
        before = words(text[: end.start()]) if end else mine
        last = next(
            (n for n in range(len(before) - 1, -1, -1) if before[n].isalpha()), -1
        )
        # The words before the end are the first of the title's, as both are cut alike.
        if 0 <= last < len(mine) and mine[last] == before[last]:
            found[at] = place[title.number[title.start[at] + last]]
    return found


def with_words(arrays: Mapping[str, Array], added: Sequence[str]) -> dict[str, Array]:
    """Return an index that knows more words, which no product says yet.

    Args:
        arrays: The index.
        added: Folded words it does not know.
    """
    more = sorted({term(word) for word in added})
    more = [name for name in more if term_number(arrays, name) < 0]
    old, n = len(arrays["term_hash"]), len(arrays["title_start"]) - 1
    keys = np.concatenate([arrays["term_hash"], hashes(more)])
    order = np.argsort(keys, kind="stable")
    place = np.empty(len(keys), np.int32)
    place[order] = np.arange(len(keys), dtype=np.int32)
    df = np.concatenate([np.diff(arrays["term_start"]), np.zeros(len(more), int)])
    idf = np.concatenate([arrays["term_idf"], np.full(len(more), np.log1p(2 * n + 1))])
    head = arrays["title_head"]
    return {
        **arrays,
        # Terms that stood before others still do, so postings keep their order.
        "term_hash": keys[order],
        "term_start": np.concatenate([[0], np.cumsum(df[order])]).astype(np.int64),
        "term_idf": idf[order].astype(np.float32),
        "title_term": place[:old][arrays["title_term"]] if old else head[:0],
        "title_head": np.where(head >= 0, place[np.maximum(head, 0)], -1).astype(
            np.int32
        )
        if len(place)
        else head,
    }


def also_said(said: Sequence[str], known: Mapping[str, float]) -> list[str]:
    """Return what a title says besides its words.

    Two neighbours that others write as one (`shower head`), and the bare number of
    each measure, since shoppers leave the unit out.
    """
    joined = [a + b for a, b in pairwise(said) if a + b in known and a.isalpha()]
    return [*joined, *(number for word in said if (number := bare(word)))]


def term_number(arrays: Mapping[str, Array], name: str) -> int:
    """Return a term's number, or -1 for one that no product says."""
    return find(arrays["term_hash"], name)


def postings(arrays: Mapping[str, Array], number: int) -> tuple[Array, Array]:
    """Return the products that say a term, ascending, and its weights in them."""
    begin, end = arrays["term_start"][number : number + 2].tolist()
    return arrays["post_product"][begin:end], arrays["post_weight"][begin:end]
