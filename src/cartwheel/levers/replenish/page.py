"""The replenish lever's console page."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.levers.base import Decision
from cartwheel.levers.replenish.reorder_math import Item, Proposal
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.signals.base import ShopContext

NO_COUNT = "Not yet: no stock counts. Import inventory_levels."
MOST_ROWS = 500


def page(
    *,
    rule: str,
    items: Sequence[Item],
    chosen: Sequence[Proposal],
    waiting: Sequence[Proposal],
    decisions: Sequence[Decision],
    context: ShopContext,
) -> Report:
    """Return figures and the reorder grid."""
    counted = [item for item in items if item.on_hand is not None]
    return Report(
        summary=_summary(rule, items, counted, chosen, waiting, decisions, context),
        figures=_figures(counted, chosen, waiting),
        grids=(_reorder_grid(chosen) if counted else _level_grid(decisions),),
    )


def _summary(
    rule: str,
    items: Sequence[Item],
    counted: Sequence[Item],
    chosen: Sequence[Proposal],
    waiting: Sequence[Proposal],
    decisions: Sequence[Decision],
    context: ShopContext,
) -> str:
    if not items:
        return f"Method: {rule}. {len(decisions):,} reorders proposed."
    if not counted:
        said = "No reorder is proposed: no variant that sells has a stock count."
        if not decisions:
            return said
        return (
            f"{said} Import inventory_levels. Meanwhile {len(decisions):,} reorder "
            "levels tell when to order and up to how much."
        )
    money = sum(p.cost_minor or 0 for p in chosen)
    text = (
        f"{len(chosen):,} of {len(counted):,} counted variants need a reorder, "
        f"{context.money(money)} where the cost is known."
    )
    if waiting:
        text += f" {len(waiting):,} more do not fit the budget."
    return text


def _figures(
    counted: Sequence[Item], chosen: Sequence[Proposal], waiting: Sequence[Proposal]
) -> tuple[Figure, ...]:
    below = sum(
        (item.on_hand or 0) + item.inbound <= item.reorder_point for item in counted
    )
    everything = [*chosen, *waiting]
    costs = [p.cost_minor for p in chosen if p.cost_minor is not None]
    lost = [
        p.lost * p.item.margin_minor
        for p in everything
        if p.item.margin_minor is not None
    ]
    return (
        Figure(
            label="Variants below their reorder point",
            value=float(below) if counted else None,
            unit="",
            definition=(
                "On hand and inbound at or under the demand of the lead time at "
                "the service level."
            ),
            not_yet=NO_COUNT,
        ),
        Figure(
            label="Money to order",
            value=float(sum(costs)) if costs else None,
            unit="minor",
            definition="Units proposed times unit cost, where the cost is known.",
            not_yet=NO_COUNT if not counted else "Not yet: no cost is on record.",
        ),
        Figure(
            label="Margin lost if nothing is ordered",
            value=float(sum(lost)) if lost else None,
            unit="minor",
            definition=(
                "Expected demand beyond the stock until the next order could "
                "arrive, times unit margin; where the margin is known."
            ),
            not_yet=NO_COUNT if not counted else "Not yet: no margin is on record.",
        ),
    )


def _reorder_grid(chosen: Sequence[Proposal]) -> Grid:
    rows = tuple(
        (
            p.item.title,
            p.item.supplier_id or "",
            p.item.on_hand,
            p.item.inbound,
            round(p.item.period_mean, 1),
            round(p.item.order_up_to, 1),
            round(p.item.lead_days, 1),
            p.units,
            p.cost_minor,
            p.worth_minor,
        )
        for p in chosen[:MOST_ROWS]
    )
    return Grid(
        title="Reorders",
        columns=(
            "Variant",
            "Supplier",
            "On hand",
            "Inbound",
            "Expected demand",
            "Order up to",
            "Lead time",
            "Order",
            "Cost",
            "Margin saved",
        ),
        units=("", "", *["units"] * 4, "days", "units", "minor", "minor"),
        rows=rows,
        note="Most margin at stake first. Demand: lead time plus review period.",
    )


def _level_grid(decisions: Sequence[Decision]) -> Grid:
    rows = tuple(
        (
            d.subject.removeprefix("variant:"),
            d.action.get("reorder_point_units", ""),
            d.action.get("order_up_to_units", d.action.get("units", "")),
            d.reason,
        )
        for d in decisions[:MOST_ROWS]
    )
    return Grid(
        title="Reorder levels",
        columns=("Variant", "Order when down to", "Order up to", "Why"),
        units=("", "units", "units", ""),
        rows=rows,
        note="Best sellers by expected revenue first.",
    )
