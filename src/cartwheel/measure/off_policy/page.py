"""The console's page about other policies, as a turn publishes it."""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING, Any

from cartwheel.measure.off_policy.table import csv_rows
from cartwheel.measure.off_policy.what_if import what_if
from cartwheel.measure.plain import finite

if TYPE_CHECKING:
    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.measure")

NAME = "what-if"


def what_if_page(shop: Shop, on: date) -> dict[str, Any]:
    """Return the page; one that cannot be made says why, and the turn goes on.

    Args:
        shop: The shop.
        on: Day the turn looks from.
    """
    try:
        found = what_if(shop, on)
    except Exception as error:  # measuring must not keep decisions from being published
        log.exception("What other policies would have earned could not be told.")
        text = str(error).splitlines()[0][:300] if str(error) else ""
        return {
            "on": on.isoformat(),
            "parts": [],
            "csv": [],
            "failed": f"{type(error).__name__}: {text}",
        }
    page: dict[str, Any] = finite(found.to_json())
    return {**page, "csv": csv_rows(found), "failed": ""}
