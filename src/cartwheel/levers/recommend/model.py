"""The recommender's model: named arrays from what was learned; numpy and nothing else.

An answer reads these arrays and nothing besides, so what a reader may be shown is all
here: neighbours, chances, the shelf, the histories of customers and devices, and whose
device is whose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.options import read_options
from cartwheel.levers.recommend.affinity import (
    Affinity,
    age_weights,
    learn_affinity,
    purchase_pairs,
    silent,
)
from cartwheel.levers.recommend.ahead import with_ahead
from cartwheel.levers.recommend.baskets import Baskets, basket_lists
from cartwheel.levers.recommend.devices import device_arrays
from cartwheel.levers.recommend.hitrate import MOST_ORDERS, UNFITTED
from cartwheel.levers.recommend.looks import Looks, learn_looks
from cartwheel.levers.recommend.shelf import Shelf, make_shelf
from cartwheel.levers.recommend.shortlist import with_cells
from cartwheel.levers.recommend.similarity import Neighbours, blend
from cartwheel.signals.base import Signals
from cartwheel.signals.returns import OPEN_RETURNS

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

HISTORY_KEPT = 100  # most recent products of a customer an answer looks at
NEAR_SHARE = 0.5  # weight of EASE beside baskets in "goes with"
SHELF_ARRAYS = (
    "product_id",
    "title",
    "eligible",
    "factor",
    "margin_minor",
    "on_hand_units",
    "popularity",
    "kinds",
    "kind",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.recommend`.

    Attributes:
        popularity_half_life_days: Days after which a sale counts half.
        explore: Share of slates whose last slot is drawn at random.
        margin_weight: How far slots go to what earns: 1 ranks by expected margin, 0 by
            the chance of a sale alone.
        slots: Length of a slate in a turn.
        familiar_slots: Most slots of a customer's slate for products bought before;
            re-buying is likelier, but a slate of it alone shows nobody anything new.
        customer_slates: Most customers given a slate in a turn.
        product_lists: Most products given a "goes with" list.
        neighbours: Neighbours kept per product.
        largest_ease: Most products for EASE; larger catalogues use item cosine.
        visitors: Most customers and devices whose looks are remembered.
        follow_visits: 1 ranks by what visits like this one looked at next too, where
            the shop's own visits show that it helps; 0 leaves it out.
    """

    popularity_half_life_days: float = 10.0
    explore: float = 0.1
    margin_weight: float = 1.0
    slots: int = 10
    familiar_slots: int = 5
    customer_slates: int = 2000
    product_lists: int = 5000
    neighbours: int = 100
    largest_ease: int = 5000
    visitors: int = 100_000
    follow_visits: int = 0

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "recommend")


def learn_model(data: Signals, previous: Model | None = None, *, seed: int) -> Model:
    """Learn neighbours, chances, tastes and the shelf.

    Args:
        data: The lever's signals.
        previous: The last healthy model, if any.
        seed: Seed of the inner tests' splits.
    """
    options = Options.of(data)
    shelf = make_shelf(
        data,
        half_life_days=options.popularity_half_life_days,
        margin_weight=options.margin_weight,
    )
    pairs, customers = purchase_pairs(data, shelf.product_id)
    learned = learn_affinity(
        data,
        pairs,
        shelf.product_id,
        half_life_days=options.popularity_half_life_days,
        keep=options.neighbours,
        largest_ease=options.largest_ease,
        seed=seed,
    )
    baskets = basket_lists(Baskets.of(data, shelf.product_id), options.neighbours)
    together = blend(baskets, learned.lists, NEAR_SHARE, options.neighbours)
    history = _history(data, pairs, customers, shelf.product_id, learned.again)
    looks = learn_looks(
        data,
        shelf.product_id,
        keep=options.neighbours,
        largest_ease=options.largest_ease,
        most_readers=options.visitors,
        seed=seed,
    )
    rule = "baskets" if learned.method == "none" else learned.method
    if looks is not None:
        rule = f"{rule} and looks"
    model = _model(
        rule,
        shelf,
        learned,
        together,
        history,
        options,
        parcel_minor=data.context.parcel_minor,
        looked=looks is not None,
    )
    model = with_cells(_with_looks(model, looks, data))
    if not options.follow_visits:
        return model
    return with_ahead(
        model, data, previous, largest_ease=options.largest_ease, seed=seed
    )


