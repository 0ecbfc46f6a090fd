"""What a product's page says."""

from __future__ import annotations

from tests.contract.tiny_lake import TinyLake


def test_listing_has_the_texts_of_the_products_record(lake: TinyLake) -> None:
    lake.add(
        "products",
        product_id="p",
        title="Mug",
        description="Holds tea.",
        category="Kitchen",
        tags="tea, gift",
        url="/products/mug",
        image_url="/pictures/mug.jpg",
        attributes='{"Colour": ["red", "blue"]}',
        created_at="2026-01-01 00:00",
    )
    for variant in ("p-r", "p-b"):
        lake.add("variants", variant_id=variant, product_id="p", title=variant)
    (row,) = lake.rows("listing", "2026-01-31")
    assert (row["product_id"], row["title"]) == ("p", "Mug")
    assert row["description"] == "Holds tea."
    assert row["image_url"] == "/pictures/mug.jpg"
    assert row["attributes"] == '{"Colour": ["red", "blue"]}'
    assert row["active"] is True


def test_listing_names_a_product_that_only_lines_know(lake: TinyLake) -> None:
    lake.sale("o1", "v1", "2026-01-05 10:00", product="p1")
    (row,) = lake.rows("listing", "2026-01-31")
    assert row["product_id"] == "p1"
    assert row["url"] is None


def test_listing_of_a_snapshot_from_before_its_columns(lake: TinyLake) -> None:
    lake.add("products", product_id="p", title="Mug")
    assert lake.rows("listing", "2026-01-31")
    with lake.shop.lake.transaction("test", "as it was") as con:
        con.execute("ALTER TABLE lake.products DROP COLUMN attributes")
    (row,) = lake.rows("listing", "2026-01-31")
    assert (row["title"], row["attributes"]) == ("Mug", None)
