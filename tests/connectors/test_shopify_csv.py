from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors.base import Connector, Harvest, ImportContext
from cartwheel.connectors.shopify_csv import ShopifyCsv
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.connectors.shopify_csv.exports import kind_of
from cartwheel.connectors.shopify_csv.gathered import UNDATED
from cartwheel.connectors.shopify_csv.products import plain_text
from cartwheel.errors import Misuse

CONTEXT = ImportContext(
    currency="EUR", minor_digits=2, timezone="Europe/Berlin", now=datetime(2026, 1, 1)
)
WRITTEN = datetime(2025, 11, 5, 12)
"""Time of every file, UTC."""

Row = dict[str, str]


def write(folder: Path, name: str, rows: list[Row]) -> Path:
    header = list(dict.fromkeys(label for row in rows for label in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / name
    path.write_bytes(text.getvalue().encode())
    stamp = (WRITTEN - datetime(1970, 1, 1)).total_seconds()
    os.utime(path, (stamp, stamp))
    return path


def product(handle: str, title: str = "", **cells: str) -> Row:
    labels = {
        "sku": "Variant SKU",
        "price": "Variant Price",
        "compare": "Variant Compare At Price",
        "cost": "Cost per item",
        "image": "Image Src",
        "qty": "Variant Inventory Qty",
        "tracker": "Variant Inventory Tracker",
        "one": "Option1 Value",
        "two": "Option2 Value",
        "gift": "Gift Card",
        "body": "Body (HTML)",
        "published": "Published",
        "type": "Type",
    }
    row = {"Handle": handle, "Title": title} | dict.fromkeys(labels.values(), "")
    return row | {labels[name]: value for name, value in cells.items()}


def line(name: str, title: str, **cells: str) -> Row:
    return {
        "Name": name,
        "Email": cells.get("email", ""),
        "Financial Status": "",
        "Paid at": "",
        "Fulfillment Status": "",
        "Fulfilled at": "",
        "Currency": "",
        "Subtotal": "",
        "Shipping": "",
        "Taxes": "",
        "Total": "",
        "Discount Code": "",
        "Discount Amount": "",
        "Created at": cells.get("placed", "2025-03-01 10:00:00 +0100"),
        "Lineitem quantity": cells.get("qty", "1"),
        "Lineitem name": title,
        "Lineitem price": cells.get("price", "10.00"),
        "Lineitem sku": cells.get("sku", ""),
        "Lineitem requires shipping": cells.get("shipped", "true"),
        "Lineitem taxable": cells.get("taxed", "true"),
        "Cancelled at": "",
        "Payment Method": "",
        "Refunded Amount": "",
        "Location": "",
        "Id": "",
        "Source": "",
        "Lineitem discount": cells.get("discount", ""),
        "Phone": cells.get("phone", ""),
    }


def head(name: str, title: str, **cells: str) -> Row:
    own = {
        "Financial Status": "paid",
        "Currency": "EUR",
        "Subtotal": "10.00",
        "Shipping": "4.90",
        "Taxes": "1.60",
        "Total": "14.90",
        "Discount Amount": "0.00",
        "Refunded Amount": "0.00",
        "Id": "99",
        "Source": "web",
    }
    small = {k: v for k, v in cells.items() if k[0].islower()}
    large = {k.replace("_", " "): v for k, v in cells.items() if not k[0].islower()}
    return line(name, title, **small) | own | large


def read(path: Path, context: ImportContext = CONTEXT) -> Harvest:
    harvest = ShopifyCsv().read(path, context)
    check_account(harvest)
    return harvest


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


def facts(harvest: Harvest, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harvest.facts[table].to_pylist()
    return found


def test_is_a_connector() -> None:
    assert isinstance(ShopifyCsv(), Connector)


def test_products_variants_pictures(tmp_path: Path) -> None:
    write(
        tmp_path,
        "p.csv",
        [
            product(
                "tee",
                "Tee",
                one="S",
                two="blue",
                sku="AD-04\r\n-blue",
                price="19.90",
                compare="0.00",
                cost="7.5",
                body="<p>Soft &amp; warm</p>",
                published="true",
                type="Shirts",
            ),
            product("tee", one="M", two="blue", price="21", compare="25"),
            product("tee", image="https://x/2.jpg"),
            product("lamp", "Lamp", one="Default Title", price="5"),
            product("", "Nobody"),
            product("ghost", price="1"),
        ],
    )
    harvest = read(tmp_path)
    tee, lamp = facts(harvest, "products")
    assert (tee["product_id"], tee["description"]) == ("tee", "Soft & warm")
    assert "Soft &amp; warm" in tee["page_html"]
    assert (tee["status"], tee["category"], lamp["status"]) == (
        "active",
        "Shirts",
        None,
    )
    ids = [variant["variant_id"] for variant in facts(harvest, "variants")]
    assert ids == ["tee:S/blue", "tee:M/blue", "lamp"]
    assert facts(harvest, "variants")[0]["sku"] == "AD-04-blue"
    assert facts(harvest, "variants")[0]["title"] == "S / blue"
    prices = facts(harvest, "prices")
    assert [p["price_minor"] for p in prices] == [1990, 2100, 500]
    assert [p["compare_at_minor"] for p in prices] == [None, 2500, None]
    assert {p["valid_from_at"] for p in prices} == {UNDATED}
    assert [c["cost_minor"] for c in facts(harvest, "costs")] == [750]
    assert harvest.supporting == (2,)
    assert [r.source_row for r in harvest.rejects] == [4, 5]
    # The broken SKU spans two lines, so later rows stand one line further down.
    assert [harvest.files[0].line(r) for r in (0, 1, 4)] == [2, 4, 7]


def test_products_current_dialect(tmp_path: Path) -> None:
    rows = [
        {
            "Title": "Tee",
            "URL handle": "tee",
            "Description": "<b>x</b>",
            "Product category": "Apparel > Shirts",
            "Published on online store": "TRUE",
            "Status": "Draft",
            "SKU": "'007",
            "Option1 value": "S",
            "Price": "1.50",
            "Compare-at price": "2.00",
            "Cost per item": "1",
            "Inventory tracker": "shopify",
            "Inventory quantity": "-3",
            "Product image URL": "",
        }
    ]
    write(tmp_path, "p.csv", rows)
    harvest = read(tmp_path)
    assert facts(harvest, "products")[0]["status"] == "draft"
    assert facts(harvest, "products")[0]["category"] == "Apparel > Shirts"
    assert facts(harvest, "variants")[0]["sku"] == "007"
    level = facts(harvest, "inventory_levels")[0]
    assert (level["available_units"], level["counted_at"]) == (-3, WRITTEN)
    assert facts(harvest, "prices")[0]["compare_at_minor"] == 200


def test_repeated_product_is_a_duplicate(tmp_path: Path) -> None:
    row = product("tee", "Tee", price="1")
    write(tmp_path, "a.csv", [row])
    write(tmp_path, "b.csv", [row, product("tee", image="https://x")])
    harvest = read(tmp_path)
    assert harvest.duplicates == (1,)
    assert harvest.supporting == (2,)


def test_order_lines_follow_their_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        "p.csv",
        [
            product("tee", "Tee", one="S", sku="T-S", price="10"),
            product("tee", one="M", sku="T-M", price="10"),
            product("lamp", "Lamp", price="5"),
            product("card", "Voucher", price="10", gift="true"),
        ],
    )
    write(
        tmp_path,
        "o.csv",
        [
            head("#1", "Renamed", sku="T-S", email="Ann@Example.org", qty="2"),
            line("#1", "Tee - M", email="Ann@Example.org"),
            line("#1", "lamp", email="Ann@Example.org"),
            line("#1", "Voucher", email="Ann@Example.org"),
            line("#1", "Gift Card - $10", shipped="false", taxed="false"),
            line("#1", "Unknown thing", sku="X-1"),
            line("#1", "", qty="", price=""),
            head("#2", "Tee"),
        ],
    )
    harvest = read(tmp_path)
    lines = facts(harvest, "order_lines")
    sold = [(x["order_id"], x["line_id"], x["kind"], x["variant_id"]) for x in lines]
    assert sold == [
        ("#1", "1", "product", "tee:S"),
        ("#1", "2", "product", "tee:M"),
        ("#1", "3", "product", "lamp"),
        ("#1", "4", "gift_card", None),
        ("#1", "5", "gift_card", None),
        ("#1", "6", "product", "sku:X-1"),
        ("#2", "1", "product", None),
    ]
    assert lines[6]["product_id"] == "tee"
    assert {x["placed_at"] for x in lines} == {datetime(2025, 3, 1, 9)}
    made = next(p for p in facts(harvest, "products") if p["product_id"] == "sku:X-1")
    assert (made["title"], made["created_at"]) == (
        "Unknown thing",
        datetime(2025, 3, 1, 9),
    )
    person = customer_id("ann@example.org", None, None)
    assert lines[1]["customer_id"] == person
    assert facts(harvest, "orders")[0]["customer_id"] == person
    assert [c["email"] for c in facts(harvest, "customers")] == ["ann@example.org"]
    order = facts(harvest, "orders")[0]
    assert (order["shipping_minor"], order["tax_minor"]) == (490, 160)
    assert order["channel"] == "web"


def test_order_states_become_versions(tmp_path: Path) -> None:
    write(
        tmp_path,
        "o.csv",
        [
            head(
                "#1",
                "Tee",
                Paid_at="2025-03-02 10:00:00 +0100",
                Fulfillment_Status="fulfilled",
                Fulfilled_at="2025-03-05 10:00:00 +0100",
            ),
            head(
                "#2",
                "Tee",
                Financial_Status="refunded",
                Cancelled_at="2025-03-03 10:00:00 +0100",
                Refunded_Amount="14.90",
            ),
            head("#3", "Tee", Financial_Status="pending"),
            head("#4", "Tee", Financial_Status="voided"),
            head("#5", "Tee", Financial_Status="refunded", Refunded_Amount="1.00"),
        ],
    )
    harvest = read(tmp_path)
    states = [
        (o["order_id"], o["updated_at"].day, o["status"])
        for o in facts(harvest, "orders")
    ]
    assert states == [
        ("#1", 1, "open"),
        ("#1", 2, "paid"),
        ("#1", 5, "fulfilled"),
        ("#2", 1, "paid"),
        ("#2", 3, "cancelled"),
        ("#3", 1, "open"),
        ("#4", 1, "cancelled"),
        ("#5", 1, "refunded"),
    ]
    refunds = [(r["order_id"], r["amount_minor"]) for r in facts(harvest, "refunds")]
    assert refunds == [("#2", 1490), ("#5", 100)]
    assert facts(harvest, "refunds")[0]["refunded_at"] == datetime(2025, 3, 3, 9)


def test_orders_refused_as_a_whole(tmp_path: Path) -> None:
    write(
        tmp_path,
        "o.csv",
        [
            head("#1", "Tee", Currency="USD"),
            line("#1", "Lamp"),
            head("#2", "Tee", Payment_Method="(for testing) Bogus Gateway"),
            head("#3", "Tee", placed=""),
            head("#4", "Tee", Shipping="free"),
            line("#4", "Lamp"),
            line("", "Lamp"),
        ],
    )
    harvest = read(tmp_path)
    assert not harvest.facts
    found = {(r.source_row, r.field, r.value) for r in harvest.rejects}
    assert (0, "Currency", "USD") in found
    assert (1, "Currency", "USD") in found
    assert (4, "Shipping", "free") in found
    reasons = [r.reason for r in harvest.rejects]
    assert "test order" in reasons[2]
    assert "missing" in reasons[3]
    assert reasons[5].startswith("its order was rejected")


def test_order_survives_a_bad_first_line(tmp_path: Path) -> None:
    rows = [head("#1", "Tee", qty="two"), line("#1", "Lamp")]
    write(tmp_path, "o.csv", rows)
    harvest = read(tmp_path)
    assert [r.field for r in harvest.rejects] == ["Lineitem quantity"]
    assert facts(harvest, "orders")[0]["_source_row"] == 1
    assert [x["line_id"] for x in facts(harvest, "order_lines")] == ["2"]


def test_order_discount_is_not_counted_twice(tmp_path: Path) -> None:
    cells = {"Discount_Amount": "3.00", "Discount_Code": "X"}
    write(
        tmp_path,
        "o.csv",
        [
            head("#1", "Tee", price="10", discount="3", Subtotal="7.00", **cells),
            head("#2", "Tee", price="10", Subtotal="7.00", **cells),
            head("#3", "Tee", price="10", discount="1", Subtotal="7.00", **cells),
            head("#4", "Tee", price="10", Subtotal="", **cells),
        ],
    )
    orders = facts(read(tmp_path), "orders")
    assert [o["discount_minor"] for o in orders] == [0, 300, 200, 300]
    assert orders[0]["discount_code"] == "X"


def test_overlapping_order_exports(tmp_path: Path) -> None:
    first = [head("#1", "Tee"), line("#1", "Lamp")]
    paid = [
        {**first[0], "Paid at": "2025-03-02 10:00:00 +0100"},
        first[1],
        head("#2", "Tee"),
    ]
    write(tmp_path, "a.csv", [{**first[0], "Financial Status": "pending"}, first[1]])
    write(tmp_path, "b.csv", paid)
    harvest = read(tmp_path)
    assert harvest.duplicates == (3,)
    states = [(o["order_id"], o["status"]) for o in facts(harvest, "orders")]
    assert states == [("#1", "open"), ("#1", "paid"), ("#2", "paid")]
    assert len(facts(harvest, "order_lines")) == 3


def test_order_twice_in_one_file(tmp_path: Path) -> None:
    order = [head("#1", "Tee"), line("#1", "Tee")]
    write(tmp_path, "o.csv", [*order, head("#2", "Tee"), *order, line("#2", "Lamp")])
    harvest = read(tmp_path)
    assert harvest.duplicates == (3, 4)
    lines = [(x["order_id"], x["line_id"]) for x in facts(harvest, "order_lines")]
    assert lines == [("#1", "1"), ("#1", "2"), ("#2", "1"), ("#2", "2")]


def customer(**cells: str) -> Row:
    return {
        "Customer ID": "'55",
        "First Name": "Ann",
        "Last Name": "Bell",
        "Email": "ann@example.org",
        "Accepts Email Marketing": "yes",
        "Default Address Country Code": "DE",
        "Phone": "'+49 151",
        "Accepts SMS Marketing": "no",
    } | cells


def test_customers_and_consents(tmp_path: Path) -> None:
    write(
        tmp_path,
        "c.csv",
        [
            customer(),
            customer(Email="", Phone=""),
            customer(Email="", Phone="", **{"Customer ID": ""}),
            customer(Email="bo@example.org", **{"Accepts Email Marketing": "maybe"}),
        ],
    )
    write(tmp_path, "o.csv", [head("#1", "Tee", phone="+49151")])
    harvest = read(tmp_path)
    ann, other = facts(harvest, "customers")
    assert (ann["name"], ann["phone"], ann["country"]) == ("Ann Bell", "+49 151", "DE")
    assert other["customer_id"] == "c-55"
    assert ann["created_at"] == datetime(2025, 3, 1, 9)
    assert facts(harvest, "orders")[0]["customer_id"] == ann["customer_id"]
    consents = facts(harvest, "consents")
    said = [(c["purpose"], c["granted"], c["changed_at"]) for c in consents[:2]]
    assert said == [
        ("email_marketing", True, WRITTEN),
        ("sms_marketing", False, WRITTEN),
    ]
    assert [r.field for r in harvest.rejects] == ["Email", "Accepts Email Marketing"]


def test_inventory(tmp_path: Path) -> None:
    def level(**cells: str) -> Row:
        row = {"Handle": "tee", "Title": "Tee", "Option1 Value": "S", "SKU": "T-S"}
        return row | {
            "Location": "Berlin",
            "Incoming (not editable)": "6",
            "Available (not editable)": "3",
            "On hand (current)": "4",
            **cells,
        }

    stocked = {"Available (not editable)": "not stocked"}
    stocked |= {
        "Incoming (not editable)": "not stocked",
        "On hand (current)": "Not stocked",
    }
    write(
        tmp_path,
        "i.csv",
        [level(), level(Location="Paris", **stocked), level(Location="")],
    )
    tee = product("tee", "Tee", one="S", qty="9", tracker="shopify", price="1")
    write(tmp_path, "p.csv", [tee])
    harvest = read(tmp_path)
    (found,) = facts(harvest, "inventory_levels")
    assert found["variant_id"] == facts(harvest, "variants")[0]["variant_id"]
    assert (found["available_units"], found["incoming_units"]) == (3, 6)
    assert found["counted_at"] == WRITTEN
    assert [x["location_id"] for x in facts(harvest, "locations")] == ["Berlin"]
    assert harvest.supporting == (1,)
    assert [r.source_row for r in harvest.rejects] == [2]


def test_file_from_the_future_counts_now(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", [customer()])
    os.utime(path, (4e9, 4e9))
    consents = facts(read(tmp_path), "consents")
    assert {c["changed_at"] for c in consents} == {CONTEXT.now}


def test_kind_by_header() -> None:
    assert kind_of(("Handle", "Title", "Location", "On hand")) == "inventory"
    assert kind_of(("Handle", "Title", "Variant Price")) == "products"
    assert kind_of(("Title", "URL handle", "Price")) == "products"
    assert kind_of(("Email", "First Name", "Total Orders")) == "customers"
    assert kind_of(("Lineitem name", "Name")) == "orders"
    assert kind_of(("Name", "Email")) is None


def test_plain_text() -> None:
    assert plain_text('<style>p{}</style><p class="x">a&nbsp;b</p>') == "a b"
    assert plain_text("<br>") is None
    assert plain_text(None) is None


def test_what_cannot_be_read(tmp_path: Path) -> None:
    connector = ShopifyCsv()
    with pytest.raises(Misuse, match="does not exist"):
        connector.read(tmp_path / "none", CONTEXT)
    with pytest.raises(Misuse, match="no Shopify export"):
        connector.read(tmp_path, CONTEXT)
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Misuse, match="no Shopify export"):
        connector.read(path, CONTEXT)
    path.write_text("Name,Lineitem name\n#1,Tee\n")
    with pytest.raises(Misuse, match="lacks the column created_at"):
        connector.read(path, CONTEXT)
    path.write_text("")
    with pytest.raises(Misuse, match="is empty"):
        connector.read(path, CONTEXT)


WORD = st.sampled_from(["", "a", "b", "1", "2.50", "no", "x\ny", '"', "paid"])
TIME = st.sampled_from(["", "2025-01-01 10:00:00 +0100", "2025-02-01", "soon"])


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from(["#1", "#2", ""]),
            st.booleans(),
            WORD,
            WORD,
            TIME,
            TIME,
            st.sampled_from(["EUR", "USD", ""]),
        ),
        max_size=8,
    ),
    products=st.lists(st.tuples(WORD, WORD, WORD, WORD, WORD), max_size=8),
)
def test_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory,
    orders: list[tuple[str, bool, str, str, str, str, str]],
    products: list[tuple[str, str, str, str, str]],
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    rows = [head("#0", "Tee")]
    for name, is_head, title, quantity, placed, paid, currency in orders:
        if is_head:
            cells = {"Paid_at": paid, "Currency": currency}
            rows.append(head(name, title, qty=quantity, placed=placed, **cells))
        else:
            rows.append(line(name, title, qty=quantity, placed=placed))
    write(folder, "o.csv", rows)
    made = [product("tee", "Tee", price="1")]
    for handle, title, option, price, sku in products:
        made.append(product(handle, title, one=option, price=price, sku=sku))
    write(folder, "p.csv", made)
    read(folder)


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "rows", "counts", "supporting"),
    [
        ("dev-store-snowboards", 40, {"order_lines": 40, "customers": 3}, 0),
        ("furniture-demo", 21, {"products": 21, "variants": 21, "prices": 21}, 0),
        ("simple-sample-data", 190, {"customers": 17, "consents": 17}, 26),
    ],
)
def test_real_store_exports(
    data_folder: Callable[[str], Path],
    folder: str,
    rows: int,
    counts: dict[str, int],
    supporting: int,
) -> None:
    harvest = read(data_folder("shopify-store-exports") / folder)
    assert harvest.rows_read == rows
    assert {name: harvest.facts[name].num_rows for name in counts} == counts
    assert len(harvest.supporting) == supporting
    assert not harvest.rejects


