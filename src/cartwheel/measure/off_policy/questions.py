"""The questions behind logged answers, as far as the lake can say what was asked.

An answer is logged with who looked, where, and the turn that answered, but not with the
products of the visit that came along. These are looked up among the device's views; a
replay then checks whether the question so made gives the answer that was logged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.off_policy.slates import SlateLog

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

VISIT_GAP = timedelta(minutes=30)
"""Pause after which a device's next view begins another visit."""

LATE = timedelta(seconds=5)
"""How much later than the answer the view of the same page may be recorded."""

MOST_CONTEXT = 50
"""Products of a visit that a question may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One logged question.

    Attributes:
        answer: Number of its answer in the log.
        turn: Turn whose model answered.
        at: When, naive UTC.
        placement: Where on the storefront.
        customer: Customer, if signed in.
        visitor: Device, if sent.
        eligible_hash: Fingerprint of what could be shown.
        contexts: What the visit may have named, likeliest first; the last is nothing.
    """

    answer: int
    turn: int
    at: datetime
    placement: str
    customer: str | None
    visitor: str | None
    eligible_hash: str
    contexts: tuple[tuple[str, ...], ...]


def questions_of(
    con: duckdb.DuckDBPyConnection,
    log: SlateLog,
    *,
    schema: str,
    answers: Array,
    cutoff: datetime,
) -> list[Question]:
    """Return the questions of answers, those without turn or fingerprint left out.

    Args:
        con: A connection to the fact tables.
        log: The log the answers are of.
        schema: Where the tables `answers` and `events` are.
        answers: Numbers of the answers wanted, shape (n,).
        cutoff: Instant from which facts do not count.
    """
    import pyarrow as pa

    wanted = pa.table(
        {
            "number": answers,
            "decision_id": pa.array(log.decision_id[answers].tolist(), pa.string()),
        }
    )
    con.register("off_policy_asked", wanted)
    rows = con.execute(
        f"""SELECT number, turn, answered_at, coalesce(placement, ''), customer_id,
            visitor_id, eligible_hash
        FROM {schema}.answers JOIN off_policy_asked USING (decision_id)
        WHERE turn IS NOT NULL AND eligible_hash IS NOT NULL ORDER BY number"""
    ).fetchall()
    seen = con.execute(
        f"""SELECT visitor_id, occurred_at, product_id FROM {schema}.events
        WHERE kind = 'view' AND product_id IS NOT NULL AND known_at < $end
            AND visitor_id IN (SELECT visitor_id FROM {schema}.answers
                JOIN off_policy_asked USING (decision_id))
        ORDER BY visitor_id, occurred_at, event_id""",
        {"end": cutoff},
    ).fetchall()
    con.unregister("off_policy_asked")
    views: dict[str, tuple[list[datetime], list[str]]] = {}
    for visitor, at, product in seen:
        times, products = views.setdefault(visitor, ([], []))
        times.append(at)
        products.append(product)
    return [
        Question(
            answer=number,
            turn=turn,
            at=at,
            placement=placement,
            customer=customer,
            visitor=visitor,
            eligible_hash=fingerprint,
            contexts=contexts_of(*views.get(visitor, ([], [])), at),
        )
        for number, turn, at, placement, customer, visitor, fingerprint in rows
    ]


def contexts_of(
    times: Sequence[datetime], products: Sequence[str], at: datetime
) -> tuple[tuple[str, ...], ...]:
    """Return what a visit may have named, likeliest first.

    A storefront may name each view or each product once, and its view of the page that
    asks may reach the shop before the question or just after.

    Args:
        times: When the device viewed something, rising.
        products: What, in the same order.
        at: When it was answered.
    """
    found: dict[tuple[str, ...], None] = {}
    for until in (at, at + LATE):
        end = bisect_right(times, until)
        start = end
        later = until
        while start > 0 and later - times[start - 1] <= VISIT_GAP:
            start -= 1
            later = times[start]
        visit = tuple(products[start:end])
        found[visit[-MOST_CONTEXT:]] = None
        found[tuple(dict.fromkeys(visit))[-MOST_CONTEXT:]] = None
    found.pop((), None)
    return (*found, ())
