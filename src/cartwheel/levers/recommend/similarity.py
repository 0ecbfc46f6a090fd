"""Which products go with which: EASE and item cosine, kept as short neighbour lists.

`scipy` is imported where it is used: the API process imports this room and only
needs the lists, never the solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

BLOCK_CELLS = 1_000_000
"""Cells of a table of scores that are added up at a time."""

WIDE = 16_384
"""Columns from which a row's largest weights are looked for above a guessed bound."""

GUESSED_FROM = 2_048
"""Weights of a row that the bound is guessed from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The strongest neighbours of every item, strongest first.

    Attributes:
        index: Item numbers, shape (n_items, k), int32; padded with 0.
        weight: Weights, same shape, float32; 0 where padded.
    """

    index: Array
    weight: Array

    @classmethod
    def none(cls, n_items: int) -> Neighbours:
        """Return lists without a single neighbour, k = 1."""
        return cls(
            index=np.zeros((n_items, 1), np.int32),
            weight=np.zeros((n_items, 1), np.float32),
        )

    def score(self, items: Array, weights: Array) -> Array:
        """Return the summed weights towards every item, shape (n_items,).

        Args:
            items: Item numbers of a history, shape (n,).
            weights: How much each counts, shape (n,).
        """
        n_items = self.index.shape[0]
        if len(items) == 0:
            return np.zeros(n_items, np.float32)
        index = self.index.take(items, axis=0)
        value = self.weight.take(items, axis=0)
        value *= np.asarray(weights, np.float32)[:, None]
        total = np.bincount(index.ravel(), weights=value.ravel(), minlength=n_items)
        return total.astype(np.float32)

    def sparse(self, items: Array, weights: Array) -> tuple[Array, Array]:
        """Return the items that a history has a say about, ascending, and its weights.

        Args:
            items: Item numbers of a history, shape (n,).
            weights: How much each counts, shape (n,).
        """
        index = self.index.take(items, axis=0).ravel()
        value = self.weight.take(items, axis=0)
        value *= np.asarray(weights, np.float32)[:, None]
        flat = value.ravel()
        some = np.flatnonzero(flat)  # lists are padded
        order = some[np.argsort(index[some], kind="stable")]
        item = index[order]
        first = np.flatnonzero(np.diff(item, prepend=-1))
        if not len(first):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        total = np.add.reduceat(flat[order], first, dtype=np.float64)
        return item[first].astype(np.int64), total.astype(np.float32)

    def scores(self, items: Array, weights: Array, start: Array) -> Array:
        """Return what `score` returns for each of n histories, shape (n, n_items).

        Args:
            items: Item numbers of all histories, one after another.
            weights: How much each counts.
            start: Where each history begins and the last ends, shape (n + 1,).
        """
        n_items, count = self.index.shape[0], len(start) - 1
        found = np.zeros((count, n_items), np.float32)
        block = max(1, BLOCK_CELLS // max(n_items, 1))
        for first in range(0, count, block):
            last = min(first + block, count)
            part = slice(start[first], start[last])
            heard = np.asarray(weights[part], np.float32)[:, None]
            row = np.repeat(np.arange(last - first), np.diff(start[first : last + 1]))
            cell = self.index[items[part]] + (row * n_items)[:, None]
            total = np.bincount(
                cell.ravel(),
                weights=(self.weight[items[part]] * heard).ravel(),
                minlength=(last - first) * n_items,
            )
            found[first:last] = total.reshape(last - first, n_items)
        return found


def ease(pairs: csr_matrix, strength: float) -> Array:
    """Return EASE's item-to-item weights, shape (n_items, n_items), float32.

    Row j holds what having j says about every other item; the diagonal is 0.

    Args:
        pairs: Customers by items, weights of at least 0.
        strength: Ridge penalty on the Gram matrix, above 0; larger is smoother.

    Raises:
        ValueError: If `strength` is not positive.

    References:
        B = I - P diag(1 / diag P) with P = (X'X + strength I)^-1; Steck (2019),
        Embarrassingly shallow autoencoders for sparse data, equation 8.
    """
    if strength <= 0:
        raise ValueError(f"strength is {strength}; expected a number above 0")
    gram = (pairs.T @ pairs).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += np.float32(strength)
    weights = _inverse(gram)
    weights /= -np.diag(weights)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights


def _inverse(gram: Array) -> Array:
    """Invert a symmetric positive definite matrix by Cholesky, half of LU's work."""
    from scipy.linalg import lapack

    factor, failed = lapack.spotrf(gram, lower=0, overwrite_a=1)
    if failed:
        raise ValueError("the Gram matrix is not positive definite; raise strength")
    inverse, _ = lapack.spotri(factor, lower=0, overwrite_c=1)
    upper = np.triu(inverse)
    full: Array = upper + np.triu(upper, 1).T
    return full


def strongest(weights: Array, keep: int) -> Neighbours:
    """Keep the largest positive weights of every row.

    Args:
        weights: Dense weights, shape (n_items, n_items).
        keep: Neighbours to keep per item.
    """
    keep = max(1, min(keep, weights.shape[1]))
    if weights.shape[1] < WIDE:
        part = np.argpartition(-weights, keep - 1, axis=1)[:, :keep]
    else:
        part = np.stack([_largest(row, keep) for row in weights])
    value = np.take_along_axis(weights, part, axis=1)
    # Ties end up in the order of item numbers, so that bytes do not depend on the
    # partition.
    order = np.lexsort((part, -value), axis=1)
    index = np.take_along_axis(part, order, axis=1).astype(np.int32)
    value = np.take_along_axis(value, order, axis=1).astype(np.float32)
    positive = value > 0
    return Neighbours(
        index=np.where(positive, index, 0).astype(np.int32),
        weight=np.where(positive, value, 0).astype(np.float32),
    )


def _largest(row: Array, keep: int) -> Array:
    """Return where a wide row's largest values stand, without sorting all of it.

    Whatever bound is guessed, all values above it hold the largest `keep` as soon as
    there are that many.
    """
    sample = row[:: max(len(row) // GUESSED_FROM, 1)]
    rank = min(3 * keep * len(sample) // len(row) + 8, len(sample))
    above = np.flatnonzero(row >= np.partition(sample, -rank)[-rank])
    if len(above) < keep:
        above = np.arange(len(row))
    return above[np.lexsort((above, -row[above]))[:keep]]


def alike_by(vector: Array, keep: int, *, block: int = 512) -> Neighbours:
    """Return for every item those whose vectors point where its own does.

    Args:
        vector: What items are, shape (n_items, k).
        keep: Neighbours to keep per item.
        block: Items whose dense rows are held at a time.
    """
    lists = []
    for start in range(0, len(vector), block):
        rows = vector[start : start + block] @ vector.T
        own = np.arange(len(rows))
        rows[own, start + own] = 0.0
        lists.append(strongest(rows, keep))
    if not lists:
        return Neighbours.none(0)
    return Neighbours(
        index=np.concatenate([part.index for part in lists]),
        weight=np.concatenate([part.weight for part in lists]),
    )


def cosine_neighbours(
    pairs: csr_matrix, keep: int, *, shrink: float = 10.0, block: int = 512
) -> Neighbours:
    """Return neighbours by shrunk cosine of the items' columns, a block at a time.

    Suits catalogues too large for a dense Gram matrix.

    Args:
        pairs: Customers by items, weights of at least 0.
        keep: Neighbours to keep per item.
        shrink: Added to the product of the norms, so that one shared customer does
            not make two rare items twins.
        block: Items whose dense rows are held at a time.
    """
    columns = pairs.tocsc().astype(np.float32)
    n_items = columns.shape[1]
    norm = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
    lists = [
        _cosine_block(columns, norm, start, min(start + block, n_items), keep, shrink)
        for start in range(0, n_items, block)
    ]
    if not lists:
        return Neighbours.none(0)
    return Neighbours(
        index=np.concatenate([part.index for part in lists]),
        weight=np.concatenate([part.weight for part in lists]),
    )


def _cosine_block(
    columns: Any, norm: Array, start: int, end: int, keep: int, shrink: float
) -> Neighbours:
    # Few pairs of a large catalogue were ever met together, so nothing dense is made.
    dot = (columns[:, start:end].T @ columns).tocoo()
    other, width = dot.row + start != dot.col, min(keep, columns.shape[1])
    row, item, both = dot.row[other], dot.col[other], dot.data[other]
    value = both / (norm[row + start] * norm[item] + np.float32(shrink))
    return _listed(row, item, value.astype(np.float32), end - start, keep, width)


def _listed(
    source: Array, target: Array, value: Array, n_items: int, keep: int, width: int
) -> Neighbours:
    """Return the strongest targets of every source, ties by their number."""
    order = np.lexsort((target, -value, source))
    source, target, value = source[order], target[order], value[order]
    start = np.searchsorted(source, np.arange(n_items))
    rank = np.arange(len(source)) - start[source]
    kept = (rank < keep) & (value > 0)
    index = np.zeros((n_items, width), np.int32)
    weight = np.zeros((n_items, width), np.float32)
    index[source[kept], rank[kept]] = target[kept]
    weight[source[kept], rank[kept]] = value[kept]
    return Neighbours(index=index, weight=weight)


def basket_neighbours(
    first: Array,
    second: Array,
    both: Array,
    orders_first: Array,
    orders_second: Array,
    *,
    n_items: int,
    keep: int,
    shrink: float = 5.0,
) -> Neighbours:
    """Return neighbours from counts of orders that hold two items.

    Args:
        first: Item numbers, shape (n_pairs,).
        second: Item numbers of the partners, shape (n_pairs,).
        both: Orders holding both.
        orders_first: Orders holding the first.
        orders_second: Orders holding the second.
        n_items: Number of items.
        keep: Neighbours to keep per item.
        shrink: Orders added to the geometric mean of the two counts.
    """
    if len(first) == 0 or n_items == 0:
        return Neighbours.none(n_items)
    cosine = both / (np.sqrt(orders_first.astype(float) * orders_second) + shrink)
    source = np.concatenate([first, second])
    target = np.concatenate([second, first])
    value = np.concatenate([cosine, cosine])
    most = int(np.bincount(source, minlength=1).max())
    return _listed(source, target, value, n_items, keep, max(1, min(keep, most)))


def blend(
    left: Neighbours, right: Neighbours, right_share: float, keep: int
) -> Neighbours:
    """Return `left + right_share * right`, cut to the strongest `keep`."""
    n_items = left.index.shape[0]
    index = np.zeros((n_items, keep), np.int32)
    weight = np.zeros((n_items, keep), np.float32)
    for item in range(n_items):
        found = np.concatenate([left.index[item], right.index[item]])
        value = np.concatenate(
            [left.weight[item], np.float32(right_share) * right.weight[item]]
        )
        unique, where = np.unique(found[value > 0], return_inverse=True)
        if len(unique) == 0:
            continue
        total = np.bincount(where, weights=value[value > 0])
        order = np.lexsort((unique, -total))[:keep]
        index[item, : len(order)] = unique[order]
        weight[item, : len(order)] = total[order]
    return Neighbours(index=index, weight=weight)
