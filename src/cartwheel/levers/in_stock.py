"""Stock of variants as stock of products: what may be put before a shopper."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.signals.base import Signals
from cartwheel.signals.stock import STOCK

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

INBOUND_DAYS = 7
"""What arrives this soon may be shown as if it lay here."""


def stock_by_product(
    data: Signals, variants: pd.DataFrame, number: Array, n: int
) -> tuple[Array, Array]:
    """Return units on hand and what can be bought, by product.

    A product can be bought when one of its active variants is in stock, of unknown
    stock, or soon inbound.

    Args:
        data: Signals, with `stock`.
        variants: Rows of `catalogue`.
        number: Number of each row's product, shape (rows,).
        n: Products.

    Returns:
        Units of counted active variants, NaN where none is counted, shape (n,); and
        whether it can be bought, bool, shape (n,).
    """
    import pandas as pd

    found = data.align(STOCK, variants["variant_id"].tolist())
    on_hand, inbound = (
        pd.to_numeric(found[name], errors="coerce").to_numpy(float, na_value=np.nan)
        for name in ("on_hand_units", "inbound_units")
    )
    soon = pd.Timestamp(data.context.when.as_of + timedelta(days=INBOUND_DAYS))
    arrives = pd.to_datetime(found["inbound_on"]).le(soon).to_numpy()
    active = variants["active"].fillna(True).to_numpy(bool)
    open_ = active & (np.isnan(on_hand) | (on_hand > 0) | (arrives & (inbound > 0)))
    counted = np.isfinite(on_hand) & active
    units = np.bincount(number[counted], weights=on_hand[counted], minlength=n)
    has_count = np.bincount(number[counted], minlength=n) > 0
    sellable = np.bincount(number[open_], minlength=n) > 0
    return np.where(has_count, units, np.nan), sellable