def _model(
    rule: str,
    shelf: Shelf,
    learned: Affinity,
    together: Neighbours,
    history: Mapping[str, Array],
    options: Options,
    *,
    parcel_minor: int | None,
    looked: bool = False,
) -> Model:
    sold = np.lexsort((shelf.newest, -shelf.units_30))
    eligible = shelf.eligible[sold]
    digest = hashlib.blake2b(digest_size=8)
    for name in shelf.product_id[shelf.eligible].tolist():
        digest.update(name.encode() + b"\n")
    arrays = {name: getattr(shelf, name) for name in SHELF_ARRAYS}
    # `sale_factor` is `factor` with a margin weight of 0: answers do not use it, but
    # what that weight would have shown is told from it later (measure/off_policy).
    # What is opened when shown is part of what looks teach; before, it scales the rest.
    if not looked:
        arrays["factor"] = shelf.factor * shelf.response
    arrays["sale_factor"] = np.ones_like(shelf.response) if looked else shelf.response
    arrays |= {
        "bestsellers": sold[eligible].astype(np.int32),
        "base_logit": learned.chance.base(shelf.popularity).astype(np.float32),
        "near_index": learned.lists.index,
        "near_weight": learned.lists.weight,
        "with_index": together.index,
        "with_weight": together.weight,
        **history,
    }
    meta = {
        "eligible_hash": digest.hexdigest(),
        "explore": options.explore,
        "score_slope": learned.chance.score_slope,
        "popularity_slope": learned.chance.popularity_slope,
        "strength": learned.strength,
        "again": learned.again,
        "test": learned.test,
        "bins": learned.bins,
        "products": len(shelf.product_id),
        "available": int(shelf.eligible.sum()),
        "parcel_minor": parcel_minor,
        "customers": len(history["customer_id"]),
    }
    return Model(rule=rule, arrays=arrays, meta=meta)


def _with_looks(model: Model, looks: Looks | None, data: Signals) -> Model:
    """Return the model with whose device it is, and what looks taught, if anything."""
    arrays = {**model.arrays, "silent": silent(data), **device_arrays(data)}
    if looks is None:
        return Model(
            rule=model.rule, arrays={**arrays, **_no_readers()}, meta=model.meta
        )
    arrays |= {
        "appeal": looks.appeal,
        "alike_index": looks.alike.index,
        "alike_weight": looks.alike.weight,
        "reader": looks.readers,
        "look_start": looks.start,
        "look_item": looks.item,
        "look_weight": looks.weight,
        **_taste_arrays(looks),
    }
    meta = {
        **model.meta,
        "wanted_slopes": looks.slopes,
        "usual_level": looks.taste.usual_level if looks.taste else 0.0,
        "looks_test": looks.test,
        "readers": len(looks.readers),
    }
    return Model(rule=model.rule, arrays=arrays, meta=meta)


def _taste_arrays(looks: Looks) -> dict[str, Array]:
    """Return what tastes are read by: factors, or looks where nothing was shown."""
    if looks.factors is not None and looks.beliefs is not None:
        return {
            "opened_level": looks.factors.opened.astype(np.float32),
            "taste_vector": looks.factors.vector.astype(np.float32),
            "reader_taste": looks.beliefs.mean.astype(np.float32),
            "reader_precision": looks.beliefs.precision.astype(np.float32),
        }
    assert looks.taste is not None
    return {
        "liked_share": looks.taste.share,
        "price_level": looks.taste.level,
        "category": looks.taste.category,
        "category_share": looks.taste.category_share,
    }


