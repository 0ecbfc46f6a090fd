"""What is met after what: co-visitation in order, decayed by distance and age.

Two products met in one sequence count the less the more steps lie between them and the
longer ago it was; the second counts as what follows the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.sequences import Sequences
from cartwheel.levers.recommend.similarity import Neighbours, strongest

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

MOST_AHEAD = 100
"""Entries looked ahead: a long list of lines in one order tells little of each pair."""

DENSE, MOST_CELLS = 0.1, 50_000_000
"""Share of cells filled, and their number, at which rows are cut as a full table."""

AT_ONCE = 4_000_000
"""Pairs gathered before they are added up."""


def follows(
    data: Sequences,
    *,
    decay: float,
    steps: int,
    half_life_days: float | None = None,
    backward: float = 0.0,
) -> csr_matrix:
    """Return how often the column's product follows the row's, (n_items, n_items).

    Args:
        data: Sequences.
        decay: What each step in between leaves of a pair's weight, 0 to 1; entries of
            one step count as neighbours at distance 1 in both directions.
        steps: Most steps looked ahead.
        half_life_days: Days after which a pair counts half; None counts all alike.
        backward: Share at which the pair counts in the other direction too.
    """
    from scipy.sparse import csr_matrix

    owner, shape = data.owner, (data.n_items, data.n_items)
    weight = np.ones(len(data.item))
    if half_life_days is not None:
        weight = 0.5 ** ((data.end - data.at) / half_life_days)
    total = csr_matrix(shape, dtype=np.float32)
    waiting: list[tuple[Array, Array, Array]] = []
    for ahead in range(1, MOST_AHEAD + 1):
        near = _near(data, owner, ahead, steps)
        if len(near) == 0:
            break
        far = data.step[near + ahead] - data.step[near]
        value = (weight[near + ahead] * decay ** np.maximum(far - 1, 0)).astype("f4")
        first, second = data.item[near], data.item[near + ahead]
        back = np.where(far == 0, np.float32(1.0), np.float32(backward)) * value
        waiting += [(first, second, value), (second, first, back)]
        if sum(len(one[2]) for one in waiting) > AT_ONCE:
            total, waiting = total + _counted(waiting, shape), []
    if waiting:
        total = total + _counted(waiting, shape)
    total.eliminate_zeros()
    return total


def _counted(
    parts: list[tuple[Array, Array, Array]], shape: tuple[int, int]
) -> csr_matrix:
    from scipy.sparse import csr_matrix

    row, column, value = (np.concatenate(one) for one in zip(*parts, strict=True))
    return csr_matrix((value, (row, column)), shape=shape)


def _near(data: Sequences, owner: Array, ahead: int, steps: int) -> Array:
    """Return places whose entry `ahead` places on is of one sequence and near."""
    if ahead >= len(owner):
        return np.zeros(0, np.int64)
    same = owner[ahead:] == owner[:-ahead]
    same &= data.step[ahead:] - data.step[:-ahead] <= steps
    result: Array = np.flatnonzero(same)
    return result


def strongest_of(counts: csr_matrix, keep: int) -> Neighbours:
    """Return each row's strongest columns, strongest first, ties by number."""
    counts = counts.tocsr()
    cells = counts.shape[0] * counts.shape[1]
    if counts.nnz > DENSE * cells and cells <= MOST_CELLS:
        return strongest(counts.toarray().astype(np.float32), keep)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data, rows))
    rank = np.arange(len(rows)) - counts.indptr[rows]
    chosen = order[rank < keep]
    at = rank[rank < keep]
    width = max(1, int(at.max(initial=0)) + 1)
    index = np.zeros((counts.shape[0], width), np.int32)
    weight = np.zeros((counts.shape[0], width), np.float32)
    index[rows[chosen], at] = counts.indices[chosen]
    weight[rows[chosen], at] = counts.data[chosen]
    return Neighbours(index=index, weight=weight)


def scaled(counts: csr_matrix, *, by_row: float, by_column: float) -> csr_matrix:
    """Return counts over powers of the rows' and columns' sums.

    Args:
        counts: Weights of at least 0.
        by_row: 1 makes each row a distribution.
        by_column: 0 keeps what is popular, 1 divides popularity out.
    """
    from scipy.sparse import diags

    row = np.asarray(counts.sum(axis=1)).ravel()
    column = np.asarray(counts.sum(axis=0)).ravel()
    left = diags(np.maximum(row, 1e-9) ** -by_row)
    right = diags((column + 1.0) ** -by_column)
    return (left @ counts @ right).tocsr().astype(np.float32)
