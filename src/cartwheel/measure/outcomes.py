"""Joining outcomes to earlier decisions, by the decision's id.

A decision's outcome is measured once, when its horizon has passed, and becomes a fact
of the lake: the next turn reads it like any other fact, so a turn stays a function of
its snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.operations import decisions, reading, turns
from cartwheel.shop import Shop

if TYPE_CHECKING:
    from cartwheel.turn.steps import TurnRow

MEASURED: Mapping[str, int] = {"units_28d": 28, "orders_90d": 90, "buys_30d": 30}
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
        names = ["demand", "purchases", "rhythm"]
        when = when_of(on, row.settings.timezone)
        tables = compute(con, when, only=[n for n in names if _needed(n, due)])
    actual = _measure(due, tables, shop, on)
    _append(shop, due, actual, row)
    return len(due)


def _needed(name: str, due: Iterable[Due]) -> bool:
    by_signal = {"demand": "units_28d"}
    return any(item.metric == by_signal.get(name) for item in due)


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
    due: list[Due], tables: Mapping[str, Any], shop: Shop, on: date
) -> list[float]:
    units = _units_counter(tables.get("demand"))
    orders = _orders_counter(shop, due)
    counters: dict[str, Callable[[Due], float]] = {
        "units_28d": units,
        "orders_90d": orders,
        "buys_30d": lambda item: float(orders(item) > 0),
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
        variant = item.subject.partition(":")[2]
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


def _orders_counter(shop: Shop, due: list[Due]) -> Callable[[Due], float]:
    """Return a function that counts a customer's order days over a horizon."""
    wanted = {
        item.subject.partition(":")[2] for item in due if item.metric != "units_28d"
    }
    if not wanted:
        return lambda item: 0.0
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(shop.settings.timezone)
    days: dict[str, set[date]] = {}
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            "SELECT customer_id, placed_at FROM lake.orders "
            "WHERE customer_id IS NOT NULL GROUP BY ALL "
            "HAVING max_by(status, known_at) <> 'cancelled'"
        ).fetchall()
    for customer, placed_at in rows:
        if customer in wanted:
            local = placed_at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
            days.setdefault(customer, set()).add(local.date())

    def count(item: Due) -> float:
        own = days.get(item.subject.partition(":")[2], set())
        return float(sum(item.after < day <= item.until for day in own))

    return count


def _append(shop: Shop, due: list[Due], actual: list[float], row: TurnRow) -> None:
    import pyarrow as pa

    from cartwheel.signals.engine import when_of

    now = datetime.now()
    records = []
    for item, value in zip(due, actual, strict=True):
        ripe = datetime.fromisoformat(
            when_of(item.until, row.settings.timezone).cutoff_at
        ) - timedelta(microseconds=1)
        records.append(
            {
                "decision_id": item.decision_id,
                "metric": item.metric,
                "lever": item.lever,
                "kind": item.kind,
                "subject": item.subject,
                "measured_at": ripe,
                "predicted": item.predicted,
                "low": item.low,
                "high": item.high,
                "actual": value,
                "known_at": ripe,
                "imported_at": now,
                "batch": f"turn-{row.number}",
                "content_hash": f"{item.decision_id}:{item.metric}",
            }
        )
    table = pa.Table.from_pylist(records)
    with shop.lake.transaction("measure", f"outcomes by turn {row.number}") as con:
        con.register("measured", table)
        con.execute("INSERT INTO lake.outcomes BY NAME SELECT * FROM measured")
