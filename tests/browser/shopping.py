"""A storefront and its API for browser tests, and a shop's page of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select
from starlette.responses import HTMLResponse

from cartwheel.api import answering, support
from cartwheel.api.app import create_app
from cartwheel.api.keys import make_key
from cartwheel.operations import inbox, reading
from cartwheel.serving import BROWSER_SCOPES
from cartwheel.shop import Shop
from cartwheel.storefront.app import create_app as create_storefront
from tests.browser.conftest import serving
from tests.storefront.made import Follower

PATIENT = """
  const limit = AbortSignal.timeout
  const usual = [800, 10000]
  AbortSignal.timeout = ms => limit.call(AbortSignal, usual.includes(ms) ? 30000 : ms)
"""
"""The usual time limits are a shopper's; a busy machine that tests needs longer."""

CLOSED = "http://127.0.0.1:9"
"""An address where nobody listens."""

OPEN = {"Access-Control-Allow-Origin": "*"}
MORE = "button.cartwheel-more"


@dataclass
class Store:
    """Two servers and a browser.

    Attributes:
        shop: The demo shop.
        api: Address of the API.
        home: Address of the storefront.
        key: Key of the pages.
    """

    shop: Shop
    api: str
    home: str
    key: str
    browser: Any
    html: dict[str, str] = field(default_factory=dict)
    contexts: list[Any] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def context(self, **options: Any) -> Any:
        options.setdefault("viewport", {"width": 1000, "height": 700})
        context = self.browser.new_context(base_url=self.home, **options)
        context.add_init_script(PATIENT)
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.contexts.append(context)
        return context

    def page(self, **options: Any) -> Any:
        return self.context(**options).new_page()

    def own_page(
        self, body: str, page: Any = None, *, attributes: str = "", api: str = ""
    ) -> Any:
        """Open a shop's page: the script's one line, and a body."""
        page = page or self.page()
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<title>A shop</title><link rel="icon" href="data:,">'
            f'<script async src="{self.api}/storefront.js" data-key="{self.key}" '
            f'data-api="{api or self.api}" data-product-url="/p/{{id}}" '
            f'data-image-url="/picture/{{id}}.svg" {attributes}></script>'
            f"</head><body><main><h1>A shop</h1>{body}</main></body></html>"
        )
        self.html["/own-page"] = html
        page.goto("/own-page")
        page.wait_for_function("Boolean(window.cartwheel?.refresh)")
        return page

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the events on disk, oldest first."""
        with reading(self.shop.database) as connection:
            bodies = connection.execute(
                select(inbox.c.body)
                .where(inbox.c.kind == "events")
                .order_by(inbox.c.seq)
            ).scalars()
            found = [json.loads(body) for body in bodies]
        return [event for event in found if not kind or event["kind"] == kind]

    def wait_for(self, page: Any, ready: Callable[[], bool]) -> None:
        """Let the browser go on until something has happened on disk."""
        for _ in range(900):
            if ready():
                return
            page.evaluate("() => new Promise(requestAnimationFrame)")
        raise AssertionError(f"never happened; events: {self.events()}")


def with_pages(app: Any, html: dict[str, str]) -> Any:
    """Return the storefront with some pages of the test's own among its pages.

    A page that only the browser's interception knows may not reach the loopback.
    """

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in html:
            answer = HTMLResponse(html[scope["path"]])
            await answer(scope, receive, send)
            return
        await app(scope, receive, send)

    return serve


def make_served(shop: Shop, browser: Any) -> Iterator[Store]:
    """Serve a shop's API and storefront."""
    scopes = list(BROWSER_SCOPES)
    key = make_key(shop.database, "page", scopes)
    with ExitStack() as stack:
        for name in ("ANSWER_SECONDS", "LOG_SECONDS"):
            stack.enter_context(patch.object(answering, name, 30.0))
        stack.enter_context(patch.object(support, "ANSWER_SECONDS", 30.0))
        lever: Any = Follower()
        api = stack.enter_context(serving(create_app(shop, lever=lever)))
        html: dict[str, str] = {}
        app = create_storefront(shop, api=api, key=key)
        home = stack.enter_context(serving(with_pages(app, html)))
        store = Store(
            shop=shop, api=api, home=home, key=key, browser=browser, html=html
        )
        yield store
        for context in store.contexts:
            context.close()


def slate(page: Any, selector: str = "[data-cartwheel]") -> list[str]:
    """Return the titles a slot shows."""
    texts: list[str] = page.locator(f"{selector} .cartwheel-title").all_inner_texts()
    return texts


def made_item(product_id: str, title: str, **card: Any) -> dict[str, Any]:
    """Return an item of an answer."""
    return {
        "product_id": product_id,
        "position": 1,
        "propensity": 1.0,
        "reason": "",
        "card": {
            "title": title,
            "url": None,
            "image_url": None,
            "category": None,
            "brand": None,
            "price_minor": 1250,
            "from_price": False,
            "currency": "EUR",
            "available": True,
            **card,
        },
    }


def answer_of(*items: dict[str, Any], **more: Any) -> str:
    """Return an answer's body."""
    return json.dumps(
        {
            "decision": "d1",
            "logged": True,
            "turn": 1,
            "arm": "treated",
            "rule": "made",
            "items": [
                {**item, "position": place} for place, item in enumerate(items, 1)
            ],
            **more,
        }
    )


class Found:
    """Answers searches with pages of numbered mugs; the test changes what it does."""

    def __init__(self, page: Any, total: int = 5) -> None:
        self.total = total
        self.asked: list[dict[str, list[str]]] = []
        self.odd: list[dict[str, Any]] = []
        page.route("**/v1/search*", self.answer)

    def answer(self, route: Any) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        self.asked.append(asked)
        if self.odd:
            answer = {"status": 200, **self.odd.pop(0)}
            if answer.pop("abort", False):
                route.abort()
            else:
                route.fulfill(headers=OPEN, **answer)
            return
        start, limit = int(asked.get("offset", ["0"])[0]), int(asked["limit"][0])
        route.fulfill(body=self.body(start, limit), headers=OPEN)

    def body(self, start: int, limit: int, **more: Any) -> str:
        places = range(start, min(start + limit, self.total))
        items = [made_item(f"P{n}", f"Mug {n}") for n in places]
        value = {"value": "Acme", "label": "", "count": 1, "selected": False}
        facets = [{"name": "brand", "values": [value]}]
        about = {"total": self.total, "decision": f"s{start}", "facets": facets}
        body = json.loads(answer_of(*items, **{**about, **more}))
        for item in body["items"]:
            item["position"] += start
        return json.dumps(body)

    def offsets(self) -> list[list[str] | None]:
        return [asked.get("offset") for asked in self.asked]


ANSWERS = "**/v1/recommendations*"
"""Where recommendations are asked for."""


def answering_with(
    page: Any, body: str, *, status: int = 200, path: str = ANSWERS
) -> None:
    """Answer what a page asks with a body, whatever it asks."""
    page.route(
        path, lambda route: route.fulfill(body=body, status=status, headers=OPEN)
    )
