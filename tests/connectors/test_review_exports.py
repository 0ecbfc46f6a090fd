"""Exports of review apps: columns by name, texts masked, every row accounted for."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.intake import import_source
from cartwheel.connectors.review_exports import ReviewExports
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.errors import Misuse
from cartwheel.shop import make_shop

CONTEXT = ImportContext(
    currency="EUR", minor_digits=2, timezone="Europe/Berlin", now=datetime(2026, 6, 1)
)
JUDGE_ME = (
    *("title", "body", "rating", "review_date", "source", "curated", "reviewer_name"),
    *("reviewer_email", "product_id", "product_handle", "reply", "ip_address"),
)
YOTPO = (
    *("Review Title", "Review Content", "Review Score", "Date", "Product ID"),
    *("Product Name", "Display Name", "Email"),
)
ANN = "ann@mail.example"


def written(
    folder: Path, header: tuple[str, ...], *rows: tuple[Any, ...], name: str = "r.csv"
) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
    return path


def read(path: Path) -> Harvest:
    found = ReviewExports().read(path, CONTEXT)
    told = [one["_source_row"] for one in rows(found)]
    told += [one.source_row for one in found.rejects] + list(found.duplicates)
    assert sorted(told) == list(range(found.rows_read))
    return found


def rows(found: Harvest) -> list[dict[str, Any]]:
    table = found.facts.get("reviews")
    return [] if table is None else table.to_pylist()


def judge_me(**given_cells: str) -> tuple[str, ...]:
    plain = {
        "title": "Too small",
        "body": "Runs small.",
        "rating": "2",
        "review_date": "2026-03-01 10:00:00 UTC",
        "curated": "ok",
        "reviewer_email": ANN,
        "product_handle": "linen-shirt",
        "ip_address": "10.1.2.3",
    }
    return tuple((plain | given_cells).get(name, "") for name in JUDGE_ME)


def test_an_export_of_judge_me_becomes_reviews(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        JUDGE_ME,
        judge_me(),
        judge_me(body="Call +49 30 1234567", rating="5.0", reviewer_email=""),
        judge_me(curated="spam"),
        judge_me(),
    )
    found = read(path)
    first, second = rows(found)
    assert first["created_at"] == datetime(2026, 3, 1, 10)
    assert (first["rating"], first["product_id"]) == (2, "linen-shirt")
    assert first["customer_id"] == customer_id(ANN, None, None)
    assert (second["body"], second["rating"]) == ("Call [phone]", 5)
    assert second["customer_id"] is None
    assert found.duplicates == (3,)
    (spam,) = found.rejects
    assert (spam.source_row, spam.reason) == (2, "the app took it for no review")
    assert "product from product_handle" in found.notes[0]
    assert not any("10.1.2.3" in str(one) for one in rows(found))


def test_an_export_of_yotpo_and_addresses_of_products(tmp_path: Path) -> None:
    row = ("Nice", "Good cloth", "5", "2026-03-01", "77", "Shirt", "Ann", ANN)
    (one,) = rows(read(written(tmp_path, YOTPO, row)))
    assert (one["title"], one["rating"], one["product_id"]) == ("Nice", 5, "77")
    header = ("stars", "date", "product_url")
    path = written(
        tmp_path,
        header,
        ("4 stars", "2026-03-02", "https://x.example/products/linen-shirt?v=1"),
        name="other.csv",
    )
    (other,) = rows(read(path))
    assert (other["rating"], other["product_id"], other["body"]) == (
        4,
        "linen-shirt",
        None,
    )


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"rating": "11"}, "1 to 5 stars"),
        ({"rating": "-1"}, "1 to 5 stars"),
        ({"review_date": "soon"}, "date"),
        ({"review_date": ""}, "no date"),
        ({"rating": "", "body": "", "title": ""}, "neither stars nor a text"),
    ],
)
def test_what_is_no_review_is_kept_aside(
    tmp_path: Path, cells: dict[str, str], said: str
) -> None:
    found = read(written(tmp_path, JUDGE_ME, judge_me(**cells), judge_me()))
    (reject,) = found.rejects
    assert said in reject.reason
    assert len(rows(found)) == 1


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    for header, said in (
        (("title", "date"), "no column of rating or body"),
        (("rating", "body"), "no column of date"),
    ):
        with pytest.raises(Misuse, match=said):
            read(written(tmp_path, header, ("a", "b")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misuse, match="holds no export"):
        read(tmp_path / "empty")
    with pytest.raises(Misuse, match="neither a file nor a folder"):
        read(tmp_path / "nowhere")


def test_an_export_is_imported_once(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    (tmp_path / "in").mkdir()
    written(tmp_path / "in", JUDGE_ME, judge_me(), judge_me(body="Fits."))
    first = import_source(shop, "reviews", tmp_path / "in", now=CONTEXT.now)
    again = import_source(shop, "reviews", tmp_path / "in", now=CONTEXT.now)
    assert (first.rows_kept, again.rows_kept, again.rows_duplicate) == (2, 0, 2)


@given(st.lists(st.tuples(*[st.text(max_size=12)] * 4), max_size=6))
def test_no_cells_break_the_reader(given_rows: list[tuple[str, ...]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), ("rating", "body", "date", "email"), *given_rows)
        try:
            found = ReviewExports().read(path, CONTEXT)
        except Misuse:
            return
        for one in rows(found):
            assert one["rating"] is None or 1 <= one["rating"] <= 5