@pytest.mark.data
def test_real_orders(data_folder: Callable[[str], Path]) -> None:
    path = data_folder("shopify-store-exports") / "dev-store-snowboards"
    harvest = read(path / "orders_export.csv")
    lines = facts(harvest, "order_lines")
    assert len({x["order_id"] for x in facts(harvest, "orders")}) == 19
    assert sum(x["kind"] == "gift_card" for x in lines) == 17
    first = [x for x in lines if x["order_id"] == "#1001"]
    assert sum(x["unit_price_minor"] for x in first) == 165995
    assert first[0]["placed_at"] == datetime(2025, 5, 11, 13, 55, 16)
    wrong = ImportContext(
        currency="USD", minor_digits=2, timezone="UTC", now=CONTEXT.now
    )
    assert len(read(path, wrong).rejects) == 40


@pytest.mark.data
def test_real_skus_lose_their_line_break(data_folder: Callable[[str], Path]) -> None:
    path = data_folder("shopify-store-exports") / "simple-sample-data"
    skus = {v["sku"] for v in facts(read(path), "variants")}
    assert "AD-04-blue-OS" in skus
    assert not [sku for sku in skus if sku and "\n" in sku]


@pytest.mark.data
def test_real_product_samples(data_folder: Callable[[str], Path]) -> None:
    harvest = read(data_folder("shopify-product-csvs"))
    assert [file.rows for file in harvest.files] == [22, 21, 41]
    assert not harvest.rejects
    assert len(facts(harvest, "variants")) + len(harvest.supporting) == 84
