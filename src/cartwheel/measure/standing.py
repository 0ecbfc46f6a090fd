"""Orders that stand: as known before a cut-off, and not cancelled by then."""

from __future__ import annotations


def standing(schema: str = "lake") -> str:
    """Return SQL that begins with the table `standing`; its one value is the cut-off.

    Args:
        schema: Where the fact tables are.
    """
    return (
        "WITH standing AS (SELECT order_id, customer_id, placed_at FROM ("
        f"SELECT * FROM {schema}.orders WHERE known_at < ? QUALIFY row_number() OVER ("
        "PARTITION BY order_id ORDER BY known_at DESC, imported_at DESC, content_hash "
        "DESC) = 1) WHERE status <> 'cancelled')"
    )
