"""Recommendations: what to show each visitor and customer, and what goes together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers import slate
from cartwheel.levers.affinity import (
    Affinity,
    age_weights,
    learn_affinity,
    purchase_pairs,
    slate_features,
)
from cartwheel.levers.base import (
    Answer,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Prediction,
    Request,
    Rule,
)
from cartwheel.levers.baskets import Baskets, basket_lists
from cartwheel.levers.hitrate import MOST_ORDERS, UNFITTED, wilson
from cartwheel.levers.looks import Looks, learn_looks, silent
from cartwheel.levers.options import read_options
from cartwheel.levers.recommend_page import page
from cartwheel.levers.report import Report
from cartwheel.levers.shelf import Shelf, make_shelf
from cartwheel.levers.similarity import Neighbours, blend
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import (
    BASKETS,
    CONSENT,
    PURCHASES,
    RHYTHM,
)
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT
from cartwheel.signals.interest import IDENTITY, INTEREST
from cartwheel.signals.learned import SHOWN
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.returns import OPEN_RETURNS
from cartwheel.signals.stock import STOCK

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Array = np.ndarray[Any, Any]

HISTORY_KEPT = 100  # most recent products of a customer an answer looks at
FEWEST_PARTNERS = 4  # a shorter "goes with" list is not worth a place on a page
NEAR_SHARE = 0.5  # weight of EASE beside baskets in "goes with"
SHELF_ARRAYS = (
    "product_id",
    "title",
    "eligible",
    "factor",
    "margin_minor",
    "on_hand_units",
    "popularity",
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

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "recommend")


def signs_of_taste(data: Signals) -> float:
    """Count what tells what goes with what and who wants what.

    Pairs of products bought by one customer or in one order, and products that a
    visitor put into the cart.
    """
    counts = data.table(PURCHASES).column("customer_id").value_counts()
    each = np.array([row["counts"] for row in counts.to_pylist()], float)
    pairs = float((each * (each - 1) / 2).sum()) + float(data.table(BASKETS).num_rows)
    carts = np.asarray(data.table(INTEREST).column("carts"), float)
    return pairs + float((carts > 0).sum())


class Recommend:
    """EASE or item cosine with own purchases, baskets and popularity; in stock only."""

    name = "recommend"
    title = "Recommendations"
    group = Group.GROWTH
    reads: tuple[Signal, ...] = (
        CATALOGUE,
        PURCHASES,
        BASKETS,
        DEMAND,
        STOCK,
        MARGIN,
        INTENT,
        INTEREST,
        IDENTITY,
        SHOWN,
        OPEN_RETURNS,
        RHYTHM,
        CONSENT,
    )
    writes: tuple[Signal, ...] = ()
    kinds = (
        Kind(name="recommendation", title="Recommendation", autonomy=Autonomy.AUTO),
    )
    floor = Floor(
        needs=(
            Need(
                what="pairs of products bought by one customer or in one order, or "
                "products put into a visitor's cart",
                at_least=100,
                count=signs_of_taste,
            ),
        ),
        meanwhile="Shows the bestsellers in stock, or the newest products.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Learn neighbours, chances and the shelf; tests itself on the last 30 days."""
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
        model = _model(rule, shelf, learned, together, history, options)
        return _with_looks(model, looks, silent(data))

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return no signals: what it shows comes back as `shown`."""
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return slates for the home page, for products and for known customers."""
        options = Options.of(data)
        baskets = Baskets.of(data, np.asarray(model.arrays["product_id"]))
        yield from _home(model, data, options)
        yield from _product_lists(model, data, options, baskets)
        yield from _customer_slates(model, data, options, seed)

    def fallback(self) -> Rule:
        """Return the rule used meanwhile: bestsellers, or the newest products."""
        return Rule(
            name="bestsellers",
            doc="Bestsellers of 30 days in stock; the newest products where none sold.",
            model=_bestsellers,
        )

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        """Answer one request; numpy only."""
        names = model.arrays["product_id"]
        context = slate.numbers(names, request.context)
        reader = slate.find_reader(model, request.customer, request.visitor)
        excluded = slate.numbers(names, request.excluded)
        if request.placement in ("cart", "product"):
            excluded = np.concatenate([excluded, context])
        if request.holdout:
            items = slate.untouched(model, request, excluded)
            chance, rule = np.ones(len(items)), "bestsellers"
        else:
            excluded = np.concatenate([excluded, reader.skip])
            items, chance = slate.fill(
                slate.scores(model, reader, context, request.placement),
                _candidates(model, excluded),
                limit=request.limit,
                explore=float(model.meta["explore"]),
                rng=rng,
            )
            rule = model.rule
        return Answer(
            slots=slate.slots(model, items, chance, reader, context, rule),
            eligible_hash=slate.eligible_hash(model, excluded),
            rule=rule,
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return the inner test against popularity and what is shown most."""
        return page(model)


def _candidates(model: Model, excluded: Array) -> Array:
    free = np.array(model.arrays["eligible"])
    free[excluded] = False
    result: Array = np.flatnonzero(free)
    return result


def _model(
    rule: str,
    shelf: Shelf,
    learned: Affinity,
    together: Neighbours,
    history: Mapping[str, Array],
    options: Options,
) -> Model:
    sold = np.lexsort((shelf.newest, -shelf.units_30))
    eligible = shelf.eligible[sold]
    digest = hashlib.blake2b(digest_size=8)
    for name in shelf.product_id[shelf.eligible].tolist():
        digest.update(name.encode() + b"\n")
    arrays = {name: getattr(shelf, name) for name in SHELF_ARRAYS}
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
        "customers": len(history["customer_id"]),
    }
    return Model(rule=rule, arrays=arrays, meta=meta)


def _with_looks(model: Model, looks: Looks | None, silent: Array) -> Model:
    """Return the model with what was learned from looks, if anything was."""
    arrays = {**model.arrays, "silent": silent}
    if looks is None:
        return Model(
            rule=model.rule, arrays={**arrays, **_no_readers()}, meta=model.meta
        )
    arrays |= {
        "appeal": looks.appeal,
        "liked_share": looks.taste.share,
        "alike_index": looks.taste.lists.index,
        "alike_weight": looks.taste.lists.weight,
        "price_level": looks.taste.level,
        "category": looks.taste.category,
        "category_share": looks.taste.category_share,
        "reader": looks.readers,
        "look_start": looks.start,
        "look_item": looks.item,
        "look_weight": looks.weight,
    }
    meta = {
        **model.meta,
        "wanted_slopes": looks.slopes,
        "usual_level": looks.taste.usual_level,
        "looks_test": looks.test,
        "readers": len(looks.readers),
    }
    return Model(rule=model.rule, arrays=arrays, meta=meta)


def _no_readers() -> dict[str, Array]:
    return {
        "reader": np.zeros(0, "U1"),
        "look_start": np.zeros(1, np.int64),
        "look_item": np.zeros(0, np.int32),
        "look_weight": np.zeros(0, np.float32),
    }


def _bestsellers(data: Signals) -> Model:
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
    model = _model("bestsellers", shelf, learned, Neighbours.none(n), nobody, options)
    # Scores follow the rank among bestsellers, so that ties fall to the newest.
    rank = np.empty(n, np.int64)
    rank[np.lexsort((shelf.newest, -shelf.units_30))] = np.arange(n)
    logit = (-3.0 - 4.0 * rank / max(n, 1)).astype(np.float32)
    arrays = {**model.arrays, "base_logit": logit, "factor": np.ones(n, np.float32)}
    made = Model(rule=model.rule, arrays=arrays, meta={**model.meta, "explore": 0.0})
    return _with_looks(made, None, silent(data))


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


def _facts(model: Model, data: Signals, item: int) -> str:
    """Return margin and stock of a product as a half sentence."""
    margin = float(model.arrays["margin_minor"][item])
    units = float(model.arrays["on_hand_units"][item])
    parts = []
    if np.isfinite(margin):
        parts.append(f"margin {data.context.money(margin)}")
    parts.append(f"{units:,.0f} in stock" if np.isfinite(units) else "stock unknown")
    return "; ".join(parts)


def _decision(
    model: Model, subject: str, items: Array, chance: Array, reason: str, **more: Any
) -> Decision:
    names = [str(model.arrays["product_id"][item]) for item in items]
    action = {
        "products": names,
        "slot_propensity": [round(float(p), 9) for p in chance],
    }
    return Decision(
        kind="recommendation",
        subject=subject,
        action=action,
        reason=reason,
        promotes=tuple(names),
        **more,
    )


def _home(model: Model, data: Signals, options: Options) -> Iterator[Decision]:
    score = slate.scores(model, slate.NOBODY, slate.NOTHING)
    items, chance = slate.fill(
        score,
        _candidates(model, slate.NOTHING),
        limit=options.slots,
        explore=0.0,
        rng=None,
    )
    if len(items) == 0:
        return
    first = int(items[0])
    reason = (
        f"For visitors of whom nothing is known. First is "
        f"{model.arrays['title'][first]}: "
        f"{100 * model.arrays['popularity'][first]:.1f} % of recent demand; "
        f"{_facts(model, data, first)}."
    )
    evidence = {"rule": model.rule, "eligible": int(model.meta["available"])}
    yield _decision(model, "placement:home", items, chance, reason, evidence=evidence)


def _product_lists(
    model: Model,
    data: Signals,
    options: Options,
    baskets: Baskets,
) -> Iterator[Decision]:
    """One "goes with" list per product that can be sold and has partners enough."""
    lists = slate.goes_with(model)
    eligible = np.asarray(model.arrays["eligible"])
    factor = np.asarray(model.arrays["factor"])
    by_demand = np.lexsort((np.arange(len(eligible)), -model.arrays["popularity"]))
    written = 0
    for item in by_demand[eligible[by_demand]]:
        if written >= options.product_lists:
            return
        index, weight = lists.index[item], lists.weight[item]
        kept = (weight > 0) & eligible[index]
        if kept.sum() < FEWEST_PARTNERS:
            continue
        score = weight[kept] * factor[index[kept]]
        partners = index[kept][np.lexsort((index[kept], -score))][: options.slots]
        written += 1
        yield _product_list(model, data, int(item), partners, baskets)


def _product_list(
    model: Model,
    data: Signals,
    item: int,
    partners: Array,
    baskets: Baskets,
) -> Decision:
    names = model.arrays["product_id"]
    title = model.arrays["title"]
    own, first = str(names[item]), int(partners[0])
    both, orders = baskets.together(item, first)
    predicted = None
    if both:
        low, high = wilson(both, orders)
        predicted = Prediction(
            metric="joint_order_share", value=both / orders, low=low, high=high
        )
        said = f"{title[first]} was bought together with {title[item]} in {both} orders"
    else:
        said = f"People who bought {title[item]} also bought {title[first]}"
    return _decision(
        model,
        f"product:{own}",
        partners,
        np.ones(len(partners)),
        f"{said}; {_facts(model, data, first)}.",
        predicted=predicted,
        evidence={"orders_together": both, "orders": orders},
    )


def _customer_slates(
    model: Model, data: Signals, options: Options, seed: int
) -> Iterator[Decision]:
    """Slates for the customers who spent most, for e-mail and the account page."""
    rng = np.random.default_rng(seed)
    worth = data.align(RHYTHM, model.arrays["customer_id"].tolist())["revenue_minor"]
    spent = worth.to_numpy(float, na_value=0.0)
    order = np.lexsort((np.arange(len(spent)), -spent))[: options.customer_slates]
    for number in order:
        customer = str(model.arrays["customer_id"][number])
        reader = slate.find_reader(model, customer)
        chance_of = slate.chances(model, reader)
        score = slate.scores(model, reader, slate.NOTHING, "email")
        items, chance = slate.fill(
            score,
            slate.with_few_familiar(
                score,
                _candidates(model, reader.skip),
                reader.items,
                options.familiar_slots,
            ),
            limit=options.slots,
            explore=float(model.meta["explore"]),
            rng=rng,
        )
        if len(items) == 0:
            continue
        start = int(model.arrays["history_start"][number])
        end = int(model.arrays["history_start"][number + 1])
        recency = float(np.min(model.arrays["history_age"][start:end]))
        yield _customer_slate(
            model, data, customer, reader, items, chance, chance_of[items], recency
        )


def _customer_slate(
    model: Model,
    data: Signals,
    customer: str,
    reader: slate.Reader,
    items: Array,
    chance: Array,
    chance_of: Array,
    recency: float,
) -> Decision:
    first = int(items[0])
    (why,) = slate.reasons(model, items[:1], reader, slate.NOTHING, model.rule)
    title = model.arrays["title"][first]
    again = int(np.isin(items, reader.items).sum())
    drawn = bool(chance[-1] < 1.0)
    return _decision(
        model,
        f"customer:{customer}",
        items,
        chance,
        f"First is {title} ({why}); {_facts(model, data, first)}. "
        f"{again} of {len(items)} were bought before.",
        propensity=float(np.prod(chance)) if drawn else None,
        predicted=_slate_chance(model, chance_of, recency),
        evidence={"bought_before": len(reader.items), "recency_days": recency},
    )


def _slate_chance(model: Model, chance_of: Array, recency: float) -> Prediction | None:
    """Return the share of such customers who buy from such a slate in 30 days."""
    bins = model.meta["bins"]
    if not bins:
        return None
    features = np.array(slate_features(chance_of, recency))
    expected = slate.sigmoid(bins["beta"][0] + features @ np.array(bins["beta"][1:]))
    value, low, high, _ = bins["rows"][int(np.searchsorted(bins["edges"], expected))]
    return Prediction(metric="buys_30d_share", value=value, low=low, high=high)
