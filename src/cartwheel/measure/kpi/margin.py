"""Contribution margin: what is left of revenue after goods, returns and parcels.

An unknown unit cost is unknown: what was sold or refunded without one is left out of
both the margin and the revenue it is a share of, and the figure says how much that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartwheel.measure.kpi.definition import Kpi
from cartwheel.measure.kpi.since import partial
from cartwheel.measure.kpi.workroom import Step, in_force, said

if TYPE_CHECKING:
    from cartwheel.measure.kpi.definition import Gaps
    from cartwheel.measure.kpi.workroom import Workroom

KNOWN_SHARE = 0.5
"""Share of revenue whose costs must be known for a margin to be said."""


def margin_sql(room: Workroom, before: str = "") -> str:
    """Return SQL of margin and revenue, one row for each thing that moves them.

    Columns are those of the rows behind a figure; `top` is margin and `bottom` is
    revenue less refunds, both in minor units.

    Args:
        room: Where tables are laid out.
        before: "" for the window, "year_" for the first year of a cohort.
    """
    sold, refund, back = (f"kpi_{before}{name}" for name in ("sold", "refund", "back"))
    parts = [
        "SELECT look, 'sold' AS what, order_id || ' ' || line_id AS id, owner, "
        "placed_at AS happened_at, variant_id AS about, "
        "paid_minor - units * cost AS top, paid_minor AS bottom "
        f"FROM ({_costed(sold, 'placed_at')}) WHERE cost IS NOT NULL",
        # A refund that names no product cannot be left out for want of a cost.
        "SELECT look, 'refund', refund_id || ' ' || line_id, owner, refunded_at, "
        "variant_id, -amount_minor, -amount_minor "
        f"FROM ({_costed(refund, 'refunded_at')}) "
        "WHERE cost IS NOT NULL OR variant_id IS NULL",
        # Goods are worth their cost again, less what the return is known to have
        # lost; waste and seconds whose loss was never recorded are worth nothing.
        "SELECT look, 'back', id || ' ' || line_id, owner, happened_at, variant_id, "
        "CASE WHEN cost_minor IS NULL AND grade IN ('seconds', 'waste') THEN 0 "
        "ELSE units * cost - coalesce(cost_minor, 0) END, 0 "
        f"FROM ({_costed(back, 'happened_at')}) WHERE cost IS NOT NULL",
    ]
    if room.parcel_minor:
        parts.append(
            "SELECT look, 'parcel', order_id, owner, min(placed_at), NULL, "
            f"-{room.parcel_minor}, 0 FROM ({_costed(sold, 'placed_at')}) "
            "WHERE cost IS NOT NULL GROUP BY look, order_id, owner"
        )
    return " UNION ALL ".join(parts)


def known_share(room: Workroom, sold: str = "sold") -> dict[int, float]:
    """Return the share of revenue whose costs are known, by look with revenue."""
    return room.by_look(
        "SELECT look, "
        "coalesce(sum(paid_minor) FILTER (cost IS NOT NULL), 0) / sum(paid_minor) "
        f"FROM ({_costed(f'kpi_{sold}', 'placed_at')}) "
        "GROUP BY look HAVING sum(paid_minor) > 0",
        sold,
        "cost",
    )


def _costed(table: str, at: str) -> str:
    """Return SQL of rows with the unit cost in force then, else the first known."""
    return (
        "SELECT own.*, coalesce(held.cost_minor, early.cost_minor) AS cost FROM ("
        f"SELECT * REPLACE (coalesce(variant_id, {_other(table)}) AS variant_id) "
        f"FROM {table}) AS own ASOF LEFT JOIN kpi_cost AS held ON "
        "own.look = held.look AND own.variant_id = held.variant_id AND "
        f"own.{at} >= held.valid_from_at LEFT JOIN (SELECT look, variant_id, "
        "arg_min(cost_minor, valid_from_at) AS cost_minor FROM kpi_cost "
        "GROUP BY look, variant_id) AS early ON early.look = own.look AND "
        "early.variant_id = own.variant_id"
    )


def _other(table: str) -> str:
    return "variant_id" if table.endswith("back") else "product_id"


def _cost_versions(room: Workroom) -> str:
    return room.versions("costs", "variant_id, valid_from_at, cost_minor")


def _costs(room: Workroom) -> str:
    return (
        "SELECT seen.look, cost.variant_id, cost.valid_from_at, cost.cost_minor "
        "FROM kpi_cost_version AS cost JOIN kpi_look AS seen ON "
        f"cost.valid_from_at < seen.end_at AND {in_force('cost', 'seen')}"
    )


STEPS: dict[str, Step] = {
    "cost_version": Step(needs=(), sql=_cost_versions),
    "cost": Step(needs=("cost_version",), sql=_costs),
}


def _rows(room: Workroom) -> str:
    room.need("sold", "refund", "back", "cost")
    return margin_sql(room)


def _gaps(room: Workroom) -> Gaps:
    shares = known_share(room)
    found = {}
    for look in room.looks:
        share = shares.get(look.number)
        if share is None:
            found[look.number] = (
                f"Not yet: nothing was sold in the {look.window_days} days up to "
                f"{said(look.as_of)}."
            )
        elif share < KNOWN_SHARE:
            found[look.number] = (
                f"Not yet: unit costs are known for {share:.0%} of revenue, "
                f"{KNOWN_SHARE:.0%} are needed. Import costs."
            )
    return {**found, **partial(room)}


def _notes(room: Workroom) -> Gaps:
    parcel = (
        "each order's parcel is taken off"
        if room.parcel_minor
        else "what parcels cost is unknown and not taken off (set costs.parcel_minor)"
    )
    return {
        look: f"Unit costs are known for {share:.1%} of revenue; {parcel}."
        for look, share in known_share(room).items()
    }


CONTRIBUTION_MARGIN = Kpi(
    name="contribution_margin",
    label="Contribution margin",
    unit="share",
    definition=(
        "Revenue of the window less refunds, unit costs of goods that stayed sold, "
        "recorded costs of returns and parcels, as a share of revenue less refunds; "
        "of lines whose unit cost is known."
    ),
    tables=("orders", "order_lines", "costs", "refunds", "returns"),
    better="higher",
    kind="ratio",
    top="margin_minor",
    bottom="net_revenue_minor",
    rows=_rows,
    gaps=_gaps,
    notes=_notes,
    nothing="Not yet: refunds of the window took all its revenue.",
    owners="customers",
)
