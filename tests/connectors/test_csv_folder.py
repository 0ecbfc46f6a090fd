from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors.base import Connector, Harvest, ImportContext
from cartwheel.connectors.csv_folder import (
    ACCEPTED,
    CsvFolder,
    accepted_headers,
    defaulted,
)
from cartwheel.errors import Misuse

CONTEXT = ImportContext(
    currency="EUR",
    minor_digits=2,
    timezone="Europe/Berlin",
    now=datetime(2025, 1, 1),
)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "csv-layout.md"


def read(folder: Path, **files: str) -> Harvest:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return CsvFolder().read(folder, CONTEXT)


def rows(harvest: Harvest, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harvest.facts[table].to_pylist()
    return found


def check_account(harvest: Harvest) -> None:
    carried = {
        row
        for table in harvest.facts.values()
        for row in table.column("_source_row").to_pylist()
    }
    sets = [
        carried,
        set(harvest.duplicates),
        set(harvest.supporting),
        {reject.source_row for reject in harvest.rejects},
    ]
    assert set().union(*sets) == set(range(harvest.rows_read))
    assert sum(map(len, sets)) == harvest.rows_read
    assert len(harvest.rejects) == len(sets[3])


def test_importing_the_connectors_loads_no_heavy_library() -> None:
    code = (
        "import sys; import cartwheel.connectors.csv_folder as a; "
        "import cartwheel.connectors.shopify_csv as b; "
        "print({'pyarrow', 'duckdb', 'pandas'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_is_a_connector() -> None:
    assert isinstance(CsvFolder(), Connector)


def test_a_german_spreadsheet(tmp_path: Path) -> None:
    harvest = read(
        tmp_path,
        orders="\ufeffOrder ID;Placed At;Status;Shipping\n"
        "A1;13.10.2024 12:00;PAID;4,90\n"
        "A2;14.10.2024 08:00;open;1.204,90\n",
        order_lines="Order ID;Product ID;Qty;Unit price\nA1;P1;2;10,5\nA2;P2;1;3\n",
    )
    assert [row["shipping_minor"] for row in rows(harvest, "orders")] == [490, 120490]
    assert rows(harvest, "orders")[0]["updated_at"] == datetime(2024, 10, 13, 10)
    assert rows(harvest, "orders")[0]["status"] == "paid"
    line = rows(harvest, "order_lines")[0]
    assert line["placed_at"] == datetime(2024, 10, 13, 10)
    assert (line["kind"], line["line_id"], line["variant_id"]) == ("product", "1", "P1")
    assert (line["quantity_units"], line["unit_price_minor"]) == (2, 1050)
    assert harvest.files[0].note == (
        "utf-8 with BOM, delimiter ';', decimal comma, dates d.m.Y in Placed At"
    )
    check_account(harvest)


def test_minor_units_are_taken_as_they_are(tmp_path: Path) -> None:
    text = "variant_id,valid_from_at,price_minor\nv,2024-01-01T00:00:00Z,1250\n"
    assert rows(read(tmp_path, prices=text), "prices")[0]["price_minor"] == 1250


def test_ambiguous_amount_is_refused_until_stated(tmp_path: Path) -> None:
    text = "variant_id;valid_from;price\nv;2024-01-01;1,234\nw;2024-01-01;7\n"
    harvest = read(tmp_path, prices=text)
    assert [r.field for r in harvest.rejects] == ["price"]
    assert "layout.toml" in harvest.rejects[0].reason
    assert "decimal sign undecided" in harvest.files[0].note
    check_account(harvest)
    (tmp_path / "layout.toml").write_text('decimal = ","\n')
    harvest = read(tmp_path, prices=text)
    assert [r["price_minor"] for r in rows(harvest, "prices")] == [123, 700]
    assert "from layout.toml" in harvest.files[0].note
    assert "rounded" in " ".join(harvest.notes)


def test_ambiguous_dates_are_refused_until_stated(tmp_path: Path) -> None:
    text = "order_id,placed_at,status\n1,01/02/2024,paid\n2,02/02/2024,paid\n"
    harvest = read(tmp_path, orders=text)
    assert [r.source_row for r in harvest.rejects] == [0]
    assert "day/month or month/day" in harvest.rejects[0].reason
    (tmp_path / "layout.toml").write_text('dates = "m/d/Y"\ntimezone = "UTC"\n')
    harvest = read(tmp_path, orders=text)
    assert rows(harvest, "orders")[0]["placed_at"] == datetime(2024, 1, 2)


def test_unknown_columns_and_files_are_reported(tmp_path: Path) -> None:
    harvest = read(tmp_path, products="product_id,colour\n1,red\n", shopping="a\n1\n")
    notes = " ".join(harvest.notes)
    assert "columns not used: 'colour'" in notes
    assert "shopping.csv: not named after a table" in notes


def test_missing_column_names_it_and_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="lacks quantity_units") as caught:
        read(
            tmp_path,
            order_lines="order_id,placed_at,product_id,unit_price\n1,2024-01-01,a,2\n",
        )
    assert "quantity" in caught.value.message
    assert "qty" in caught.value.message
    assert "docs/csv-layout.md" in caught.value.next_step


def test_lines_need_a_date_or_the_orders(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="lacks placed_at") as caught:
        read(tmp_path, order_lines="order_id,product_id,qty,unit_price\n1,a,1,2\n")
    assert "orders file" in caught.value.next_step


def test_line_whose_order_is_not_there(tmp_path: Path) -> None:
    harvest = read(
        tmp_path,
        orders="order_id,placed_at,status\n1,2024-01-01,paid\n",
        order_lines="order_id,product_id,qty,unit_price\n1,a,1,2\n9,a,1,2\n1,a,1,2\n",
    )
    assert [row["line_id"] for row in rows(harvest, "order_lines")] == ["1", "2"]
    assert [r.value for r in harvest.rejects] == ["9"]
    check_account(harvest)


def test_line_takes_date_and_buyer_from_the_latest_order(tmp_path: Path) -> None:
    harvest = read(
        tmp_path,
        orders="order_id,customer_id,placed_at,updated_at,status\n"
        "1,,2024-01-01,2024-01-01,open\n1,c,2024-01-01,2024-01-05,paid\n",
        order_lines="order_id,product_id,qty,unit_price\n1,a,1,2\n",
    )
    assert rows(harvest, "order_lines")[0]["customer_id"] == "c"


def test_line_product_comes_from_variants(tmp_path: Path) -> None:
    harvest = read(
        tmp_path,
        variants="variant_id,product_id\nv,p\n",
        order_lines="order_id,placed_at,variant_id,qty,unit_price\n1,2024-01-01,v,1,2\n",
    )
    assert rows(harvest, "order_lines")[0]["product_id"] == "p"


def test_variants_without_product(tmp_path: Path) -> None:
    harvest = read(tmp_path, variants="id,sku\nv,s\n")
    assert rows(harvest, "variants")[0]["product_id"] == "v"


def test_repeats(tmp_path: Path) -> None:
    harvest = read(
        tmp_path,
        orders="order_id,placed_at,updated_at,status\n"
        "1,2024-01-01,2024-01-01,open\n"
        "1,2024-01-01,2024-01-01,open\n"
        "1,2024-01-01,2024-01-02,paid\n"
        "1,2024-01-01,2024-01-02,cancelled\n"
        "1,2024-01-01,2024-01-02,paid\n",
    )
    assert harvest.duplicates == (1, 4)
    assert [row["status"] for row in rows(harvest, "orders")] == ["open", "paid"]
    (reject,) = harvest.rejects
    assert (reject.source_row, reject.value) == (3, "1")
    assert "duplicate id with different content" in reject.reason
    check_account(harvest)


def test_event_id_never_becomes_a_version(tmp_path: Path) -> None:
    text = "event_id,kind,occurred_at\ne,view,2024-01-01\ne,view,2024-01-02\n"
    harvest = read(tmp_path, events=text)
    assert [r.source_row for r in harvest.rejects] == [1]


def test_rows_without_key_do_not_contradict_each_other(tmp_path: Path) -> None:
    harvest = read(tmp_path, products="product_id,title\n,a\n,b\n")
    assert not harvest.rejects
    assert len(rows(harvest, "products")) == 2


@pytest.mark.parametrize("name", ["customers.csv", "Customers.CSV", "customers.csv.gz"])
def test_single_file(tmp_path: Path, name: str) -> None:
    data = b"customer_id,email\n1, Ann@Example.ORG \n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    harvest = CsvFolder().read(path, CONTEXT)
    assert rows(harvest, "customers")[0]["email"] == "ann@example.org"


def test_parquet_beside_csv(tmp_path: Path) -> None:
    times = pa.array([datetime(2024, 7, 1, 12)], pa.timestamp("us"))
    table = {"order_id": [1.0], "placed_at": times, "status": ["paid"]}
    pq.write_table(pa.table({**table, "shipping": [4.9]}), tmp_path / "orders.parquet")
    harvest = read(
        tmp_path, order_lines="order_id,product_id,qty,unit_price\n1,a,1,2\n"
    )
    order = rows(harvest, "orders")[0]
    assert order["order_id"] == "1"
    assert order["shipping_minor"] == 490
    assert order["placed_at"] == datetime(2024, 7, 1, 10)
    assert harvest.files[0].line(0) == 1
    assert rows(harvest, "order_lines")[0]["_source_row"] == 1


def test_what_cannot_be_read(tmp_path: Path) -> None:
    connector = CsvFolder()
    with pytest.raises(Misuse, match="does not exist"):
        connector.read(tmp_path / "none", CONTEXT)
    with pytest.raises(Misuse, match="no file named after a table"):
        connector.read(tmp_path, CONTEXT)
    wrong = tmp_path / "shop.csv"
    wrong.write_text("a\n1\n")
    with pytest.raises(Misuse, match="no file named after a table"):
        connector.read(wrong, CONTEXT)
    empty = tmp_path / "orders.csv"
    empty.touch()
    with pytest.raises(Misuse, match="is empty"):
        connector.read(tmp_path, CONTEXT)
    empty.write_text("order_id,id\n")
    with pytest.raises(Misuse, match="both mean order_id"):
        connector.read(tmp_path, CONTEXT)
    (tmp_path / "orders.parquet").write_bytes(b"PAR1")
    with pytest.raises(Misuse, match="both hold orders"):
        connector.read(tmp_path, CONTEXT)
    empty.unlink()
    with pytest.raises(Misuse, match="not a complete Parquet"):
        connector.read(tmp_path, CONTEXT)


def test_tables_of_the_wheel_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no file named"):
        read(tmp_path, answers="decision_id\n1\n")


def test_formula_cells_are_stored_as_they_are(tmp_path: Path) -> None:
    harvest = read(tmp_path, products='product_id,title\n1,"=HYPERLINK(""x"")"\n')
    assert rows(harvest, "products")[0]["title"] == '=HYPERLINK("x")'


def test_every_accepted_column_can_be_parsed(tmp_path: Path) -> None:
    values = {"text": "x", "int": "1", "bool": "yes", "instant": "2024-01-01"}
    for table in ACCEPTED:
        cells = [values[column.type] for column in table.columns]
        text = ",".join(table.column_names) + "\n" + ",".join(cells) + "\n"
        (tmp_path / f"{table.name}.csv").write_text(text)
    harvest = CsvFolder().read(tmp_path, CONTEXT)
    assert not harvest.rejects
    assert list(harvest.facts) == [table.name for table in ACCEPTED]
    for table in ACCEPTED:
        assert set(table.column_names) <= set(harvest.facts[table.name].column_names)
    check_account(harvest)


CELL = st.sampled_from(
    ["", "1", "2", "1,5", "1.5", "x", "2024-01-01", "13.1.2024", "open", '"', "a\nb"]
)


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=8),
    lines=st.lists(st.lists(CELL, min_size=3, max_size=5), max_size=8),
    raw=st.text(alphabet='1,;"\n\r ab', max_size=30),
)
def test_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory,
    orders: list[list[str]],
    lines: list[list[str]],
    raw: str,
) -> None:
    def written(table: list[list[str]]) -> str:
        quoted = [['"' + c.replace('"', '""') + '"' for c in row] for row in table]
        return "".join(",".join(row) + "\n" for row in quoted)

    header = "order_id,placed_at,status\n"
    heading = "order_id,product_id,qty,unit_price\n"
    folder = tmp_path_factory.mktemp("folder")
    harvest = read(
        folder,
        orders=header + written(orders) + raw,
        order_lines=heading + written(lines),
    )
    check_account(harvest)


