"""Turns signals into what is needed per variant: period, service level, quantity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.levers.conformal import LEVELS
from cartwheel.levers.earned import earned
from cartwheel.levers.replenish import order_quantity as formulas
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.learned import FORECAST
from cartwheel.signals.stock import STOCK
from cartwheel.signals.supply import LEAD_TIME

LIMITS: dict[str, tuple[float, float]] = {
    "review_days": (1, 180),
    "lead_days": (0, 365),
    "lead_sd_days": (0, 180),
    "service_level": formulas.SERVICE_LIMITS,
    "holding_share": (0, 5),
    "ageing_share": (0, 5),
    "budget_minor": (0, float("inf")),
    "levels": (0, 10_000),
}
QUANTILE_COLUMNS = tuple(f"q{round(100 * level)}_units" for level in LEVELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Options of the lever, from the shop's settings under `levers.replenish`.

    Attributes:
        review_days: Days between two looks at the stock.
        lead_days: Lead time assumed where none is known.
        lead_sd_days: Spread of it.
        service_level: Used where the cost is unknown.
        holding_share: Yearly cost of holding stock, share of its cost.
        ageing_share: Value that goods lose in a year on the shelf, share of their cost.
        budget_minor: Most money for all proposals of a turn; None is no limit.
        levels: Most reorder levels published for a shop without stock counts.
    """

    review_days: float = 7.0
    lead_days: float = 14.0
    lead_sd_days: float = 3.0
    service_level: float = 0.9
    holding_share: float = 0.25
    ageing_share: float = 0.35
    budget_minor: float | None = None
    levels: int = 200

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Terms:
        """Read the options.

        Raises:
            Misuse: If an option is unknown or out of range.
        """
        for name, value in options.items():
            where = f"levers.replenish.{name}"
            if name not in LIMITS:
                raise Misuse(
                    f"{where} is unknown; known are {', '.join(sorted(LIMITS))}.",
                    "Remove it or correct its name in cartwheel.toml.",
                )
            low, high = LIMITS[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                raise Misuse(
                    f"{where} is {value!r}; expected {low:g} to {high:g}.",
                    "Correct it in cartwheel.toml.",
                )
        values: dict[str, Any] = {k: float(v) for k, v in options.items()}
        if "levels" in values:
            values["levels"] = int(values["levels"])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One variant with all that a reorder needs.

    Attributes:
        variant_id: Variant.
        title: Its title, or the id.
        supplier_id: Supplier, if known.
        pack: Units in a pack.
        minimum: Smallest order in units.
        on_hand: Stock on hand; None when never counted.
        inbound: Ordered and not yet received.
        lead_days: Mean lead time.
        lead_sd_days: Spread of it.
        lead_known: Whether the lead time comes from the supplier.
        supplier_minimum_minor: Smallest order value of the supplier.
        price_minor: Price, if known.
        cost_minor: Unit cost, if known.
        margin_minor: Unit margin, if known.
        level: Service level aimed at.
        lead_mean: Expected demand during the lead time.
        lead_spread: Its quantiles at `LEVELS`.
        period_mean: Expected demand during lead time and review period.
        period_spread: Its quantiles at `LEVELS`.
        month_mean: Expected demand in 28 days.
    """

    variant_id: str
    title: str
    supplier_id: str | None
    pack: int
    minimum: int
    on_hand: float | None
    inbound: float
    lead_days: float
    lead_sd_days: float
    lead_known: bool
    supplier_minimum_minor: float
    price_minor: float | None
    cost_minor: float | None
    margin_minor: float | None
    level: float
    lead_mean: float
    lead_spread: np.ndarray
    period_mean: float
    period_spread: np.ndarray
    month_mean: float

    @property
    def reorder_point(self) -> float:
        """Demand of the lead time at the service level."""
        return formulas.at_level(self.level, self.lead_spread, LEVELS)

    @property
    def order_up_to(self) -> float:
        """Demand of lead time and review period at the service level."""
        return formulas.at_level(self.level, self.period_spread, LEVELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A reorder of one variant, before the budget.

    Attributes:
        item: The variant.
        units: Units to order.
        lost: Expected units lost in the period if nothing is ordered.
        avoided: Of these, saved by the order.
        avoided_low: The same where demand ends at its 10 % quantile.
        avoided_high: The same at its 90 % quantile.
    """

    item: Item
    units: int
    lost: float
    avoided: float
    avoided_low: float
    avoided_high: float

    @property
    def worth_minor(self) -> int | None:
        """Expected margin saved, None when the cost is unknown."""
        if self.item.margin_minor is None:
            return None
        return round(self.avoided * self.item.margin_minor)

    @property
    def cost_minor(self) -> int | None:
        """Cost of the order, None when unknown."""
        if self.item.cost_minor is None:
            return None
        return round(self.units * self.item.cost_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """Forecast of one variant: totals by horizon."""

    variant_id: str
    horizons_days: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def read_items(data: Signals, terms: Terms) -> list[Item]:
    """Return every active variant with demand ahead, sorted by id."""
    forecast = data.frame(FORECAST)
    if forecast.empty:
        return []
    forecast = forecast.sort_values(["variant_id", "horizon_days"])
    names, begins = np.unique(
        forecast["variant_id"].to_numpy(dtype=str), return_index=True
    )
    ids = [str(name) for name in names]
    horizons = forecast["horizon_days"].to_numpy(dtype=float)
    mean = forecast["mean_units"].to_numpy(dtype=float)
    spread = forecast[list(QUANTILE_COLUMNS)].to_numpy(dtype=float)
    catalogue = data.align(CATALOGUE, ids).to_dict("records")
    stock = data.align(STOCK, ids).to_dict("records")
    margin = earned(data, ids).to_dict("records")
    suppliers = {
        row["supplier_id"]: row for row in data.frame(LEAD_TIME).to_dict("records")
    }
    ends = [*begins[1:], len(forecast)]
    items = []
    for place, variant in enumerate(ids):
        own = slice(int(begins[place]), int(ends[place]))
        ahead = _Ahead(
            variant_id=variant,
            horizons_days=horizons[own],
            mean=mean[own],
            spread=spread[own],
        )
        about = catalogue[place]
        known = np.isfinite(ahead.mean).all() and np.isfinite(ahead.spread).all()
        if not about["active"] or not known or ahead.mean.sum() <= 0:
            continue
        supplier = suppliers.get(about["supplier_id"], {})
        items.append(_item(ahead, about, stock[place], margin[place], supplier, terms))
    return items


def _known(value: Any) -> float | None:
    """Return a number, or None for the several shapes of unknown."""
    if value is None:
        return None
    number = float(value)
    return None if np.isnan(number) else number


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _item(
    ahead: _Ahead,
    about: Mapping[Any, Any],
    stock: Mapping[Any, Any],
    margin: Mapping[Any, Any],
    supplier: Mapping[Any, Any],
    terms: Terms,
) -> Item:
    horizons, mean, spread = ahead.horizons_days, ahead.mean, ahead.spread
    lead = _known(supplier.get("mean_days"))
    if lead is None:
        lead = _known(supplier.get("promised_days"))
    lead_days = terms.lead_days if lead is None else lead
    sd = _known(supplier.get("sd_days"))
    sd_days = terms.lead_sd_days if sd is None else sd
    cost, unit_margin = _known(margin["cost_minor"]), _known(margin["margin_minor"])
    lead_mean, lead_spread = formulas.demand_quantiles(
        mean, spread, LEVELS, horizons, days=lead_days, sd_days=sd_days
    )
    period_mean, period_spread = formulas.demand_quantiles(
        mean,
        spread,
        LEVELS,
        horizons,
        days=lead_days + terms.review_days,
        sd_days=sd_days,
    )
    level = terms.service_level
    if cost is not None and unit_margin is not None:
        level = formulas.service_level(
            unit_margin,
            cost,
            keeping_share=terms.holding_share + terms.ageing_share,
            review_days=terms.review_days,
            period_days=lead_days + terms.review_days,
            mean=period_mean,
            quantiles=period_spread,
            levels=LEVELS,
        )
    variant = ahead.variant_id
    return Item(
        variant_id=variant,
        title=_text(about["title"]) or variant,
        supplier_id=_text(about["supplier_id"]),
        pack=int(_known(about["pack_units"]) or 1),
        minimum=int(_known(about["minimum_order_units"]) or 1),
        on_hand=_known(stock["on_hand_units"]),
        inbound=_known(stock["inbound_units"]) or 0.0,
        lead_days=lead_days,
        lead_sd_days=sd_days,
        lead_known=lead is not None,
        supplier_minimum_minor=_known(supplier.get("minimum_order_minor")) or 0.0,
        price_minor=_known(margin["price_minor"]) or _known(about["price_minor"]),
        cost_minor=cost,
        margin_minor=unit_margin,
        level=level,
        lead_mean=lead_mean,
        lead_spread=lead_spread,
        period_mean=period_mean,
        period_spread=period_spread,
        month_mean=float(np.interp(28, horizons, mean)),
    )


def propose(item: Item) -> Proposal | None:
    """Return the reorder of a counted variant, None when it has enough."""
    if item.on_hand is None:
        return None
    on_hand = max(item.on_hand, 0.0)
    position = on_hand + item.inbound
    lost_before = formulas.expected_shortage(position, item.lead_spread, LEVELS)
    needed = formulas.units_needed(item.order_up_to, on_hand, item.inbound, lost_before)
    units = formulas.whole_packs(needed, pack=item.pack, minimum=item.minimum)
    if units == 0:
        return None
    lost = formulas.expected_shortage(position, item.period_spread, LEVELS)
    # Supply replaces no demand that was lost before it came, so that stays lost.
    still = formulas.expected_shortage(
        position + lost_before + units, item.period_spread, LEVELS
    )
    avoided = max(0.0, lost - lost_before - still)
    low, high = (
        _avoided_at(item, position, units, LEVELS.index(q)) for q in (0.1, 0.9)
    )
    return Proposal(
        item=item,
        units=units,
        lost=lost,
        avoided=avoided,
        avoided_low=min(low, avoided),
        avoided_high=max(high, avoided),
    )


def _avoided_at(item: Item, position: float, units: int, level: int) -> float:
    lost_before = max(0.0, float(item.lead_spread[level]) - position)
    lost = max(0.0, float(item.period_spread[level]) - position)
    return min(max(0.0, lost - lost_before), float(units))
