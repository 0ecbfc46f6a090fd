"""Catalogue."""

from __future__ import annotations

from datetime import date

from tests.contract.tiny_lake import TinyLake


def test_catalogue_joins_product_and_variant(lake: TinyLake) -> None:
    lake.add(
        "products",
        product_id="p",
        title="Mug",
        category="Kitchen",
        brand="Ours",
        status="draft",
        created_at="2026-01-01 00:00",
    )
    for variant, title in (("p-r", "red"), ("p-b", "blue")):
        lake.add(
            "variants",
            variant_id=variant,
            product_id="p",
            title=title,
            supplier_id="s",
            pack_units=6,
            minimum_order_units=12,
            created_at="2026-01-02 00:00",
        )
    blue, red = lake.rows("catalogue", "2026-01-31")
    assert blue["title"] == "Mug, blue"
    assert red == {
        "variant_id": "p-r",
        "product_id": "p",
        "title": "Mug, red",
        "category": "Kitchen",
        "brand": "Ours",
        "active": False,
        "supplier_id": "s",
        "pack_units": 6,
        "minimum_order_units": 12,
        "price_minor": None,
        "first_on": date(2026, 1, 2),
    }


def test_catalogue_leaves_out_the_option_of_a_lone_variant(lake: TinyLake) -> None:
    lake.add("products", product_id="p", title="Mug")
    lake.add("variants", variant_id="v", product_id="p", title="Default Title")
    (row,) = lake.rows("catalogue", "2026-01-31")
    assert row["title"] == "Mug"
    assert row["active"] is True
    assert row["first_on"] is None


def test_catalogue_derives_rows_from_lines_and_bare_products(lake: TinyLake) -> None:
    lake.sale("o1", "v1", "2026-01-05 10:00", product="p1")
    lake.add("products", product_id="p2", title="Never sold")
    sold, bare = sorted(
        lake.rows("catalogue", "2026-01-31"), key=lambda row: row["product_id"]
    )
    assert (sold["variant_id"], sold["product_id"]) == ("v1", "p1")
    assert sold["title"] == "Title of v1"
    assert sold["first_on"] == date(2026, 1, 5)
    assert (bare["variant_id"], bare["title"]) == ("p2", "Never sold")
    assert bare["pack_units"] == 1


def test_catalogue_price_prefers_the_list(lake: TinyLake) -> None:
    lake.sale("o1", "v", "2026-01-05 10:00", price=900)
    lake.add(
        "prices", variant_id="v", valid_from_at="2026-01-01 00:00", price_minor=1000
    )
    lake.add(
        "prices", variant_id="v", valid_from_at="2026-01-08 00:00", price_minor=1100
    )
    assert lake.rows("catalogue", "2026-01-07")[0]["price_minor"] == 1000
    assert lake.rows("catalogue", "2026-01-08")[0]["price_minor"] == 1100


def test_catalogue_price_falls_back_to_the_usual_then_the_last(lake: TinyLake) -> None:
    lake.sale("o1", "v", "2026-01-05 10:00", units=5, price=900)
    lake.sale("o2", "v", "2026-01-06 10:00", units=1, price=1200)
    lake.sale("o3", "v", "2026-01-07 10:00", units=9, price=0)
    assert lake.rows("catalogue", "2026-01-10")[0]["price_minor"] == 900
    # 28 days after the 6th only the 6th and 7th are in the window.
    assert lake.rows("catalogue", "2026-02-02")[0]["price_minor"] == 1200
    assert lake.rows("catalogue", "2026-06-01")[0]["price_minor"] == 1200
