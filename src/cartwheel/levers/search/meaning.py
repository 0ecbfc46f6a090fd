"""What a query means: products whose texts are near it, though they share no word.

Optional: an embedder named by `levers.search.model_folder` turns every product's text
into a vector once, and each query when it is asked. A first look over all products
reads the vectors' strongest directions only; the best of it are compared in full.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog

from cartwheel.errors import CartwheelError
from cartwheel.levers.base import Model
from cartwheel.levers.search.goods import Goods
from cartwheel.levers.search.match import Matches
from cartwheel.text.meaning.port import Embedder, open_embedder
from cartwheel.text.packed import hashes

Array = np.ndarray[Any, Any]

DIRECTIONS = 96
"""Directions that the first look over all products reads."""

LOOKED_AT = 400
"""Products that the first look leaves to be compared in full."""

SAMPLE = 20_000
"""Products from which the strongest directions are found."""

KEPT_QUERIES = 8_192
"""Vectors of queries that a process remembers."""

LONGEST_SAID = 600
"""Characters of a product's text that are read."""

LEAST = 0.3
"""Cosine from which a product can be found by its meaning alone."""

OF_THE_BEST = 0.6
"""... if it is also this share of the nearest product's."""

MOST_FOUND = 100
"""Products found by their meaning alone, at most."""

SHARE = 0.3
"""What meaning counts of a product's relevance, before any click; the rest is words."""

log = structlog.get_logger("cartwheel.search")


def texts_of(goods: Goods) -> list[str]:
    """Return what is read of each product: what it is, of whom, and what it says."""
    fields = ("title", "category", "brand", "attributes", "description")
    columns = [goods.texts[name] for name in fields]
    return [
        ". ".join(text for text in row if text)[:LONGEST_SAID]
        for row in zip(*columns, strict=True)
    ]


