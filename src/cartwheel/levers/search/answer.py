"""One answer: what is met, narrowed, in tiers of relevance, with facets and chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.levers.search.alike import also_alike
from cartwheel.levers.search.facets import (
    PRICE,
    count_values,
    price_mask,
    products_of,
    read_range,
    value_number,
)
from cartwheel.levers.search.learned import NOTHING_LEARNED, found_by_clicks
from cartwheel.levers.search.match import Matches, match
from cartwheel.levers.search.meaning import Near, near, without_meanings
from cartwheel.levers.search.order import listed, ranked
from cartwheel.levers.search.query import Constraint, Understood, understand
from cartwheel.levers.search.ranker import BY_CLICKS

Array = np.ndarray[Any, Any]

COVERED = 0.3
"""Share of the best match's covered words that a product must reach to be met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """The products that are left, and what was asked for.

    Attributes:
        left: Which products are left, shape (n,).
        apart: By chosen facet, those that everything but it leaves.
        constraints: Constraints of the query that hold.
        dropped: Constraints and words given up since nothing had them all.
    """

    left: Array
    apart: Mapping[str, Array]
    constraints: tuple[Constraint, ...]
    dropped: tuple[str, ...]


def answer_query(model: Model, request: Request) -> Answer:
    """Answer a search, or list what can be bought where no query is given."""
    arrays, meta = model.arrays, model.meta
    if request.holdout:  # what was learned is the lever's, left alone means without
        arrays = {**without_meanings(arrays), **NOTHING_LEARNED}
    n = len(arrays["product_id"])
    names: list[str] = meta["facets"]
    asked = understand(
        arrays, names, request.query, minor_digits=int(meta["minor_digits"])
    )
    open_ = _open(model, request)
    close = near(arrays, asked.meaning, open_)
    # "A gift under 30" where nothing says gift: what costs less is still an answer.
    listing = not (asked.parts or (close is not None and len(close.at))) and (
        not request.query.strip() or bool(asked.constraints)
    )
    found = match(arrays, asked.parts, n)
    met = np.array(open_) if listing else open_ & _met(found, open_)
    also = found_by_clicks(arrays, asked.parts, BY_CLICKS)
    met[also] = open_[also]
    if close is not None:
        met[close.at] = True
    wider = met
    if not (listing or request.holdout):
        wider = met | (open_ & also_alike(arrays, found, met))
    narrowed = _narrow(model, request, asked, found, met, wider)
    left = narrowed.left
    if listing:
        order = listed(model, request, left)
    else:
        order = ranked(model, request, asked, found, close, met & left, left)
    total = int(np.count_nonzero(left))
    shown = order[request.offset : request.offset + request.limit]
    rule = "keyword" if request.holdout else model.rule
    return Answer(
        slots=tuple(
            Slot(
                product_id=str(arrays["product_id"][at]),
                propensity=1.0,
                reason=(
                    _listed_since(model, int(at))
                    if listing
                    else _reason(asked, found, close, met, int(at))
                ),
            )
            for at in shown
        ),
        eligible_hash=str(meta["eligible_hash"]),
        rule=rule,
        about={
            "query": asked.text,
            "corrected": asked.corrected,
            "chips": _chips(asked, narrowed, request),
            "total": total,
            "facets": _facets(model, request, narrowed),
            "relaxed": [*asked.unknown, *narrowed.dropped],
        },
    )


def _open(model: Model, request: Request) -> Array:
    """Return which products may be shown to this request."""
    names = model.arrays["product_id"]
    open_ = np.array(model.arrays["sellable"], bool)
    gone = set(request.excluded)
    if request.placement in ("cart", "product"):
        gone |= set(request.context)
    if gone and len(names):
        wanted = np.array(sorted(gone), dtype=str)
        at = np.minimum(names.searchsorted(wanted), len(names) - 1)
        open_[at[names[at] == wanted]] = False
    return open_


def _met(found: Matches, open_: Array) -> Array:
    """Return which products are met: near enough to the best that may be shown."""
    if not found.covered.size:
        return np.zeros(0, bool)
    best = float((found.covered * open_).max())
    return (found.covered > 0) & (found.covered >= COVERED * best)


def _narrow(
    model: Model,
    request: Request,
    asked: Understood,
    found: Matches,
    met: Array,
    wider: Array,
) -> Narrowed:
    """Apply the chosen filters, then the query's constraints as far as any is left.

    Products found without meeting the query (`wider`) make no constraint hold.
    """
    arrays, names = model.arrays, model.meta["facets"]
    masks: dict[str, Array] = {}
    for name, values in request.filters.items():
        masks[name] = _filter(arrays, names, name, values, len(met))
    dropped: list[str] = []
    holding: list[Constraint] = []
    own: dict[str, Array] = {}
    for one in asked.constraints:
        if one.name in masks:
            continue  # the shopper's own choice of the facet stands for it
        mask = _constrained(arrays, one, found)
        left = met & mask
        for other in (*masks.values(), *own.values()):
            left = left & other
        if left.any():
            own[f"\0{len(holding)}"] = mask
            holding.append(one)
        elif met.any():
            dropped.append(one.value)
    every = {**masks, **own}

    def left_by(but: str) -> Array:
        left = wider
        for name, mask in every.items():
            if name != but:
                left = left & mask
        return left

    return Narrowed(
        left=left_by(""),
        apart={name: left_by(name) for name in masks},
        constraints=tuple(holding),
        dropped=tuple(dropped),
    )


def _filter(
    arrays: Mapping[str, Array],
    names: Sequence[str],
    name: str,
    values: Sequence[str],
    n: int,
) -> Array:
    """Return which products have one of a facet's values; none for unknown ones."""
    mask = np.zeros(n, bool)
    for value in values:
        if name == PRICE:
            ends = read_range(value)
            mask |= price_mask(arrays, *ends) if ends else False
        elif (number := value_number(arrays, names, (name, value))) >= 0:
            mask[products_of(arrays, number)] = True
    return mask


