"""Two designs for page fixes: who takes part in each, and which one sees more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cartwheel.channels.visitor_fixes import to_visitors
from cartwheel.errors import Misuse
from cartwheel.ledger.store import move
from cartwheel.measure.experiment.page_tests import (
    is_page_test,
    mended_products,
    other_design,
    shown_products,
    which_sees_more,
)
from cartwheel.measure.experiment.plan import enrolled, plan
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.measure.experiment.visitors import read_visitors
from cartwheel.settings import Holdout
from cartwheel.shop import Shop, make_shop, open_shop
from tests.contract.tiny_lake import TinyLake
from tests.measure.experiment.made import END, START, terms
from tests.page_fixes import fix, put

TODAY = START - timedelta(days=1)


def fixes(**changes: object) -> Terms:
    plain = {"name": "notes", "lever": "content", "unit": "product"}
    return terms(**{**plain, **changes})


def deliver(shop: Shop, product: str) -> None:
    name = put(shop, fix(product))
    to_visitors(shop.database, [name], actor="ann")
    move(shop.database, [name], "approved", actor="ann")


def test_only_pages_that_visitors_are_shown_are_enrolled(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    put(shop, fix("P1"))
    asked = fixes(unit="visitor")
    with pytest.raises(Misuse, match="No page fix is delivered to visitors"):
        enrolled(shop, asked, TODAY)
    deliver(shop, "P3")
    deliver(shop, "P2")
    found = enrolled(shop, asked, TODAY)
    assert found.products == shown_products(shop.database) == ("P2", "P3")
    assert mended_products(shop.database) == ("P1", "P2", "P3")
    agreed = check_terms(found, levers=["content"], today=TODAY)
    assert agreed.trial().products == ("P2", "P3")
    assert agreed.trial().arm_of(START, product="P2") is None
    assert Terms.from_json(agreed.to_json()) == agreed


def test_of_page_tests_there_are_two_designs(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    assert is_page_test(fixes())
    assert not is_page_test(fixes(lever="price"))
    assert not is_page_test(fixes(option="most_a_turn"))
    assert other_design(shop.database, fixes()) is None
    put(shop, fix("P1"))
    put(shop, fix("P2"), state="refused")
    other = other_design(shop.database, fixes(metric="units"))
    assert other is not None
    assert (other.unit, other.metric, other.products) == ("visitor", "orders", ("P1",))
    back = other_design(shop.database, other)
    assert back is not None
    assert (back.unit, back.metric, back.products) == ("product", "units", ())


@pytest.mark.parametrize(
    ("product", "visitor", "said"),
    [
        (0.3, 0.1, "by product 30%, by visitor 10%; so draw by visitor."),
        (0.1, 0.3, "by product 10%, by visitor 30%; so draw by product."),
        (0.1, None, "by product 10%, by visitor not told; so draw by product."),
        (None, 0.2, "by product not told, by visitor 20%; so draw by visitor."),
        (None, None, ""),
    ],
)
def test_the_design_that_sees_the_smaller_change_fits(
    product: float | None, visitor: float | None, said: str
) -> None:
    sees = {"product": product, "visitor": visitor}
    one, other = fixes(), fixes(unit="visitor")
    for pair in ((one, other), (other, one)):
        found = which_sees_more(*pair, lambda asked: sees[asked.unit])
        assert found.endswith(said)
        assert bool(found) is bool(said)


def test_only_devices_that_opened_a_page_in_test_take_part(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    asked = fixes(unit="visitor", products=("P1",))
    for name, kind, product, day in (
        ("w1", "view", "P1", 3),
        ("w2", "view", "P2", 3),
        ("w3", "exposure", "P1", 3),
        ("w4", "view", "P1", -3),
        ("w5", "view", "P1", 4),
    ):
        lake.add(
            "events",
            event_id=name,
            kind=kind,
            occurred_at=f"{START + timedelta(days=day)} 10:00:00",
            visitor_id=name,
            product_id=product,
        )
    lake.write()
    settings = lake.shop.settings.model_copy(
        update={"holdout": Holdout(share_bps=0, levers={})}
    )
    with lake.shop.lake.attached(read_only=True) as con:
        found = read_visitors(con, asked, settings, until=END, metrics=["orders"])
        every = read_visitors(
            con, replace(asked, products=()), settings, until=END, metrics=["orders"]
        )
    assert found.group.names == ("w1", "w5")
    assert every.group.names == ("w1", "w2", "w3", "w5")
    arms = {asked.trial().arm_of(START, visitor=n) == TREATED for n in ("w1",)}
    assert arms == {bool(found.group.treated[0])}
    assert {CONTROL, TREATED} == {
        asked.trial().arm_of(START, visitor=f"v{n}") for n in range(40)
    }


@pytest.mark.parametrize("many", ["products", "visitors"])
def test_a_plan_says_which_design_sees_more(tmp_path: Path, many: str) -> None:
    """Many products that sell alike, or few products that many people look at."""
    lake = TinyLake(tmp_path)
    products = [f"P{n}" for n in range(60 if many == "products" else 6)]
    people = 12 if many == "products" else 300
    for name in products:
        lake.add("variants", variant_id=name, product_id=name)
    for n in range(people):
        for back in (-40, -12):
            day = START + timedelta(days=back)
            product = products[n % len(products)]
            lake.add(
                "events",
                event_id=f"e{n}-{back}",
                kind="view",
                occurred_at=f"{day} 09:00:00",
                visitor_id=f"d{n}",
                customer_id=f"c{n}",
                product_id=product,
            )
            lake.sale(
                f"o{n}-{back}",
                "something else" if many == "products" else product,
                f"{day} 10:00:00",
                price=1000 + (4000 if many == "products" else 10) * (n % 7),
                customer=f"c{n}",
            )
    if many == "products":
        for number, product in enumerate(products):
            for back in (-40, -12):
                day = START + timedelta(days=back)
                lake.sale(
                    f"g{product}{back}",
                    product,
                    f"{day} 11:00:00",
                    price=5000 + 10 * (number % 7),
                )
    else:
        for n, product in enumerate(products):
            for back in (-40, -12):
                day = START + timedelta(days=back)
                for k in range(n * n):
                    lake.sale(f"g{n}{back}{k}", product, f"{day} 11:00:00", price=9000)
    lake.write()
    with (lake.shop.folder / "cartwheel.toml").open("a") as file:
        file.write("\n[holdout]\nshare_bps = 0\n[holdout.levers]\nrecommend = 0\n")
    shop = open_shop(lake.shop.folder)
    for product in products:
        put(shop, fix(product))
    asked = fixes(starts_on=START, ends_on=START + timedelta(days=27), metric="revenue")
    told = plan(shop, asked, date(2026, 3, 1))
    assert "The smallest change that is seen" in told.sentence
    assert told.sentence.endswith(f"so draw by {many.removesuffix('s')}.")
