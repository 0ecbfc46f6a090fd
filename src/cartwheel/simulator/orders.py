"""Orders, lines, returns and refunds of the sample shop, from what was bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cartwheel.simulator.catalogue import LOCATIONS, Catalogue
from cartwheel.simulator.clock import instants, midnight
from cartwheel.simulator.people import Visits, campaign_days, customer_ids
from cartwheel.simulator.text import RETURN_REASONS
from cartwheel.simulator.trade import CAUSES, LINE_COLUMNS, Trade

CHECKOUT_SECONDS = 300
FREE_SHIPPING_MINOR = 6_000
SHIPPING_MINOR = 495
TAX_BPS = 1_900


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Orders and their lines as arrays; O orders, L lines in order of placing.

    Attributes:
        visit: Visit it was placed in, shape (O,).
        customer: Customer or -1, shape (O,).
        placed: Instant, shape (O,).
        deliver: Day delivered, shape (O,).
        code: Discount code or "", shape (O,).
        order_of: Order of a line, shape (L,).
        number: Number of a line in its order, from 1, shape (L,).
        lines: Columns of the lines by name, each shape (L,).
        discount: Discount over the whole line in minor units, shape (L,).
    """

    visit: np.ndarray
    customer: np.ndarray
    placed: np.ndarray
    deliver: np.ndarray
    code: np.ndarray
    order_of: np.ndarray
    number: np.ndarray
    lines: dict[str, np.ndarray]
    discount: np.ndarray

    @property
    def ids(self) -> np.ndarray:
        """Order ids, shape (O,)."""
        return np.array([f"O{i + 1:06d}" for i in range(len(self.visit))], dtype="U9")

    @property
    def paid_minor(self) -> np.ndarray:
        """Paid for each line after its discount, shape (L,)."""
        gross = self.lines["units"] * self.lines["price"]
        return np.asarray(gross - self.discount)


