"""The ranking of customers by lapse against who came back, beside recency."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.measure import resample
from cartwheel.measure.hindsight import Past, not_yet


def judge_lapse(past: Past) -> dict[str, Any]:
    """Judge the ranking of customers by their chance of not coming back."""
    lacking = {"lifetime_value", "rhythm"} - past.then.keys()
    if lacking:
        return not_yet(f"not yet: the turn's signals {sorted(lacking)} are gone")
    if why := past.missing(past.days):
        return not_yet(why)
    known = past.then["lifetime_value"].dropna(subset=["lapse_share"])
    known = known.merge(past.then["rhythm"], on="customer_id")
    known = known.dropna(subset=["recency_days"]).sort_values("customer_id")
    lapsed = ~known["customer_id"].isin(_came_back(past)).to_numpy()
    if lapsed.all() or not lapsed.any():
        return not_yet("not yet: all customers ended alike")
    ours = known["lapse_share"].to_numpy(dtype=float)
    recency = known["recency_days"].to_numpy(dtype=float)

    def area(score: np.ndarray) -> resample.Estimate:
        return resample.ranking(
            lambda i: resample.auc(score[i], lapsed[i]), len(lapsed), seed=past.seed
        )

    gap = resample.ranking(
        lambda i: (
            resample.auc(ours[i], lapsed[i]) - resample.auc(recency[i], lapsed[i])
        ),
        len(lapsed),
        seed=past.seed,
    )
    return {
        "customers": len(known),
        "lapsed_share": float(lapsed.mean()),
        "auc": {
            "lapse_share": area(ours).to_json(),
            "recency": area(recency).to_json(),
        },
        "more_than_recency": gap.to_json(),
    }


def _came_back(past: Past) -> set[str]:
    import pandas as pd

    rhythm = past.now["rhythm"]
    back = rhythm[rhythm["last_on"] > pd.Timestamp(past.as_of)]
    return set(back["customer_id"])
