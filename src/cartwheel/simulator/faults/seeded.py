"""Faults that can be seeded: each breaks one spoke from a day on, and nothing else.

Most damage the shop's records and leave its trade alone; two change the world itself
(mail that is agreed and not sent, a supplier that takes three times as long).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cartwheel.simulator.world.supply import Suppliers

if TYPE_CHECKING:
    import duckdb

    from cartwheel.simulator.world.state import State

FAMILY = "hash(visitor_id) % 2 = 0"
"""Half of all devices, as if they were of one maker."""

SLOW = 3
"""Times as long as a slow supplier takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault.

    Attributes:
        kind: Its name.
        spoke: Spoke that health has to name; "supplier" is completed by its id.
        damage: Changes the records from an instant on, or None.
    """

    kind: str
    spoke: str
    damage: Callable[[duckdb.DuckDBPyConnection, datetime], None] | None = None


def _sql(*statements: str) -> Callable[[duckdb.DuckDBPyConnection, datetime], None]:
    def damage(con: duckdb.DuckDBPyConnection, since: datetime) -> None:
        for statement in statements:
            con.execute(statement.format(since=f"TIMESTAMP '{since}'", family=FAMILY))

    return damage


FAULTS: tuple[Fault, ...] = (
    Fault(
        kind="exposures lost",
        spoke="exposures",
        damage=_sql(
            "DELETE FROM events WHERE kind = 'exposure' AND occurred_at >= {since}"
        ),
    ),
    Fault(
        kind="signed-in ids lost",
        spoke="identity",
        damage=_sql(
            "UPDATE events SET customer_id = NULL WHERE occurred_at >= {since}"
        ),
    ),
    Fault(
        kind="stock counts frozen",
        spoke="stock",
        damage=_sql("DELETE FROM inventory_levels WHERE counted_at >= {since}"),
    ),
    Fault(
        kind="costs of half of the catalogue wiped",
        spoke="costs",
        # Gone for whoever looks now; an earlier turn still knew them.
        damage=_sql("DELETE FROM costs WHERE hash(variant_id) % 2 = 0"),
    ),
    Fault(
        kind="receipts not recorded",
        spoke="receipts",
        damage=_sql("DELETE FROM receipts WHERE received_at >= {since}"),
    ),
    Fault(
        kind="returns not recorded",
        spoke="returns",
        damage=_sql("DELETE FROM returns WHERE returned_at >= {since}"),
    ),
    Fault(
        kind="events doubled on half of the devices",
        spoke="events",
        damage=_sql(
            "INSERT INTO events SELECT * REPLACE (event_id || '-2' AS event_id) "
            "FROM events WHERE occurred_at >= {since} AND {family}"
        ),
    ),
    Fault(
        kind="events halved on half of the devices",
        spoke="events",
        damage=_sql(
            "DELETE FROM events WHERE occurred_at >= {since} AND {family} "
            "AND hash(event_id) % 2 = 0"
        ),
    ),
    Fault(
        kind="prices stale",
        spoke="prices",
        damage=_sql("DELETE FROM prices WHERE valid_from_at >= {since}"),
    ),
    Fault(kind="mail not sent", spoke="mail"),
    Fault(kind="supplier lead time tripled", spoke="supplier"),
)

MAIL, SUPPLIER = FAULTS[-2].kind, FAULTS[-1].kind


class SlowSupplier(Suppliers):
    """The suppliers of a world, one of which takes three times as long from a day on.

    Args:
        like: The suppliers so far.
        slow: Index of the slow one.
        since: First day on which it is slow.
    """

    def __init__(self, like: Suppliers, slow: int, since: int) -> None:
        self.closed = like.closed
        self._slow, self._since = slow, since

    def lead_days(
        self, state: State, supplier: int, place: int, day: int | None = None
    ) -> int:
        """Draw the days an order takes, disruptions included; of today unless said."""
        days = super().lead_days(state, supplier, place, day)
        asked = state.day if day is None else day
        slow = supplier == self._slow and asked >= self._since
        return days * SLOW if slow else days
