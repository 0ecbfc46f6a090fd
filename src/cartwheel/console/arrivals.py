"""What came in just now: events of the last minutes, counted in the inbox.

Rows stay in the inbox for days after they went into the lake, so it knows the last
minutes whole, and within a second. Only its newest rows are read, by their number: on
a busy shop a look costs no more than on a quiet one, and the count is a lower bound.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from cartwheel.console.formatting import parse_instant
from cartwheel.operations import inbox, reading

MINUTES = 10
MOST_ROWS = 3_000
"""Newest rows of the inbox that are looked at."""

NAMES: dict[str, tuple[str, str]] = {
    "view": ("view", "views"),
    "list": ("list page", "list pages"),
    "search": ("search", "searches"),
    "add_to_cart": ("cart", "carts"),
    "failed_add": ("failed cart", "failed carts"),
    "checkout": ("checkout", "checkouts"),
    "exposure": ("slot seen", "slots seen"),
    "click": ("click", "clicks"),
}
"""Kinds of events in the order they are told, one and several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Events received lately.

    Attributes:
        counts: Events by kind, only those that came.
        newest_at: Instant of the newest, UTC text; None when none came.
        cut: More came than were looked at.
    """

    counts: dict[str, int]
    newest_at: str | None
    cut: bool

    @property
    def text(self) -> str:
        """Counts in words, such as "12 views, 3 searches, 2 carts"."""
        told = [
            f"{count:,} {NAMES[kind][count != 1]}"
            for kind in NAMES
            if (count := self.counts.get(kind, 0))
        ]
        return ", ".join(told)


def read_arrivals(engine: Engine, now: datetime) -> Arrivals:
    """Return what came in during the `MINUTES` before now."""
    since = (now - timedelta(minutes=MINUTES)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    newest = select(func.max(inbox.c.seq)).scalar_subquery()
    query = (
        select(inbox.c.body, inbox.c.received_at)
        .where(
            inbox.c.seq > newest - MOST_ROWS,
            inbox.c.kind == "events",
            inbox.c.received_at >= since,
        )
        .order_by(inbox.c.seq)
    )
    left = (
        select(inbox.c.received_at)
        .where(inbox.c.seq <= newest - MOST_ROWS)
        .order_by(inbox.c.seq.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
        next_older = connection.execute(left).scalar_one_or_none()
    return Arrivals(
        counts=dict(Counter(_kinds(row.body for row in rows))),
        newest_at=rows[-1].received_at if rows else None,
        cut=next_older is not None and next_older >= since,
    )


def seconds_ago(text: str | None, now: datetime) -> str:
    """Return how long ago an instant was: "3 s ago", "4 min ago"."""
    at = parse_instant(text)
    if at is None:
        return ""
    seconds = max(0, int((now.astimezone(UTC) - at).total_seconds()))
    return f"{seconds} s ago" if seconds < 60 else f"{seconds // 60} min ago"


def _kinds(bodies: Iterable[str]) -> Iterable[str]:
    for body in bodies:
        kind = json.loads(body).get("kind")
        if kind in NAMES:
            yield kind