def make_orders(
    rng: np.random.Generator, visits: Visits, trade: Trade, start: date, days: int
) -> Orders:
    """Group lines into orders and grant the discounts."""
    lines = dict(zip(LINE_COLUMNS, trade.lines.T, strict=True))
    visit, first, order_of = np.unique(
        lines["visit"], return_index=True, return_inverse=True
    )
    customer = visits.customer[visit]
    placed = instants(
        midnight(start), visits.day[visit], visits.second[visit] + CHECKOUT_SECONDS
    )
    code = _codes(rng, customer, visits.day[visit], days)
    gross = lines["units"] * lines["price"]
    discount = np.where(code[order_of] != "", gross // 10, 0)
    deliver = np.zeros(len(visit), dtype=np.int64)
    np.maximum.at(deliver, order_of, lines["deliver"])
    return Orders(
        visit=visit,
        customer=customer,
        placed=placed,
        deliver=deliver,
        code=code,
        order_of=order_of,
        number=np.arange(len(order_of)) - first[order_of] + 1,
        lines=lines,
        discount=discount,
    )


def _codes(
    rng: np.random.Generator, customer: np.ndarray, day: np.ndarray, days: int
) -> np.ndarray:
    """Ten per cent off: some first orders of customers, and some after a mailing."""
    code = np.full(len(customer), "", dtype="U10")
    _, first = np.unique(customer, return_index=True)
    is_first = np.zeros(len(customer), dtype=bool)
    is_first[first] = True
    draw = rng.random(len(customer))
    code[(customer >= 0) & is_first & (draw < 0.25)] = "WELCOME10"
    for number, sent in enumerate(campaign_days(days)):
        soon = (customer >= 0) & (day >= sent) & (day < sent + 4) & (draw > 0.7)
        code[soon & (code == "")] = f"MAIL{number + 1:02d}"
    return code


def order_columns(
    orders: Orders, cat: Catalogue, visits: Visits, start: date, days: int
) -> dict[str, dict[str, Any]]:
    """Return the columns of orders (two versions each), lines, returns, refunds."""
    names = np.append(customer_ids(int(visits.customer.max(initial=-1)) + 1), "")
    buyer = names[orders.customer]
    return {
        "orders": _orders(orders, visits, buyer, start, days),
        "order_lines": _lines(orders, cat, buyer),
        **_returns(orders, cat, buyer, start, days),
    }


def _or_none(values: np.ndarray) -> list[str | None]:
    return [str(v) or None for v in values]


def _orders(
    orders: Orders, visits: Visits, buyer: np.ndarray, start: date, days: int
) -> dict[str, Any]:
    zero = midnight(start)
    count = len(orders.visit)
    goods = np.bincount(orders.order_of, orders.paid_minor, count).astype(np.int64)
    store = visits.in_store[orders.visit]
    shipping = np.where(store | (goods >= FREE_SHIPPING_MINOR), 0, SHIPPING_MINOR)
    total = goods + shipping
    day = visits.day[orders.visit]
    promised = np.where(store, day, day + 4)
    delivered = np.where(
        store, orders.placed, instants(zero, orders.deliver, 12 * 3600)
    ).astype("datetime64[s]")
    # The second version is known once the parcel arrived, if that is within the year.
    arrived = np.flatnonzero((orders.deliver < days) & ~store)
    row = np.concatenate([np.arange(count), arrived])
    later = np.arange(len(row)) >= count
    done = later | store[row]
    updated = np.where(later, delivered[row], orders.placed[row])
    nothing = np.datetime64("NaT", "s")
    return {
        "order_id": orders.ids[row],
        "customer_id": _or_none(buyer[row]),
        "placed_at": orders.placed[row],
        "updated_at": updated,
        "status": np.where(done, "fulfilled", "paid"),
        "currency": ["EUR"] * len(row),
        "shipping_minor": shipping[row],
        "discount_minor": np.zeros(len(row), dtype=np.int64),
        "tax_minor": (total - np.rint(total * 10_000 / (10_000 + TAX_BPS)))[row].astype(
            np.int64
        ),
        "discount_code": _or_none(orders.code[row]),
        "channel": np.where(store[row], "store", "web"),
        "promised_at": instants(zero, promised, 20 * 3600)[row],
        "delivered_at": np.where(done, delivered[row], nothing),
    }


def _lines(orders: Orders, cat: Catalogue, buyer: np.ndarray) -> dict[str, Any]:
    lines, of = orders.lines, orders.order_of
    product = cat.product_of[lines["variant"]]
    places = np.array([row[0] for row in LOCATIONS])
    return {
        "order_id": orders.ids[of],
        "line_id": [str(n) for n in orders.number],
        "placed_at": orders.placed[of],
        "customer_id": _or_none(buyer[of]),
        "kind": ["product"] * len(of),
        "product_id": cat.product_ids[product],
        "variant_id": cat.variant_ids[lines["variant"]],
        "title": cat.titles[product],
        "quantity_units": lines["units"],
        "unit_price_minor": lines["price"],
        "discount_minor": orders.discount,
        "location_id": places[lines["place"]],
    }


def _returns(
    orders: Orders, cat: Catalogue, buyer: np.ndarray, start: date, days: int
) -> dict[str, dict[str, Any]]:
    lines = orders.lines
    came = np.flatnonzero((lines["back"] >= 0) & (lines["back"] < days))
    came = came[np.lexsort((came, lines["back"][came]))]
    zero, of = midnight(start), orders.order_of[came]
    variant, units = lines["variant"][came], lines["units"][came]
    reasons = [RETURN_REASONS[CAUSES[c]] for c in lines["cause"][came]]
    resale, paid = lines["resale"][came], orders.paid_minor[came]
    cost = 520 * units + np.where(resale == 1, 0, paid * 4 // 10)
    number = range(1, len(came) + 1)
    shared = {
        "line_id": [str(n) for n in orders.number[came]],
        "order_id": orders.ids[of],
        "customer_id": _or_none(buyer[of]),
        "product_id": cat.product_ids[cat.product_of[variant]],
        "variant_id": cat.variant_ids[variant],
        "quantity_units": units,
        "reason": reasons,
    }
    defect = lines["cause"][came] == CAUSES.index("defect")
    return {
        "returns": {
            "return_id": [f"RT{n:05d}" for n in number],
            **shared,
            "returned_at": instants(zero, lines["back"][came], 5 * 3600 + 1200),
            "grade": np.where(
                resale == 1, "resale", np.where(defect, "waste", "seconds")
            ),
            "cost_minor": cost,
        },
        "refunds": {
            "refund_id": [f"RF{n:05d}" for n in number],
            **shared,
            "refunded_at": instants(zero, lines["back"][came], 14 * 3600),
            "amount_minor": paid,
        },
    }
