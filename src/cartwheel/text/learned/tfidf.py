"""TF-IDF of grams: which are known, how rare each is, and a text as a row of weights.

Needs numpy only, so that an answer loads no heavy library.

References:
    Salton and Buckley (1988), "Term-weighting approaches in automatic text retrieval".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MANY = 1_000
"""From this many texts on, a gram of one text alone is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Texts as sparse rows of length 1; an unknown text is a row of nothing.

    Attributes:
        start: Where each row begins, shape (n_texts + 1,).
        place: Grams' places among the known ones.
        value: Their weights, float32.
    """

    start: Array
    place: Array
    value: Array

    def scores(self, weights: Array) -> Array:
        """Return the rows times weights (n_known, n_classes), float32."""
        found = np.zeros((len(self.start) - 1, weights.shape[1]), np.float32)
        for at in range(len(found)):
            part = slice(self.start[at], self.start[at + 1])
            found[at] = self.value[part] @ weights[self.place[part]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The grams that are known.

    Attributes:
        keys: Their numbers, sorted, uint32.
        rarity: Inverse document frequency of each, float32.
    """

    keys: Array
    rarity: Array

    def rows(self, grams: Sequence[Sequence[int]]) -> Rows:
        """Return texts as rows; a gram that comes n times counts 1 + ln n."""
        start = np.zeros(len(grams) + 1, np.int64)
        places, values = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for at, one in enumerate(grams):
            place, value = self._row(np.array(one, np.uint32))
            places.append(place)
            values.append(value)
            start[at + 1] = start[at] + len(place)
        return Rows(
            start=start, place=np.concatenate(places), value=np.concatenate(values)
        )

    def _row(self, said: Array) -> tuple[Array, Array]:
        if not len(self.keys):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        key, count = np.unique(said, return_counts=True)
        place = np.minimum(self.keys.searchsorted(key), len(self.keys) - 1)
        known = self.keys[place] == key
        place = place[known]
        value = (1 + np.log(count[known])).astype(np.float32) * self.rarity[place]
        value /= max(float(np.sqrt(value @ value)), 1e-12)
        return place, value


def learn_known(grams: Sequence[Sequence[int]]) -> Known:
    """Return the grams of texts, with ln((1 + texts) / (1 + texts with it)) + 1."""
    each = [np.unique(np.array(one, np.uint32)) for one in grams]
    every = np.concatenate([np.zeros(0, np.uint32), *each])
    keys, texts = np.unique(every, return_counts=True)
    kept = texts >= (2 if len(grams) >= MANY else 1)
    rarity = np.log((1 + len(grams)) / (1 + texts[kept])) + 1
    return Known(keys=keys[kept], rarity=rarity.astype(np.float32))
