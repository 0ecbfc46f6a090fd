"""Recommendations: what to show each visitor and customer, and what goes together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.base import (
    Answer,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Request,
    Rule,
)
from cartwheel.levers.recommend import slate
from cartwheel.levers.recommend.ahead import ahead, knows_ahead
from cartwheel.levers.recommend.baskets import Baskets
from cartwheel.levers.recommend.model import Options, bestsellers_model, learn_model
from cartwheel.levers.recommend.page import page
from cartwheel.levers.recommend.reader import find_reader, numbers
from cartwheel.levers.recommend.scoring import WITH, best_first, boosted, scores
from cartwheel.levers.recommend.shortlist import ranked, shown
from cartwheel.levers.recommend.slates import (
    customer_slates,
    home_slate,
    product_lists,
)
from cartwheel.levers.report import Report
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
from cartwheel.signals.visits import VISITS

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 50
"""Latest products of a visit that an answer reads."""


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
        VISITS,
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
        return learn_model(data, previous, seed=seed)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return no signals: what it shows comes back as `shown`."""
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return slates for the home page, for products and for known customers."""
        options = Options.of(data)
        baskets = Baskets.of(data, np.asarray(model.arrays["product_id"]))
        yield from home_slate(model, data, options)
        yield from product_lists(model, data, options, baskets)
        yield from customer_slates(model, data, options, seed)

    def fallback(self) -> Rule:
        """Return the rule used meanwhile: bestsellers, or the newest products."""
        return Rule(
            name="bestsellers",
            doc="Bestsellers of 30 days in stock; the newest products where none sold.",
            model=bestsellers_model,
        )

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        """Answer one request; numpy only."""
        names = model.arrays["product_id"]
        context = numbers(names, request.context)
        reader = find_reader(model, request.customer, request.visitor)
        excluded = numbers(names, request.excluded)
        if request.placement in ("product", *WITH):
            excluded = np.concatenate([excluded, context])
        if request.placement == "category" and request.category:
            others = slate.outside(model, request.category)
            excluded = np.concatenate([excluded, others])
        excluded = np.concatenate([excluded, reader.skip])
        if request.holdout:
            items = slate.untouched(model, request, excluded)
            chance, rule = np.ones(len(items)), "bestsellers"
        else:
            count = request.limit + slate.DRAWN_FROM
            if knows_ahead(model) and len(context):
                score = scores(model, reader, context, request.placement)
                score = score * ahead(model, context[-LONGEST:])
                score = boosted(model, score, request.boosts)
                best = best_first(score, shown(model, excluded), count)
            else:
                best = ranked(
                    model,
                    reader,
                    context,
                    request.placement,
                    excluded=excluded,
                    boosts=request.boosts,
                    count=count,
                )
            items, chance = slate.draw(
                best,
                limit=request.limit,
                explore=float(model.meta["explore"]),
                rng=rng,
            )
            rule = model.rule
        return Answer(
            slots=slate.slots(model, items, chance, reader, context, rule),
            eligible_hash=slate.eligible_hash(model, excluded),
            rule=rule,
            kept_from=frozenset(names[reader.skip].tolist()),
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return the inner test against popularity and what is shown most."""
        return page(model)
