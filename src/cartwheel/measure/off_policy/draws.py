"""What was drawn at random for customers in a turn, and what they bought after.

A draw holds for a calendar quarter, so a customer named in several of its turns counts
once, by the first: whether they are named again depends on what the draw did. Who is in
the holdout is left out, which no draw changes. Whoever was drawn counts as drawn,
whatever the gate or a person made of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One customer's draw as the ledger holds it.

    Attributes:
        id: Id of the decision.
        customer: Customer.
        as_of: Day the turn looked from.
        propensity: Probability of what was drawn.
        applied: The decision was carried out.
        action: What was drawn, as the lever decided it.
        evidence: What the lever knew.
    """

    id: str
    customer: str
    as_of: date
    propensity: float
    applied: bool
    action: Mapping[str, Any]
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Each customer's first draw of a quarter.

    Attributes:
        draws: The draws, in the order of the turns.
        decisions: Decisions looked at.
        left_out: Decisions that are no draw, by reason.
    """

    draws: tuple[Draw, ...]
    decisions: int
    left_out: Mapping[str, int]

    @property
    def drawn_at_random(self) -> int:
        """Decisions drawn with a known probability, left out or not."""
        return self.decisions - self.left_out["not drawn"]


def first_draws(
    shop: Shop,
    kind: str,
    *,
    chance_of: Callable[[Body], float | None],
    among: Callable[[Body], bool] = lambda body: True,
) -> Draws:
    """Return each customer's first draw of a quarter from published turns.

    Args:
        shop: The shop.
        kind: Kind of decision.
        chance_of: Returns the probability of what was drawn; None, or 1 or more, where
            nothing was.
        among: Says which decisions are looked at, whatever was drawn in them.
    """
    query = (
        select(decisions, turns.c.as_of)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(turns.c.state == "published", decisions.c.kind == kind)
        .order_by(turns.c.as_of, decisions.c.turn, decisions.c.position)
    )
    left_out = {"not drawn": 0, "holdout": 0, "named again": 0}
    found: dict[tuple[str, int, int], Draw] = {}
    total = 0
    with reading(shop.database) as con:
        for row in con.execute(query):
            body = json.loads(row.body)
            if not among(body):
                continue
            total += 1
            chance, as_of = chance_of(body), date.fromisoformat(row.as_of)
            who = row.subject.partition(":")[2]
            draw = (who, as_of.year, (as_of.month - 1) // 3)
            if chance is None or chance >= 1:
                left_out["not drawn"] += 1
            elif row.state == "held_out":
                left_out["holdout"] += 1
            elif draw in found:
                left_out["named again"] += 1
            else:
                found[draw] = Draw(
                    id=row.id,
                    customer=who,
                    as_of=as_of,
                    propensity=chance,
                    applied=row.state == "applied",
                    action=body["action"],
                    evidence=body["evidence"],
                )
    return Draws(draws=tuple(found.values()), decisions=total, left_out=left_out)


def until(found: Draws, last: date, days: int) -> tuple[list[Draw], dict[str, int]]:
    """Return draws whose days after are over, and all that is left out, by reason.

    Args:
        found: The draws.
        last: Last day looked at.
        days: Days after a turn's day that count.
    """
    due = [one for one in found.draws if one.as_of + timedelta(days=days) <= last]
    return due, {**found.left_out, "too recent": len(found.draws) - len(due)}


def spent_after(
    shop: Shop, due: Sequence[Draw], last: date, days: int
) -> tuple[Array, Array]:
    """Return days with an order and what was paid in the days after, by draw.

    Args:
        shop: The shop.
        due: The draws, n of them.
        last: Last day whose facts count.
        days: Days after a turn's day that count.

    Returns:
        Days with an order, shape (n,), and minor units paid for products, discounts
        taken off, (n,).
    """
    wanted = {one.customer for one in due}
    lines: dict[str, list[tuple[date, float]]] = {}
    for customer, day, paid in _paid(
        shop, midnight_after(last, shop.settings.timezone)
    ):
        if customer in wanted:
            lines.setdefault(customer, []).append((day, paid))
    orders, total = np.zeros(len(due)), np.zeros(len(due))
    for number, one in enumerate(due):
        end = one.as_of + timedelta(days=days)
        own = lines.get(one.customer, [])
        within = [(day, paid) for day, paid in own if one.as_of < day <= end]
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


def last_day(shop: Shop) -> date:
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
