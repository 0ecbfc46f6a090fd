"""The orders export: orders in their versions, lines, refunds, buyers.

An order stands on one row per line; the cells of the order itself are filled on its
first row only. Its states are dated (paid, fulfilled, cancelled), so each becomes a
version of the order known from that instant on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cartwheel.connectors.base import ImportContext
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.connectors.shopify_csv.exports import Export
from cartwheel.connectors.shopify_csv.gathered import Gathered
from cartwheel.connectors.shopify_csv.products import Article, Catalogue

_GIFT = re.compile(r"\b(e-?)?gift[ -]?(card|voucher)\b", re.I)
_HEAD_CELLS = ("financial", "currency", "subtotal", "total")


@dataclass(slots=True, kw_only=True)
class _Order:
    """Rows of one order in one export, by position; the first holds its cells."""

    export: Export
    order_id: str
    rows: list[int]

    def cell(self, name: str) -> Any:
        return self.export.cells[name][self.rows[0]]

    def first(self, name: str) -> Any:
        """Return the first value of a cell that stands on every row."""
        values = self.export.cells[name]
        return next((v for at in self.rows if (v := values[at]) is not None), None)


@dataclass(slots=True, kw_only=True)
class Buyers:
    """Buyers and unknown articles met in the orders, earliest order first known.

    Attributes:
        people: Fact of each buyer with the source row that carries it.
        articles: Fact of each article no products export has, likewise.
    """

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    articles: dict[str, dict[str, Any]] = field(default_factory=dict)

    def first_orders(self) -> dict[str, datetime]:
        """Return the first order of each buyer."""
        return {person: fact["created_at"] for person, fact in self.people.items()}


def read_orders(
    exports: list[Export],
    gathered: Gathered,
    catalogue: Catalogue,
    phones: Mapping[str, str],
    context: ImportContext,
) -> Buyers:
    """Gather the orders of every orders export.

    Args:
        exports: Orders exports.
        gathered: Filled with facts, refusals and supporting rows.
        catalogue: Articles known from products exports.
        phones: Customer by telephone number, from customers exports.
        context: The shop.
    """
    buyers = Buyers()
    gifts = 0
    for export in exports:
        for order in _orders(export, gathered):
            problem = _problem(order, context)
            if problem is not None:
                _refuse_order(gathered, order, *problem)
                continue
            gifts += _read_order(order, gathered, catalogue, phones, buyers)
    if gifts:
        gathered.notes.append(
            f"{gifts} order lines taken as gift cards: named so, not shipped, not taxed"
        )
    return buyers


def _orders(export: Export, gathered: Gathered) -> Iterator[_Order]:
    """Yield the orders of an export; refuse rows that belong to none."""
    current: dict[str, _Order] = {}
    found: list[_Order] = []
    for at in range(export.size):
        name = export.cells["name"][at] or export.cells["source_id"][at]
        if name is None:
            gathered.refuse(export.row(at), "Name", "", "missing")
            continue
        broken = export.faults.get(at, ("",))[0]
        is_head = broken in _HEAD_CELLS or any(
            export.cells[cell][at] is not None for cell in _HEAD_CELLS
        )
        if is_head or name not in current:
            current[name] = _Order(export=export, order_id=name, rows=[])
            found.append(current[name])
        current[name].rows.append(at)
    yield from found


def _problem(order: _Order, context: ImportContext) -> tuple[str, str, str] | None:
    """Return header, value and reason why a whole order is refused."""
    fault = order.export.faults.get(order.rows[0])
    if fault is not None and not fault[0].startswith("line_"):
        return fault[1:]
    currency = order.cell("currency")
    if currency is not None and currency.upper() != context.currency:
        reason = f"another currency than the shop's; expected {context.currency}"
        return "Currency", currency, reason
    if order.cell("placed_at") is None:
        return "Created at", "", "missing; an order needs the instant it was placed"
    payment = order.cell("payment") or ""
    if order.cell("test") or "bogus" in payment.lower():
        return "Payment Method", payment, "a test order, left out"
    return None


def _refuse_order(
    gathered: Gathered, order: _Order, column: str, value: str, reason: str
) -> None:
    gathered.refuse(order.export.row(order.rows[0]), column, value, reason)
    for at in order.rows[1:]:
        text = f"its order was rejected: {reason}"
        gathered.refuse(order.export.row(at), column, value, text)


def _read_order(
    order: _Order,
    gathered: Gathered,
    catalogue: Catalogue,
    phones: Mapping[str, str],
    buyers: Buyers,
) -> int:
    """Gather one order; return how many of its lines are gift cards by name."""
    export = order.export
    person = _person(order, phones)
    placed = order.cell("placed_at")
    good: list[int] = []
    gifts = discount = gross = 0
    for number, at in enumerate(order.rows, start=1):
        row = export.row(at)
        if (fault := export.faults.get(at)) is not None:
            gathered.refuse(row, *fault[1:])
            continue
        good.append(row)
        line = {n: v[at] for n, v in export.cells.items() if n.startswith("line_")}
        if all(line[n] is None for n in ("line_name", "line_sku", "line_quantity")):
            gathered.support(row)
            continue
        article = catalogue.find(line["line_sku"], line["line_name"])
        named = article is None and _gift_by_name(line)
        gifts += named
        discount += line["line_discount"] or 0
        gross += (line["line_price"] or 0) * (line["line_quantity"] or 0)
        if article is None and not named:
            article = _new_article(line, row, placed, buyers)
        gathered.add(
            "order_lines",
            row,
            order_id=order.order_id,
            line_id=str(number),
            placed_at=placed,
            customer_id=person,
            title=line["line_name"],
            quantity_units=line["line_quantity"],
            unit_price_minor=line["line_price"],
            discount_minor=line["line_discount"],
            location_id=order.cell("location"),
            **_sold(article, gift=named),
        )
    if good:
        charged = _order_discount(order, gross, discount)
        _add_order(gathered, order, good[0], person, charged)
        _meet(buyers, order, good[0], person)
    return gifts


def _sold(article: Article | None, *, gift: bool) -> dict[str, Any]:
    """Return what a line sold; a gift card is money owed, not a product."""
    if gift or article is None or article.gift_card:
        return {"kind": "gift_card", "product_id": None, "variant_id": None}
    return {
        "kind": "product",
        "product_id": article.product_id,
        "variant_id": article.variant_id,
    }


def _gift_by_name(line: Mapping[str, Any]) -> bool:
    named = _GIFT.search(line["line_name"] or "") is not None
    return named and line["line_shipped"] is False and line["line_taxed"] is False


def _new_article(
    line: Mapping[str, Any], row: int, placed: datetime, buyers: Buyers
) -> Article:
    """Return the article of a line that no products export has, and remember it."""
    sku, name = line["line_sku"], line["line_name"]
    identity = f"sku:{sku}" if sku is not None else f"title:{_slug(name or '')}"
    known = buyers.articles.get(identity)
    if known is None or placed < known["created_at"]:
        buyers.articles[identity] = {
            "row": row,
            "title": name or sku,
            "sku": sku,
            "created_at": placed,
        }
    return Article(product_id=identity, variant_id=identity)


def _slug(name: str) -> str:
    slug = re.sub(r"[\W_]+", "-", name.lower()).strip("-")
    return slug or hashlib.sha256(name.encode()).hexdigest()[:16]


def _person(order: _Order, phones: Mapping[str, str]) -> str | None:
    email, phone = order.first("email"), order.first("phone")
    if email is None and phone is not None:
        known = phones.get(re.sub(r"\D", "", phone))
        if known is not None:
            return known
    return customer_id(email, phone, None) or None


def _order_discount(order: _Order, gross: int, on_lines: int) -> int | None:
    """Return the discount over the order beside those on its lines, in minor units.

    `Discount Amount` counts both in some exports; the subtotal says what was taken off.
    """
    stated: int | None = order.cell("discount")
    subtotal: int | None = order.cell("subtotal")
    if stated is None or subtotal is None:
        return stated
    return max(0, min(stated, gross - on_lines - subtotal))


def _add_order(
    gathered: Gathered,
    order: _Order,
    row: int,
    person: str | None,
    discount: int | None,
) -> None:
    placed = order.cell("placed_at")
    versions = _versions(order)
    for since, status in versions:
        gathered.add(
            "orders",
            row,
            order_id=order.order_id,
            customer_id=person,
            placed_at=placed,
            updated_at=since,
            status=status,
            currency=(order.cell("currency") or "").upper() or None,
            shipping_minor=order.cell("shipping"),
            discount_minor=discount,
            tax_minor=order.cell("taxes"),
            discount_code=order.cell("discount_code"),
            channel=order.cell("channel"),
        )
    if order.cell("refunded"):
        gathered.add(
            "refunds",
            row,
            refund_id=f"{order.order_id}-refund",
            line_id="1",
            order_id=order.order_id,
            customer_id=person,
            refunded_at=versions[-1][0],
            quantity_units=0,
            amount_minor=order.cell("refunded"),
        )


def _versions(order: _Order) -> list[tuple[datetime, str]]:
    """Return since when the order was in which state, earliest first."""
    placed: datetime = order.cell("placed_at")
    financial = (order.cell("financial") or "").lower()
    states = [(placed, "open")]
    paid = order.cell("paid_at")
    if paid is None and financial in ("paid", "partially_refunded", "refunded"):
        paid = placed  # the export says that it was paid, not when
    if paid is not None:
        states.append((max(placed, paid), "paid"))
    fulfilled = order.cell("fulfilled_at")
    done = (order.cell("fulfilment") or "").lower() == "fulfilled"
    if fulfilled is not None and done:
        states.append((max(placed, fulfilled), "fulfilled"))
    cancelled = order.cell("cancelled_at")
    last = max(since for since, _ in states)
    if cancelled is not None:
        cancelled = max(placed, cancelled)
        states = [s for s in states if s[0] <= cancelled] + [(cancelled, "cancelled")]
    elif financial == "voided":
        states.append((last, "cancelled"))
    elif financial == "refunded":
        states.append((last, "refunded"))
    by_instant = dict(sorted(states, key=lambda state: state[0]))
    return list(by_instant.items())


def _meet(buyers: Buyers, order: _Order, row: int, person: str | None) -> None:
    if person is None:
        return
    placed = order.cell("placed_at")
    known = buyers.people.get(person)
    if known is not None and known["created_at"] <= placed:
        return
    email = order.first("email")
    buyers.people[person] = {
        "row": row,
        "email": email.lower() if email else None,
        "phone": order.first("phone"),
        "name": order.cell("buyer"),
        "country": order.cell("country"),
        "region": order.cell("region"),
        "created_at": placed,
    }


def add_met(gathered: Gathered, buyers: Buyers, known: set[str]) -> None:
    """Add the buyers and articles that only the orders name.

    Args:
        gathered: Filled with facts.
        buyers: What `read_orders` met.
        known: Customers a customers export describes.
    """
    for person, fact in buyers.people.items():
        if person not in known:
            values = {name: value for name, value in fact.items() if name != "row"}
            gathered.add("customers", fact["row"], customer_id=person, **values)
    for article, fact in buyers.articles.items():
        row, created = fact["row"], fact["created_at"]
        gathered.add(
            "products",
            row,
            product_id=article,
            title=fact["title"],
            created_at=created,
        )
        gathered.add(
            "variants",
            row,
            variant_id=article,
            product_id=article,
            sku=fact["sku"],
            created_at=created,
        )
    if buyers.articles:
        gathered.notes.append(
            f"{len(buyers.articles)} articles are known from orders only; import the "
            "products export together with the orders to link them"
        )
