"""Customers drawn at random to get an offer or none, and what they did after.

The draw decides what is proposed, not what is carried out: the gate may stop an offer,
a person may not approve it. Whoever was drawn counts as drawn, whatever came of it;
leaving out stopped offers, but not the people drawn to get none, would compare unlike
customers. For the same reason what happened is counted here for everybody drawn and
not read from `outcomes`, which has decisions that passed only. So the figures say what
proposing earns in a shop that carries out what it did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select

from cartwheel.errors import Misuse
from cartwheel.measure.standing import standing
from cartwheel.operations import decisions, reading, turns
from cartwheel.shop import Shop
from cartwheel.signals.days import midnight_after

Array = np.ndarray[Any, Any]

DAYS = 90
"""Days after the turn's day in which orders count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLog:
    """Customers drawn to get an offer or none; n draws.

    Attributes:
        decision_id: Id in the ledger, shape (n,).
        customer: Customer, (n,).
        offered: An offer was drawn, not none, (n,).
        propensity: Probability of what was drawn, (n,).
        applied: An offer was carried out, (n,).
        evidence: What the lever knew, one mapping a row.
        orders: Days with an order in the days after, (n,).
        paid_minor: Paid for products in the days after, discounts taken off, (n,).
        left_out: Decisions not in the log, by reason.
    """

    decision_id: Array
    customer: Array
    offered: Array
    propensity: Array
    applied: Array
    evidence: tuple[Mapping[str, Any], ...]
    orders: Array
    paid_minor: Array
    left_out: Mapping[str, int]


def read_offers(
    shop: Shop, *, kind: str = "winback", on: date | None = None, days: int = DAYS
) -> OfferLog:
    """Return offers drawn at random, and what the customers did after.

    A draw holds for a calendar quarter, so a customer named in several of its turns
    counts once, by the first: whether they are named again depends on what the offer
    did. Who is in the holdout is left out, which no draw changes.

    Args:
        shop: The shop.
        kind: Kind of decision.
        on: Last day looked at; None for the last day with a fact.
        days: Days after a turn's day in which orders count; draws whose days are not
            over are left out.

    Raises:
        Misuse: If the ledger holds no decision of that kind drawn at random.
    """
    zone = shop.settings.timezone
    last = on or _last_day(shop)
    drawn, left_out = _drawn(shop, kind)
    due = [one for one in drawn if one.as_of + timedelta(days=days) <= last]
    left_out["too recent"] = len(drawn) - len(due)
    orders, paid = _after(shop, due, days, midnight_after(last, zone))
    return OfferLog(
        decision_id=np.array([one.id for one in due], dtype=str),
        customer=np.array([one.customer for one in due], dtype=str),
        offered=np.array([one.offered for one in due], bool),
        propensity=np.array([one.propensity for one in due], float),
        applied=np.array([one.applied for one in due], bool),
        evidence=tuple(one.evidence for one in due),
        orders=orders,
        paid_minor=paid,
        left_out=left_out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """One customer's draw as the ledger holds it."""

    id: str
    customer: str
    as_of: date
    offered: bool
    propensity: float
    applied: bool
    evidence: Mapping[str, Any]


def _drawn(shop: Shop, kind: str) -> tuple[list[_Draw], dict[str, int]]:
    """Return each customer's first draw of a quarter, and what was left out."""
    query = (
        select(decisions, turns.c.as_of)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(turns.c.state == "published", decisions.c.kind == kind)
        .order_by(turns.c.as_of, decisions.c.turn, decisions.c.position)
    )
    left_out = {"not drawn": 0, "holdout": 0, "named again": 0}
    found: dict[tuple[str, int, int], _Draw] = {}
    total = 0
    with reading(shop.database) as con:
        for row in con.execute(query):
            total += 1
            body = json.loads(row.body)
            chance, as_of = body["propensity"], date.fromisoformat(row.as_of)
            who = row.subject.partition(":")[2]
            draw = (who, as_of.year, (as_of.month - 1) // 3)
            if chance is None or chance >= 1:
                left_out["not drawn"] += 1
            elif row.state == "held_out":
                left_out["holdout"] += 1
            elif draw in found:
                left_out["named again"] += 1
            else:
                found[draw] = _Draw(
                    id=row.id,
                    customer=who,
                    as_of=as_of,
                    offered=body["action"].get("offer", "none") != "none",
                    propensity=chance,
                    applied=row.state == "applied"
                    and body["action"].get("offer", "none") != "none",
                    evidence=body["evidence"],
                )
    if total == left_out["not drawn"]:
        raise Misuse(
            f"None of the {total:,} decisions of kind {kind!r} in the ledger was drawn "
            "at random with a known probability.",
            "What other choices would have earned cannot be told from them; draw some "
            "at random first, as win-back offers are "
            "(levers.lifecycle.no_offer_share).",
        )
    return list(found.values()), left_out


def _after(
    shop: Shop, due: list[_Draw], days: int, end: datetime
) -> tuple[Array, Array]:
    """Return days with an order and what was paid, by draw."""
    wanted = {one.customer for one in due}
    lines: dict[str, list[tuple[date, float]]] = {}
    for customer, day, paid in _paid(shop, end):
        if customer in wanted:
            lines.setdefault(customer, []).append((day, paid))
    orders, total = np.zeros(len(due)), np.zeros(len(due))
    for number, one in enumerate(due):
        until = one.as_of + timedelta(days=days)
        own = lines.get(one.customer, [])
        within = [(day, paid) for day, paid in own if one.as_of < day <= until]
        orders[number] = len({day for day, _ in within})
        total[number] = sum(paid for _, paid in within)
    return orders, total


def _paid(shop: Shop, end: datetime) -> Iterator[tuple[str, date, float]]:
    """Yield customer, day and what was paid of standing orders known before `end`."""
    zone = ZoneInfo(shop.settings.timezone)
    with shop.lake.attached(read_only=True) as con:
        rows = con.execute(
            f"""{standing()}, line AS (
                SELECT order_id, sum(quantity_units * unit_price_minor
                    - coalesce(discount_minor, 0)) AS net
                FROM (SELECT * FROM lake.order_lines WHERE known_at < ?
                    QUALIFY row_number() OVER (PARTITION BY order_id, line_id
                    ORDER BY known_at DESC, imported_at DESC, content_hash DESC) = 1)
                WHERE kind = 'product' GROUP BY order_id),
            off AS (SELECT order_id, arg_max(coalesce(discount_minor, 0),
                    (known_at, imported_at, content_hash)) AS discount
                FROM lake.orders WHERE known_at < ? GROUP BY order_id)
            SELECT customer_id, placed_at, greatest(coalesce(net, 0) - discount, 0)
            FROM standing JOIN off USING (order_id) LEFT JOIN line USING (order_id)
            WHERE customer_id IS NOT NULL""",
            [end, end, end],
        ).fetchall()
    for customer, placed_at, paid in rows:
        day = placed_at.replace(tzinfo=UTC).astimezone(zone).date()
        yield customer, day, float(paid)


def _last_day(shop: Shop) -> date:
    """Return the local day of the newest order known."""
    with shop.lake.attached(read_only=True) as con:
        row = con.execute("SELECT max(placed_at) FROM lake.orders").fetchone()
    newest = row[0] if row is not None else None
    if newest is None:
        raise Misuse(
            "The shop has no order.", "Import orders, or wait for the first ones."
        )
    zone = ZoneInfo(shop.settings.timezone)
    day: date = newest.replace(tzinfo=UTC).astimezone(zone).date()
    return day
