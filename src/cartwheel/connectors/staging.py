"""From a harvest to staged tables of sound facts: which rows fall, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.checks import VALUE_LIMIT, collect_faults, known_table, stage
from cartwheel.connectors.dedup import reject_reused_keys
from cartwheel.lake.tables import FactTable

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

SHARED = (
    "orders",
    "variants",
    "products",
    "customers",
    "suppliers",
    "locations",
    "campaigns",
)
"""Tables whose facts may be built from several rows; one may refer to later ones."""


def stage_harvest(
    con: duckdb.DuckDBPyConnection, harvest: Harvest, context: ImportContext
) -> NDArray[np.int64]:
    """Stage every table, drop what is rejected; return the rejected source rows.

    Makes the temporary tables `stage_NAME` of sound facts, and `faulty` of every fault
    (source row, field, value, reason).
    """
    con.execute(
        "CREATE TEMP TABLE faulty "
        "(_source_row BIGINT, field VARCHAR, value VARCHAR, reason VARCHAR)"
    )
    tables = tables_of(harvest)
    for table in tables:
        faults = stage(con, table, harvest.facts[table.name], context)
        collect_faults(con, table, faults)
        reject_reused_keys(con, table)
    _add_connector_rejects(con, harvest)
    _reject_lines_without_order(con, {table.name for table in tables})
    con.execute("CREATE TEMP TABLE rejected AS SELECT DISTINCT _source_row FROM faulty")
    for table in tables:
        also = "" if table.name in SHARED else " OR _source_row IN (FROM rejected)"
        con.execute(f"DELETE FROM stage_{table.name} WHERE _fault IS NOT NULL{also}")
    _drop_unreferred(con, {table.name: table for table in tables})
    return source_rows(con, "rejected WHERE _source_row >= 0")


def tables_of(harvest: Harvest) -> list[FactTable]:
    """Return the declarations of the tables a harvest has facts for."""
    return [known_table(name) for name in harvest.facts]


def _add_connector_rejects(con: duckdb.DuckDBPyConnection, harvest: Harvest) -> None:
    import pyarrow as pa

    if not harvest.rejects:
        return
    given = {
        "_source_row": pa.array([r.source_row for r in harvest.rejects], pa.int64()),
        "field": pa.array([r.field for r in harvest.rejects], pa.string()),
        "value": pa.array([r.value[:VALUE_LIMIT] for r in harvest.rejects]),
        "reason": pa.array([r.reason for r in harvest.rejects], pa.string()),
    }
    con.register("connector_rejects", pa.table(given))
    con.execute("INSERT INTO faulty FROM connector_rejects")


def _reject_lines_without_order(
    con: duckdb.DuckDBPyConnection, present: set[str]
) -> None:
    # An order in another currency carries its fault on its first row only; its other
    # lines would otherwise enter the lake as amounts in the wrong money.
    if not {"orders", "order_lines"} <= present:
        return
    con.execute(
        """
        INSERT INTO faulty
        SELECT l._source_row, 'order_id', left(l.order_id, 200),
               'its order was rejected'
        FROM stage_order_lines l
        WHERE l._fault IS NULL AND l.order_id IN (
            SELECT order_id FROM stage_orders WHERE _fault IS NOT NULL
            EXCEPT SELECT order_id FROM stage_orders WHERE _fault IS NULL
            EXCEPT SELECT order_id FROM lake.orders)
        AND l._source_row NOT IN (SELECT _source_row FROM faulty)
        """
    )
    con.execute(
        "UPDATE stage_order_lines SET _fault = -1 WHERE _fault IS NULL "
        "AND _source_row IN (SELECT _source_row FROM faulty)"
    )


def _drop_unreferred(
    con: duckdb.DuckDBPyConnection, tables: Mapping[str, FactTable]
) -> None:
    """Drop shared facts of rejected rows to which no surviving fact refers."""
    for name in SHARED:
        if name not in tables:
            continue
        key = tables[name].key[0]
        referring = [
            f"SELECT {key} FROM stage_{other}"
            for other, table in tables.items()
            if other != name and key in table.column_names
        ]
        kept = " UNION ".join(referring) or "SELECT NULL WHERE false"
        con.execute(
            f"DELETE FROM stage_{name} WHERE _source_row IN (FROM rejected) "
            f"AND {key} NOT IN (SELECT {key} FROM ({kept}) WHERE {key} IS NOT NULL)"
        )


def source_rows(con: duckdb.DuckDBPyConnection, source: str) -> NDArray[np.int64]:
    """Return the column `_source_row` of a temporary table."""
    import numpy as np

    found = con.execute(f"SELECT _source_row FROM {source}").fetchnumpy()
    return np.asarray(found["_source_row"], dtype=np.int64)