def _constrained(arrays: Mapping[str, Array], one: Constraint, found: Matches) -> Array:
    """Return which products keep a constraint: by value, or by saying it."""
    if one.name == PRICE and not one.numbers:
        ends = read_range(one.value)
        assert ends is not None
        return price_mask(arrays, *ends)
    mask = np.asarray((found.parts[list(one.parts)] > 0).all(axis=0))
    for number in one.numbers:
        mask[products_of(arrays, number)] = True
    return mask


def _listed_since(model: Model, at: int) -> str:
    popular = float(model.arrays["popularity"][at]) > 0
    return "Popular now" if popular else "In the shop"


def _reason(
    asked: Understood, found: Matches, close: Near | None, met: Array, at: int
) -> str:
    said = [
        p.said for p, s in zip(asked.parts, found.parts[:, at], strict=True) if s > 0
    ]
    if said:
        return "Says " + ", ".join(dict.fromkeys(said))
    if close is not None and at in close.at:
        return "Close in meaning to what was searched for"
    if met[at]:
        return "Opened by others who searched for this"
    return "Like what fits the search best"


def _chips(
    asked: Understood, narrowed: Narrowed, request: Request
) -> list[dict[str, Any]]:
    """Return what narrows the result, each with what to ask to be without it."""
    sent = [f"{n}:{v}" for n, values in request.filters.items() for v in values]
    chips = [
        {"name": one.name, "value": one.value, "query": one.rest, "filters": sent}
        for one in narrowed.constraints
    ]
    for name, values in request.filters.items():
        for value in values:
            rest = [one for one in sent if one != f"{name}:{value}"]
            chips.append(
                {"name": name, "value": value, "query": asked.text, "filters": rest}
            )
    return chips


def _facets(model: Model, request: Request, narrowed: Narrowed) -> list[dict[str, Any]]:
    counted = count_values(
        model.arrays, model.meta["facets"], {"": narrowed.left, **narrowed.apart}
    )
    for facet in counted:
        picked = request.filters.get(facet["name"], ())
        for value in facet["values"]:
            value["selected"] = value["value"] in picked
    return counted
