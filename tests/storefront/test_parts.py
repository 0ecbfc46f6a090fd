"""The cart's cookie, pictures, prices and the plain search, each by itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.storefront import basket
from cartwheel.storefront.money import write_money
from cartwheel.storefront.pictures import KEYWORDS, SHAPES, draw_product, shape_of
from cartwheel.storefront.shelf import Goods, Product, Variant

IDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


def goods_of(*names: str, **more: str) -> Goods:
    products = [
        Product(
            id=name,
            title=f"thing {name}",
            category=more.get("category", "Things"),
            description="",
            first_on="",
            variants=(Variant(id=name, label="", price_minor=1000, sold_out=False),),
        )
        for name in names
    ]
    return Goods(
        turn=1,
        products={product.id: product for product in products},
        by_variant={product.id: product for product in products},
    )


@given(st.dictionaries(IDS, st.integers(1, 99), max_size=basket.MOST_LINES))
def test_a_cart_comes_back_from_its_cookie(cart: dict[str, int]) -> None:
    goods = goods_of(*cart)
    lines = [
        line
        for name, units in cart.items()
        if (line := basket.find_line(name, units, goods)) is not None
    ]
    text = basket.write_lines(lines)
    if len(text) <= basket.MOST_COOKIE:
        assert basket.read_lines(text, goods) == lines
    assert text.isascii()
    assert not set(text) & set(' ";,\\\r\n')
    order = basket.read_order(basket.write_order(lines), goods)
    assert (order is None) == (not lines or len(text) > basket.MOST_COOKIE)
    for line in lines:
        told = basket.read_told(basket.write_told("add_to_cart", line), goods)
        assert told is not None
        assert (told.variant.id, told.units) == (line.variant.id, line.units)


@given(st.text(max_size=200))
def test_nothing_in_a_cookie_is_believed(text: str) -> None:
    goods = goods_of("a", "b")
    for line in basket.read_lines(text, goods):
        assert line.variant.id in ("a", "b")
        assert 1 <= line.units <= basket.MOST_UNITS
    basket.read_order(text, goods)
    told = basket.read_told(text, goods)
    assert told is None or told.kind in basket.KINDS


def test_a_told_thing_needs_a_known_kind_and_variant() -> None:
    goods = goods_of("a")
    number = "0" * 24
    assert basket.read_told(f"add_to_cart.a.1.{number}", goods) is not None
    for wrong in ("view.a.1", "add_to_cart.x.1", "add_to_cart.a.0", "add_to_cart.a"):
        assert basket.read_told(f"{wrong}.{number}", goods) is None


@given(IDS, st.text(max_size=40))
def test_a_picture_is_well_formed_and_the_same_each_time(name: str, title: str) -> None:
    text = draw_product(name, title)
    assert text == draw_product(name, title)
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {node.tag.rpartition("}")[2] for node in root.iter()}
    assert tags <= {*("svg", "defs", "pattern", "rect", "ellipse", "path", "circle")}


def test_words_of_a_title_choose_the_shape() -> None:
    assert set(KEYWORDS) == set(SHAPES)
    for title, shape in (
        ("linen dress 3", "dress"),
        ("T-shirt 1", "top"),
        ("wide trousers 2", "trousers"),
        ("roll-neck 4", "knit"),
        ("ankle boots 1", "shoe"),
        ("parka 2", "coat"),
        ("usb cable", None),
        ("", None),
    ):
        assert shape_of(title) == shape


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "EUR", "€1,234.50"),
        (1250, "JPY", "¥1,250"),
        (1250, "KWD", "KWD\N{NO-BREAK SPACE}1.250"),
        (0, "GBP", "£0.00"),
        (None, "EUR", ""),
    ],
)
def test_money_as_a_browser_writes_it(
    minor: int | None, currency: str, text: str
) -> None:
    assert write_money(minor, currency) == text


def test_plain_search_wants_every_word() -> None:
    goods = goods_of("red", "blue", category="Mugs")
    assert [p.id for p in goods.search("THING mug blue")] == ["blue"]
    assert goods.search("blue cup") == []
    assert goods.search("  ") == []


def test_slots_without_an_answer_mix_categories() -> None:
    first, second = goods_of("a", "b", category="A"), goods_of("c", category="C")
    goods = Goods(turn=1, products={**first.products, **second.products})
    assert [p.id for p in goods.mixed(3)] == ["a", "c", "b"]
    assert [p.id for p in goods.mixed(3, without=["a"])] == ["b", "c"]
