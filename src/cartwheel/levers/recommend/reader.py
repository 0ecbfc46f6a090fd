"""Who looks: what a published model knows of a customer and a device. numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.taste import joined

Array = np.ndarray[Any, Any]

NOTHING: Array = np.zeros(0, np.int64)
CUSTOMER, DEVICE = "c:", "v:"
"""What the ids of those whose looks are known begin with, so that they never meet."""


def numbers(names: Array, wanted: Iterable[str]) -> Array:
    """Return positions in sorted `names` of those wanted that are there, in order."""
    longest = names.dtype.itemsize // np.dtype("U1").itemsize
    # Asked for a longer one, numpy would copy all names to compare with it.
    asked = [name for name in wanted if len(name) <= longest]
    if not asked:
        return NOTHING
    places = names.searchsorted(asked).tolist()
    found = [
        at
        for at, name in zip(places, asked, strict=True)
        if at < len(names) and names[at] == name
    ]
    return np.array(found, np.int64)


def among(items: Array, others: Array, count: int) -> Array:
    """Return which items are among others, of products numbered below `count`."""
    marked = np.zeros(count, bool)
    marked[others] = True
    result: Array = marked[items]
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What is known of whoever looks.

    Attributes:
        items: Products bought before, as numbers.
        weights: Weight of each, by age.
        own: Chance of buying each again.
        skip: Products of open returns, as numbers.
        looks: Products looked at before, as numbers.
        look_weights: Weight of each.
        taste: What is expected of their taste, (k,); empty before anything is learned.
        precision: How firmly, packed, (k (k + 1) / 2,).
    """

    items: Array
    weights: Array
    own: Array
    skip: Array
    looks: Array
    look_weights: Array
    taste: Array
    precision: Array


NOTHING_KNOWN: Array = np.zeros(0, np.float32)
NOBODY = Reader(
    items=NOTHING,
    weights=NOTHING,
    own=NOTHING,
    skip=NOTHING,
    looks=NOTHING,
    look_weights=NOTHING_KNOWN,
    taste=NOTHING_KNOWN,
    precision=NOTHING_KNOWN,
)


def find_reader(
    model: Model, customer: str | None, visitor: str | None = None
) -> Reader:
    """Return what is known of a customer and a device; `NOBODY` when nothing is.

    A customer who objects to personalisation is nobody on any device.
    """
    silent = customer is not None and len(numbers(model.arrays["silent"], [customer]))
    if silent or (customer is None and visitor is None):
        return NOBODY
    looks, weights = _looks(model, customer, visitor)
    taste, precision = _taste_of(model, customer, visitor)
    somebody = replace(
        NOBODY, looks=looks, look_weights=weights, taste=taste, precision=precision
    )
    at = NOTHING
    if customer is not None:
        at = numbers(model.arrays["customer_id"], [customer])
    if len(at) == 0:
        return somebody
    start, end = model.arrays["history_start"][at[0] : at[0] + 2]
    skipped = np.asarray(model.arrays["history_skip"][start:end])
    return replace(
        somebody,
        items=np.asarray(model.arrays["history_item"][start:end], np.int64),
        weights=np.asarray(model.arrays["history_weight"][start:end]),
        own=np.asarray(model.arrays["history_own"][start:end]),
        skip=np.asarray(model.arrays["history_item"][start:end], np.int64)[skipped],
    )


def remembered(
    model: Model, customer: str | None, visitor: str | None, *, most: int = 20
) -> tuple[str, ...]:
    """Return what is known that somebody bought or looked at, most telling first.

    Nothing is told of who objects to personalisation, nor by a model without readers.
    """
    if "silent" not in model.arrays:
        return ()
    reader = find_reader(model, customer, visitor)
    items = np.concatenate([reader.items, reader.looks])
    weights = np.concatenate([reader.weights, reader.look_weights])
    order = np.argsort(-weights, kind="stable")
    names = model.arrays["product_id"][items[order]].tolist()
    return tuple(dict.fromkeys(names))[:most]


def _looks(
    model: Model, customer: str | None, visitor: str | None
) -> tuple[Array, Array]:
    """Return what a customer looked at on any device, then on this one alone."""
    wanted = [] if customer is None else [CUSTOMER + customer]
    wanted += [] if visitor is None else [DEVICE + visitor]
    items, weights = NOTHING, NOBODY.look_weights
    for at in numbers(model.arrays["reader"], wanted):
        start, end = model.arrays["look_start"][at : at + 2]
        found = np.asarray(model.arrays["look_item"][start:end], np.int64)
        heard = np.asarray(model.arrays["look_weight"][start:end])
        if len(items):
            new = ~among(found, items, len(model.arrays["product_id"]))
            found, heard = found[new], heard[new]
        items = np.concatenate([items, found])
        weights = np.concatenate([weights, heard])
    return items, weights


def _taste_of(
    model: Model, customer: str | None, visitor: str | None
) -> tuple[Array, Array]:
    """Return a customer's taste and this device's, joined.

    A customer's is learned on all devices known to be theirs; this one's is added
    unless it is among them.
    """
    tastes = model.arrays.get("reader_taste")
    if tastes is None:
        return NOTHING_KNOWN, NOTHING_KNOWN
    wanted = [] if customer is None else [CUSTOMER + customer]
    if visitor is not None and not _is_theirs(model, visitor, customer):
        wanted.append(DEVICE + visitor)
    found = numbers(model.arrays["reader"], wanted)
    if len(found) == 0:
        return NOTHING_KNOWN, NOTHING_KNOWN
    firm = model.arrays["reader_precision"]
    if len(found) == 1:
        return tastes[found[0]], firm[found[0]]
    return joined(tastes[found], firm[found])


def _is_theirs(model: Model, device: str, customer: str | None) -> bool:
    """Tell whether a device's looks are among a customer's already."""
    at = numbers(model.arrays["device"], [device])
    return bool(len(at)) and model.arrays["device_owner"][at[0]] == customer
