"""What became of support's contacts: answered, handed over, and really resolved.

A contact counts as resolved only when it was answered and nobody wrote again within
seven days: no further contact of the same customer or device, and no message of the
customer by any way. Whoever is neither known as customer nor by a device cannot be seen
to come back, so they are counted apart and never as resolved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cartwheel.contacts import Contact, list_contacts
from cartwheel.lake.tables import CONTACT
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.signals.days import midnight_after
from cartwheel.signals.sent_messages import sent_messages_sql

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

NAME = "support-record"
WINDOW_DAYS = 28
AGAIN_DAYS = 7
"""Days within which a further contact shows that the first was not resolved."""
MOST = 100_000
FEWEST = 10
"""Contacts from which a share is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share with Wilson's 95 % interval; None from too few.

    Attributes:
        of: What it is a share of.
        hits: How many are so.
        value: The share.
        low: Lower end.
        high: Upper end.
    """

    of: int
    hits: int
    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def told(cls, hits: int, of: int) -> Share:
        """Return a share, its value only from `FEWEST`."""
        if of < FEWEST:
            return cls(of=of, hits=hits, value=None, low=None, high=None)
        low, high = wilson(hits, of)
        return cls(of=of, hits=hits, value=hits / of, low=low, high=high)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "of": self.of,
            "hits": self.hits,
            "value": self.value,
            "low": self.low,
            "high": self.high,
        }


def support_record(
    contacts: Sequence[Contact],
    messages: Mapping[str, Sequence[datetime]],
    *,
    first: datetime,
    until: datetime,
) -> dict[str, Any]:
    """Return what became of the contacts of a window.

    Args:
        contacts: All contacts before `until`, of the window and of what came after it.
        messages: Instants at which each customer wrote by another way, naive UTC.
        first: First instant of the window, naive UTC.
        until: Instant up to which everything is known, naive UTC.
    """
    window = [one for one in contacts if first <= _at(one) < until]
    answered = [one for one in window if one.outcome == "answered"]
    late = timedelta(days=AGAIN_DAYS)
    old = [one for one in answered if _at(one) + late <= until]
    followed = [one for one in old if one.customer_id or one.visitor_id]
    again = _instants(contacts)
    resolved = sum(not _came_back(one, again, messages, late) for one in followed)
    reasons = Counter((one.outcome, one.why) for one in window)
    return {
        "contacts": len(window),
        "answered": Share.told(len(answered), len(window)).to_json(),
        "handed_over": sum(one.outcome == "handed_over" for one in window),
        "asked_back": sum(one.outcome == "asked_back" for one in window),
        "held_out": sum(one.arm == "holdout" for one in window),
        "resolved": Share.told(resolved, len(followed)).to_json(),
        "too_new": len(answered) - len(old),
        "unknown": len(old) - len(followed),
        "reasons": [
            {"outcome": outcome, "why": why, "contacts": count}
            for (outcome, why), count in sorted(
                reasons.items(), key=lambda one: (-one[1], one[0])
            )
        ],
    }


def _at(one: Contact) -> datetime:
    return datetime.fromisoformat(one.at).replace(tzinfo=None)


def _instants(contacts: Sequence[Contact]) -> dict[tuple[str, str], list[datetime]]:
    found: dict[tuple[str, str], list[datetime]] = {}
    for one in contacts:
        for key in (("customer", one.customer_id), ("visitor", one.visitor_id)):
            if key[1]:
                found.setdefault((key[0], key[1]), []).append(_at(one))
    return found


def _came_back(
    one: Contact,
    again: Mapping[tuple[str, str], Sequence[datetime]],
    messages: Mapping[str, Sequence[datetime]],
    late: timedelta,
) -> bool:
    at = _at(one)
    seen = [
        *again.get(("customer", one.customer_id or ""), ()),
        *again.get(("visitor", one.visitor_id or ""), ()),
        *messages.get(one.customer_id or "", ()),
    ]
    return any(at < other <= at + late for other in seen)


def support_page(shop: Shop, on: date, snapshot: int | None) -> dict[str, Any]:
    """Return the page that a turn publishes.

    Args:
        shop: The shop.
        on: Day the turn looks from.
        snapshot: Snapshot of the lake it looks at.
    """
    zone = shop.settings.timezone
    until = midnight_after(on, zone)
    first = midnight_after(on - timedelta(days=WINDOW_DAYS), zone)
    contacts = list_contacts(
        shop.database, since=f"{first.isoformat(timespec='microseconds')}Z", limit=MOST
    )
    contacts = [one for one in contacts if _at(one) < until]
    messages: dict[str, list[datetime]] = {}
    if contacts:
        with shop.lake.attached(snapshot=snapshot, read_only=True) as con:
            messages = _messages(con, first, until)
    found = support_record(contacts, messages, first=first, until=until)
    return {"on": on.isoformat(), "days": WINDOW_DAYS, **found}


def _messages(
    con: duckdb.DuckDBPyConnection, first: datetime, until: datetime
) -> dict[str, list[datetime]]:
    rows = con.execute(
        f"SELECT customer_id, sent_at FROM ({sent_messages_sql('lake', until)}) WHERE "
        f"direction = 'in' AND {CONTACT} AND customer_id IS NOT NULL AND sent_at >= ? "
        "AND sent_at < ?",
        [first, until],
    ).fetchall()
    found: dict[str, list[datetime]] = {}
    for customer, at in rows:
        found.setdefault(str(customer), []).append(at)
    return found
