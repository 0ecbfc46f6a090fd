"""Replenish: what to order now, from whom and how much."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cartwheel.levers.base import (
    Abstain,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Prediction,
    Rule,
)
from cartwheel.levers.replenish import page as replenish_page
from cartwheel.levers.replenish.order_quantity import whole_packs, within_budget
from cartwheel.levers.replenish.reorder_math import (
    Item,
    Proposal,
    Terms,
    propose,
    read_items,
)
from cartwheel.levers.report import Report
from cartwheel.signals.base import ShopContext, Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.learned import FORECAST
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.stock import STOCK
from cartwheel.signals.supply import LEAD_TIME

if TYPE_CHECKING:
    import pyarrow as pa

SERVICE = "order up to a service level"
LEVELS_ONLY = "reorder levels without counts"
COVER = "days of cover"
WAITING = "nothing to go by"
SAFETY_DAYS = 7.0
PACE_DAYS = 28


class Replenish:
    """Proposes reorders from forecast quantiles, stock, lead times and margins."""

    name = "replenish"
    title = "Replenishment"
    group = Group.VALUE_CHAIN
    reads: tuple[Signal, ...] = (FORECAST, STOCK, LEAD_TIME, CATALOGUE, MARGIN)
    writes: tuple[Signal, ...] = ()
    kinds = (
        Kind(
            name="reorder",
            title="Reorder",
            autonomy=Autonomy.SUGGEST,
            expires_days=7,
        ),
        Kind(
            name="reorder_level",
            title="Reorder level",
            autonomy=Autonomy.SUGGEST,
            expires_days=28,
        ),
    )
    floor = Floor(
        needs=(
            Need(
                what="variants with a forecast",
                at_least=1,
                count=lambda data: float(data.table(FORECAST).num_rows > 0),
            ),
            Need(
                what="variants with a stock count (import inventory_levels)",
                at_least=1,
                count=lambda data: float(_counted(data)),
            ),
        ),
        meanwhile=(
            "Without stock counts: gives reorder levels to hold against your own "
            "count. Without a forecast: orders by days of cover."
        ),
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Settle terms and method; the arithmetic is in `decide`."""
        return _settle(data)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Write nothing; no signal has this lever as its writer."""
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return reorders, most margin at stake first, or reorder levels."""
        terms = _terms(model)
        if model.rule == SERVICE:
            return _reorders(data, terms)
        if model.rule == LEVELS_ONLY:
            return _levels(data, terms)
        if model.rule == COVER:
            return _by_cover(data, terms)
        raise Abstain(
            "There is neither a forecast nor a stock count; import orders, and "
            "inventory_levels for reorders."
        )

    def fallback(self) -> Rule:
        """Order by days of cover, or give levels where nothing is counted."""
        return Rule(name=COVER, doc=self.floor.meanwhile, model=_settle)

    def report(self, model: Model, data: Signals) -> Report:
        """Show what is short, what ordering costs and what not ordering loses."""
        if model.rule == WAITING:
            return Report(summary="Nothing to go by yet: no forecast, no stock count.")
        terms = _terms(model)
        items = read_items(data, terms) if model.rule != COVER else []
        chosen, waiting = _chosen(items, terms) if model.rule == SERVICE else ([], [])
        decisions = tuple(self.decide(model, data, seed=0))
        return replenish_page.page(
            rule=model.rule,
            items=items,
            chosen=chosen,
            waiting=waiting,
            decisions=decisions,
            context=data.context,
        )


def _counted(data: Signals) -> int:
    return int(data.frame(STOCK)["on_hand_units"].notna().sum())


def _settle(data: Signals) -> Model:
    options = data.context.options.get("replenish", {})
    terms = Terms.from_options(options)
    forecast = data.table(FORECAST).num_rows > 0
    counted = _counted(data) > 0
    if forecast:
        rule = SERVICE if counted else LEVELS_ONLY
    else:
        rule = COVER if counted else WAITING
    meta = asdict(terms)
    return Model(rule=rule, meta=meta)


def _terms(model: Model) -> Terms:
    given = {name: value for name, value in model.meta.items() if value is not None}
    return Terms.from_options(given)