def _no_readers() -> dict[str, Array]:
    return {
        "reader": np.zeros(0, "U1"),
        "look_start": np.zeros(1, np.int64),
        "look_item": np.zeros(0, np.int32),
        "look_weight": np.zeros(0, np.float32),
    }


def bestsellers_model(data: Signals) -> Model:
    """Make the fallback's model: no neighbours, scores in the order of sales."""
    options = Options.of(data)
    shelf = make_shelf(
        data,
        half_life_days=options.popularity_half_life_days,
        margin_weight=options.margin_weight,
    )
    n = len(shelf.product_id)
    learned = Affinity(
        method="none",
        strength=0.0,
        lists=Neighbours.none(n),
        chance=UNFITTED,
        again=[0.0] * MOST_ORDERS,
        test={},
        bins={},
    )
    pairs, _ = purchase_pairs(data, shelf.product_id)
    nobody = _history(
        data, pairs[:0], np.zeros(0, "U1"), shelf.product_id, learned.again
    )
    model = _model(
        "bestsellers",
        shelf,
        learned,
        Neighbours.none(n),
        nobody,
        options,
        parcel_minor=data.context.parcel_minor,
    )
    # Scores follow the rank among bestsellers, so that ties fall to the newest.
    rank = np.empty(n, np.int64)
    rank[np.lexsort((shelf.newest, -shelf.units_30))] = np.arange(n)
    logit = (-3.0 - 4.0 * rank / max(n, 1)).astype(np.float32)
    arrays = {**model.arrays, "base_logit": logit, "factor": np.ones(n, np.float32)}
    made = Model(rule=model.rule, arrays=arrays, meta={**model.meta, "explore": 0.0})
    return with_cells(_with_looks(made, None, data))


def _history(
    data: Signals,
    pairs: pd.DataFrame,
    customers: Array,
    products: Array,
    again: list[float],
) -> dict[str, Array]:
    """Return the customers' recent products as arrays sorted by customer."""
    import pandas as pd

    as_of = pd.Timestamp(data.context.when.as_of)
    age = (as_of - pairs["last_on"]).dt.days.to_numpy(float)
    orders = np.minimum(pairs["orders"].to_numpy(np.int64), len(again))
    weight = age_weights(np.maximum(age, 0.0))
    opened = data.frame(OPEN_RETURNS)
    known = set(zip(opened["customer_id"], opened["product_id"], strict=True))
    names = customers[pairs["who"].to_numpy(np.int64)] if len(pairs) else customers
    titles = products[pairs["item"].to_numpy(np.int64)] if len(pairs) else customers
    skip = [pair in known for pair in zip(names.tolist(), titles.tolist(), strict=True)]
    rows = pd.DataFrame(
        {
            "who": pairs["who"].to_numpy(np.int64),
            "item": pairs["item"].to_numpy(np.int64),
            "age": age,
            "weight": weight,
            "own": np.array([0.0, *again])[orders] * weight,
            "skip": np.array(skip, bool),
        }
    )
    rows = rows.sort_values(
        ["who", "skip", "age", "item"], ascending=[True, False, True, True]
    )
    rows = rows[rows.groupby("who").cumcount() < HISTORY_KEPT]
    counts = np.bincount(rows["who"].to_numpy(np.int64), minlength=len(customers))
    return {
        "customer_id": customers,
        "history_start": np.r_[0, np.cumsum(counts)].astype(np.int64),
        "history_item": rows["item"].to_numpy(np.int32),
        "history_weight": rows["weight"].to_numpy(np.float32),
        "history_own": rows["own"].to_numpy(np.float32),
        "history_skip": rows["skip"].to_numpy(bool),
        "history_age": rows["age"].to_numpy(np.float32),
    }
