"""Basket affinity as arrays by product number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.numbering import product_numbers
from cartwheel.levers.recommend.similarity import Neighbours, basket_neighbours
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import BASKETS

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baskets:
    """Basket affinity by product number, sorted by pair.

    Attributes:
        n_products: Number of products.
        pair: `first * n_products + second`, ascending; first < second.
        first: Product numbers.
        second: Product numbers of the partners.
        counts: Orders holding both, the first, the second; shape (3, n_pairs).
    """

    n_products: int
    pair: Array
    first: Array
    second: Array
    counts: Array

    @classmethod
    def of(cls, data: Signals, products: Array) -> Baskets:
        """Read the signal; products that left the catalogue fall out."""
        table = data.table(BASKETS)
        first = _places(table.column("product_a"), products)
        second = _places(table.column("product_b"), products)
        kept = (first >= 0) & (second >= 0)
        names = ("orders", "orders_a", "orders_b")
        counts = np.stack([table.column(name).to_numpy()[kept] for name in names])
        pair = first[kept] * len(products) + second[kept]
        order = np.argsort(pair)
        return cls(
            n_products=len(products),
            pair=pair[order],
            first=first[kept][order],
            second=second[kept][order],
            counts=counts[:, order],
        )

    def together(self, item: int, other: int) -> tuple[int, int]:
        """Return orders holding both and orders holding `item`; 0, 0 if too few."""
        low, high = min(item, other), max(item, other)
        wanted = low * self.n_products + high
        at = int(np.searchsorted(self.pair, wanted))
        if at >= len(self.pair) or self.pair[at] != wanted:
            return 0, 0
        return int(self.counts[0, at]), int(self.counts[1 + (item > other), at])


def _places(column: pa.ChunkedArray, products: Array) -> Array:
    """Return the numbers of products in a text column, -1 where not there."""
    found = column.combine_chunks().dictionary_encode()
    if len(found) == 0:
        return np.zeros(0, np.int64)
    names = np.array(found.dictionary.to_pylist(), dtype=str)
    place: Array = product_numbers(names, products)[found.indices.to_numpy()]
    return place


def basket_lists(baskets: Baskets, keep: int) -> Neighbours:
    """Return the neighbours that baskets show."""
    both, first, second = baskets.counts.astype(float)
    return basket_neighbours(
        baskets.first,
        baskets.second,
        both,
        first,
        second,
        n_items=baskets.n_products,
        keep=keep,
    )
