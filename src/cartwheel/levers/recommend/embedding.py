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

SPARE = 16
"""Directions searched for beside those kept."""

ROUNDS = 4
"""Rounds of the search, each multiplying twice."""


def embed(counts: csr_matrix, width: int) -> Array:
    """Return a point of length 1 for each product, shape (n_items, width), float32.

    Products never met are at 0. Where there are too few products, columns are 0.

    Args:
        counts: How often two products are met together, symmetric.
        width: Numbers a product.

    References:
        Levy and Goldberg (2014), "Neural word embedding as implicit matrix
        factorization": directions of damped co-occurrence times the root of their
        strength; found by subspace iteration, Halko, Martinsson and Tropp (2011),
        algorithm 4.4, from one fixed start, so that equal counts make equal points.
    """
    n_items = counts.shape[0]
    points = np.zeros((n_items, width), np.float32)
    rank = min(width, n_items)
    if rank < 1 or counts.nnz == 0:
        return points
    lift = scaled(counts, by_row=0.5, by_column=0.5)
    lift.data = np.log1p(lift.data)
    start = np.random.default_rng(0).normal(size=(n_items, min(rank + SPARE, n_items)))
    basis, _ = np.linalg.qr(lift @ start.astype(np.float32))
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(lift @ (lift @ basis))
    strength, turned = np.linalg.eigh(basis.T @ (lift @ basis))
    chosen = np.argsort(-np.abs(strength), kind="stable")[:rank]
    root = np.sqrt(np.abs(strength[chosen]))
    points[:, :rank] = (basis @ turned[:, chosen]) * root
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
