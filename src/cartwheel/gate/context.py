"""What the rules may look at, gathered from a turn's signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from cartwheel.gate.base import GateContext, PastFix, VariantFacts
from cartwheel.gate.conflicts import below_cover, under_floor
from cartwheel.gate.eligible import unpromotable
from cartwheel.levers.base import Kind
from cartwheel.measure.experiment.trial import Trial
from cartwheel.settings import Settings
from cartwheel.text.claims.facts import ShopFacts

if TYPE_CHECKING:
    import pyarrow as pa


def make_context(
    settings: Settings,
    kinds: Mapping[str, Kind],
    tables: Mapping[str, pa.Table],
    recent_offers: Mapping[str, int],
    *,
    day: date | None = None,
    trials: Iterable[Trial] = (),
    hidden: Iterable[str] = (),
    places: Mapping[str, str] | None = None,
    page_fixes: Mapping[str, tuple[PastFix, ...]] | None = None,
) -> GateContext:
    """Return the context of a turn.

    Args:
        settings: The shop's settings for this turn.
        kinds: Kinds of decision by name.
        tables: The turn's signals by name.
        recent_offers: Offers to each customer in the last 30 days.
        day: The turn's day; None when no experiment can run.
        trials: Experiments that run.
        hidden: Products the merchant excluded from every slot.
        places: Where customers live, if an experiment is by place.
        page_fixes: Earlier changes of a product's page, newest first.
    """
    consent = _rows(tables, "consent")
    returned: dict[str, set[str]] = {}
    for item in _rows(tables, "open_returns"):
        returned.setdefault(item["customer_id"], set()).add(item["product_id"])
    catalogue = _rows(tables, "catalogue")
    return GateContext(
        settings=settings,
        kinds=kinds,
        variants=_variant_facts(tables, catalogue),
        inactive_products=frozenset(
            item["product_id"] for item in catalogue if item["active"] is False
        ),
        email_consent=frozenset(
            item["customer_id"] for item in consent if item["email_marketing"]
        ),
        open_returns={c: frozenset(p) for c, p in returned.items()},
        recent_offers=recent_offers,
        day=day,
        trials=tuple(trials),
        hidden=frozenset(hidden),
        places=places or {},
        facts=ShopFacts(tables),
        page_fixes=page_fixes or {},
    )


def excluded_products(context: GateContext) -> dict[str, str]:
    """Return products no slot may show, each with the reason."""
    return {**unpromotable(context), **under_floor(context), **below_cover(context)}


def _variant_facts(
    tables: Mapping[str, pa.Table], catalogue: list[dict[str, Any]]
) -> dict[str, VariantFacts]:
    stock = {r["variant_id"]: r for r in _rows(tables, "stock")}
    margin = {r["variant_id"]: r for r in _rows(tables, "margin")}
    return {
        item["variant_id"]: VariantFacts(
            product_id=item["product_id"],
            price_minor=item["price_minor"],
            cost_minor=margin.get(item["variant_id"], {}).get("cost_minor"),
            on_hand_units=stock.get(item["variant_id"], {}).get("on_hand_units"),
            inbound_units=stock.get(item["variant_id"], {}).get("inbound_units") or 0,
            cover_days=stock.get(item["variant_id"], {}).get("cover_days"),
        )
        for item in catalogue
    }


def _rows(tables: Mapping[str, pa.Table], name: str) -> list[dict[str, Any]]:
    table = tables.get(name)
    rows: list[dict[str, Any]] = [] if table is None else table.to_pylist()
    return rows
