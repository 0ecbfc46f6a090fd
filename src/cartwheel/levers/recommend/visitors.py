"""Who looked at what and wanted it: people by products, from the signals.

A person is a customer where a device is known to be theirs, else the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.recommend.affinity import silent
from cartwheel.levers.recommend.factors import Deeds
from cartwheel.levers.recommend.numbering import product_numbers
from cartwheel.levers.recommend.reader import CUSTOMER, DEVICE
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import PURCHASES
from cartwheel.signals.interest import IDENTITY, INTEREST, RECENT_DAYS

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

CART_LOOKS = 3.0
"""Looks that a cart, or a purchase, counts for."""

OLDER = 0.6
"""Weight of looks before the last 28 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People by products.

    Attributes:
        names: Ids with `CUSTOMER` or `DEVICE` before them, sorted.
        earlier: Looks before the last 28 days, a cart counting `CART_LOOKS`.
        all: All looks, older ones counting less.
        bought_earlier: 1 where bought before the last 28 days.
        looked: Looks of the last 28 days.
        wanted: Carts of the last 28 days.
        deeds_earlier: What they did before the last 28 days.
        deeds: All they did.
    """

    names: Array
    earlier: csr_matrix
    all: csr_matrix
    bought_earlier: csr_matrix
    looked: csr_matrix
    wanted: csr_matrix
    deeds_earlier: Deeds
    deeds: Deeds


def read_looks(data: Signals, products: Array) -> pd.DataFrame:
    """Return what was met on each device, a row per product.

    Columns besides those of the signal: item, its product's number; `owner`, the
    customer where known, else the device; `lately` and `earlier` in looks.
    """
    looks = numbered(data.frame(INTEREST), products)
    looks = looks.assign(owner=_owners(data, looks["visitor_id"]))
    looks = looks[~looks["owner"].isin(np.char.add(CUSTOMER, silent(data)))]
    lately = looks["recent_views"] + CART_LOOKS * looks["recent_carts"]
    every = looks["views"] + CART_LOOKS * looks["carts"]
    return looks.assign(lately=lately, earlier=every - lately)


def people_of(looks: pd.DataFrame, data: Signals, products: Array) -> People | None:
    """Return people by products, devices joined to their customers where known."""
    if looks.empty:
        return None
    owner = texts(looks["owner"])
    bought = numbered(data.frame(PURCHASES), products)
    bought = bought[~bought["customer_id"].isin(silent(data))]
    customer = np.char.add(CUSTOMER, texts(bought["customer_id"]))
    names = np.unique(np.concatenate([owner, customer]))
    who, buyer = np.searchsorted(names, owner), np.searchsorted(names, customer)
    shape = (len(names), len(products))
    at = (who, looks["item"].to_numpy())
    own = (buyer, bought["item"].to_numpy())
    orders, then = _orders(bought, data)
    earlier = matrix(looks["earlier"], at, shape)
    earlier += matrix(CART_LOOKS * then, own, shape)
    lately = matrix(looks["lately"], at, shape)
    lately += matrix(CART_LOOKS * (orders - then), own, shape)
    before = pruned(matrix(then > 0, own, shape))
    return People(
        names=names,
        earlier=pruned(earlier),
        all=pruned(OLDER * earlier + lately),
        bought_earlier=before,
        looked=pruned(matrix(looks["recent_views"] + looks["recent_carts"], at, shape)),
        wanted=pruned(matrix(looks["recent_carts"], at, shape)),
        deeds_earlier=deeds_of(looks, at, shape, before, recent=-1),
        deeds=deeds_of(looks, at, shape, pruned(matrix(orders > 0, own, shape))),
    )


def deeds_of(
    looks: pd.DataFrame,
    at: tuple[Array, Array],
    shape: tuple[int, int],
    bought: csr_matrix | None = None,
    *,
    recent: int = 0,
) -> Deeds:
    """Return what people did.

    Args:
        looks: From `read_looks`.
        at: Row and product of each look.
        shape: People and products.
        bought: 1 where a person bought.
        recent: -1 leaves the last 28 days out.
    """
    from scipy.sparse import csr_matrix

    def count(name: str) -> csr_matrix:
        values = looks[name] + recent * looks[f"recent_{name}"]
        return pruned(matrix(values, at, shape))

    shown, carts = count("exposures"), count("carts")
    looked = count("views").maximum(carts)
    chosen = (
        csr_matrix(shape) if bought is None else bought - bought.multiply(looked > 0)
    )
    return Deeds(
        shown=shown,
        opened=pruned(count("clicks").minimum(shown)),
        looked=pruned(looked),
        wanted=pruned(carts.minimum(looked)),
        chosen=pruned(csr_matrix(chosen)),
    )


def numbered(frame: pd.DataFrame, products: Array) -> pd.DataFrame:
    """Return rows of products in the catalogue, with their numbers as `item`."""
    at = product_numbers(texts(frame["product_id"]), products)
    return frame[at >= 0].assign(item=at[at >= 0])


def texts(column: pd.Series[Any]) -> Array:
    """Return a column as text."""
    return column.to_numpy().astype(str)


def _owners(data: Signals, devices: pd.Series[Any]) -> Array:
    """Return who is behind each device: its customer, or the device itself."""
    each, place = np.unique(texts(devices), return_inverse=True)
    found = data.align(IDENTITY, each.tolist())["customer_id"]
    theirs = np.char.add(CUSTOMER, texts(found.fillna("")))
    names = np.where(found.notna().to_numpy(), theirs, np.char.add(DEVICE, each))
    result: Array = names[place]
    return result


def _orders(bought: pd.DataFrame, data: Signals) -> tuple[Array, Array]:
    """Return orders of each pair, and how many were before the last 28 days.

    Only the last day is known: of several orders, one is taken to be recent when the
    last one is.
    """
    import pandas as pd

    as_of = pd.Timestamp(data.context.when.as_of)
    late = (as_of - bought["last_on"]).dt.days.to_numpy() < RECENT_DAYS
    orders = bought["orders"].to_numpy(float)
    return orders, orders - late


def matrix(values: Any, at: tuple[Array, Array], shape: tuple[int, int]) -> csr_matrix:
    """Return values at places as a matrix, several of a place summed."""
    from scipy.sparse import csr_matrix

    return csr_matrix((np.asarray(values, np.float64), at), shape=shape)


def pruned(matrix: csr_matrix) -> csr_matrix:
    """Return a matrix without zeros, sorted within rows."""
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
