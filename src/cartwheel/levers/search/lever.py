"""Search: keywords with spelling and sizes, constraints, facets, bounded boosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

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
from cartwheel.levers.report import Report
from cartwheel.levers.search.answer import answer_query
from cartwheel.levers.search.learn import keyword_model, learn_model
from cartwheel.levers.search.page import page
from cartwheel.levers.search.suggest import suggest
from cartwheel.levers.search.weak import weak_searches
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.intent import INTENT, SEARCHES
from cartwheel.signals.listing import LISTING
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from cartwheel.signals.stock import STOCK
from cartwheel.signals.weak_searches import WEAK_SEARCHES

if TYPE_CHECKING:
    import pyarrow as pa


def products_named(data: Signals) -> float:
    """Count products with a title."""
    found = set()
    for signal in (LISTING, CATALOGUE):
        table = data.table(signal).select(["product_id", "title"]).to_pylist()
        found |= {row["product_id"] for row in table if row["title"]}
    return float(len(found - {None}))


class Search:
    """BM25F over titles and texts, spelling, sizes, constraints, boosts in tiers."""

    name = "search"
    title = "Search"
    group = Group.GROWTH
    reads: tuple[Signal, ...] = (
        CATALOGUE,
        LISTING,
        DEMAND,
        STOCK,
        MARGIN,
        INTENT,
        SEARCHES,
        SEARCH_CLICKS,
    )
    writes: tuple[Signal, ...] = (WEAK_SEARCHES,)
    kinds = (Kind(name="search", title="Search result", autonomy=Autonomy.AUTO),)
    floor = Floor(
        needs=(Need(what="product with a title", at_least=1, count=products_named),),
        meanwhile="Finds nothing, and says so.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Build the index and learn the order from what was clicked."""
        return learn_model(data, previous, seed=seed)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return the searches that find nothing, or nothing that is opened."""
        return {WEAK_SEARCHES.name: weak_searches(model)}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return nothing: every search is answered when it is asked."""
        return ()

    def fallback(self) -> Rule:
        """Return the rule used meanwhile: plain keywords."""
        return Rule(
            name="keyword",
            doc="Products that say the words searched for, by BM25, without boosts.",
            model=keyword_model,
        )

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        """Answer one search; numpy only."""
        return answer_query(model, request)

    def suggest(self, model: Model, request: Request) -> Mapping[str, Any]:
        """Return suggestions for a query that is being typed; numpy only."""
        return suggest(model, request)

    def report(self, model: Model, data: Signals) -> Report:
        """Return what is searched for, what finds nothing, and what it may cost."""
        return page(model, data)
