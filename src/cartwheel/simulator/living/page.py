"""What a living shop publishes for the console: true lift beside measured lift."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from cartwheel.measure.holdout_lift import holdout_lift
from cartwheel.turn.pages import publish_page

if TYPE_CHECKING:
    from cartwheel.shop import Shop
    from cartwheel.simulator.living.store import Kept

PAGE = "world"


def measured(shop: Shop, *, since: date, until: date) -> dict[str, Any]:
    """Return the product's own estimate as JSON values."""
    lift = holdout_lift(shop, since=since, until=until)
    return {**asdict(lift), "holds_zero": lift.holds_zero}


def publish_world(shop: Shop, kept: Kept) -> None:
    """Publish how the world stands."""
    spec = kept.worlds["wheel"].spec
    body = {
        "today": kept.last_day.isoformat(),
        "name": spec.name,
        "weeks": kept.record.weeks,
        "followed": len(kept.people),
        "holdout_share": shop.settings.holdout.share_bps / 10_000,
        "over": kept.worlds["wheel"].over,
    }
    publish_page(shop, PAGE, body)
