"""What a search that finds something puts into carts, and so what others may miss."""

from __future__ import annotations

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES
from cartwheel.signals.search_clicks import SEARCH_CLICKS

FEWEST_CARTS = 20
"""Carts after searches from which a search's worth is said at all."""

_META = "worth_minor"


def learn_worth(model: Model, data: Signals) -> dict[str, float | None]:
    """Return what the model holds of a search's worth.

    Args:
        model: A model with its products.
        data: The lever's signals.
    """
    return {_META: _worth_minor(model, data)}


def worth_of(model: Model) -> float | None:
    """Return what a search that finds something puts into carts, minor units.

    None where too few did, and for a model that was made before it was kept.
    """
    worth: float | None = model.meta.get(_META)
    return worth


def _worth_minor(model: Model, data: Signals) -> float | None:
    searches, clicks = data.frame(SEARCHES), data.frame(SEARCH_CLICKS)
    carts = clicks["carts"].to_numpy(float)
    found = float((searches["searches"] - searches["without_result"]).sum())
    if carts.sum() < FEWEST_CARTS or found <= 0:
        return None
    names = model.arrays["product_id"]
    wanted = clicks["product_id"].to_numpy().astype(str)
    at = np.minimum(names.searchsorted(wanted), max(len(names) - 1, 0))
    same = names[at] == wanted if len(names) else np.zeros(len(wanted), bool)
    price = np.where(same, model.arrays["price_low"][at] if len(names) else -1, -1)
    priced = price >= 0
    if not (carts[priced] > 0).any():
        return None
    mean = float((price[priced] * carts[priced]).sum() / carts[priced].sum())
    return mean * float(carts.sum()) / found
