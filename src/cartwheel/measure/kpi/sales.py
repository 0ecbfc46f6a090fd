"""What was sold, and what came back, as each look saw it.

The rules are those of the signals (`sold_lines`, `kept_refunds` and the units that
came back in `docs/signals.md`), written so that one pass serves many days; a test
holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartwheel.measure.kpi.workroom import Step, in_force
from cartwheel.signals.facts import VOID_DAYS, VOID_REASON

if TYPE_CHECKING:
    from cartwheel.measure.kpi.workroom import Workroom

VOID_COLUMNS = "look, order_id, line_id, refund_id, refund_line_id"


def sold_sql(room: Workroom, scope: str) -> str:
    """Return SQL of what was really sold, one row a line.

    Left out are lines that are no product, orders cancelled by the look, and voided
    sales. `paid_minor` has the line's discount and its share of the order's taken off.

    Args:
        room: Where tables are laid out.
        scope: SQL of lines in force: columns of `line_version`, look and end_at; all
            lines of an order or none.
    """
    return (
        "SELECT look, order_id, line_id, customer_id, "
        "coalesce('customer ' || customer_id, 'order ' || order_id) AS owner, "
        "product_id, variant_id, placed_at, units, "
        "net - (least(off, whole) * net) // greatest(whole, 1) AS paid_minor FROM ("
        "SELECT *, CAST(sum(net) OVER (PARTITION BY look, order_id) AS BIGINT) AS "
        "whole FROM (SELECT line.look, line.order_id, line.line_id, line.placed_at, "
        "coalesce(line.customer_id, own.customer_id) AS customer_id, "
        "coalesce(line.product_id, line.variant_id) AS product_id, "
        "coalesce(line.variant_id, line.product_id) AS variant_id, line.units, "
        "line.net, coalesce(own.off, 0) AS off "
        f"FROM ({scope}) AS line LEFT JOIN kpi_order_version AS own ON "
        f"own.order_id = line.order_id AND {in_force('own', 'line')} "
        "WHERE own.status IS NULL OR own.status <> 'cancelled')) "
        "ANTI JOIN kpi_void USING (look, order_id, line_id)"
    )


def refund_sql(room: Workroom, scope: str) -> str:
    """Return SQL of refunds of sales that count, one row a refunded line.

    Args:
        room: Where tables are laid out.
        scope: SQL of refunds in force: columns of `refund_version`, look and end_at.
    """
    return (
        "SELECT back.look, back.end_at, back.refund_id, back.line_id, back.order_id, "
        "back.customer_id, coalesce('customer ' || coalesce(back.customer_id, "
        "own.customer_id), 'order ' || back.order_id, 'refund ' || back.refund_id) "
        "AS owner, back.product_id, back.variant_id, back.refunded_at, back.units, "
        "back.amount_minor "
        f"FROM ({scope}) AS back LEFT JOIN kpi_order_version AS own ON "
        f"own.order_id = back.order_id AND {in_force('own', 'back')} "
        "ANTI JOIN kpi_void AS gone ON gone.look = back.look AND "
        "gone.refund_id = back.refund_id AND gone.refund_line_id = back.line_id "
        "WHERE own.status IS NULL OR own.status <> 'cancelled'"
    )


def back_sql(returns: str, refunds: str) -> str:
    """Return SQL of goods that came back.

    A refund of units counts unless a return of the same product says the same: of
    the same order, or of the same customer where the refund names no order.

    Args:
        returns: Table of returns.
        refunds: Table of refunds.
    """
    return (
        "SELECT look, 'return' AS what, return_id AS id, line_id, owner, "
        "coalesce(variant_id, product_id) AS variant_id, returned_at AS happened_at, "
        "units, "
        "grade, cost_minor "
        f"FROM {returns} UNION ALL SELECT look, 'refund of units', refund_id, "
        "line_id, owner, coalesce(variant_id, product_id), refunded_at, units, "
        "CAST(NULL AS VARCHAR), CAST(NULL AS BIGINT) "
        f"FROM {refunds} AS back WHERE product_id IS NOT NULL AND units > 0 "
        "AND NOT EXISTS (SELECT 1 FROM kpi_return_version AS came WHERE "
        "came.order_id = back.order_id AND came.product_id = back.product_id AND "
        f"{in_force('came', 'back')}) "
        "AND NOT EXISTS (SELECT 1 FROM kpi_return_version AS came WHERE "
        "back.order_id IS NULL AND came.customer_id = back.customer_id AND "
        f"came.product_id = back.product_id AND {in_force('came', 'back')})"
    )


def _order_versions(room: Workroom) -> str:
    return room.versions(
        "orders",
        "order_id, customer_id, placed_at, status, coalesce(discount_minor, 0) AS off",
    )


def _line_versions(room: Workroom) -> str:
    # Until when a version was in force is found first: a line may turn out no product.
    found = room.versions(
        "order_lines",
        "order_id, line_id, placed_at, customer_id, kind, product_id, variant_id, "
        "quantity_units AS units, greatest(quantity_units * unit_price_minor - "
        "coalesce(discount_minor, 0), 0) AS net",
    )
    return (
        f"SELECT * EXCLUDE (kind) FROM ({found}) WHERE kind = 'product' AND units > 0 "
        "AND coalesce(variant_id, product_id) IS NOT NULL"
    )


def _refund_versions(room: Workroom) -> str:
    return room.versions(
        "refunds",
        "refund_id, line_id, order_id, customer_id, product_id, variant_id, "
        "refunded_at, coalesce(quantity_units, 0) AS units, amount_minor, reason",
    )


def _return_versions(room: Workroom) -> str:
    return room.versions(
        "returns",
        "return_id, line_id, order_id, customer_id, product_id, variant_id, "
        "returned_at, quantity_units AS units, grade, cost_minor",
    )


def _voids(room: Workroom) -> str:
    """Return SQL of sales keyed in and taken back: brackets matched along time."""
    cancels = (
        f"reason = '{VOID_REASON}' AND order_id IS NULL AND coalesce(quantity_units, 0)"
        " > 0"
    )
    if not room.has("refunds", cancels):
        return (
            "SELECT CAST(NULL AS INT) AS look, '' AS order_id, '' AS line_id, "
            "'' AS refund_id, '' AS refund_line_id WHERE false"
        )
    group = "look, buyer, variant_id, units"
    order = "ORDER BY happened_at, step DESC, document, piece"
    return (
        "WITH taken AS (SELECT look, coalesce(customer_id, '') AS buyer, "
        "coalesce(variant_id, product_id) AS variant_id, units, refunded_at AS "
        "happened_at, "
        "-1 AS step, refund_id AS document, line_id AS piece "
        "FROM kpi_refund_version AS back JOIN kpi_look AS seen ON "
        f"{in_force('back', 'seen')} WHERE reason = '{VOID_REASON}' AND "
        "order_id IS NULL AND units > 0), "
        "sale AS (SELECT seen.look, coalesce(line.customer_id, own.customer_id, '') "
        "AS buyer, coalesce(line.variant_id, line.product_id) AS variant_id, "
        "line.units, line.placed_at AS happened_at, 1 AS step, line.order_id AS "
        "document, "
        "line.line_id AS piece FROM kpi_line_version AS line JOIN kpi_look AS seen ON "
        f"{in_force('line', 'seen')} LEFT JOIN kpi_order_version AS own ON "
        f"own.order_id = line.order_id AND {in_force('own', 'seen')} "
        "WHERE (own.status IS NULL OR own.status <> 'cancelled') AND "
        "(coalesce(line.variant_id, line.product_id), line.units) IN "
        "(SELECT (variant_id, units) FROM taken)), "
        "both_ AS (SELECT * FROM taken UNION ALL "
        "SELECT * FROM sale SEMI JOIN taken USING (look, buyer, variant_id, units)), "
        f"run AS (SELECT *, sum(step) OVER (PARTITION BY {group} {order} "
        "ROWS UNBOUNDED PRECEDING) AS balance FROM both_), "
        f"low AS (SELECT *, min(balance) OVER (PARTITION BY {group} {order} "
        "ROWS UNBOUNDED PRECEDING) AS lowest FROM run), "
        "deep AS (SELECT *, balance - least(lowest, 0) + "
        "CASE WHEN step < 0 THEN 1 ELSE 0 END AS level FROM low), "
        "pair AS (SELECT *, lead(step) OVER inside AS next_step, "
        "lead(happened_at) OVER inside AS next_at, lead(document) OVER inside AS "
        "refund_id, "
        "lead(piece) OVER inside AS refund_line_id FROM deep "
        f"WINDOW inside AS (PARTITION BY {group}, level {order})) "
        "SELECT look, document AS order_id, piece AS line_id, refund_id, "
        "refund_line_id FROM pair WHERE step = 1 AND next_step = -1 AND "
        f"epoch(next_at) - epoch(happened_at) <= {VOID_DAYS * 86_400}"
    )


def _sold(room: Workroom) -> str:
    return sold_sql(
        room,
        "SELECT line.*, seen.look, seen.end_at FROM kpi_line_version AS line "
        "JOIN kpi_look AS seen ON line.placed_at >= seen.start_at "
        f"AND line.placed_at < seen.end_at AND {in_force('line', 'seen')}",
    )


def _refunds(room: Workroom) -> str:
    return refund_sql(
        room,
        "SELECT back.*, seen.look, seen.end_at FROM kpi_refund_version AS back "
        "JOIN kpi_look AS seen ON back.refunded_at >= seen.start_at "
        f"AND back.refunded_at < seen.end_at AND {in_force('back', 'seen')}",
    )


def _returns(room: Workroom) -> str:
    return (
        "SELECT came.*, seen.look, coalesce('customer ' || coalesce(came.customer_id, "
        "own.customer_id), 'order ' || came.order_id, 'return ' || came.return_id) "
        "AS owner FROM kpi_return_version AS came JOIN kpi_look AS seen ON "
        "came.returned_at >= seen.start_at AND came.returned_at < seen.end_at AND "
        f"{in_force('came', 'seen')} LEFT JOIN kpi_order_version AS own ON "
        f"own.order_id = came.order_id AND {in_force('own', 'seen')}"
    )


VERSIONS = ("order_version", "line_version", "void")
STEPS: dict[str, Step] = {
    "order_version": Step(needs=(), sql=_order_versions),
    "line_version": Step(needs=(), sql=_line_versions),
    "refund_version": Step(needs=(), sql=_refund_versions),
    "return_version": Step(needs=(), sql=_return_versions),
    "void": Step(needs=("order_version", "line_version", "refund_version"), sql=_voids),
    "sold": Step(needs=VERSIONS, sql=_sold),
    "refund": Step(needs=("refund_version", "order_version", "void"), sql=_refunds),
    "return": Step(needs=("return_version", "order_version"), sql=_returns),
    "back": Step(
        needs=("return", "refund", "return_version"),
        sql=lambda room: back_sql("kpi_return", "kpi_refund"),
    ),
}
