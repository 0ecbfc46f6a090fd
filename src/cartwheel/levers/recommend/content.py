"""Which products are alike by what they are, for those that nobody met yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.covisits import strongest_of
from cartwheel.levers.recommend.similarity import Neighbours

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

BLOCK = 1000
COMMONEST = 0.2
"""Traits of more than this share of the products tell nothing apart."""


def traits_of(traits: Sequence[Sequence[str]]) -> csr_matrix:
    """Return products by traits, 1 where a product has one.

    Args:
        traits: Texts of each product: category, brand, tags, words of the title.
    """
    from scipy.sparse import csr_matrix

    known: dict[str, int] = {}
    columns = [
        sorted({known.setdefault(one, len(known)) for one in found}) for found in traits
    ]
    start = np.r_[0, np.cumsum([len(found) for found in columns])].astype(np.int64)
    index = np.array([one for found in columns for one in found], np.int64)
    shape = (len(columns), max(len(known), 1))
    return csr_matrix((np.ones(len(index), np.float32), index, start), shape=shape)


def content_neighbours(traits: csr_matrix, keep: int) -> Neighbours:
    """Return products by the cosine of their traits, rare traits counting more.

    Args:
        traits: Products by traits, 1 where a product has one.
        keep: Neighbours kept a product.
    """
    from scipy.sparse import diags

    n_items = traits.shape[0]
    having = np.asarray(traits.sum(axis=0)).ravel()
    tells = (having > 1) & (having <= max(COMMONEST * n_items, 2.0))
    rarity = np.log(max(n_items, 1) / np.maximum(having, 1.0)) * tells
    weighed = (traits @ diags(rarity)).tocsr()
    norm = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    weighed = (diags(1.0 / np.maximum(norm, 1e-9)) @ weighed).tocsr()
    weighed.eliminate_zeros()
    other = weighed.T.tocsr()
    if n_items == 0:
        return Neighbours.none(0)
    blocks = []
    for first in range(0, n_items, BLOCK):
        cosine = (weighed[first : first + BLOCK] @ other).tocoo()
        cosine.data[cosine.row + first == cosine.col] = 0.0
        cosine = cosine.tocsr()
        cosine.eliminate_zeros()
        blocks.append(strongest_of(cosine, keep))
    return _stacked(blocks)


def _stacked(blocks: Sequence[Neighbours]) -> Neighbours:
    width = max((one.index.shape[1] for one in blocks), default=1)

    def wide(array: Array) -> Array:
        return np.pad(array, ((0, 0), (0, width - array.shape[1])))

    return Neighbours(
        index=np.concatenate([wide(one.index) for one in blocks]),
        weight=np.concatenate([wide(one.weight) for one in blocks]),
    )