def _chosen(items: list[Item], terms: Terms) -> tuple[list[Proposal], list[Proposal]]:
    """Return the proposals within the budget and those that must wait for money."""
    found = [p for p in (propose(item) for item in items) if p is not None]
    found.sort(key=_urgency)
    if terms.budget_minor is None:
        return found, []
    known = [p for p in found if p.cost_minor is not None]
    fits = within_budget(
        [float(p.worth_minor or 0) for p in known],
        [float(p.cost_minor or 0) for p in known],
        terms.budget_minor,
    )
    out = {p.item.variant_id for p, fit in zip(known, fits, strict=True) if not fit}
    # A cost that is unknown cannot be held against a budget: a person decides.
    return (
        [p for p in found if p.item.variant_id not in out],
        [p for p in found if p.item.variant_id in out],
    )


def _urgency(proposal: Proposal) -> tuple[float, float, str]:
    worth = proposal.worth_minor
    return (
        -float(worth) if worth is not None else 0.0,
        -proposal.avoided,
        proposal.item.variant_id,
    )


def _reorders(data: Signals, terms: Terms) -> list[Decision]:
    chosen, _ = _chosen(read_items(data, terms), terms)
    totals = _supplier_totals(chosen)
    return [
        _reorder(p, totals.get(p.item.supplier_id), data.context, terms) for p in chosen
    ]


def _supplier_totals(chosen: list[Proposal]) -> dict[str | None, int]:
    """Return the order value by supplier, where every cost is known."""
    totals: dict[str | None, int] = {}
    unknown = {p.item.supplier_id for p in chosen if p.cost_minor is None}
    for proposal in chosen:
        supplier, cost = proposal.item.supplier_id, proposal.cost_minor
        if cost is not None and supplier not in unknown:
            totals[supplier] = totals.get(supplier, 0) + cost
    return totals


def _reorder(
    proposal: Proposal, supplier_total: int | None, context: ShopContext, terms: Terms
) -> Decision:
    item = proposal.item
    known = item.margin_minor is not None
    factor = item.margin_minor if item.margin_minor is not None else 1.0
    metric = "lost_margin_avoided_minor" if known else "lost_units_avoided"
    return Decision(
        kind="reorder",
        subject=f"variant:{item.variant_id}",
        action={
            "variant_id": item.variant_id,
            "supplier_id": item.supplier_id,
            "units": proposal.units,
            "packs": proposal.units // item.pack,
            "cost_minor": proposal.cost_minor,
        },
        reason=_reorder_reason(proposal, supplier_total, context, terms),
        options=({"units": 0}, {"units": proposal.units}),
        predicted=Prediction(
            metric=metric,
            value=round(proposal.avoided * factor, 2),
            low=round(proposal.avoided_low * factor, 2),
            high=round(proposal.avoided_high * factor, 2),
        ),
        worth_minor=proposal.worth_minor,
        cost_minor=proposal.cost_minor,
        evidence={
            **_evidence(item),
            "on_hand_units": item.on_hand,
            "inbound_units": item.inbound,
            "expected_lost_units": round(proposal.lost, 2),
            "pack_units": item.pack,
            "minimum_order_units": item.minimum,
        },
    )


def _evidence(item: Item) -> dict[str, Any]:
    return {
        "lead_days": round(item.lead_days, 1),
        "lead_sd_days": round(item.lead_sd_days, 1),
        "lead_time_known": item.lead_known,
        "service_level": round(item.level, 3),
        "reorder_point_units": math.ceil(item.reorder_point),
        "order_up_to_units": math.ceil(item.order_up_to),
        "expected_28d_units": round(item.month_mean, 1),
    }


def _lead_words(item: Item) -> str:
    if item.lead_known:
        return f"the supplier takes {item.lead_days:.0f} days"
    return f"lead time unknown, {item.lead_days:.0f} days assumed"


def _reorder_reason(
    proposal: Proposal, supplier_total: int | None, context: ShopContext, terms: Terms
) -> str:
    item = proposal.item
    inbound = f" and {item.inbound:,.0f} inbound" if item.inbound else ""
    days = item.lead_days + terms.review_days
    text = (
        f"{item.on_hand or 0:,.0f} on hand{inbound}, {item.period_mean:,.0f} expected "
        f"in the next {days:.0f} days, up to {item.order_up_to:,.0f} at "
        f"{item.level:.0%} service; {_lead_words(item)}. "
    )
    if proposal.worth_minor is not None:
        text += f"Ordering saves about {context.money(proposal.worth_minor)} of margin."
    else:
        text += (
            f"Ordering saves about {proposal.avoided:,.0f} sales; "
            "the cost is unknown, so their margin is too."
        )
    if supplier_total is not None and supplier_total < item.supplier_minimum_minor:
        text += (
            f" The supplier's smallest order is "
            f"{context.money(item.supplier_minimum_minor)}, proposals come to "
            f"{context.money(supplier_total)}."
        )
    return text


