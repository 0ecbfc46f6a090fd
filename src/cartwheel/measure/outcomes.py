"""Joining outcomes to earlier decisions, by the decision's id.

A decision's outcome is measured once, when its horizon has passed, and becomes a fact
of the lake: the next turn reads it like any other fact, so a turn stays a function of
its snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cartwheel.measure.standing import standing
from cartwheel.operations import decisions, reading, turns
from cartwheel.shop import Shop

if TYPE_CHECKING:
    from cartwheel.turn.steps import TurnRow

MEASURED: Mapping[str, int] = {
    "units_28d": 28,
    "orders_90d": 90,
    "buys_30d_share": 30,
}
"""Metrics that are measured, with their horizon in days after the turn's day."""

OPEN_STATES = ("proposed", "approved", "applied", "held_out", "expired")
"""States whose predictions count; what was refused never happened as predicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A prediction whose horizon has passed and that has no outcome yet."""

    decision_id: str
    lever: str
    kind: str
    subject: str
    metric: str
    after: date
    until: date
    predicted: float
    low: float
    high: float
    body: Mapping[str, Any]


def record_outcomes(shop: Shop, row: TurnRow) -> int:
    """Append the outcomes that are due on a turn's day; return how many.

    Running it again adds nothing: a decision and metric has one outcome.
    """
    from cartwheel.signals.engine import compute, when_of

    on = date.fromisoformat(row.as_of)
    due = _due(shop, row.number, on)
    if not due:
        return 0
    with shop.lake.attached(read_only=True) as con:
        done = {
            (d, m)
            for d, m in con.execute(
                "SELECT decision_id, metric FROM lake.outcomes"
            ).fetchall()
        }
        due = [item for item in due if (item.decision_id, item.metric) not in done]
        if not due:
            return 0
        needed = ["demand"] if any(i.metric == "units_28d" for i in due) else []
        when = when_of(on, row.settings.timezone)
        tables = compute(con, when, only=needed)
    actual = _measure(due, tables, shop, datetime.fromisoformat(when.cutoff_at))
    _append(shop, due, actual, row)
    return len(due)


def _due(shop: Shop, number: int, on: date) -> list[Due]:
    query = (
        select(decisions.c.id, decisions.c.lever, decisions.c.body, turns.c.as_of)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(
            turns.c.state == "published",
            turns.c.number < number,
            decisions.c.state.in_(OPEN_STATES),
        )
        .order_by(decisions.c.turn, decisions.c.position)
    )
    found = []
    with reading(shop.database) as con:
        for item in con.execute(query):
            after = date.fromisoformat(item.as_of)
            if after >= on:
                continue
            body = json.loads(item.body)
            predicted = body["predicted"]
            if predicted is None or predicted["metric"] not in MEASURED:
                continue
            until = after + timedelta(days=MEASURED[predicted["metric"]])
            if until <= on:
                found.append(
                    Due(
                        decision_id=item.id,
                        lever=item.lever,
                        kind=body["kind"],
                        subject=body["subject"],
                        metric=predicted["metric"],
                        after=after,
                        until=until,
                        predicted=predicted["value"],
                        low=predicted["low"],
                        high=predicted["high"],
                        body=body,
                    )
                )
    return found


def _measure(
    due: list[Due], tables: Mapping[str, Any], shop: Shop, cutoff: datetime
) -> list[float]:
    counters: dict[str, Callable[[Due], float]] = {
        "units_28d": _units_counter(tables.get("demand")),
        "orders_90d": _orders_counter(shop, due, cutoff),
        "buys_30d_share": _buys_counter(shop, due, cutoff),
    }
    return [counters[item.metric](item) for item in due]


def _units_counter(demand: Any) -> Callable[[Due], float]:
    """Return a function that sums a variant's units over a prediction's horizon."""
    if demand is None:
        return lambda item: 0.0
    import numpy as np

    frame = demand.to_pandas(date_as_object=False).sort_values(["variant_id", "day"])
    days = frame["day"].to_numpy("datetime64[D]")
    total = np.concatenate([[0.0], frame["units"].to_numpy(float).cumsum()])
    variants = frame["variant_id"].to_numpy()
    first = {v: i for i, v in reversed(list(enumerate(variants)))}
    last = {v: i + 1 for i, v in enumerate(variants)}

    def count(item: Due) -> float:
        variant = _id_of(item)
        if variant not in first:
            return 0.0
        own = slice(first[variant], last[variant])
        start = first[variant] + int(
            np.searchsorted(days[own], np.datetime64(item.after), side="right")
        )
        end = first[variant] + int(
            np.searchsorted(days[own], np.datetime64(item.until), side="right")
        )
        return float(total[end] - total[start])

    return count


