"""From rows of the lake to the facts in force at the cut-off.

`latest` picks one version per key. `sold_lines` and `kept_refunds` are shared steps
between the facts and the signals: what was really sold, and what was really given
back. A sale that was keyed in and taken back within three days is in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartwheel.lake.tables import SQL_TYPES, FactTable
from cartwheel.signals.base import Signal, When
from cartwheel.signals.days import cutoff, day_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

VOID_DAYS = 3
"""A cancellation this soon after an equal sale voids the sale."""

VOID_REASON = "cancellation"


def latest(table: ir.Table, declared: FactTable, when: When) -> ir.Table:
    """Return, per key, the version in force at the cut-off.

    Args:
        table: Rows of the lake with their bookkeeping columns.
        declared: The table's declaration.
        when: The day looked from; versions known from its cut-off on are unseen.
    """
    return latest_before(table, declared, cutoff(when))


def latest_before(
    table: ir.Table, declared: FactTable, end: ir.TimestampScalar
) -> ir.Table:
    """Return, per key, the version in force at an instant; see `latest`."""
    import ibis

    known = table.filter(table.known_at < end)
    # A snapshot from before a column was declared is still read, and replayed.
    lacking = {
        column.name: ibis.null(SQL_TYPES[column.type].lower())
        for column in declared.columns
        if column.name not in table.columns
    }
    if lacking:
        known = known.mutate(**lacking)
    newest_first = ibis.window(
        group_by=list(declared.key),
        order_by=[
            ibis.desc("known_at"),
            ibis.desc("imported_at"),
            ibis.desc("content_hash"),
        ],
    )
    ranked = known.mutate(version_back=ibis.row_number().over(newest_first))
    return ranked.filter(ranked.version_back == 0).select(*declared.column_names)


def product_lines(lines: ir.Table) -> ir.Table:
    """Return lines that sell something, each with a variant and a product.

    A source without variants, or without products, names one id; it stands for both.
    """
    import ibis

    named = lines.mutate(
        variant_id=ibis.coalesce(lines.variant_id, lines.product_id),
        product_id=ibis.coalesce(lines.product_id, lines.variant_id),
    )
    return named.filter(
        (named.kind == "product")
        & (named.quantity_units > 0)
        & named.variant_id.notnull()
    )


def voids(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return pairs of a sale and the cancellation that voids it.

    Sources such as till exports write a mistake as a sale and, soon after, its
    negative without naming the order. Equal sales and cancellations (customer,
    variant, units) are matched like brackets along time: a cancellation closes the
    newest open sale. Each is used once. Columns: order_id, line_id, refund_id,
    refund_line_id.
    """
    import ibis

    group = ["buyer", "variant_id", "quantity_units"]
    taken_back = _cancellations(facts["refunds"])
    sales = _sales(facts).semi_join(taken_back.select(*group).distinct(), group)
    line = sales.union(taken_back)
    window = ibis.window(
        group_by=group,
        order_by=[line.at, line.step.desc(), line.document, line.row],
        rows=(None, 0),
    )
    line = line.mutate(balance=line.step.sum().over(window).cast("int64"))
    line = line.mutate(lowest=line.balance.min().over(window))
    height = line.balance - ibis.least(line.lowest, 0)
    line = line.mutate(level=height + (line.step < 0).ifelse(1, 0))
    inside = ibis.window(
        group_by=[*group, "level"],
        order_by=[line.at, line.step.desc(), line.document, line.row],
    )
    line = line.mutate(
        next_step=line.step.lead().over(inside),
        next_at=line.at.lead().over(inside),
        refund_id=line.document.lead().over(inside),
        refund_line_id=line.row.lead().over(inside),
    )
    seconds = line.next_at.epoch_seconds() - line.at.epoch_seconds()
    paired = line.filter(
        (line.step == 1) & (line.next_step == -1) & (seconds <= VOID_DAYS * 86_400)
    )
    return paired.select(
        "refund_id", "refund_line_id", order_id="document", line_id="row"
    )


