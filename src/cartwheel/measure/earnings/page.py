"""The console's page about earnings, as a turn publishes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from cartwheel.measure.earnings.ledger import earnings
from cartwheel.measure.earnings.table import csv_rows

if TYPE_CHECKING:
    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.measure")


def earnings_page(shop: Shop, on: date, overview: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page; one that cannot be made says why, and the turn goes on.

    Args:
        shop: The shop.
        on: Day the turn looks from.
        overview: The overview the turn publishes.
    """
    try:
        ledger = earnings(shop, on, overview=overview)
    except Exception as error:  # measuring must not keep decisions from being published
        log.exception("The earnings of %s could not be measured.", on)
        text = str(error).splitlines()[0][:300] if str(error) else ""
        return {
            "on": on.isoformat(),
            "entries": [],
            "csv": [],
            "failed": f"{type(error).__name__}: {text}",
        }
    return {**ledger.to_json(), "csv": csv_rows(ledger), "failed": ""}
