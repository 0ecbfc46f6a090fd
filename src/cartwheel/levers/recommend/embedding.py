"""Products as points: close where the same things are met around them.

Counts of what follows what are few; their strongest directions say something of pairs
that never met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.covisits import scaled
from cartwheel.levers.recommend.similarity import Neighbours, strongest

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

BLOCK = 1000


def embed(counts: csr_matrix, width: int) -> Array:
    """Return a point of length 1 for each product, shape (n_items, width), float32.

    Products never met are at 0. Where there are too few products, columns are 0.

    Args:
        counts: How often two products are met together, symmetric.
        width: Numbers a product.

    References:
        Levy and Goldberg (2014), "Neural word embedding as implicit matrix
        factorization": factors of damped co-occurrence, times the root of the
        singular values.
    """
    from scipy.sparse.linalg import svds

    n_items = counts.shape[0]
    points = np.zeros((n_items, width), np.float32)
    rank = min(width, n_items - 1)
    if rank < 1 or counts.nnz == 0:
        return points
    lift = scaled(counts, by_row=0.5, by_column=0.5)
    lift.data = np.log1p(lift.data)
    # A fixed start makes the same points of the same counts.
    begin = np.full(n_items, n_items**-0.5)
    _, size, right = svds(lift.astype(np.float64), k=rank, v0=begin)
    points[:, :rank] = right.T * np.sqrt(np.maximum(size, 0.0))
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return points


def closest(points: Array, keep: int) -> Neighbours:
    """Return the products nearest by the squared cosine of their points."""
    blocks = []
    for first in range(0, len(points), BLOCK):
        near = points[first : first + BLOCK] @ points.T
        own = np.arange(len(near))
        near[own, first + own] = 0.0
        blocks.append(strongest(np.maximum(near, 0.0) ** 2, keep))
    if not blocks:
        return Neighbours.none(0)
    return Neighbours(
        index=np.concatenate([one.index for one in blocks]),
        weight=np.concatenate([one.weight for one in blocks]),
    )
