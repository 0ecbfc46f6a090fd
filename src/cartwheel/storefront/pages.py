"""The storefront's pages: plain HTML that works without JavaScript.

Recommendations and instant search are filled in by `storefront.js`; what stands in
their places meanwhile is drawn here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cartwheel.storefront import basket
from cartwheel.storefront.basket import CART, ORDER, TOLD, Line
from cartwheel.storefront.money import write_money
from cartwheel.storefront.pictures import draw_product
from cartwheel.storefront.shelf import Goods, Product

FOLDER = Path(__file__).parent
PAGE_SIZE = 20
LONGEST_QUERY = 1000
KEPT = {"Cache-Control": "private, no-cache"}
"""Asked for again when opened, yet kept by the browser for the way back."""

_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _address(kind: str, name: str) -> str:
    return f"/{kind}/{quote(name, safe='')}"


_environment.globals.update(
    product_url=lambda product: _address("p", product.id),
    image_url=lambda product: f"{_address('picture', product.id)}.svg",
    category_url=lambda category: _address("c", category),
)


async def home(request: Request) -> Response:
    """Show the first page."""
    goods = goods_of(request)
    values = {
        "newest": goods.newest[:8],
        "fallback": goods.mixed(4),
        "covers": [
            (name, row[0])
            for name in goods.categories
            if (row := goods.of_category(name))
        ],
    }
    return draw(request, "home.html", values)


async def category(request: Request) -> Response:
    """Show what a category has, 20 a page."""
    goods, name = goods_of(request), request.path_params["category"]
    rows = goods.of_category(name)
    if not rows:
        return not_found(request)
    number = _whole(request.query_params.get("page", "1"))
    pages = -(-len(rows) // PAGE_SIZE)
    number = min(max(number, 1), pages)
    values = {
        "category": name,
        "rows": rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        "count": len(rows),
        "number": number,
        "pages": pages,
        "fallback": [p for p in rows if not p.sold_out][:4],
    }
    return draw(request, "category.html", values)


async def search(request: Request) -> Response:
    """Show what a search finds; without JavaScript, by the words of the titles."""
    goods = goods_of(request)
    query = request.query_params.get("q", "")[:LONGEST_QUERY].strip()
    rows = goods.search(query)
    values = {"query": query, "rows": rows[: 2 * PAGE_SIZE], "count": len(rows)}
    return draw(request, "search.html", values)


async def product(request: Request) -> Response:
    """Show a product, and once what became of the last press of its button."""
    goods = goods_of(request)
    found = goods.products.get(request.path_params["product"])
    if found is None:
        return not_found(request)
    told = basket.read_told(request.cookies.get(TOLD, ""), goods)
    values = {
        "product": found,
        "told": told,
        "fallback": _others(goods, found),
        "companions": goods.mixed(4, without=[found.id]),
    }
    answer = draw(request, "product.html", values)
    if TOLD in request.cookies:
        answer.delete_cookie(TOLD)
    return answer


async def add(request: Request) -> Response:
    """Put a variant into the cart, unless it is sold out, and go back to its page."""
    goods = goods_of(request)
    form = await request.form()
    units = _whole(str(form.get("units", "1")))
    line = basket.find_line(str(form.get("variant", "")), max(units, 1), goods)
    if line is None:
        return not_found(request)
    answer = RedirectResponse(_address("p", line.product.id), 303)
    if line.variant.sold_out:
        remember(request, answer, TOLD, basket.write_told("failed_add", line))
        return answer
    lines = lines_of(request)
    held = basket.units_of(lines, line.variant)
    whole = basket.find_line(line.variant.id, held + line.units, goods)
    assert whole is not None
    remember(request, answer, CART, basket.write_lines(basket.with_units(lines, whole)))
    remember(request, answer, TOLD, basket.write_told("add_to_cart", line))
    return answer


async def cart(request: Request) -> Response:
    """Show the cart."""
    lines = lines_of(request)
    held = [line.product.id for line in lines]
    fallback = goods_of(request).mixed(4, without=held)
    return draw(request, "cart.html", {"lines": lines, "fallback": fallback})


async def change(request: Request) -> Response:
    """Set a line's units; none takes it out."""
    form = await request.form()
    units = _whole(str(form.get("units", "0")))
    line = basket.find_line(str(form.get("variant", "")), units, goods_of(request))
    answer = RedirectResponse("/cart", 303)
    if line is not None:
        lines = basket.with_units(lines_of(request), line)
        remember(request, answer, CART, basket.write_lines(lines))
    return answer


