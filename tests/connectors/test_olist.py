from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.intake import append_harvest
from cartwheel.connectors.olist import FILES, Olist
from cartwheel.errors import Misuse
from cartwheel.shop import make_shop

CONTEXT = ImportContext(
    currency="BRL",
    minor_digits=2,
    timezone="America/Sao_Paulo",
    now=datetime(2019, 6, 1),
)

Row = tuple[Any, ...]

ORDER: Row = (
    "o1",
    "c1",
    "delivered",
    "2017-07-01 10:00:00",
    "2017-07-01 11:00:00",
    "2017-07-03 10:00:00",
    "2017-07-09 10:00:00",
    "2017-07-20 00:00:00",
)
ITEM: Row = ("o1", 1, "p1", "s1", 99.9, 12.34)


def folder_of(folder: Path, **tables: list[Row]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        stem, columns = FILES[name]
        path = folder / f"{stem}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(columns)
            writer.writerows(rows)
    return folder


def harvest(tmp_path: Path, **tables: list[Row]) -> Harvest:
    given = {"orders": [ORDER], "items": [ITEM], **tables}
    return Olist().read(folder_of(tmp_path / "olist", **given), CONTEXT)


def facts(found: Harvest, table: str, *columns: str) -> list[Row]:
    picked = found.facts[table].select(columns).to_pydict()
    return list(zip(*(picked[name] for name in columns), strict=True))


def test_order_has_a_version_for_each_dated_state(tmp_path: Path) -> None:
    found = harvest(tmp_path)
    promised = datetime(2017, 7, 20, 3)
    delivered = datetime(2017, 7, 9, 13)
    columns = ("updated_at", "status", "promised_at", "delivered_at")
    assert facts(found, "orders", *columns) == [
        (datetime(2017, 7, 1, 13), "open", promised, None),
        (datetime(2017, 7, 1, 14), "paid", promised, None),
        (datetime(2017, 7, 3, 13), "fulfilled", promised, None),
        (delivered, "fulfilled", promised, delivered),
    ]
    assert set(facts(found, "orders", "placed_at", "shipping_minor")) == {
        (datetime(2017, 7, 1, 13), 1234)
    }


def test_dates_out_of_order_never_take_a_state_back(tmp_path: Path) -> None:
    swapped = (*ORDER[:4], "2017-07-05 10:00:00", *ORDER[5:])  # approved after shipped
    found = harvest(tmp_path, orders=[swapped])
    assert facts(found, "orders", "updated_at", "status") == [
        (datetime(2017, 7, 1, 13), "open"),
        (datetime(2017, 7, 3, 13), "fulfilled"),
        (datetime(2017, 7, 5, 13), "fulfilled"),
        (datetime(2017, 7, 9, 13), "fulfilled"),
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [("canceled", "cancelled"), ("unavailable", "cancelled"), ("invoiced", "paid")],
)
def test_undated_state_is_known_from_the_latest_date(
    tmp_path: Path, status: str, state: str
) -> None:
    found = harvest(
        tmp_path, orders=[(*ORDER[:2], status, ORDER[3], "", "", "", ORDER[7])]
    )
    assert facts(found, "orders", "updated_at", "status") == [
        (datetime(2017, 7, 1, 13), "open"),
        (datetime(2017, 7, 20, 3), state),
    ]


def test_customer_is_the_unique_person(tmp_path: Path) -> None:
    second = ("o2", "c2", "created", "2017-06-01 10:00:00", "", "", "", ORDER[7])
    found = harvest(
        tmp_path,
        orders=[ORDER, second],
        customers=[("c1", "anna", "SP"), ("c2", "anna", "RJ"), ("c3", "bea", "MG")],
    )
    columns = ("customer_id", "region", "created_at", "_source_row")
    assert facts(found, "customers", *columns) == [
        ("anna", "RJ", datetime(2017, 6, 1, 13), 4),
        ("bea", "MG", None, 5),
    ]
    assert set(facts(found, "orders", "customer_id")) == {("anna",)}
    assert facts(found, "order_lines", "customer_id") == [("anna",)]
    assert set(found.supporting) == {3, 4, 5}


def test_products_are_known_from_their_first_order(tmp_path: Path) -> None:
    second = ("o2", "c2", "created", "2017-06-01 10:00:00", "", "", "", ORDER[7])
    found = harvest(
        tmp_path,
        orders=[ORDER, second],
        items=[ITEM, ("o2", 1, "p1", "s2", 90, 5), ("o2", 2, "p9", "s2", 1.5, 0)],
        products=[("p1", "bebes"), ("p2", "coisas"), ("p3", "")],
        translation=[("bebes", "baby")],
        sellers=[("s1",), ("s2",)],
    )
    assert facts(found, "products", "product_id", "category", "created_at") == [
        ("p9", None, datetime(2017, 6, 1, 13)),  # not in the products file
        ("p1", "baby", datetime(2017, 6, 1, 13)),
        ("p2", "coisas", None),
        ("p3", None, None),
    ]
    assert facts(found, "variants", "variant_id", "supplier_id") == [
        ("p9", "s2"),
        ("p1", "s2"),
        ("p2", None),
        ("p3", None),
    ]
    assert facts(found, "suppliers", "supplier_id") == [("s1",), ("s2",)]
    assert facts(found, "order_lines", "order_id", "line_id", "unit_price_minor") == [
        ("o1", "1", 9990),
        ("o2", "1", 9000),
        ("o2", "2", 150),
    ]


def test_review_is_dated_by_its_answer(tmp_path: Path) -> None:
    answered = "2017-07-11 10:00:00"
    found = harvest(
        tmp_path,
        reviews=[
            ("r", "o1", 4, "", "Muito bom\nmesmo", answered),
            ("r", "o2", 4, "", "", answered),
            ("r3", "o1", 6, "", "", answered),
            ("r4", "o1", 5, "", "", ""),
        ],
    )
    columns = ("review_id", "customer_id", "created_at", "rating", "body")
    moment = datetime(2017, 7, 11, 13)
    assert facts(found, "reviews", *columns) == [
        ("r:o1", "c1", moment, 4, "Muito bom\nmesmo"),
        ("r:o2", None, moment, 4, None),
    ]
    assert [(r.source_row, r.field) for r in found.rejects] == [
        (4, "review_score"),
        (5, "review_answer_timestamp"),
    ]


def test_faulty_rows_are_rejected(tmp_path: Path) -> None:
    found = harvest(
        tmp_path,
        orders=[
            ORDER,
            ("", *ORDER[1:]),
            ("o3", "c", "delivered", "soon", "", "", "", ""),
            ("o4", "c", "lost", *ORDER[3:]),
        ],
        items=[
            ITEM,
            ("o3", 1, "p1", "s1", 1, 1),
            ("o1", 2, "p1", "s1", -1, 1),
            ("o1", 3, "p1", "s1", 1, "x"),
        ],
    )
    assert [(r.source_row, r.field, r.value) for r in found.rejects] == [
        (1, "order_id", ""),
        (2, "order_purchase_timestamp", "soon"),
        (3, "order_status", "lost"),
        (5, "order_id", "o3"),
        (6, "price", "-1"),
        (7, "freight_value", "x"),
    ]
    assert facts(found, "order_lines", "line_id") == [("1",)]


def test_repeated_rows_count_once(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="BRL", timezone="America/Sao_Paulo")
    found = harvest(
        tmp_path, orders=[ORDER, ORDER], items=[ITEM, ITEM], payments=[("o1", 5)] * 2
    )
    assert set(facts(found, "orders", "shipping_minor")) == {(1234,)}
    report = append_harvest(shop, found, "olist", Path("o"), CONTEXT.now)
    assert (report.rows_kept, report.rows_duplicate) == (4, 2)
    assert report.by_table["orders"] == 4
    assert report.by_table["order_lines"] == 1


def test_unreadable_sources_are_a_misuse(tmp_path: Path) -> None:
    alone = folder_of(tmp_path / "alone", orders=[ORDER])
    with pytest.raises(Misuse, match=r"no olist_order_items_dataset.parquet or"):
        Olist().read(alone, CONTEXT)
    with pytest.raises(Misuse, match="does not exist"):
        Olist().read(tmp_path / "nowhere", CONTEXT)
    with pytest.raises(Misuse, match="is not a folder"):
        Olist().read(alone / "olist_orders_dataset.csv", CONTEXT)
    pounds = ImportContext(
        currency="GBP", minor_digits=2, timezone="UTC", now=CONTEXT.now
    )
    with pytest.raises(Misuse, match="the shop's currency is GBP"):
        Olist().read(alone, pounds)
    (alone / "olist_order_items_dataset.csv").write_text("order_id\n1\n")
    with pytest.raises(Misuse, match="has no column order_item_id"):
        Olist().read(alone, CONTEXT)


@pytest.mark.data
def test_every_row_of_the_subset_is_accounted_for(
    tmp_path: Path, data_folder: Callable[[str], Path]
) -> None:
    source = data_folder("olist")
    shop = make_shop(tmp_path / "shop", currency="BRL", timezone="America/Sao_Paulo")
    found = Olist().read(source, CONTEXT)
    first = append_harvest(shop, found, "olist", source, CONTEXT.now)
    again = append_harvest(shop, found, "olist", source, CONTEXT.now)
    assert (first.rows_read, first.rows_kept, first.rows_rejected) == (
        94_853,
        94_853,
        0,
    )
    assert (again.rows_duplicate, again.facts_added) == (94_853, 0)
    expected = {
        "customers": 8_016,
        "products": 5_460,
        "variants": 5_460,
        "orders": 28_754,
        "order_lines": 8_365,
        "suppliers": 1_610,
        "reviews": 8_225,
    }
    assert first.by_table == expected
    with shop.lake.attached(read_only=True) as con:
        sums = con.execute(
            "SELECT (SELECT sum(unit_price_minor) FROM lake.order_lines), "
            "(SELECT sum(s) FROM (SELECT any_value(shipping_minor) AS s "
            "FROM lake.orders GROUP BY order_id))"
        ).fetchone()
        latest = dict(
            con.execute(
                "SELECT status, count(*) FROM (SELECT arg_max(status, known_at) status "
                "FROM lake.orders GROUP BY order_id) GROUP BY 1"
            ).fetchall()
        )
        items = con.execute(
            "SELECT CAST(sum(price) * 100 AS BIGINT), "
            "CAST(sum(freight_value) * 100 AS BIGINT) "
            f"FROM '{source / 'olist_order_items_dataset.parquet'}'"
        ).fetchone()
    assert sums == items
    assert latest == {"paid": 617, "fulfilled": 6_279, "cancelled": 1_234, "open": 5}


@pytest.mark.data
def test_no_day_sees_a_later_state(
    tmp_path: Path, data_folder: Callable[[str], Path]
) -> None:
    """Blanking all dates after a day leaves the versions known by it unchanged."""
    source = data_folder("olist")
    cut = "TIMESTAMP '2018-01-01'"
    folder = tmp_path / "cut"
    folder.mkdir()
    dates = [
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
    ]
    blanked = ", ".join(f"CASE WHEN {d} < {cut} THEN {d} END AS {d}" for d in dates)
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT * REPLACE ({blanked}) "
            f"FROM '{source / 'olist_orders_dataset.parquet'}' "
            f"WHERE order_purchase_timestamp < {cut}) "
            f"TO '{folder / 'olist_orders_dataset.parquet'}'"
        )
        con.execute(
            f"COPY (SELECT i.* FROM '{source / 'olist_order_items_dataset.parquet'}' i "
            f"SEMI JOIN '{folder / 'olist_orders_dataset.parquet'}' USING (order_id)) "
            f"TO '{folder / 'olist_order_items_dataset.parquet'}'"
        )
        con.execute(
            f"COPY (FROM '{source / 'olist_customers_dataset.parquet'}') "
            f"TO '{folder / 'olist_customers_dataset.parquet'}'"
        )
        full = Olist().read(source, CONTEXT).facts["orders"]
        then = Olist().read(folder, CONTEXT).facts["orders"]
        con.register("full_orders", full)
        con.register("then_orders", then)
        shown = (
            "SELECT * EXCLUDE (_source_row) FROM {} "
            "WHERE updated_at < TIMESTAMP '2018-01-01 02:00'"
        )
        late = con.execute(
            f"{shown.format('full_orders')} EXCEPT {shown.format('then_orders')}"
        ).fetchall()
    assert late == []
    assert then.num_rows > 5_000
