"""What the checks of health look at: facts of a window, and what the turns did.

Facts are copied once into temporary tables named `h_*`, as known at the end of the day
looked from. Days are counted backwards from there: `ago` 0 is the last day. The recent
days are compared with the shop's own days before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.lake.tables import TABLE_BY_NAME

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

RECENT_DAYS = 28
BEFORE_DAYS = 98
"""Days of history compared with: long enough for a season's mean, short enough that
the shop was the same shop."""

MONTH_DAYS = 30
DRAWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision of a published turn, as far as health looks at it.

    Attributes:
        id: Its id.
        lever: Lever that decided.
        kind: Kind of decision.
        subject: Subject, such as "customer:C1".
        state: State now.
        at: First instant on which it acts, naive UTC.
        turn: Number of its turn.
        worth_minor: Value it was given, or None.
        message: It reaches a person by a message.
        metric: What it predicted, "" for nothing.
        predicted: The value it predicted, or None.
    """

    id: str
    lever: str
    kind: str
    subject: str
    state: str
    at: datetime
    turn: int
    worth_minor: int | None = None
    message: bool = False
    metric: str = ""
    predicted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a lever ended in this turn and in those before.

    Attributes:
        lever: Its name.
        state: healthy, fallback, degraded or abstained.
        reason: Why, in its own words.
        before: States in earlier published turns, oldest first.
    """

    lever: str
    state: str
    reason: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A link and what it carries this turn."""

    name: str
    cut: bool
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthData:
    """Everything the checks may look at.

    Attributes:
        con: DuckDB connection that holds the `h_*` tables.
        end: First instant after the day looked from, naive UTC.
        decisions: Decisions of published turns.
        runs: This turn's levers.
        links: This turn's links.
        held_out: Ids of customers in the holdout of the whole wheel, out of all that
            have orders or were written to.
        costs_before: Variants whose cost an earlier turn knew, or None when no earlier
            turn is kept.
        seed: Seed of the bootstrap.
        tables: Rows of each fact table that were copied.
    """

    con: duckdb.DuckDBPyConnection
    end: datetime
    decisions: Sequence[Made] = ()
    runs: Sequence[Ran] = ()
    links: Sequence[Carried] = ()
    held_out: frozenset[str] = frozenset()
    costs_before: frozenset[str] | None = None
    seed: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the `h_*` tables."""
        return self.con.execute(sql).fetchall()

    def count(self, table: str) -> int:
        """Return how many rows of a fact table fall into the window."""
        return self.tables.get(table, 0)

    def close(self) -> None:
        """Drop the temporary tables."""
        for name in (*self.tables, "costs_seen", "decided", "alone"):
            self.con.execute(f"DROP TABLE IF EXISTS h_{name}")


def gather(
    con: duckdb.DuckDBPyConnection,
    *,
    schema: str,
    end: datetime,
    decisions: Sequence[Made] = (),
    runs: Sequence[Ran] = (),
    links: Sequence[Carried] = (),
    held_out: frozenset[str] = frozenset(),
    costs_before: frozenset[str] | None = None,
    seed: int = 0,
) -> HealthData:
    """Copy the facts of the window and return what the checks look at.

    Args:
        con: DuckDB connection to the fact tables, bookkeeping columns included.
        schema: Where they are.
        end: First instant after the day looked from, naive UTC.
        decisions: Decisions of published turns.
        runs: How this turn's levers ended.
        links: This turn's links.
        held_out: Customers in the holdout of the whole wheel.
        costs_before: Variants whose cost an earlier turn knew, if one is kept.
        seed: Seed of the bootstrap.
    """
    since = end - timedelta(days=RECENT_DAYS + BEFORE_DAYS)
    counted: dict[str, int] = {}
    for name, sql in _copies(schema, since, end).items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE h_{name} AS {sql}")
        row = con.execute(f"SELECT count(*) FROM h_{name}").fetchone()
        counted[name] = 0 if row is None else int(row[0])
    _register(con, end, decisions, held_out, costs_before)
    return HealthData(
        con=con,
        end=end,
        decisions=decisions,
        runs=runs,
        links=links,
        held_out=held_out,
        costs_before=costs_before,
        seed=seed,
        tables=counted,
    )


def _register(
    con: duckdb.DuckDBPyConnection,
    end: datetime,
    decisions: Sequence[Made],
    held_out: frozenset[str],
    costs_before: frozenset[str] | None,
) -> None:
    """Make tables of what comes from the turns, empty ones included."""
    import pyarrow as pa

    columns = {
        "id": pa.array([d.id for d in decisions], pa.string()),
        "customer_id": pa.array([_customer(d.subject) for d in decisions], pa.string()),
        "state": pa.array([d.state for d in decisions], pa.string()),
        "at": pa.array([d.at for d in decisions], pa.timestamp("us")),
        "message": pa.array([d.message for d in decisions], pa.bool_()),
        "ago": pa.array([(end - d.at).days for d in decisions], pa.int64()),
    }
    for name, table in (
        ("decided", pa.table(columns)),
        ("alone", pa.table({"customer_id": pa.array(sorted(held_out), pa.string())})),
        (
            "costs_seen",
            pa.table({"variant_id": pa.array(sorted(costs_before or ()), pa.string())}),
        ),
    ):
        con.register("h_given", table)
        con.execute(f"CREATE OR REPLACE TEMP TABLE h_{name} AS SELECT * FROM h_given")
        con.unregister("h_given")


def _customer(subject: str) -> str | None:
    kind, _, name = subject.partition(":")
    return name if kind == "customer" else None


def _copies(schema: str, since: datetime, end: datetime) -> dict[str, str]:
    """Return the query behind each `h_*` table, in the order they are made."""
    first, last = f"TIMESTAMP '{since}'", f"TIMESTAMP '{end}'"

    def newest(name: str, also: str = "TRUE") -> str:
        key = ", ".join(TABLE_BY_NAME[name].key)
        return (
            f"(SELECT * FROM {schema}.{name} WHERE known_at < {last} AND {also} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY known_at DESC, "
            "imported_at DESC, content_hash DESC) = 1)"
        )

    def within(column: str) -> str:
        return f"{column} >= {first} AND {column} < {last}"

    def ago(column: str) -> str:
        return (
            f"CAST(floor(epoch({last} - {column}) / 86400.0 - 1e-9) AS BIGINT) AS ago"
        )

    return {
        "orders": f"SELECT order_id, customer_id, placed_at, delivered_at, channel, "
        f"{ago('placed_at')} FROM {newest('orders')} "
        f"WHERE status <> 'cancelled' AND {within('placed_at')}",
        "order_lines": "SELECT line.order_id, line_id, o.customer_id, o.placed_at, "
        "o.ago, o.channel, product_id, variant_id, quantity_units AS units, "
        "unit_price_minor, greatest(quantity_units * unit_price_minor "
        "- coalesce(discount_minor, 0), 0) AS paid "
        f"FROM {newest('order_lines')} AS line JOIN h_orders AS o USING (order_id) "
        "WHERE kind = 'product' AND quantity_units > 0",
        "events": f"SELECT *, {ago('occurred_at')} FROM {schema}.events "
        f"WHERE known_at < {last} AND {within('occurred_at')}",
        "inventory_levels": "SELECT variant_id, location_id, counted_at, "
        "available_units, lag(available_units) OVER w AS before_units, "
        f"lag(counted_at) OVER w AS before_at, {ago('counted_at')} "
        f"FROM {newest('inventory_levels')} WHERE counted_at < {last} "
        "WINDOW w AS (PARTITION BY variant_id, location_id ORDER BY counted_at)",
        "prices": "SELECT variant_id, valid_from_at, price_minor "
        f"FROM {newest('prices')} WHERE valid_from_at < {last}",
        "costs": "SELECT variant_id, valid_from_at, cost_minor "
        f"FROM {newest('costs')} WHERE valid_from_at < {last}",
        "purchase_orders": "SELECT purchase_order_id, variant_id, "
        "coalesce(supplier_id, 'unknown') AS supplier_id, ordered_at, ordered_units "
        f"FROM {newest('purchase_orders')} WHERE ordered_at < {last}",
        "receipts": "SELECT receipt_id, purchase_order_id, variant_id, received_at, "
        f"received_units FROM {newest('receipts')} WHERE received_at < {last}",
        "refunds": "SELECT refund_id, line_id, order_id, customer_id, product_id, "
        f"refunded_at, quantity_units, amount_minor, reason, {ago('refunded_at')} "
        f"FROM {newest('refunds')} WHERE {within('refunded_at')}",
        "returns": "SELECT return_id, order_id, customer_id, product_id, variant_id, "
        f"returned_at, quantity_units, {ago('returned_at')} "
        f"FROM {newest('returns')} WHERE returned_at < {last}",
        "messages": f"SELECT message_id, customer_id, sent_at, campaign_id, "
        f"{ago('sent_at')} FROM {schema}.messages WHERE known_at < {last} "
        f"AND direction = 'out' AND {within('sent_at')}",
        "answers": "SELECT decision_id, answered_at, customer_id, arm, placement, "
        f"{ago('answered_at')} FROM {schema}.answers WHERE known_at < {last} "
        f"AND {within('answered_at')}",
        "outcomes": "SELECT decision_id, metric, lever, kind, subject, measured_at, "
        f"predicted, low, high, actual, {ago('measured_at')} "
        f"FROM {newest('outcomes')} WHERE measured_at < {last}",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Money of a month with its 95 % interval, minor units."""

    value: float
    low: float
    high: float


def revenue_of_month(data: HealthData) -> Amount | None:
    """Return what a month brings at the recent pace; None without a recent order.

    The interval resamples the recent days (percentile bootstrap).
    """
    return month_of(data, "SELECT ago, sum(paid) FROM h_order_lines GROUP BY ago")


def month_of(data: HealthData, sql: str) -> Amount | None:
    """Return a sum by day over the recent days, drawn up to a month, or None.

    Args:
        data: What the checks look at.
        sql: Query of (days ago, minor units).
    """
    daily = np.zeros(RECENT_DAYS)
    for ago, paid in data.rows(sql):
        if paid is not None and 0 <= ago < RECENT_DAYS:
            daily[int(ago)] += float(paid)
    if daily.sum() <= 0:
        return None
    draws = np.random.default_rng(data.seed).choice(daily, (DRAWS, RECENT_DAYS))
    scale = MONTH_DAYS / RECENT_DAYS
    low, high = np.quantile(draws.sum(axis=1), [0.025, 0.975]) * scale
    return Amount(value=float(daily.sum()) * scale, low=float(low), high=float(high))
