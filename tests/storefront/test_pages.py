from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cartwheel.errors import Misuse
from cartwheel.settings import check_settings
from cartwheel.shop import Shop
from cartwheel.storefront.app import Api, create_app, policy
from tests.storefront.conftest import API
from tests.storefront.made import HOSTILE_ID, make_turn, rows_of

PAGES = ("/", "/c/Coats", "/p/P01", "/cart", "/search", "/search?q=shirt", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_policy_that_allows_the_api_alone(
    client: TestClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == (404 if path == "/nowhere" else 200)
    assert answer.headers["content-security-policy"] == policy(API)
    assert "unsafe" not in policy(API)
    assert answer.headers["x-frame-options"] == "DENY"
    # Kept by the browser for the way back, which no-store would forbid.
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "style=" not in answer.text
    # A product's page also has the one that shows a page fix in test.
    scripts = 2 if path == "/p/P01" else 1
    assert answer.text.count("<script") == scripts
    assert answer.text.count(f'<script async src="{API}/') == scripts


def test_a_real_shop_has_a_storefront_of_its_own(tmp_path: Path) -> None:
    real = Shop(folder=tmp_path, settings=check_settings({"currency": "EUR"}, tmp_path))
    with pytest.raises(Misuse, match="real shop"):
        create_app(real, api=API, key="k")


def test_before_the_first_turn_the_shelves_are_empty(tmp_path: Path) -> None:
    values = {"currency": "EUR", "demo": True}
    shop = Shop(folder=tmp_path, settings=check_settings(values, tmp_path))
    with TestClient(create_app(shop, api=API, key="k")) as client:
        assert "The shelves are empty" in client.get("/").text
        assert client.get("/cart").status_code == 200
        assert client.get("/search?q=x").status_code == 200


def test_goods_follow_the_published_turn(shop: Shop, client: TestClient) -> None:
    assert client.get("/p/new").status_code == 404
    new = {"product_id": "new", "title": "Novelty", "category": "Coats"}
    make_turn(shop, [*rows_of(), new], number=2)
    client.app.state.shelf._looked_at = float("-inf")  # type: ignore[attr-defined]
    assert "Novelty" in client.get("/p/new").text
    # A database that cannot be read leaves the shelves as they were.
    shop.database.dispose()
    (shop.folder / "operations.sqlite").write_bytes(b"not a database at all" * 100)
    client.app.state.shelf._looked_at = float("-inf")  # type: ignore[attr-defined]
    assert "Novelty" in client.get("/p/new").text


@pytest.mark.parametrize("name", [HOSTILE_ID, "bare"])
def test_odd_products_have_a_page_and_a_picture(client: TestClient, name: str) -> None:
    page = client.get(f"/p/{quote(name, safe='')}")
    assert page.status_code == 200
    for bad in ("<script>alert", "<img src=x", "<i>"):
        assert bad not in page.text
    picture = client.get(f"/picture/{quote(name, safe='')}.svg")
    assert picture.headers["content-type"] == "image/svg+xml"


def test_an_order_goes_through_and_is_told_once(client: TestClient) -> None:
    answer = client.post("/cart/add", data={"variant": "P02-L", "units": "2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/P02")
    page = client.get("/p/P02")
    assert 'data-cartwheel-track="add_to_cart"' in page.text
    assert 'data-quantity-units="2"' in page.text
    assert "add_to_cart" not in client.get("/p/P02").text
    client.post("/cart/add", data={"variant": "P02-L", "units": "1"})
    assert "3<span" in client.get("/").text
    client.post("/cart/change", data={"variant": "P02-L", "units": "5"})
    assert "€60.00" in client.get("/checkout").text
    placed = client.post("/checkout", data={})
    assert placed.headers["location"] == "/thanks"
    thanks = client.get("/thanks").text
    assert 'data-cartwheel-track="checkout"' in thanks
    assert 'data-quantity-units="5"' in thanks
    assert client.get("/thanks").text == thanks  # the same event, under the same id
    assert client.get("/checkout").headers["location"] == "/cart"
    assert client.post("/checkout", data={}).headers["location"] == "/cart"


def test_what_is_sold_out_does_not_go_into_the_cart(client: TestClient) -> None:
    client.post("/cart/add", data={"variant": "P05-M"})
    page = client.get("/p/P05").text
    assert 'data-cartwheel-track="failed_add"' in page
    assert "Sorry, that is sold out." in page
    assert "The cart is empty" in client.get("/cart").text


@pytest.mark.parametrize(
    "data",
    [{}, {"variant": "nothing"}, {"variant": ""}, {"variant": "P01-L' OR 1=1"}],
)
def test_a_variant_that_is_not_sold_is_not_found(
    client: TestClient, data: dict[str, str]
) -> None:
    assert client.post("/cart/add", data=data).status_code == 404


@pytest.mark.parametrize("units", ["-3", "1e9", "999999", "٣", "", "x" * 1000])
def test_odd_units_are_bounded(client: TestClient, units: str) -> None:
    client.post("/cart/add", data={"variant": "P02-L", "units": units})
    assert 'value="1"' in client.get("/cart").text
    client.post("/cart/change", data={"variant": "P02-L", "units": units})
    assert "The cart is empty" in client.get("/cart").text


def test_forms_of_other_sites_and_huge_ones_are_refused(client: TestClient) -> None:
    other = client.post(
        "/cart/add",
        data={"variant": "P01-L"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert other.status_code == 403
    assert client.post("/cart/add", data={"variant": "x" * 20_000}).status_code == 413
    assert client.post("/").status_code == 405


@given(
    cart=st.text(st.characters(codec="latin-1", exclude_characters=";"), max_size=60)
    | st.lists(
        st.sampled_from(["P01-L*2", "P01-L*0", "P02-M*99", "P02-M*999", "x*1", "*1"])
    ).map(".".join),
    query=st.text(max_size=40),
    page=st.text(max_size=6),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_cookie_and_no_query_breaks_a_page(
    client: TestClient, cart: str, query: str, page: str
) -> None:
    cookie = "; ".join(f"{name}={cart}" for name in ("cart", "told", "order"))
    headers = {"Cookie": cookie.replace("\r", "").replace("\n", "").encode("latin-1")}
    for path, params in (
        ("/cart", {}),
        ("/p/P01", {}),
        ("/search", {"q": query}),
        ("/c/Coats", {"page": page}),
    ):
        answer = client.get(path, params=params, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, (path, answer.text[:200])
    assert client.get("/thanks", headers=headers).status_code in (200, 303)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "host", "origin"),
    [
        ("http://127.0.0.1:8642", "shop.example:8643", "http://127.0.0.1:8642"),
        ("https://api.example/", "shop.example", "https://api.example"),
        ("http://0.0.0.0:8642", "shop.example:8643", "http://shop.example:8642"),
        ("http://[::]:8642", "[::1]:8643", "http://[::1]:8642"),
        ("http://0.0.0.0:8642", "x'; script-src *", "http://127.0.0.1:8642"),
        ("http://0.0.0.0:8642", "", "http://127.0.0.1:8642"),
    ],
)
def test_the_api_is_found_where_the_browser_finds_it(
    address: str, host: str, origin: str
) -> None:
    assert Api.read(address).origin(host) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:8642",
        "ftp://x",
        "http://",
        "http://a b",
        "http://a;script-src *",
        "http://a:99999",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Misuse, match="--api"):
        Api.read(address)
