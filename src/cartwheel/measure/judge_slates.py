"""Published slates against what customers bought, beside bestsellers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure import resample
from cartwheel.measure.hindsight import Past, not_yet

if TYPE_CHECKING:
    import pandas as pd

SLOTS = 10
HALF_LIFE_DAYS = 14.0


def judge_recommendations(past: Past) -> dict[str, Any]:
    """Judge the published slates of customers against bestsellers."""
    slates = {
        plan["subject"].partition(":")[2]: _products(plan)
        for plan in past.plans.get("recommendation", [])
        if plan["subject"].startswith("customer:")
    }
    if not slates:
        return not_yet("not yet: the turn published no slate for a customer")
    if why := past.missing(past.days):
        return not_yet(why)
    lacking = {"demand", "catalogue", "purchases"} - past.then.keys()
    if lacking:
        return not_yet(f"not yet: the turn's signals {sorted(lacking)} are gone")
    bought = _bought_since(past)
    before = _sets(past.then["purchases"])
    popular = {
        "decayed_popularity": _popular(past, decayed=True),
        "bestsellers_30_days": _popular(past, decayed=False),
    }
    found = {}
    for kind in ("any", "new"):
        cases = {c: s for c, s in bought.items() if c in slates}
        if kind == "new":
            cases = {c: s - before.get(c, set()) for c, s in cases.items()}
            cases = {c: s for c, s in cases.items() if s}
        if not cases:
            found[kind] = not_yet("not yet: none of these customers bought since")
            continue
        own = before if kind == "new" else {}
        found[kind] = _hits(cases, slates, popular, own, past.seed)
    return {"slots": SLOTS, "slates": len(slates), **found}


def _products(plan: Mapping[str, Any]) -> list[str]:
    """Return the slate; a lever of another name for it still says what it promotes."""
    return list(plan["action"].get("products", plan.get("promotes", ())))


def _bought_since(past: Past) -> dict[str, set[str]]:
    import pandas as pd

    rows = past.now["purchases"]
    after = pd.Timestamp(past.as_of)
    rows = rows[
        (rows["last_on"] > after)
        & (rows["last_on"] <= after + pd.Timedelta(days=past.days))
    ]
    return _sets(rows)


def _sets(rows: pd.DataFrame) -> dict[str, set[str]]:
    """Return the products of every customer."""
    found: dict[str, set[str]] = {}
    pairs = zip(rows["customer_id"], rows["product_id"], strict=True)
    for customer, product in pairs:
        found.setdefault(customer, set()).add(product)
    return found


def _popular(past: Past, *, decayed: bool) -> list[str]:
    """Products by orders up to the as-of day, best first, ties by id."""
    import pandas as pd

    demand = past.then["demand"].merge(
        past.then["catalogue"][["variant_id", "product_id"]], on="variant_id"
    )
    age = (pd.Timestamp(past.as_of) - demand["day"]).dt.days
    weight = 0.5 ** (age / HALF_LIFE_DAYS) if decayed else (age < 30).astype(float)
    total = (demand["orders"] * weight).groupby(demand["product_id"]).sum()
    order = total.reset_index(name="weight").sort_values(
        ["weight", "product_id"], ascending=[False, True]
    )
    return [str(product) for product in order["product_id"]]


def _hits(
    cases: Mapping[str, set[str]],
    slates: Mapping[str, list[str]],
    popular: Mapping[str, list[str]],
    skip: Mapping[str, set[str]],
    seed: int,
) -> dict[str, Any]:
    hit: dict[str, list[float]] = {"recommend": [], **{n: [] for n in popular}}
    for customer, bought in cases.items():
        own = skip.get(customer, set())
        shown = [p for p in slates[customer] if p not in own][:SLOTS]
        hit["recommend"].append(float(bool(bought & set(shown))))
        for name, ranked in popular.items():
            head = [p for p in ranked[: SLOTS + len(own)] if p not in own][:SLOTS]
            hit[name].append(float(bool(bought & set(head))))
    arrays = {name: np.array(values) for name, values in hit.items()}
    ours = arrays["recommend"]
    return {
        "customers": len(cases),
        "hit_rate": {
            name: resample.mean(values, seed=seed).to_json()
            for name, values in arrays.items()
        },
        "more_than": {
            name: resample.mean(ours - arrays[name], seed=seed).to_json()
            for name in popular
        },
    }
