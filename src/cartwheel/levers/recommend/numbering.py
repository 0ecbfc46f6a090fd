"""Products as numbers: their place among the shelf's sorted ids."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def product_numbers(names: Array, products: Array) -> Array:
    """Return the number of each product, -1 where it is not in the catalogue.

    Args:
        names: Product ids, text, shape (n,).
        products: Sorted product ids, shape (n_products,).
    """
    if len(products) == 0:
        return np.full(len(names), -1, np.int64)
    at = np.minimum(np.searchsorted(products, names), len(products) - 1)
    result: Array = np.where(products[at] == names, at, -1).astype(np.int64)
    return result
