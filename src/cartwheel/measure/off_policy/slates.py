"""Recommendation slates as they were answered, slot by slot, with what became of them.

What the log holds of a slot is the product shown and its probability given the slots
before it. It does not hold the other products that could have been drawn, nor their
probabilities: a target policy is judged by what it would have done about the products
that were shown, and where it would have shown another, the row counts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.slate_outcomes import SlateOutcomes

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

BUY_DAYS = 7
"""Days after an answer in which a purchase counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateLog:
    """Answers of the treated arm; A answers with S slots together.

    Attributes:
        decision_id: Id of each answer, shape (A,).
        placement: Where on the storefront, (A,).
        cluster: Customer, or else device, or else the answer itself, (A,).
        customer_known: Whether the customer was known when answered, (A,): what
            others buy cannot be seen.
        spent_minor: All that the customer paid in the days after, (A,).
        answer: Answer of each slot, 0 to A - 1, rising, (S,).
        position: Slot, from 1, (S,).
        product: Product shown, (S,).
        propensity: Its probability given the slots before, (S,).
        seen: The slot was seen by somebody, (S,).
        clicked: The product was opened from it, (S,).
        bought: The customer bought the product in the days after, (S,).
        left_out: Answers not in the log, by reason.
    """

    decision_id: Array
    placement: Array
    cluster: Array
    customer_known: Array
    spent_minor: Array
    answer: Array
    position: Array
    product: Array
    propensity: Array
    seen: Array
    clicked: Array
    bought: Array
    left_out: Mapping[str, int]

    @property
    def drawn(self) -> Array:
        """Whether a slot was drawn at random, (S,): the others had no alternative."""
        result: Array = self.propensity < 1
        return result

    @property
    def first(self) -> Array:
        """Number of each answer's first slot, (A,)."""
        result: Array = np.searchsorted(self.answer, np.arange(len(self.decision_id)))
        return result


def read_slates(
    shop: Shop, *, since: datetime, until: datetime, days: int = BUY_DAYS
) -> SlateLog:
    """Return what a shop's visitors were answered, and what became of it.

    Args:
        shop: The shop.
        since: First instant of answers (naive UTC).
        until: First instant after them.
        days: Days after an answer in which a purchase counts.

    Raises:
        Misuse: If a slate cannot be read.
    """
    with shop.lake.attached(read_only=True) as con:
        return slates_of(con, schema="lake", since=since, until=until, days=days)


