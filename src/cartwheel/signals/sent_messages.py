"""Messages with who sent them and the order they are about, as SQL."""

from __future__ import annotations

from datetime import datetime

from cartwheel.lake.tables import BOOKKEEPING, TABLE_BY_NAME
from cartwheel.signals.engine import IBIS_TYPES
from cartwheel.signals.facts import latest_before
from cartwheel.signals.senders import sent_messages

_TYPES = {**IBIS_TYPES, "instant": "timestamp"}


def sent_messages_sql(schema: str, known: datetime) -> str:
    """Return a query of the messages known before an instant.

    `customer_id` and `order_id` are filled as levers see them, so that what a lever
    reads and what it is measured by are one.

    Args:
        schema: Where the fact tables are.
        known: First instant of what is not known yet, naive UTC.
    """
    import ibis

    end = ibis.literal(known, type="timestamp")
    facts = {}
    for name in ("messages", "customers", "orders"):
        declared = TABLE_BY_NAME[name]
        columns = {c.name: _TYPES[c.type] for c in (*declared.columns, *BOOKKEEPING)}
        rows = ibis.table(columns, name=name, database=schema)
        facts[name] = latest_before(rows, declared, end)
    return str(ibis.to_sql(sent_messages(facts), dialect="duckdb", pretty=False))
