"""The recommender's decisions of a turn: home page, goes-with lists, customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cartwheel.levers.base import Decision, Model, Prediction
from cartwheel.levers.recommend import slate
from cartwheel.levers.recommend.affinity import slate_features
from cartwheel.levers.recommend.baskets import Baskets
from cartwheel.levers.recommend.hitrate import wilson
from cartwheel.levers.recommend.model import Options
from cartwheel.levers.recommend.reader import (
    NOBODY,
    NOTHING,
    Reader,
    among,
    find_reader,
)
from cartwheel.levers.recommend.scoring import (
    chances,
    goes_with,
    scores,
    sigmoid,
    wanted,
)
from cartwheel.levers.recommend.shortlist import shown
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import RHYTHM

Array = np.ndarray[Any, Any]

FEWEST_PARTNERS = 4  # a shorter "goes with" list is not worth a place on a page


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
    names = model.arrays["product_id"][items].tolist()
    action = {
        "products": names,
        "slot_propensity": [round(p, 9) for p in chance.tolist()],
    }
    return Decision(
        kind="recommendation",
        subject=subject,
        action=action,
        reason=reason,
        promotes=tuple(names),
        **more,
    )


def home_slate(model: Model, data: Signals, options: Options) -> Iterator[Decision]:
    """Return the slate for visitors of whom nothing is known."""
    score = scores(model, NOBODY, NOTHING)
    items, chance = slate.fill(
        score,
        shown(model, NOTHING),
        limit=options.slots,
        explore=0.0,
        rng=None,
    )
    if len(items) == 0:
        return
    first = int(items[0])
    if "wanted_slopes" in model.meta:
        chance_of = wanted(model, NOBODY, NOTHING)
        said = f"{100 * chance_of[first]:.1f} % of those who look at it want it"
    else:
        said = f"{100 * model.arrays['popularity'][first]:.1f} % of recent demand"
    reason = (
        f"For visitors of whom nothing is known. First is "
        f"{model.arrays['title'][first]}: {said}; {_facts(model, data, first)}."
    )
    evidence = {"rule": model.rule, "eligible": int(model.meta["available"])}
    yield _decision(model, "placement:home", items, chance, reason, evidence=evidence)


def product_lists(
    model: Model,
    data: Signals,
    options: Options,
    baskets: Baskets,
) -> Iterator[Decision]:
    """One "goes with" list per product that can be sold and has partners enough."""
    lists = goes_with(model)
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


def customer_slates(
    model: Model, data: Signals, options: Options, seed: int
) -> Iterator[Decision]:
    """Slates for the customers who spent most, for e-mail and the account page."""
    rng = np.random.default_rng(seed)
    worth = data.align(RHYTHM, model.arrays["customer_id"].tolist())["revenue_minor"]
    spent = worth.to_numpy(float, na_value=0.0)
    order = np.lexsort((np.arange(len(spent)), -spent))[: options.customer_slates]
    for number in order:
        customer = str(model.arrays["customer_id"][number])
        reader = find_reader(model, customer)
        chance_of = chances(model, reader)
        score = scores(model, reader, NOTHING, "email")
        items, chance = slate.fill(
            score,
            slate.with_few_familiar(
                score,
                shown(model, reader.skip),
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
    reader: Reader,
    items: Array,
    chance: Array,
    chance_of: Array,
    recency: float,
) -> Decision:
    first = int(items[0])
    (why,) = slate.reasons(model, items[:1], reader, NOTHING, model.rule)
    title_of = model.arrays["title"]
    title = title_of[first]
    again = int(among(items, reader.items, len(title_of)).sum())
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
    expected = sigmoid(bins["beta"][0] + features @ np.array(bins["beta"][1:]))
    value, low, high, _ = bins["rows"][int(np.searchsorted(bins["edges"], expected))]
    return Prediction(metric="buys_30d_share", value=value, low=low, high=high)
