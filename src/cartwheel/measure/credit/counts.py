"""What became of the products of a test: sold, seen, come back, asked about.

Texts are read as `voice` reads them, with the shop's corrections, so that what is
counted here is what the money at stake was counted by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.voice.mentions import read_mentions
from cartwheel.measure.credit.enrol import Enrolled
from cartwheel.measure.sales import newest
from cartwheel.measure.standing import standing
from cartwheel.signals.base import Signals
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.sent_messages import sent_messages_sql
from cartwheel.text.objections import CLASSES

if TYPE_CHECKING:
    import duckdb

    from cartwheel.measure.fix_visits import FixVisits

Array = np.ndarray[Any, Any]

Raising = Mapping[tuple[str, str], frozenset[str]]
"""Objections that a text raises, by its source and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sums of some products, or of devices; arrays of shape (n,).

    Attributes:
        fixed: Whether the page was to be mended, or a device to be shown it so.
        units: Units sold.
        orders: Orders.
        views: Views of the page.
        came_back: Units that came back, for whatever reason.
        returned: Of these, for the objection.
        asked: Messages about an order of it that raise the objection.
    """

    fixed: Array
    units: Array
    orders: Array
    views: Array
    came_back: Array
    returned: Array
    asked: Array


def texts_raising(data: Signals, products: Sequence[str]) -> Raising:
    """Return what is said about some products.

    Args:
        data: Signals that hold `feedback` and the shop's corrections.
        products: Products.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = data.table(FEEDBACK)
    among = pa.array(sorted(products), pa.string())
    table = table.filter(pc.is_in(table["product_id"], value_set=among))
    mentions = read_mentions(data.with_tables({FEEDBACK.name: table}), moods=False)
    names = list(CLASSES)
    keys = zip(
        table["source"].to_pylist(), table["feedback_id"].to_pylist(), strict=True
    )
    return {
        key: frozenset(names[at] for at in np.flatnonzero(raised))
        for key, raised in zip(keys, mentions.raised, strict=True)
    }


def count(
    con: duckdb.DuckDBPyConnection,
    products: Sequence[Enrolled],
    objection: str,
    raising: Raising,
    *,
    schema: str,
    until: datetime,
    known: datetime,
) -> Counts:
    """Return the sums of products since each takes part.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        products: Products with a fix for this objection.
        objection: The objection.
        raising: What texts about them raise.
        schema: Where the tables are.
        until: First instant whose sales and views count no more.
        known: First instant of what is not known yet; returns and messages about those
            sales come in until then.
    """
    window = _Window(
        con=con, products=products, schema=schema, until=until, known=known
    )
    back = window.returned()
    said = {key for key, names in raising.items() if objection in names}
    return Counts(
        fixed=np.array([one.fixed for one in products], bool),
        units=window.summed(window.sold("sum(line.quantity_units)")),
        orders=window.summed(window.sold("count(DISTINCT line.order_id)")),
        views=window.summed(window.seen()),
        came_back=window.summed((p, n) for p, _, n in back),
        returned=window.summed((p, n) for p, key, n in back if ("return", key) in said),
        asked=window.summed(
            (p, 1) for p, key in window.asked() if ("message", key) in said
        ),
    )


def count_visits(found: FixVisits, objection: str, raising: Raising) -> Counts:
    """Return the sums of devices that opened a page with a fix of one kind.

    A device is one view, since how often it looks again may be the fix's doing.

    Args:
        found: Devices of a test, and what they bought of products with such a fix.
        objection: The objection the fixes answer.
        raising: What texts about these products raise.
    """
    devices = found.devices
    said = {key for key, names in raising.items() if objection in names}
    units, orders, came_back, returned, asked = np.zeros((5, len(devices.names)))
    for order, many, _ in found.sold:
        units[found.orders[order]] += many
    for row in found.orders.values():
        orders[row] += 1
    for order, key, many in found.back:
        came_back[found.orders[order]] += many
        returned[found.orders[order]] += many * (("return", key) in said)
    for order, key in found.asked:
        asked[found.orders[order]] += ("message", key) in said
    return Counts(
        fixed=devices.treated,
        units=units,
        orders=orders,
        views=np.ones(len(devices.names)),
        came_back=came_back,
        returned=returned,
        asked=asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Rows of some products, each from its own instant on; see `count`."""

    con: duckdb.DuckDBPyConnection
    products: Sequence[Enrolled]
    schema: str
    until: datetime
    known: datetime

    def summed(self, rows: Iterable[tuple[str, float]]) -> Array:
        """Return the sum of rows by product."""
        place = {one.product_id: at for at, one in enumerate(self.products)}
        total = np.zeros(len(place))
        for product, many in rows:
            total[place[product]] += many
        return total

    def sold(self, what: str) -> list[Any]:
        return self._of_lines(f"{what} FROM {self._mine()} GROUP BY ALL")

    def returned(self) -> list[Any]:
        back = newest(f"{self.schema}.returns", "return_id, line_id")
        return self._of_lines(
            "back.return_id || '/' || back.line_id, back.quantity_units "
            f"FROM {self._mine()} JOIN {back} back "
            "ON back.order_id = line.order_id AND back.line_id = line.line_id",
            self.known,
        )

    def asked(self) -> list[Any]:
        return self._of_lines(
            f"m.message_id FROM {self._mine()} "
            f"JOIN ({sent_messages_sql(self.schema, self.known)}) m "
            "ON m.order_id = line.order_id AND m.direction = 'in' GROUP BY ALL"
        )

    def seen(self) -> list[Any]:
        return self.con.execute(
            f"WITH {_MINE} SELECT mine.product_id, count(*) FROM mine "
            f"JOIN {self.schema}.events e ON e.product_id = mine.product_id "
            "WHERE e.kind = 'view' AND e.occurred_at >= mine.since "
            "AND e.occurred_at < ? AND e.known_at < ? GROUP BY ALL",
            [*self._given(), self.until, self.known],
        ).fetchall()

    def _of_lines(self, rest: str, *values: datetime) -> list[Any]:
        return self.con.execute(
            f"{standing(self.schema)}, {_MINE} SELECT mine.product_id, {rest}",
            [self.known, *self._given(), self.known, self.until, *values],
        ).fetchall()

    def _mine(self) -> str:
        """Return SQL of lines sold in the window."""
        lines = newest(f"{self.schema}.order_lines", "order_id, line_id")
        return (
            f"mine JOIN {lines} line ON line.product_id = mine.product_id "
            "AND line.kind = 'product' JOIN standing "
            "ON standing.order_id = line.order_id "
            "AND standing.placed_at >= mine.since AND standing.placed_at < ?"
        )

    def _given(self) -> list[list[Any]]:
        return [
            [one.product_id for one in self.products],
            [one.since for one in self.products],
        ]


_MINE = "mine AS (SELECT unnest(?) AS product_id, unnest(?) AS since)"