def meanings(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return those of a model's arrays that hold meanings."""
    return {name: at for name, at in arrays.items() if name.startswith("meaning_")}


def without_meanings(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return a model's arrays but those."""
    return {name: at for name, at in arrays.items() if not name.startswith("meaning_")}


def learn_meaning(
    goods: Goods, where: str, previous: Model | None, *, most: int
) -> dict[str, Array]:
    """Return the vectors of products, as arrays; {} where there is nothing to read.

    A text that did not change keeps its vector. Of new ones the most popular are read
    first, and those left over wait for the next turn.

    Args:
        goods: The products.
        where: The embedder, as the setting names it.
        previous: The model of the last turn.
        most: Texts read in one turn.

    Raises:
        Misuse: If nothing usable is there.
    """
    texts = texts_of(goods)
    if not any(texts):
        return {}
    embedder = open_embedder(where)
    keys = hashes(texts)
    vectors = np.zeros((len(texts), embedder.dimensions), np.float16)
    known = _known(previous, embedder, keys, vectors)
    wanted = np.flatnonzero(~known & np.array([bool(text) for text in texts]))
    order = np.lexsort((wanted, -goods.popularity[wanted], ~goods.sellable[wanted]))
    read = wanted[order][:most]
    if len(read):
        vectors[read] = embedder.embed([texts[at] for at in read])
        known[read] = True
    turn = _directions(vectors[known])
    return {
        "meaning_of": vectors,
        "meaning_text": np.where(known, keys, np.uint64(0)),
        "meaning_first": _projected(vectors, turn),
        "meaning_turn": turn,
        "meaning_by": np.array([where, embedder.fingerprint]),
    }


def _known(
    previous: Model | None, embedder: Embedder, keys: Array, vectors: Array
) -> Array:
    """Fill in the vectors of texts read before; return which those are."""
    known = np.zeros(len(keys), bool)
    arrays = previous.arrays if previous else {}
    if "meaning_by" not in arrays or arrays["meaning_by"][1] != embedder.fingerprint:
        return known
    order = np.argsort(arrays["meaning_text"], kind="stable")
    have = arrays["meaning_text"][order]
    place = np.minimum(have.searchsorted(keys), max(len(have) - 1, 0))
    if len(have):
        known = (have[place] == keys) & (keys != 0)
        vectors[known] = arrays["meaning_of"][order[place[known]]]
    return known


def _directions(vectors: Array) -> Array:
    """Return the strongest directions, float32, shape (dimensions, directions)."""
    rows = vectors[:: max(len(vectors) // SAMPLE, 1)].astype(np.float32)
    _, axes = np.linalg.eigh(rows.T @ rows)
    return np.ascontiguousarray(axes[:, ::-1][:, :DIRECTIONS], np.float32)


def _projected(vectors: Array, turn: Array, step: int = 20_000) -> Array:
    found = np.zeros((len(vectors), turn.shape[1]), np.float32)
    for at in range(0, len(vectors), step):
        found[at : at + step] = vectors[at : at + step].astype(np.float32) @ turn
    return found


class _Queries:
    """Vectors of the queries asked last, for all threads of a process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Array] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, embedder: Embedder, texts: Sequence[str]) -> list[Array]:
        """Return the vectors of texts, reading only those not remembered."""
        asked = [(embedder.fingerprint, text) for text in texts]
        with self._lock:
            have = {key: self._kept[key] for key in asked if key in self._kept}
        missing = [key for key in dict.fromkeys(asked) if key not in have]
        if missing:
            read = embedder.embed([text for _, text in missing])
            have |= dict(zip(missing, read, strict=True))
        with self._lock:
            for key in asked:
                self._kept[key] = have[key]
                self._kept.move_to_end(key)
            while len(self._kept) > KEPT_QUERIES:
                self._kept.popitem(last=False)
        return [have[key] for key in asked]


_queries = _Queries()
_refused: set[str] = set()


def _opened(arrays: Mapping[str, Array]) -> Embedder | None:
    """Return the embedder that made the vectors, or None where it is not there now.

    An answer without meaning is better than none, so what is wrong is logged once.
    """
    if "meaning_by" not in arrays:
        return None
    where, fingerprint = arrays["meaning_by"].tolist()
    if fingerprint in _refused:
        return None
    try:
        embedder = open_embedder(where)
    except CartwheelError as error:
        problem = str(error)
    else:
        if embedder.fingerprint == fingerprint:
            return embedder
        problem = f"{where} is not the model that read the products."
    _refused.add(fingerprint)
    log.warning("searches go by words alone", problem=problem)
    return None


def read_ahead(arrays: Mapping[str, Array], texts: Sequence[str]) -> None:
    """Read many queries together, which is faster than one by one."""
    embedder = _opened(arrays)
    if embedder is not None:
        for at in range(0, len(texts), KEPT_QUERIES // 2):
            _queries.of(embedder, texts[at : at + KEPT_QUERIES // 2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """How near products are to a query in meaning.

    Attributes:
        cosine: Of each product, -1 to 1, shape (n,); those not compared in full have
            what the strongest directions say, which is rarely more.
        at: Numbers of the products found by it, nearest first.
    """

    cosine: Array
    at: Array

    def share(self, at: Array) -> Array:
        """Return products' nearness between what is no likeness and the nearest."""
        best = float(self.cosine[self.at[0]]) if len(self.at) else 1.0
        floor = LEAST / 2
        return np.clip((self.cosine[at] - floor) / max(best - floor, 1e-6), 0.0, 1.0)


def near(arrays: Mapping[str, Array], text: str, open_: Array) -> Near | None:
    """Return how near products are to a query, or None where meanings are not known.

    Args:
        arrays: The model's arrays.
        text: The query.
        open_: Which products may be found, shape (n,).
    """
    embedder = _opened(arrays) if text.strip() else None
    if embedder is None:
        return None
    query = _queries.of(embedder, [text])[0]
    cosine = (arrays["meaning_first"] @ (query @ arrays["meaning_turn"])).astype(float)
    likely = np.where(open_, cosine, -np.inf)
    count = min(LOOKED_AT, len(likely))
    looked = (
        np.sort(np.argpartition(-likely, count - 1)[:count])
        if count
        else np.zeros(0, np.int64)
    )
    looked = looked[np.isfinite(likely[looked])]
    exact = (arrays["meaning_of"][looked].astype(np.float32) @ query).astype(float)
    cosine[looked] = exact
    least = max(LEAST, OF_THE_BEST * float(exact.max(initial=0.0)))
    found = looked[exact >= least]
    order = np.lexsort((found, -cosine[found]))[:MOST_FOUND]
    return Near(cosine=cosine, at=found[order])


def blended(found: Matches, close: Near | None, at: Array) -> Array:
    """Return products' relevance before any click: words, and meaning where known.

    Args:
        found: How well every product meets the query's words.
        close: How near every product is to it in meaning.
        at: Numbers of the products.
    """
    words = found.blend[at]
    if close is None:
        return words
    best = float(found.blend.max(initial=0.0))
    return (1 - SHARE) * words / max(best, 1e-9) + SHARE * close.share(at)