def _orders_counter(
    shop: Shop, due: list[Due], cutoff: datetime
) -> Callable[[Due], float]:
    """Return a function that counts a customer's order days over a horizon.

    Only what was known before the cut-off counts: a cancellation that comes later is
    not known on the day looked from.
    """
    wanted = {_id_of(item) for item in due if item.metric == "orders_90d"}
    if not wanted:
        return lambda item: 0.0
    days: dict[str, set[date]] = {}
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            f"{standing()} SELECT customer_id, placed_at FROM standing "
            "WHERE customer_id IS NOT NULL",
            [cutoff],
        ).fetchall()
    for customer, placed_at in rows:
        if customer in wanted:
            days.setdefault(customer, set()).add(_local_day(placed_at, shop))

    def count(item: Due) -> float:
        own = days.get(_id_of(item), set())
        return float(sum(item.after < day <= item.until for day in own))

    return count


def _buys_counter(
    shop: Shop, due: list[Due], cutoff: datetime
) -> Callable[[Due], float]:
    """Return a function that says whether a customer bought from a slate (1 or 0)."""
    slates = [item for item in due if item.metric == "buys_30d_share"]
    if not slates:
        return lambda item: 0.0
    wanted = {_id_of(item) for item in slates}
    first = min(item.after for item in slates)
    bought: dict[str, list[tuple[date, str]]] = {}
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            f"{standing()} SELECT DISTINCT line.customer_id, product_id, "
            "line.placed_at "
            "FROM lake.order_lines AS line JOIN standing USING (order_id) "
            "WHERE kind = 'product' AND line.customer_id IS NOT NULL "
            "AND line.placed_at >= ? AND known_at < ?",
            [cutoff, datetime.combine(first, datetime.min.time()), cutoff],
        ).fetchall()
    for customer, product, placed_at in rows:
        if customer in wanted:
            day = _local_day(placed_at, shop)
            bought.setdefault(customer, []).append((day, product))

    def count(item: Due) -> float:
        shown = set(item.body["action"].get("products", ()))
        return float(
            any(
                item.after < day <= item.until and product in shown
                for day, product in bought.get(_id_of(item), ())
            )
        )

    return count


def _id_of(item: Due) -> str:
    return item.subject.partition(":")[2]


def _local_day(instant: datetime, shop: Shop) -> date:
    zone = ZoneInfo(shop.settings.timezone)
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()


def _append(shop: Shop, due: list[Due], actual: list[float], row: TurnRow) -> None:
    import pyarrow as pa

    from cartwheel.signals.engine import when_of

    def end_of(day: date) -> datetime:
        cutoff = when_of(day, row.settings.timezone).cutoff_at
        return datetime.fromisoformat(cutoff) - timedelta(microseconds=1)

    now = datetime.now(UTC).replace(tzinfo=None)
    # Measured with what is known on the turn's day, so known since that day: a turn
    # that looks from an earlier day must not see it.
    known = end_of(date.fromisoformat(row.as_of))
    records = []
    for item, value in zip(due, actual, strict=True):
        records.append(
            {
                "decision_id": item.decision_id,
                "metric": item.metric,
                "lever": item.lever,
                "kind": item.kind,
                "subject": item.subject,
                "measured_at": end_of(item.until),
                "predicted": item.predicted,
                "low": item.low,
                "high": item.high,
                "actual": value,
                "known_at": known,
                "imported_at": now,
                "batch": f"turn-{row.number}",
                "content_hash": f"{item.decision_id}:{item.metric}",
            }
        )
    table = pa.Table.from_pylist(records)
    with shop.lake.transaction("measure", f"outcomes by turn {row.number}") as con:
        con.register("measured", table)
        con.execute("INSERT INTO lake.outcomes BY NAME SELECT * FROM measured")
