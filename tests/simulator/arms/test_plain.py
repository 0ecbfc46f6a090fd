"""The shop without AI: its rules by hand, and what it never does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import sqrt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cartwheel.simulator.arms import plain
from cartwheel.simulator.arms.base import Article, Page
from cartwheel.simulator.arms.plain import Plain, blast, reorder


@dataclass
class Shop:
    """A shop as a policy sees it, made by hand."""

    day: int = 56
    listed: list[Article] = field(default_factory=list)
    sold: dict[str, int] = field(default_factory=dict)
    agreed: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    @property
    def today(self) -> date:
        return date(2025, 1, 6) + timedelta(days=self.day)

    @property
    def facts(self) -> Any:
        raise AssertionError("the plain shop looks at no tables")

    def articles(self) -> Sequence[Article]:
        return self.listed

    def sold_units(self, days: int) -> Mapping[str, int]:
        self.asked.append(days)
        return self.sold

    def mailable(self) -> Sequence[str]:
        return self.agreed


def article(**values: Any) -> Article:
    made: dict[str, Any] = {
        "variant_id": "P1",
        "product_id": "P1",
        "supplier_id": "S1",
        "price_minor": 2_000,
        "promotion_bps": 0,
        "cost_minor": 1_000,
        "pack_units": 1,
        "minimum_order_units": 1,
        "supplier_days": 21,
        "on_hand": {"L1": 0, "L2": 0},
        "inbound": {"L1": 0, "L2": 0},
    }
    return Article(**{**made, **values})


def page(*context: str) -> Page:
    return Page(
        key=1,
        placement="product" if context else "home",
        customer=None,
        visitor="d1",
        context=context,
        limit=8,
    )


units = st.integers(0, 300)
few = st.integers(0, 12)
places = st.fixed_dictionaries({"L1": few, "L2": few})
articles = st.builds(
    article,
    pack_units=st.integers(1, 24),
    minimum_order_units=st.integers(1, 60),
    supplier_days=st.integers(1, 60),
    on_hand=places,
    inbound=places,
)


@given(articles, units, st.integers(0, 200))
def test_never_orders_below_pack_or_minimum(made, sold, day):
    shop = Shop(day=day, listed=[made], sold={"P1": sold} if sold else {})
    for order in reorder(shop):
        assert order.units >= made.minimum_order_units
        assert order.units % made.pack_units == 0
        assert order.units > 0
        assert order.location_id in made.on_hand


@given(articles, units)
def test_orders_when_low_and_up_to_the_cover_and_not_a_pack_more(made, sold):
    shop = Shop(day=plain.HISTORY_DAYS, listed=[made], sold={"P1": sold})
    weekly = sold / (plain.HISTORY_DAYS / 7)
    lead = weekly * (made.supplier_days + plain.REVIEW_DAYS) / 7
    low = lead + plain.SAFETY * sqrt(lead)
    held = sum(made.on_hand.values()) + sum(made.inbound.values())
    orders = reorder(shop)
    assert bool(orders) == (sold > 0 and held <= low)
    for order in orders:
        wanted = low + plain.COVER_WEEKS * weekly - held
        assert order.units >= wanted - 1e-6
        least = max(wanted, made.minimum_order_units)
        assert order.units < least + made.pack_units


def test_an_order_by_hand(monkeypatch):
    for name, value in {"SAFETY": 1.5, "COVER_WEEKS": 4, "REVIEW_DAYS": 7}.items():
        monkeypatch.setattr(plain, name, value)
    # 32 in eight weeks are 4 a week; 21 days and a week's wait are 4 weeks: 16, and
    # 1.5 times their root, 6: it orders at 22. With four weeks of cover that makes
    # 38, less the 21 that are there or on their way.
    held = article(on_hand={"L1": 10, "L2": 3}, inbound={"L1": 0, "L2": 8})
    (order,) = reorder(Shop(listed=[held], sold={"P1": 32}))
    assert order.units == 17
    assert order.location_id == "L1"  # it has less, all counted
    packed = replace(held, pack_units=6)
    assert [o.units for o in reorder(Shop(listed=[packed], sold={"P1": 32}))] == [18]
    large = replace(packed, minimum_order_units=20)
    assert [o.units for o in reorder(Shop(listed=[large], sold={"P1": 32}))] == [24]
    assert reorder(Shop(listed=[held], sold={})) == []
    plenty = replace(held, on_hand={"L1": 10, "L2": 5})
    assert reorder(Shop(listed=[plenty], sold={"P1": 32})) == []


def test_one_early_sale_is_no_trend():
    def ordered(day: int) -> int:
        shop = Shop(day=day, listed=[article()], sold={"P1": 8})
        return sum(order.units for order in reorder(shop))

    assert ordered(1) == ordered(7) == ordered(plain.LEAST_DAYS)
    assert ordered(plain.LEAST_DAYS) > ordered(plain.HISTORY_DAYS)
    assert ordered(plain.HISTORY_DAYS) == ordered(300)


def test_it_orders_and_mails_on_its_days_alone():
    agreed = ["C000001", "C000002"]
    coupons = []
    for day in range(60):
        shop = Shop(day=day, listed=[article()], sold={"P1": 9}, agreed=agreed)
        actions = Plain().morning(shop)
        assert bool(actions.purchases) == (day % 7 == 0)
        assert bool(actions.mails) == (day % 7 == 1)
        assert actions.prices_minor == {}
        assert {mail.customer_id for mail in actions.mails} <= set(agreed)
        if any(mail.offer_bps for mail in actions.mails):
            coupons.append(day)
            assert {mail.offer_bps for mail in actions.mails} == {plain.COUPON_BPS}
    assert coupons == [1, 29, 57]


@given(st.lists(st.integers(1, 600), unique=True))
def test_mails_everybody_who_agreed_once_and_nobody_else(people):
    agreed = [f"C{number:06d}" for number in people]
    assert [m.customer_id for m in blast(Shop(day=8, agreed=agreed))] == agreed


def test_shows_everybody_the_bestsellers_of_a_month_less_what_they_look_at():
    shop = Shop(sold={"P1-S": 2, "P1-M": 3, "P2": 4, "P3": 4, "P4": 9})
    policy = Plain()
    policy.morning(shop)
    assert 30 in shop.asked
    assert policy.slates([page(), page("P1", "P4")]) == [
        ["P4", "P1", "P2", "P3"],
        ["P2", "P3"],
    ]


def test_knows_nothing_before_its_first_morning():
    assert Plain().slates([page(), page("P1")]) == [[], []]