def _levels(data: Signals, terms: Terms) -> list[Decision]:
    """Reorder point and order-up-to level of the best sellers, by revenue ahead."""
    items = read_items(data, terms)
    items.sort(
        key=lambda i: (
            -i.month_mean * (i.price_minor or 0),
            -i.month_mean,
            i.variant_id,
        )
    )
    return [_level(item, terms) for item in items[: terms.levels]]


def _level(item: Item, terms: Terms) -> Decision:
    point = math.ceil(item.reorder_point)
    up_to = max(
        whole_packs(item.order_up_to, pack=item.pack, minimum=1),
        point + item.pack,
    )
    days = round(item.lead_days + terms.review_days)
    return Decision(
        kind="reorder_level",
        subject=f"variant:{item.variant_id}",
        action={
            "variant_id": item.variant_id,
            "supplier_id": item.supplier_id,
            "reorder_point_units": point,
            "order_up_to_units": up_to,
        },
        reason=(
            "Stock is unknown: no count on record. "
            f"When your count falls to {point:,}, order up to {up_to:,}: "
            f"{item.period_mean:,.0f} expected in {days} days, "
            f"{item.level:.0%} service; {_lead_words(item)}."
        ),
        predicted=Prediction(
            metric=f"units_{days}d",
            value=round(float(item.period_spread[1]), 2),
            low=round(float(item.period_spread[0]), 2),
            high=round(float(item.period_spread[3]), 2),
        ),
        evidence=_evidence(item),
    )


def _by_cover(data: Signals, terms: Terms) -> list[Decision]:
    """Order what lasts less than lead time, review period and a week."""
    stock = data.frame(STOCK)
    stock = stock[stock["on_hand_units"].notna()]
    stock = stock[stock["sold_28d_units"].fillna(0) > 0]
    about = data.align(CATALOGUE, stock["variant_id"].tolist())
    leads = data.align(LEAD_TIME, about["supplier_id"].unique().tolist())
    lead_of = dict(zip(leads["supplier_id"], leads["mean_days"], strict=True))
    found = []
    pairs = zip(stock.to_dict("records"), about.to_dict("records"), strict=True)
    for level, terms_of in pairs:
        lead = lead_of.get(terms_of["supplier_id"])
        lead_days = terms.lead_days if lead is None or math.isnan(lead) else lead
        target = lead_days + terms.review_days + SAFETY_DAYS
        decision = _cover_order(level, terms_of, target)
        if decision is not None and terms_of["active"] is not False:
            found.append(decision)
    return found


def _cover_order(
    stock: Mapping[Any, Any], about: Mapping[Any, Any], target_days: float
) -> Decision | None:
    pace = float(stock["sold_28d_units"]) / PACE_DAYS
    inbound = float(stock["inbound_units"] or 0)
    on_hand = max(float(stock["on_hand_units"]), 0.0)
    position = on_hand + inbound
    pack = int(about["pack_units"] or 1)
    units = whole_packs(
        pace * target_days - position,
        pack=pack,
        minimum=int(about["minimum_order_units"] or 1),
    )
    if units == 0:
        return None
    supplier = about["supplier_id"]
    return Decision(
        kind="reorder",
        subject=f"variant:{stock['variant_id']}",
        action={
            "variant_id": stock["variant_id"],
            "supplier_id": supplier if isinstance(supplier, str) else None,
            "units": units,
            "packs": units // pack,
            "cost_minor": None,
        },
        reason=(
            f"Stock lasts {on_hand / pace:.0f} days at the pace of the last 28; "
            f"{target_days:.0f} days are wanted. No forecast was at hand."
        ),
        options=({"units": 0}, {"units": units}),
        evidence={"units_a_day": round(pace, 3), "target_days": round(target_days, 1)},
    )
