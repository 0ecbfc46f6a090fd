from __future__ import annotations

import csv
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.intake import ImportReport, append_harvest, read_rejects
from cartwheel.connectors.online_retail import COLUMNS, OnlineRetail
from cartwheel.errors import Misuse
from cartwheel.shop import Shop, make_shop

CONTEXT = ImportContext(
    currency="GBP",
    minor_digits=2,
    timezone="Europe/London",
    now=datetime(2012, 6, 1),
)

A = "2011-06-01 10:00:00"  # summer time: 09:00 UTC
B = "2011-12-01 10:00:00"  # winter time: 10:00 UTC


def write(path: Path, rows: list[tuple[Any, ...]], *, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path


def harvest(tmp_path: Path, rows: list[tuple[Any, ...]]) -> Harvest:
    return OnlineRetail().read(write(tmp_path / "retail.csv", rows), CONTEXT)


def facts(found: Harvest, table: str, *columns: str) -> list[tuple[Any, ...]]:
    picked = found.facts[table].select(columns).to_pydict()
    return list(zip(*(picked[name] for name in columns), strict=True))


def reasons(found: Harvest) -> dict[int, str]:
    return {reject.source_row: reject.reason for reject in found.rejects}


def test_order_takes_the_earliest_time_in_utc(tmp_path: Path) -> None:
    found = harvest(
        tmp_path,
        [
            ("1", "10001", "RED CUP", 2, "2011-06-01 10:01:00", 1.25, 7, "EIRE"),
            ("1", "10002", "BLUE CUP", 1, A, 3, 7, "EIRE"),
            ("2", "10001", "RED CUP", 1, B, 1.25, "", "EIRE"),
        ],
    )
    summer, winter = datetime(2011, 6, 1, 9), datetime(2011, 12, 1, 10)
    assert facts(found, "orders", "order_id", "customer_id", "placed_at", "status") == [
        ("1", "7", summer, "paid"),
        ("2", None, winter, "paid"),
    ]
    columns = ("order_id", "line_id", "placed_at", "product_id", "unit_price_minor")
    assert facts(found, "order_lines", *columns) == [
        ("1", "1", summer, "10001", 125),
        ("1", "2", summer, "10002", 300),
        ("2", "1", winter, "10001", 125),
    ]
    assert facts(found, "customers", "customer_id", "country", "created_at") == [
        ("7", "EIRE", summer)
    ]
    assert any("1 invoices carry two times" in note for note in found.notes)


def test_exact_repeats_are_duplicates_and_number_no_line(tmp_path: Path) -> None:
    row = ("1", "10001", "RED CUP", 2, A, 1.25, 7, "EIRE")
    found = harvest(tmp_path, [row, row, (*row[:3], 3, *row[4:]), row])
    assert found.duplicates == (1, 3)
    assert facts(found, "order_lines", "line_id", "quantity_units") == [
        ("1", 2),
        ("2", 3),
    ]


def test_repeats_with_missing_values_are_duplicates(tmp_path: Path) -> None:
    row = ("1", "10001", "", -2, A, 0, "", "EIRE")
    found = harvest(tmp_path, [row, row])
    assert found.duplicates == (1,)
    assert list(reasons(found)) == [0]


def test_codes_of_other_kinds_have_no_product(tmp_path: Path) -> None:
    codes = ["POST", "DOT", "C2", "D", "m ", "BANK CHARGES", "AMAZONFEE", "CRUK"]
    codes += ["S", "PADS", "gift_0001_10", "dcgs0003", "85123a"]
    found = harvest(
        tmp_path, [("1", code, "TEXT", 1, A, 5, 7, "EIRE") for code in codes]
    )
    kinds = [kind for (kind,) in facts(found, "order_lines", "kind")]
    assert kinds == (
        ["shipping"] * 3
        + ["discount", "adjustment"]
        + ["fee"] * 3
        + ["adjustment"] * 2
        + ["gift_card", "product", "product"]
    )
    products = [code for (code,) in facts(found, "order_lines", "product_id")]
    assert products == [None] * 11 + ["DCGS0003", "85123A"]
    assert facts(found, "variants", "variant_id", "product_id") == [
        ("DCGS0003", "DCGS0003"),
        ("85123A", "85123A"),
    ]


def test_cancellation_is_a_refund_without_an_order(tmp_path: Path) -> None:
    found = harvest(
        tmp_path,
        [
            ("C9", "10001", "RED CUP", -3, A, 1.25, 7, "EIRE"),
            ("C9", "D", "Discount", -1, A, 9.99, 7, "EIRE"),
            ("C9", "10001", "RED CUP", 3, A, 1.25, 7, "EIRE"),
        ],
    )
    columns = ("refund_id", "line_id", "product_id", "quantity_units", "amount_minor")
    assert facts(found, "refunds", *columns, "reason", "customer_id") == [
        ("C9", "1", "10001", 3, 375, "cancellation", "7"),
        ("C9", "2", None, 1, 999, "discount", "7"),
    ]
    assert found.facts["orders"].num_rows == 0
    assert "cancellation needs a negative" in reasons(found)[2]


def test_rows_that_are_no_sale_are_rejected_with_the_reason(tmp_path: Path) -> None:
    found = harvest(
        tmp_path,
        [
            ("1", "10001", "?? missing", -5, A, 0, "", "EIRE"),
            ("2", "10001", "found", 5, A, 0, "", "EIRE"),
            ("A3", "B", "Adjust bad debt", 1, A, -11062.06, "", "EIRE"),
            ("A4", "B", "Adjust bad debt", 1, A, 11062.06, "", "EIRE"),
            ("5", "10001", "RED CUP", 1, A, -2, "", "EIRE"),
            ("6", "10001", "RED CUP", -1, A, 2, 7, "EIRE"),
            ("7", "10001", "RED CUP", 1, A, 0, 7, "EIRE"),
            ("", "10001", "RED CUP", 1, A, 1, 7, "EIRE"),
            ("9", "", "RED CUP", 1, A, 1, 7, "EIRE"),
            ("10", "10001", "RED CUP", "1.5", A, 1, 7, "EIRE"),
            ("11", "10001", "RED CUP", 1, "yesterday", 1, 7, "EIRE"),
            ("12", "10001", "RED CUP", 1, A, "dear", 7, "EIRE"),
            ("13", "10001", "RED CUP", 1, A, 1, "Ann", "EIRE"),
        ],
    )
    expected = {
        0: "write-off",
        1: "stock adjustment",
        2: "accounting entry (bad debt)",
        3: "accounting entry (bad debt)",
        4: "accounting entry (negative price)",
        5: "not a cancellation",
        7: "missing",
        8: "missing",
        9: "whole number",
        10: "date",
        11: "not a number",
        12: "whole number",
    }
    given = reasons(found)
    assert set(given) == set(expected)
    for row, words in expected.items():
        assert words in given[row]
    # What was given away to a customer is a line at price 0.
    columns = ("order_id", "unit_price_minor")
    assert facts(found, "order_lines", *columns) == [("7", 0)]
    assert facts(found, "orders", "order_id") == [("7",)]
    assert [r.value for r in found.rejects if r.source_row == 11] == ["dear"]


def test_prices_below_a_penny_round_half_to_even(tmp_path: Path) -> None:
    prices = [0.001, 0.005, 0.015, 2.675, 1.005, 8.33]
    found = harvest(
        tmp_path,
        [("1", f"1000{i}", "CUP", 1, A, p, 7, "EIRE") for i, p in enumerate(prices)],
    )
    minor = [price for (price,) in facts(found, "order_lines", "unit_price_minor")]
    assert minor == [0, 0, 2, 268, 100, 833]
    assert any(note.startswith("5 prices with fractions") for note in found.notes)


def test_titles_are_versions_that_never_look_ahead(tmp_path: Path) -> None:
    found = harvest(
        tmp_path,
        [
            ("1", "10001", "damaged", 1, A, 0, 7, "EIRE"),
            ("2", "10001", "DOLLCRAFT GIRL", 1, "2011-07-01 10:00", 2, 7, "EIRE"),
            ("3", "10001", "FELTCRAFT GIRL", 1, "2011-08-01 10:00", 2, 7, "EIRE"),
            ("4", "10001", "DOLLCRAFT GIRL", 1, "2011-09-01 10:00", 2, 7, "EIRE"),
            ("5", "10002", "Dad's Cab Meter", 1, A, 2, 7, "EIRE"),
            ("6", "10003", "????DAMAGES", 1, A, 0, 7, "EIRE"),
        ],
    )
    assert facts(found, "products", "product_id", "title", "created_at") == [
        ("10001", None, datetime(2011, 6, 1, 9)),
        ("10001", "DOLLCRAFT GIRL", datetime(2011, 7, 1, 9)),
        ("10001", "FELTCRAFT GIRL", datetime(2011, 8, 1, 9)),
        ("10002", "Dad's Cab Meter", datetime(2011, 6, 1, 9)),
        ("10003", None, datetime(2011, 6, 1, 9)),
    ]


def test_published_csv_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(
        (
            ";".join(COLUMNS)
            + "\r\n1;gift_0001_20;Voucher \xa320;1;12/1/2010 8:26;17.02;17850.0;UK\r\n"
        ).encode("latin-1")
    )
    found = OnlineRetail().read(path, CONTEXT)
    assert "latin-1" in found.files[0].note
    assert "';'" in found.files[0].note
    columns = ("title", "placed_at", "customer_id", "unit_price_minor")
    assert facts(found, "order_lines", *columns) == [
        ("Voucher £20", datetime(2010, 12, 1, 8, 26), "17850", 1702)
    ]


def test_lines_of_rejects_point_into_the_file(tmp_path: Path) -> None:
    rows = [
        ("1", "10001", "RED CUP", 1, A, 1, 7, "EIRE"),
        ("2", "10001", "RED CUP", 1, A, -1, 7, "EIRE"),
    ]
    found = harvest(tmp_path, rows)
    assert found.files[0].line(found.rejects[0].source_row) == 3
    with duckdb.connect() as con:
        con.execute(
            f"COPY (FROM '{tmp_path / 'retail.csv'}') TO '{tmp_path / 'r.parquet'}'"
        )
    again = OnlineRetail().read(tmp_path / "r.parquet", CONTEXT)
    assert again.files[0].line(again.rejects[0].source_row) == 2


def test_future_dates_and_giant_cells_are_rejected_at_intake(tmp_path: Path) -> None:
    rows = [
        ("1", "10001", "RED CUP", 1, A, 1, 7, "EIRE"),
        ("2", "10001", "RED CUP", 1, "2031-01-01 10:00:00", 1, 7, "EIRE"),
        ("3", "10001", "X" * 10_000_000, 1, A, 1, 7, "EIRE"),
    ]
    shop = make_shop(tmp_path / "shop", currency="GBP", timezone="Europe/London")
    found = harvest(tmp_path, rows)
    report = append_harvest(shop, found, "online-retail", Path("r"), CONTEXT.now)
    assert (report.rows_kept, report.rows_rejected) == (1, 2)
    listed = {(r["line"], r["reason"].split(";")[0]) for r in read_rejects(shop)}
    assert {(3, "in the future"), (4, "longer than 100000 characters")} <= listed


def test_short_last_row_of_a_cut_csv_is_rejected(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.csv", [("1", "10001", "RED CUP", 1, A, 1, 7, "EIRE")])
    with path.open("a") as handle:
        handle.write("2,10001,RED")
    found = OnlineRetail().read(path, CONTEXT)
    assert facts(found, "order_lines", "order_id") == [("1",)]
    assert [(r.source_row, r.field) for r in found.rejects] == [(1, "Quantity")]


def test_another_currency_is_a_misuse(tmp_path: Path) -> None:
    path = write(tmp_path / "retail.csv", [])
    euro = ImportContext(
        currency="EUR", minor_digits=2, timezone="UTC", now=CONTEXT.now
    )
    with pytest.raises(Misuse, match="pounds sterling; the shop's currency is EUR"):
        OnlineRetail().read(path, euro)


def test_unreadable_sources_are_a_misuse(tmp_path: Path) -> None:
    good = write(tmp_path / "retail.csv", [("1", "1", "A", 1, A, 1, 7, "E")])
    parquet = tmp_path / "retail.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (FROM '{good}') TO '{parquet}'")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(parquet.read_bytes()[:-40])
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1" + b"\x00" * 50 + b"PAR1")
    empty = tmp_path / "empty.csv"
    empty.touch()
    image = tmp_path / "image.csv"
    image.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    fake = tmp_path / "fake.parquet"
    fake.write_text("InvoiceNo,StockCode\n")
    lacking = tmp_path / "lacking.csv"
    lacking.write_text("InvoiceNo,StockCode\n1,2\n")
    bare = write(tmp_path / "bare.csv", [])
    for path, words in [
        (tmp_path / "nowhere.csv", "does not exist"),
        (tmp_path, "is not a file"),
        (empty, "is empty"),
        (cut, "cut off"),
        (torn, "cannot be read"),
        (image, "neither Parquet nor CSV|has no column|cannot be read"),
        (fake, "no Parquet file"),
        (lacking, "has no column Description, Quantity"),
        (bare, "holds no rows"),
    ]:
        with pytest.raises(Misuse, match=words) as caught:
            OnlineRetail().read(path, CONTEXT)
        assert caught.value.next_step
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def real(data_folder: Callable[[str], Path]) -> Path:
    return data_folder("online-retail") / "online_retail.parquet"


@pytest.fixture(scope="module")
def real_harvest(real: Path) -> Harvest:
    return OnlineRetail().read(real, CONTEXT)


@pytest.fixture(scope="module")
def imported(
    tmp_path_factory: pytest.TempPathFactory, real_harvest: Harvest
) -> tuple[Shop, ImportReport, ImportReport]:
    folder = tmp_path_factory.mktemp("retail") / "shop"
    shop = make_shop(folder, currency="GBP", timezone="Europe/London")
    reports = [
        append_harvest(shop, real_harvest, "online-retail", Path("r"), CONTEXT.now)
        for _ in range(2)
    ]
    return shop, reports[0], reports[1]


@pytest.mark.data
def test_every_published_row_is_accounted_for(
    imported: tuple[Shop, ImportReport, ImportReport],
) -> None:
    shop, first, second = imported
    assert first.rows_read == 541_909
    assert (first.rows_kept, first.rows_duplicate, first.rows_rejected) == (
        534_168,
        5_268,
        2_473,
    )
    assert first.by_table == {
        "customers": 4_372,
        "products": 4_043,
        "variants": 3_812,
        "orders": 19_963,
        "order_lines": 524_917,
        "refunds": 9_251,
    }
    assert second.facts_added == 0
    assert (second.rows_kept, second.rows_rejected) == (0, 2_473)
    assert len(read_rejects(shop)) == 2_473


@pytest.mark.data
def test_revenue_reconciles_with_the_published_sum(
    real: Path, imported: tuple[Shop, ImportReport, ImportReport]
) -> None:
    """Published sum = products + other kinds + repeats + bad debt + rounding."""
    shop = imported[0]
    with shop.lake.attached(read_only=True) as con:
        lines = dict(
            con.execute(
                "SELECT kind = 'product', sum(quantity_units * unit_price_minor) "
                "FROM lake.order_lines GROUP BY 1"
            ).fetchall()
        )
        refunds = dict(
            con.execute(
                "SELECT product_id IS NOT NULL, sum(amount_minor) "
                "FROM lake.refunds GROUP BY 1"
            ).fetchall()
        )
        con.execute(f"CREATE TEMP VIEW source AS FROM '{real}'")
        pence = "sum(Quantity * CAST(UnitPrice AS DECIMAL(18, 3)) * 100)"
        published = con.execute(f"SELECT {pence} FROM source").fetchone()
        distinct = con.execute(
            f"SELECT {pence} FROM (SELECT DISTINCT * FROM source)"
        ).fetchone()
        bad_debt = con.execute(
            f"SELECT {pence} FROM source WHERE StockCode = 'B'"
        ).fetchone()
        fractions = con.execute(
            f"SELECT {pence} FROM source WHERE UnitPrice = 0.001"
        ).fetchone()
    assert published is not None
    assert distinct is not None
    assert bad_debt is not None
    assert fractions is not None
    products = lines[True] - refunds[True]
    others = lines[False] - refunds[False]
    repeats = published[0] - distinct[0]
    assert round(published[0]) == 974_774_793
    assert math.isclose(
        published[0], products + others + repeats + bad_debt[0] + fractions[0]
    )
    assert (products, others) == (977_131_816, -3_424_915)
    assert (round(repeats), round(bad_debt[0])) == (2_174_098, -1_106_206)


@pytest.mark.data
def test_no_fact_looks_into_the_future(
    tmp_path: Path, real: Path, real_harvest: Harvest
) -> None:
    """A file cut at a day gives exactly the facts known by that day."""
    cut = datetime(2011, 3, 1)  # midnight in London is midnight UTC in winter
    path = tmp_path / "cut.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (FROM '{real}' WHERE InvoiceDate < TIMESTAMP '{cut}') TO '{path}'"
        )
    then = OnlineRetail().read(path, CONTEXT)
    dates = {"orders": "updated_at", "order_lines": "placed_at"}
    dates |= {"refunds": "refunded_at"}
    for name, table in real_harvest.facts.items():
        date = dates.get(name, "created_at")
        with duckdb.connect() as con:
            con.register("later", table)
            con.register("earlier", then.facts[name])
            known = f"SELECT * EXCLUDE (_source_row) FROM later WHERE {date} < ?"
            early = "SELECT * EXCLUDE (_source_row) FROM earlier"
            for query in (
                f"{known} EXCEPT ALL {early}",
                f"{early} EXCEPT ALL ({known})",
            ):
                assert con.execute(query, [cut]).fetchall() == [], name
    assert then.facts["orders"].num_rows > 3_000
    latest = max(real_harvest.facts["orders"].column("placed_at").to_pylist())
    assert latest < datetime(2011, 12, 9) + timedelta(days=1)
