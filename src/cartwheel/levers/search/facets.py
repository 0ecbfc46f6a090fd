"""Facets: what a result can be narrowed to, with how many products are left.

The values of every product stand in one array, so counting a result is one `bincount`
over its products' runs. A chosen facet counts as if it were not chosen: its other
values say what choosing them would bring.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.levers.search.goods import Goods
from cartwheel.levers.search.runs import runs
from cartwheel.text.packed import find, hashed, pack, unpack
from cartwheel.text.tokens import words

Array = np.ndarray[Any, Any]

PRICE = "price"
MOST_FACETS = 12
MOST_VALUES = 20
MOST_RANGES = 5
LONGEST_PHRASE = 4
"""Words of the longest value that is recognised in a query."""


def build_facets(goods: Goods) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the facets as arrays, and their names.

    A facet is kept when it has two values or more and says something of one product in
    a hundred; attributes are ranked by how many products have them.
    """
    counts: dict[str, int] = {}
    for pairs in goods.values:
        for name in {name for name, _ in pairs}:
            counts[name] = counts.get(name, 0) + 1
    least = max(1, len(goods) // 100)
    own = [name for name in ("category", "brand") if name in counts]
    more = sorted(
        (
            name
            for name in counts
            if name not in (*own, PRICE) and counts[name] >= least
        ),
        key=lambda name: (-counts[name], name),
    )
    names = [*own, *more][:MOST_FACETS]
    place = {name: at for at, name in enumerate(names)}
    found = sorted(
        {
            (place[f], value)
            for pairs in goods.values
            for f, value in pairs
            if f in place
        }
    )
    number = {pair: at for at, pair in enumerate(found)}
    owned = sorted(
        {
            (number[place[f], value], product)
            for product, mine in enumerate(goods.values)
            for f, value in mine
            if f in place
        }
    )
    flat = np.array(owned, np.int64).reshape(-1, 2)
    by_product = np.argsort(flat[:, 1], kind="stable")
    text, start = pack([value for _, value in found])
    said = np.array([hashed(f"{f}:{value}") for f, value in found], np.uint64)
    order = np.argsort(said, kind="stable")
    return {
        "value_text": text,
        "value_start": start,
        "value_facet": np.array([f for f, _ in found], np.int16),
        "value_hash": said[order],
        "value_number": order.astype(np.int32),
        "owned_value": flat[by_product, 0].astype(np.int32),
        "owned_start": np.searchsorted(flat[by_product, 1], np.arange(len(goods) + 1)),
        "pair_product": flat[:, 1].astype(np.int32),
        "pair_start": np.searchsorted(flat[:, 0], np.arange(len(found) + 1)),
        **_phrases(found),
    }, {"facets": names}


def _phrases(found: Sequence[tuple[int, str]]) -> dict[str, Array]:
    """Return values by the words they are said in; the last level of a category."""
    pairs = []
    for number, (_, value) in enumerate(found):
        said = [singular(word) for word in words(value.rpartition(" > ")[2])]
        digits = all(not word.isalpha() for word in said)
        if said and len(said) <= LONGEST_PHRASE and not digits:
            pairs.append((hashed(" ".join(said)), number))
    flat = sorted(pairs)
    return {
        "phrase_hash": np.array([key for key, _ in flat], np.uint64),
        "phrase_value": np.array([number for _, number in flat], np.int32),
    }


def singular(word: str) -> str:
    """Return a word without an English plural's ending.

    No stem: who asks for a gift for a gardener does not ask for the category Garden.
    """
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


def said_values(arrays: Mapping[str, Array], said: Sequence[str]) -> list[int]:
    """Return the values that are said in exactly these words, each in the singular."""
    keys = arrays["phrase_hash"]
    wanted = np.uint64(hashed(" ".join(said)))
    first, last = keys.searchsorted(wanted, "left"), keys.searchsorted(wanted, "right")
    return [int(v) for v in arrays["phrase_value"][first:last]]


def value_number(
    arrays: Mapping[str, Array], names: Sequence[str], pair: tuple[str, str]
) -> int:
    """Return the number of a (facet, value) pair, or -1 when there is none."""
    name, value = pair
    if name not in names:
        return -1
    at = find(arrays["value_hash"], f"{list(names).index(name)}:{value}")
    return -1 if at < 0 else int(arrays["value_number"][at])


def value_text(arrays: Mapping[str, Array], number: int) -> str:
    """Return a value as the catalogue writes it."""
    return unpack(arrays["value_text"], arrays["value_start"], number)


def products_of(arrays: Mapping[str, Array], number: int) -> Array:
    """Return the products that have a value, ascending."""
    begin, end = arrays["pair_start"][number : number + 2].tolist()
    return arrays["pair_product"][begin:end]


def price_mask(arrays: Mapping[str, Array], low: int | None, high: int | None) -> Array:
    """Return which products may cost between two prices; unknown prices do not."""
    least, most = arrays["price_low"], arrays["price_high"]
    found = np.asarray(least >= 0)
    if low is not None:
        found = found & (most >= low)
    if high is not None:
        found = found & (least <= high)
    return found


def read_range(text: str) -> tuple[int | None, int | None] | None:
    """Return the ends of a price range in minor units, as `1000-2500`, or None."""
    low, dash, high = text.partition("-")
    parts = [low.strip(), high.strip()]
    if not dash or not any(parts) or not all(p.isascii() for p in parts):
        return None
    if not all(part == "" or (part.isdecimal() and len(part) < 16) for part in parts):
        return None
    return (int(parts[0]) if parts[0] else None, int(parts[1]) if parts[1] else None)


def count_values(
    arrays: Mapping[str, Array], names: Sequence[str], found: Mapping[str, Array]
) -> list[dict[str, Any]]:
    """Return facets with counts.

    Args:
        arrays: The model's arrays.
        names: Names of the facets.
        found: Which products are left, by facet, as bool arrays: of a chosen facet
            those that everything else leaves; "" stands for every other facet.
    """
    facets = []
    everyone = _counts(arrays, found[""])
    for at, name in enumerate(names):
        counts = everyone
        if name in found:
            counts = _counts(arrays, found[name])
        mine = np.flatnonzero((arrays["value_facet"] == at) & (counts > 0))
        if not len(mine):
            continue
        best = mine[np.lexsort((mine, -counts[mine]))][:MOST_VALUES]
        facets.append(
            {
                "name": name,
                "values": [
                    {
                        "value": (text := value_text(arrays, int(v))),
                        "label": text.rpartition(" > ")[2],
                        "count": int(counts[v]),
                    }
                    for v in best
                ],
            }
        )
    ranges = price_ranges(arrays, found.get(PRICE, found[""]))
    return [*facets, *([{"name": PRICE, "values": ranges}] if ranges else [])]


def _counts(arrays: Mapping[str, Array], left: Array) -> Array:
    """Return how many of the products that are left have each value."""
    places, _ = runs(arrays["owned_start"], np.flatnonzero(left))
    number = len(arrays["value_facet"])
    return np.bincount(arrays["owned_value"][places], minlength=number)


def price_ranges(arrays: Mapping[str, Array], found: Array) -> list[dict[str, Any]]:
    """Return round price ranges of about as many products each; none for one price."""
    price = arrays["price_low"][np.flatnonzero(found)]
    price = np.sort(price[price >= 0])
    if len(price) < 2 or price[0] == price[-1]:
        return []
    shares = np.linspace(0, len(price) - 1, MOST_RANGES + 1)[1:-1]
    cuts = np.interp(shares, np.arange(len(price)), price)
    edges = sorted({_rounded(cut) for cut in cuts.tolist()})
    ranges = []
    before = [0, *price.searchsorted(edges).tolist(), len(price)]
    for low, high, count in zip(
        [0, *edges], [*edges, None], np.diff(before).tolist(), strict=True
    ):
        if count:
            end = "" if high is None else str(high - 1)
            ranges.append({"value": f"{low}-{end}", "label": "", "count": count})
    return ranges if len(ranges) > 1 else []


_STEPS = (1, 1.5, 2, 3, 5, 7.5, 10)


def _rounded(value: float) -> int:
    """Round to one or two digits that a shopper would choose: 1, 1.5, 2, 3, 5, 7.5."""
    scale = 10.0 ** math.floor(math.log10(max(value, 1.0)))
    return int(min(_STEPS, key=lambda step: abs(step - value / scale)) * scale)


def chosen(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> list[tuple[str, str]]:
    """Return filters as (name, value) pairs."""
    return [(name, value) for name, values in pairs for value in values]