def test_layout_document_names_every_table_and_column() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for table in ACCEPTED:
        start = text.index(f"### {table.name}\n")
        section = text[start : text.find("\n### ", start + 1)]
        assert table.doc in section
        for column in table.columns:
            rows = [
                x for x in section.splitlines() if x.startswith(f"| `{column.name}`")
            ]
            assert len(rows) == 1, f"{table.name}.{column.name}"
            assert column.doc in rows[0]
            assert ("needed" in rows[0]) == (
                column.name not in defaulted(table, {"orders"}, {"order_id"})
            )
            assert all(f"`{choice}`" in rows[0] for choice in column.choices)
        for header in accepted_headers(table):
            assert f"`{header}`" in section, f"{table.name}: {header}"
        example = section.split("```csv\n", 1)[1].split("```", 1)[0]
        assert example.strip(), table.name


def test_layout_document_examples_import_without_a_reject(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for table in ACCEPTED:
        section = text[text.index(f"### {table.name}\n") :]
        example = section.split("```csv\n", 1)[1].split("```", 1)[0]
        (tmp_path / f"{table.name}.csv").write_text(example)
    harvest = CsvFolder().read(tmp_path, CONTEXT)
    assert not harvest.rejects
    assert not [note for note in harvest.notes if "not used" in note]
    check_account(harvest)