def sold_lines(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return what was really sold, one row per line.

    Left out: lines that are not products, orders cancelled by the cut-off, voided
    sales. Columns: order_id, line_id, customer_id, product_id, variant_id, placed_at,
    day, quantity_units, paid_minor (line discount and the line's share of the order's
    discount taken off; shares are rounded down).
    """
    import ibis

    lines = _open_lines(facts)
    order = ibis.window(group_by="order_id")
    lines = lines.mutate(order_net=lines.net_minor.sum().over(order).cast("int64"))
    off = ibis.least(lines.order_discount, lines.order_net)
    share = (off * lines.net_minor) // ibis.greatest(lines.order_net, 1)
    lines = lines.mutate(
        paid_minor=lines.net_minor - share.cast("int64"),
        day=day_of(lines.placed_at, when),
    )
    lines = lines.anti_join(facts["voids"], ["order_id", "line_id"])
    return lines.select(
        "order_id",
        "line_id",
        "customer_id",
        "product_id",
        "variant_id",
        "placed_at",
        "day",
        "quantity_units",
        "paid_minor",
    )


def kept_refunds(facts: Mapping[str, ir.Table], when: When) -> ir.Table:
    """Return refunds of sales that count: not of voided sales or cancelled orders."""
    orders = facts["orders"]
    cancelled = orders.filter(orders.status == "cancelled").select("order_id")
    refunds = facts["refunds"].anti_join(cancelled, "order_id")
    used = facts["voids"].select("refund_id", line_id="refund_line_id")
    refunds = refunds.anti_join(used, ["refund_id", "line_id"])
    return refunds.mutate(day=day_of(refunds.refunded_at, when))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A shared step: made once from facts, used by several signals.

    Attributes:
        needs: Fact tables or earlier steps it reads.
        make: Builds it from them.
    """

    needs: tuple[str, ...]
    make: Callable[[Mapping[str, ir.Table], When], ir.Table]


_SALES = ("order_lines", "orders", "refunds")

STEPS: dict[str, Step] = {
    "voids": Step(needs=_SALES, make=voids),
    "sold_lines": Step(needs=(*_SALES, "voids"), make=sold_lines),
    "kept_refunds": Step(needs=(*_SALES, "voids"), make=kept_refunds),
}
"""Shared steps in order; a signal that declares the three sales tables sees them."""


def look_up(table: ir.Table, other: ir.Table, on: str | list[str]) -> ir.Table:
    """Return `table` with the columns of `other`, null where it has no such key.

    Args:
        table: Rows to keep, all of them, once.
        other: Unique in `on`; its other columns must not stand in `table`.
        on: Column or columns both share.
    """
    names = [on] if isinstance(on, str) else on
    renamed = other.rename({f"{name}_found": name for name in names})
    same = [table[name] == renamed[f"{name}_found"] for name in names]
    joined = table.left_join(renamed, same)
    return joined.drop(*[f"{name}_found" for name in names])


def in_force(priced: ir.Table, column: str) -> ir.Table:
    """Return variant_id and `column` of the newest row of each variant.

    Args:
        priced: Prices or costs up to the cut-off.
        column: The amount.
    """
    import ibis

    newest = ibis.window(group_by="variant_id", order_by=ibis.desc("valid_from_at"))
    ranked = priced.mutate(back=ibis.row_number().over(newest))
    return ranked.filter(ranked.back == 0).select("variant_id", column)


def read_signal(
    table: ir.Table, signal: Signal, upstream: ir.Table, columns: list[str]
) -> ir.Table:
    """Return `table` with columns of an upstream signal, neutral where it has no row.

    A key the signal lacks and a cut link read alike: both take the neutral value.
    """
    import ibis

    keys = [key.name for key in signal.keys]
    joined = look_up(table, upstream.select(*keys, *columns), keys)
    filled = {
        name: ibis.coalesce(joined[name], signal.neutral[name])
        for name in columns
        if signal.neutral[name] is not None
    }
    return joined.mutate(**filled) if filled else joined


def _open_lines(facts: Mapping[str, ir.Table]) -> ir.Table:
    """Return product lines of orders not cancelled, with `net_minor`."""
    import ibis

    lines = product_lines(facts["order_lines"])
    orders = facts["orders"].select(
        "order_id",
        "status",
        order_customer="customer_id",
        order_discount=ibis.coalesce(facts["orders"].discount_minor, 0),
    )
    lines = look_up(lines, orders, "order_id")
    lines = lines.filter(lines.status.isnull() | (lines.status != "cancelled"))
    gross = lines.quantity_units * lines.unit_price_minor
    off = ibis.coalesce(lines.discount_minor, 0)
    return lines.mutate(
        customer_id=ibis.coalesce(lines.customer_id, lines.order_customer),
        order_discount=ibis.coalesce(lines.order_discount, 0),
        net_minor=ibis.greatest(gross - off, 0),
    )


def _sales(facts: Mapping[str, ir.Table]) -> ir.Table:
    import ibis

    lines = _open_lines(facts)
    return lines.select(
        "variant_id",
        "quantity_units",
        buyer=ibis.coalesce(lines.customer_id, ""),
        at=lines.placed_at,
        step=ibis.literal(1, type="int64"),
        document=lines.order_id,
        row=lines.line_id,
    )


def _cancellations(refunds: ir.Table) -> ir.Table:
    import ibis

    found = refunds.filter(
        (refunds.reason == VOID_REASON)
        & refunds.order_id.isnull()
        & (refunds.quantity_units > 0)
    )
    return found.select(
        variant_id=ibis.coalesce(found.variant_id, found.product_id),
        quantity_units=found.quantity_units,
        buyer=ibis.coalesce(found.customer_id, ""),
        at=found.refunded_at,
        step=ibis.literal(-1, type="int64"),
        document=found.refund_id,
        row=found.line_id,
    )
