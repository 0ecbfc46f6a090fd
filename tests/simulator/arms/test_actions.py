"""What was decided, carried out in a world."""

from __future__ import annotations

from typing import Any

from cartwheel.simulator.arms.actions import Agreed, carry_out, draw_of, left_alone
from cartwheel.simulator.arms.base import Article, Page


def article(variant: str, **values: Any) -> Article:
    made: dict[str, Any] = {
        "variant_id": variant,
        "product_id": variant,
        "supplier_id": "S1",
        "price_minor": 2_000,
        "promotion_bps": 0,
        "cost_minor": 1_000,
        "pack_units": 1,
        "minimum_order_units": 1,
        "supplier_days": 21,
        "on_hand": {"L1": 4, "L2": 1},
        "inbound": {"L1": 0, "L2": 0},
    }
    return Article(**{**made, **values})


def agreed(kind: str, subject: str, **action: Any) -> Agreed:
    return Agreed(kind=kind, subject_id=subject, action=action)


def page(**values: Any) -> Page:
    made: dict[str, Any] = {
        "key": 1,
        "placement": "home",
        "customer": None,
        "visitor": "d000001",
        "context": (),
        "limit": 4,
    }
    return Page(**{**made, **values})


def test_prices_of_what_is_on_sale_change_but_not_in_a_promotion():
    decided = [
        agreed("price_change", "P1", price_minor=1_900),
        agreed("markdown", "P2", price_minor=1_500),
        agreed("price_test", "P3", price_minor=2_100),
        agreed("price_change", "gone", price_minor=1_000),
    ]
    articles = [article("P1"), article("P2", promotion_bps=2_000), article("P3")]
    assert carry_out(decided, articles).prices_minor == {"P1": 1_900, "P3": 2_100}


def test_orders_go_to_the_emptier_warehouse_and_nothing_is_not_ordered():
    decided = [
        agreed("reorder", "P1", units=12),
        agreed("reorder", "P2", units=0),
        agreed("reorder", "gone", units=3),
    ]
    (one,) = carry_out(decided, [article("P1"), article("P2")]).purchases
    assert (one.variant_id, one.location_id, one.units) == ("P1", "L2", 12)


def test_mails_go_to_those_who_drew_an_offer():
    decided = [
        agreed("winback", "C000001", offer="discount", discount_bps=1_000),
        agreed("winback", "C000002", offer="none"),
        agreed("leave_alone", "C000003"),
    ]
    (mail,) = carry_out(decided, []).mails
    assert (mail.customer_id, mail.offer_bps) == ("C000001", 1_000)
    assert left_alone(decided) == {"C000003"}


def test_the_draw_of_a_page_is_its_own():
    def drawn(one: Page, day: int = 1) -> float:
        return float(draw_of(one, seed=1, day=day).random())

    assert drawn(page()) == drawn(page(context=("P1",), key=2))
    others = {
        drawn(page(), day=2),
        drawn(page(visitor="d2")),
        drawn(page(placement="cart")),
    }
    assert drawn(page()) not in others
    assert len(others) == 3