def slates_of(
    con: duckdb.DuckDBPyConnection,
    *,
    schema: str,
    since: datetime,
    until: datetime,
    days: int = BUY_DAYS,
    cutoff: datetime | None = None,
) -> SlateLog:
    """Return the same from a DuckDB connection to the fact tables.

    Args:
        con: The connection.
        schema: Where the tables `answers`, `events`, `orders`, `order_lines` are.
        since: First instant of answers (naive UTC).
        until: First instant after them.
        days: Days after an answer in which a purchase counts; answers whose days are
            not over by the cut-off are left out.
        cutoff: Instant from which facts do not count; None for just after the newest.

    Raises:
        Misuse: If a slate cannot be read; the message says how many.
    """
    end = cutoff or _newest(con, schema)
    given, left_out = _answers(con, schema, since, until, end, days)
    told = _slots(given)
    # A list drafted from two rankings is no answer of either.
    left_out["interleaved"] = sum(one is None for one in told)
    left_out["empty"] = sum(one == [] for one in told)
    slots = [one or [] for one in told]
    kept = [i for i, one in enumerate(slots) if one]
    answer = np.repeat(np.arange(len(kept)), [len(slots[i]) for i in kept])
    shown = [slot for i in kept for slot in slots[i]]
    product = np.array([name for name, _ in shown], dtype=str)
    position = np.array([p for i in kept for p in range(1, len(slots[i]) + 1)], int)
    decision = np.array([given[i].decision_id for i in kept], dtype=str)
    rows = SlateOutcomes(con=con, schema=schema, end=end)
    seen, clicked = rows.met(decision[answer], position, product)
    who = [given[i].customer_id for i in kept]
    at = [given[i].answered_at for i in kept]
    bought, spent = rows.bought(who, at, answer, product, timedelta(days=days))
    return SlateLog(
        decision_id=decision,
        placement=np.array([given[i].placement or "" for i in kept], dtype=str),
        cluster=np.array([given[i].cluster for i in kept], dtype=str),
        customer_known=np.array([name is not None for name in who], bool),
        spent_minor=spent,
        answer=answer,
        position=position,
        product=product,
        propensity=np.array([chance for _, chance in shown], float),
        seen=seen,
        clicked=clicked,
        bought=bought,
        left_out=left_out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One answer as it stands in the lake."""

    decision_id: str
    answered_at: datetime
    placement: str | None
    customer_id: str | None
    cluster: str
    slate: str


def _newest(con: duckdb.DuckDBPyConnection, schema: str) -> datetime:
    tables = ("answers", "events", "orders")
    parts = " UNION ALL ".join(f"SELECT known_at FROM {schema}.{t}" for t in tables)
    row = con.execute(f"SELECT max(known_at) FROM ({parts})").fetchone()
    newest = row[0] if row is not None else None
    return (newest or datetime.min) + timedelta(microseconds=1)


def _answers(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    since: datetime,
    until: datetime,
    end: datetime,
    days: int,
) -> tuple[list[_Given], dict[str, int]]:
    """Return answers of the treated arm in order, and how many are left out why.

    Rows of a device and of its owner are one cluster, whenever the owner signed in.
    What a customer buys is looked up only where they were known before the answer:
    who signs in after may do so because of it.
    """
    rows = con.execute(
        f"""WITH signed AS (
            SELECT visitor_id, arg_max(customer_id, (occurred_at, event_id)) AS owner,
                min(occurred_at) AS first_at
            FROM {schema}.events
            WHERE visitor_id IS NOT NULL AND customer_id IS NOT NULL AND known_at < $end
            GROUP BY visitor_id)
        SELECT decision_id, answered_at, placement, arm, slate,
            coalesce(customer_id, CASE WHEN first_at < answered_at THEN owner END),
            coalesce('c:' || coalesce(customer_id, owner), 'v:' || visitor_id,
                'd:' || decision_id)
        FROM {schema}.answers LEFT JOIN signed USING (visitor_id)
        WHERE lever = 'recommend' AND known_at < $end
            AND answered_at >= $since AND answered_at < $until
        ORDER BY answered_at, decision_id""",
        {"end": end, "since": since, "until": until},
    ).fetchall()
    left_out = {"holdout": 0, "fallback": 0, "too recent": 0}
    last = end - timedelta(days=days)
    found = []
    for decision, at, placement, arm, text, customer, cluster in rows:
        if arm != "treated":
            left_out[arm] += 1
        elif at > last:
            left_out["too recent"] += 1
        else:
            found.append(
                _Given(
                    decision_id=decision,
                    answered_at=at,
                    placement=placement,
                    customer_id=customer,
                    cluster=cluster,
                    slate=text,
                )
            )
    return found, left_out


def _slots(given: list[_Given]) -> list[list[tuple[str, float]] | None]:
    """Return product and propensity of each slot, None for an interleaved answer."""
    found: list[list[tuple[str, float]] | None] = []
    broken = []
    for one in given:
        try:
            slots = json.loads(one.slate)
            if any("team" in slot for slot in slots):
                found.append(None)
            else:
                found.append([_slot(slot) for slot in slots])
        except (ValueError, TypeError, KeyError):
            broken.append(one.decision_id)
    if broken:
        raise Misuse(
            f"{len(broken):,} of {len(given):,} answers have a slate that cannot be "
            f"read (the first: {broken[0]}); expected a JSON list of product_id and "
            "propensity.",
            "Find what wrote them, and ask about days without them.",
        )
    return found


def _slot(slot: Mapping[str, Any]) -> tuple[str, float]:
    return str(slot["product_id"]), float(slot["propensity"])
