"""The cart, the last order and the last thing said: small cookies, checked when read.

They hold ids and numbers, no person. Everything in them is a browser's word: a variant
that is not on sale is dropped, units are bounded.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cartwheel.storefront.shelf import Goods, Product, Variant

CART, ORDER, TOLD = "cart", "order", "told"
"""Names of the cookies."""

MOST_LINES = 20
MOST_UNITS = 99
MOST_COOKIE = 3_500
"""Characters of a cookie that are read; browsers keep about 4,000."""

KINDS = ("add_to_cart", "failed_add")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the cart."""

    product: Product
    variant: Variant
    units: int

    @property
    def price_minor(self) -> int | None:
        """Price of the whole line, None when unknown."""
        one = self.variant.price_minor
        return None if one is None else one * self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of the last press of "Add to cart"; shown and tracked once.

    Attributes:
        kind: Kind of event.
        product: The product.
        variant: The variant.
        units: How many.
        event_id: Id of the event, so that it counts once.
    """

    kind: str
    product: Product
    variant: Variant
    units: int
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that was placed; it is only an event, nothing is sold."""

    id: str
    lines: tuple[Line, ...]


def read_lines(text: str, goods: Goods) -> list[Line]:
    """Return the lines of a cart's cookie; what is wrong in it is dropped."""
    found: dict[str, Line] = {}
    for part in text[:MOST_COOKIE].split("."):
        name, _, count = part.rpartition("*")
        if not re.fullmatch(r"[1-9]\d?", count):
            continue
        line = find_line(unquote(name), int(count), goods)
        if line is not None and len(found) < MOST_LINES:
            found[line.variant.id] = line
    return list(found.values())


def find_line(variant_id: str, units: int, goods: Goods) -> Line | None:
    """Return a line of a variant on sale, or None."""
    product = goods.by_variant.get(variant_id)
    if product is None:
        return None
    variant = next(v for v in product.variants if v.id == variant_id)
    return Line(product=product, variant=variant, units=min(units, MOST_UNITS))


def write_lines(lines: Iterable[Line]) -> str:
    """Return a cart as the text of its cookie."""
    return ".".join(f"{_plain(line.variant.id)}*{line.units}" for line in lines)


def with_units(lines: Iterable[Line], changed: Line) -> list[Line]:
    """Return a cart with a line set to its units; a line of none is taken out."""
    found: Mapping[str, Line] = {line.variant.id: line for line in lines}
    whole = {**found, changed.variant.id: changed}
    return [line for line in whole.values() if line.units > 0][:MOST_LINES]


def units_of(lines: Iterable[Line], variant: Variant) -> int:
    """Return how many of a variant a cart holds."""
    return sum(line.units for line in lines if line.variant.id == variant.id)


def write_told(kind: str, line: Line) -> str:
    """Return the text of the cookie that tells the next page what happened."""
    return f"{kind}.{_plain(line.variant.id)}.{line.units}.{secrets.token_hex(12)}"


def read_told(text: str, goods: Goods) -> Told | None:
    """Return what the cookie tells, or None when it tells nothing sensible."""
    found = re.fullmatch(r"([a-z_]+)\.([^.]+)\.([1-9]\d?)\.([0-9a-f]{24})", text)
    if found is None or found[1] not in KINDS:
        return None
    line = find_line(unquote(found[2]), int(found[3]), goods)
    if line is None:
        return None
    return Told(
        kind=found[1],
        product=line.product,
        variant=line.variant,
        units=line.units,
        event_id=f"{found[1]}-{found[4]}",
    )


def write_order(lines: Iterable[Line]) -> str:
    """Return the text of the cookie of a new order."""
    return f"{secrets.token_hex(12)}.{write_lines(lines)}"


def read_order(text: str, goods: Goods) -> Order | None:
    """Return the order of a cookie, or None."""
    number, _, rest = text.partition(".")
    lines = tuple(read_lines(rest, goods))
    if not re.fullmatch(r"[0-9a-f]{24}", number) or not lines:
        return None
    return Order(id=number, lines=lines)


def _plain(text: str) -> str:
    """Return an id without the characters a cookie or its grammar cannot carry."""
    return quote(text, safe="").replace(".", "%2E").replace("*", "%2A")