async def checkout(request: Request) -> Response:
    """Show the order before it is placed."""
    lines = lines_of(request)
    if not lines:
        return RedirectResponse("/cart", 303)
    return draw(request, "checkout.html", {"lines": lines})


async def place(request: Request) -> Response:
    """Place the order: nothing is paid, sent or sold."""
    lines = lines_of(request)
    if not lines:
        return RedirectResponse("/cart", 303)
    answer = RedirectResponse("/thanks", 303)
    remember(request, answer, ORDER, basket.write_order(lines))
    answer.delete_cookie(CART)
    return answer


async def thanks(request: Request) -> Response:
    """Say thanks for the last order."""
    goods = goods_of(request)
    order = basket.read_order(request.cookies.get(ORDER, ""), goods)
    if order is None:
        return RedirectResponse("/", 303)
    held = [line.product.id for line in order.lines]
    values = {"order": order, "fallback": goods.mixed(4, without=held)}
    return draw(request, "thanks.html", values)


async def ask(request: Request) -> Response:
    """Show the chat, about a product where one is named."""
    name = request.query_params.get("product", "")
    return draw(request, "help.html", {"about": goods_of(request).products.get(name)})


async def picture(request: Request) -> Response:
    """Return a product's picture."""
    name = request.path_params["product"]
    found = goods_of(request).products.get(name)
    text = draw_product(name, "" if found is None else found.title)
    return Response(
        text,
        media_type="image/svg+xml",
        headers={"Cache-Control": "public, max-age=86400"},
    )


ROUTES = [
    Route("/", home),
    Route("/c/{category:path}", category),
    Route("/search", search),
    Route("/p/{product:path}", product),
    Route("/cart", cart),
    Route("/cart/add", add, methods=["POST"]),
    Route("/cart/change", change, methods=["POST"]),
    Route("/checkout", checkout),
    Route("/checkout", place, methods=["POST"]),
    Route("/thanks", thanks),
    Route("/help", ask),
    Route("/picture/{product:path}.svg", picture),
]


def goods_of(request: Request) -> Goods:
    """Return what is on sale."""
    goods: Goods = request.app.state.shelf.goods
    return goods


def lines_of(request: Request) -> list[Line]:
    """Return the lines of the visitor's cart."""
    return basket.read_lines(request.cookies.get(CART, ""), goods_of(request))


def remember(request: Request, answer: Response, name: str, text: str) -> None:
    """Set one of the shop's cookies; they end with the browser's session."""
    answer.set_cookie(
        name,
        text,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def not_found(request: Request) -> Response:
    """Say that there is no such page."""
    return say(request, 404, "There is no such page", "It may have been taken off.")


def say(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    """Return a page that says one thing."""
    return draw(request, "said.html", {"title": title, "text": text}, status=status)


def draw(
    request: Request, template: str, values: Mapping[str, Any], *, status: int = 200
) -> HTMLResponse:
    """Return a page in the shop's frame."""
    state = request.app.state
    settings = state.shop.settings
    lines = lines_of(request)
    frame = {
        "shop": settings,
        "money": lambda minor: write_money(minor, settings.currency),
        "categories": goods_of(request).categories,
        "in_cart": sum(line.units for line in lines),
        "path": request.url.path,
        "query": "",
        "api": state.api.origin(request.headers.get("host", "")),
        "key": state.key,
        "total": total_of,
        **values,
    }
    text = _environment.get_template(template).render(frame)
    return HTMLResponse(text, status_code=status, headers=KEPT)


def total_of(lines: list[Line] | tuple[Line, ...]) -> int | None:
    """Return what lines cost together, None when a price is unknown."""
    prices = [line.price_minor for line in lines]
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None


def _others(goods: Goods, product: Product) -> list[Product]:
    row = goods.of_category(product.category)
    near = [p for p in row if p.id != product.id and not p.sold_out]
    more = goods.mixed(5, without=[product.id, *(p.id for p in near)])
    return [*near, *more][:4]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
