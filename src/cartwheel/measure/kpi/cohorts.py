"""Customers by their first order, and what they did in the time after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartwheel.measure.kpi.looks import YEAR_DAYS
from cartwheel.measure.kpi.sales import back_sql, refund_sql, sold_sql
from cartwheel.measure.kpi.workroom import Step, in_force

if TYPE_CHECKING:
    from cartwheel.measure.kpi.workroom import Workroom


def _first(room: Workroom) -> str:
    """Return SQL of customers whose first standing order falls into a cohort."""
    return (
        "SELECT own.customer_id, seen.look, min(own.placed_at) AS first_at "
        "FROM kpi_order_version AS own JOIN kpi_look AS seen ON "
        f"own.placed_at < seen.again_to AND {in_force('own', 'seen')} "
        "WHERE own.status <> 'cancelled' AND own.customer_id IS NOT NULL "
        "GROUP BY own.customer_id, seen.look, seen.again_from, seen.year_from, "
        "seen.year_to HAVING first_at >= seen.again_from OR "
        "(first_at >= seen.year_from AND first_at < seen.year_to)"
    )


def _again(room: Workroom) -> str:
    return (
        "SELECT look, customer_id, first_at FROM kpi_first "
        "JOIN kpi_look USING (look) WHERE first_at >= again_from AND first_at < "
        "again_to"
    )


def _year(room: Workroom) -> str:
    return (
        "SELECT look, customer_id, first_at, first_at + "
        f"to_days({YEAR_DAYS}) AS last_at, end_at FROM kpi_first "
        "JOIN kpi_look USING (look) WHERE first_at >= year_from AND first_at < year_to"
    )


def _year_orders(room: Workroom) -> str:
    """Return SQL of the standing orders of a cohort's first year."""
    return (
        "SELECT who.*, own.order_id FROM kpi_year AS who JOIN kpi_order_version AS own "
        f"ON own.customer_id = who.customer_id AND {in_force('own', 'who')} "
        "WHERE own.status <> 'cancelled' AND own.placed_at < who.last_at"
    )


def _year_sold(room: Workroom) -> str:
    return sold_sql(
        room,
        "SELECT line.* REPLACE (who.customer_id AS customer_id), who.look, who.end_at "
        "FROM kpi_year_order AS who JOIN kpi_line_version AS line ON "
        f"line.order_id = who.order_id AND {in_force('line', 'who')}",
    )


def _of_the_year(versions: str, alias: str, at: str) -> str:
    """Return SQL of refunds or returns of a cohort: by order, or by customer."""
    return (
        f"SELECT {alias}.* REPLACE (who.customer_id AS customer_id), who.look, "
        f"who.end_at FROM kpi_year_order AS who JOIN {versions} AS {alias} ON "
        f"{alias}.order_id = who.order_id AND {in_force(alias, 'who')} "
        f"WHERE {alias}.{at} < who.last_at UNION ALL "
        f"SELECT {alias}.*, who.look, who.end_at "
        f"FROM kpi_year AS who JOIN {versions} AS {alias} ON "
        f"{alias}.customer_id = who.customer_id AND {in_force(alias, 'who')} "
        f"WHERE {alias}.order_id IS NULL AND {alias}.{at} >= who.first_at AND "
        f"{alias}.{at} < who.last_at"
    )


def _year_refunds(room: Workroom) -> str:
    return refund_sql(room, _of_the_year("kpi_refund_version", "back", "refunded_at"))


def _year_returns(room: Workroom) -> str:
    found = _of_the_year("kpi_return_version", "came", "returned_at")
    return f"SELECT *, 'customer ' || customer_id AS owner FROM ({found})"


STEPS: dict[str, Step] = {
    "first": Step(needs=("order_version",), sql=_first),
    "again": Step(needs=("first",), sql=_again),
    "year": Step(needs=("first",), sql=_year),
    "year_order": Step(needs=("year", "order_version"), sql=_year_orders),
    "year_sold": Step(
        needs=("year_order", "line_version", "order_version", "void"), sql=_year_sold
    ),
    "year_refund": Step(
        needs=("year_order", "refund_version", "order_version", "void"),
        sql=_year_refunds,
    ),
    "year_return": Step(needs=("year_order", "return_version"), sql=_year_returns),
    "year_back": Step(
        needs=("year_return", "year_refund", "return_version"),
        sql=lambda room: back_sql("kpi_year_return", "kpi_year_refund"),
    ),
}
