"""A seeded sample shop: a year of a made European apparel and home store.

Everything in it is invented. It is the first small piece of the simulator: facts come
out of it exactly as they would come out of a platform, and enter the lake through the
same intake as any import.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.connectors.base import SOURCE_ROW, Harvest, SourceFile
from cartwheel.lake.tables import TABLE_BY_NAME, TABLES, ColumnType, FactTable
from cartwheel.simulator.catalogue import Catalogue, catalogue_columns, make_catalogue
from cartwheel.simulator.clicks import event_columns
from cartwheel.simulator.feedback import message_columns, review_columns
from cartwheel.simulator.orders import make_orders, order_columns
from cartwheel.simulator.people import make_people, make_visits, people_columns
from cartwheel.simulator.promises import promise_columns
from cartwheel.simulator.supply import Warehouse
from cartwheel.simulator.trade import run_trade

if TYPE_CHECKING:
    import pyarrow as pa

CURRENCY = "EUR"
TIMEZONE = "Europe/Berlin"
STREAMS = (
    "catalogue",
    "prices",
    "people",
    "visits",
    "choice",
    "baskets",
    "after",
    "supply",
    "codes",
    "names",
    "clicks",
    "reviews",
    "messages",
    "promises",
)
"""One independent stream of random numbers per part, so that a change in one part
leaves the draws of the others alone. Append only."""


def make_sample(
    *,
    seed: int,
    start: date,
    days: int = 365,
    products: int = 300,
    customers: int = 5000,
    scale: float = 1.0,
) -> dict[str, pa.Table]:
    """Make the facts of a sample shop that opened on `start`.

    Money is in euro cents, instants are naive UTC. About a third of the web visits
    accepted measurement and left events; the other visits bought just the same.

    Args:
        seed: Same seed and arguments, same facts.
        start: First day.
        days: Days of trade; nothing happens after the last.
        products: Number of products.
        customers: Number of registered customers.
        scale: Traffic for each customer, relative to the default shop.

    Returns:
        Arrow table by fact-table name, with the table's content columns.

    Raises:
        ValueError: If a number is not positive.
    """
    for name, value in (("days", days), ("products", products), ("scale", scale)):
        if value <= 0:
            raise ValueError(f"{name} is {value}; expected more than 0")
    if customers <= 0:
        raise ValueError(f"customers is {customers}; expected more than 0")
    rng = _streams(seed)
    cat = make_sample_catalogue(seed=seed, start=start, days=days, products=products)
    people = make_people(rng["people"], cat, customers=customers, days=days)
    visits = make_visits(rng["visits"], people, start=start, days=days, scale=scale)
    size = customers / 5000 * scale
    warehouse = Warehouse(rng["supply"], cat, days, size)
    streams = [rng["choice"], rng["baskets"], rng["after"]]
    trade = run_trade(streams, cat, people, visits, warehouse)
    orders = make_orders(rng["codes"], visits, trade, start, days)
    columns = {
        **catalogue_columns(cat, start),
        **people_columns(rng["names"], people, start, days),
        **warehouse.columns(start),
        **order_columns(orders, cat, visits, start, days),
        "events": event_columns(rng["clicks"], cat, visits, trade, orders, start),
        "reviews": review_columns(rng["reviews"], cat, orders, start, days),
        "messages": message_columns(rng["messages"], cat, people, orders, start, days),
        **promise_columns(rng["promises"], cat, start, days),
    }
    return {
        table.name: _arrow(table, columns[table.name])
        for table in TABLES
        if table.name in columns
    }


def make_sample_catalogue(
    *, seed: int, start: date, days: int = 365, products: int = 300
) -> Catalogue:
    """Return a sample's catalogue with its truth: elasticities, faults, seasons."""
    rng = _streams(seed)
    return make_catalogue(
        rng["catalogue"], rng["prices"], start=start, days=days, products=products
    )


def _streams(seed: int) -> dict[str, np.random.Generator]:
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {
        name: np.random.default_rng(child)
        for name, child in zip(STREAMS, children, strict=True)
    }


def _arrow(table: FactTable, columns: Mapping[str, Any]) -> pa.Table:
    import pyarrow as pa

    types: dict[ColumnType, pa.DataType] = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "instant": pa.timestamp("us"),
        "date": pa.date32(),
    }
    arrays = []
    for column in table.columns:
        values = columns[column.name]
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            values = values.astype("datetime64[us]")
        elif isinstance(values, np.ndarray) and column.type == "text":
            values = values.tolist()
        arrays.append(pa.array(values, type=types[column.type]))
    schema = pa.schema([(c.name, types[c.type]) for c in table.columns])
    return pa.Table.from_arrays(arrays, schema=schema)


def harvest(tables: Mapping[str, pa.Table]) -> Harvest:
    """Return the facts as a connector's harvest: one file a table, one row a fact."""
    import pyarrow as pa

    files: list[SourceFile] = []
    facts: dict[str, pa.Table] = {}
    first = 0
    for name, table in tables.items():
        rows = table.num_rows
        note = "made by the sample shop"
        files.append(
            SourceFile(name=f"{name}.csv", first_row=first, rows=rows, note=note)
        )
        numbers = pa.array(np.arange(first, first + rows, dtype=np.int64))
        facts[name] = table.append_column(SOURCE_ROW, numbers)
        first += rows
    return Harvest(files=tuple(files), facts=facts)


def write_folder(tables: Mapping[str, pa.Table], folder: Path) -> None:
    """Write the facts in the folder layout that `cartwheel import csv` reads.

    One UTF-8 file `TABLE.csv` a table with a header of column names; an empty cell is
    unknown; money stays in minor units, instants are ISO text in UTC.

    Raises:
        ValueError: If a table is not a fact table.
    """
    from pyarrow import csv

    unknown = sorted(set(tables) - set(TABLE_BY_NAME))
    if unknown:
        raise ValueError(
            f"tables {unknown} are not fact tables; known are {sorted(TABLE_BY_NAME)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        csv.write_csv(_printable(table), folder / f"{name}.csv")


def _printable(table: pa.Table) -> pa.Table:
    """Write instants as `2026-01-31T08:15:00Z`, which no reader takes for local."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            seconds = table.column(i).cast(pa.timestamp("s"))
            text = pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(i, field.name, text)
    return table
