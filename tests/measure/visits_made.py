"""A shop whose visitors are shown a size note, or the page as it was."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from cartwheel.measure.experiment.store import create
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import TREATED
from cartwheel.operations import now_text, visitor_fixes
from cartwheel.settings import Holdout
from cartwheel.shop import open_shop
from tests.contract.tiny_lake import TinyLake
from tests.measure.credit.made import add_turn
from tests.page_fixes import fix, put

LOOKED = date(2026, 1, 5)
STARTS, ENDS = LOOKED + timedelta(days=1), date(2026, 2, 28)
VISITED = date(2026, 1, 12)
NAME = "note-shown"
NOBODY = Holdout(share_bps=0, levers={"content": 0})


def terms_of(*products: str) -> Terms:
    """Return terms of a test that shows fixes of products to half of the visitors."""
    return Terms(
        name=NAME,
        question="Does the size note keep things sold?",
        lever="content",
        unit="visitor",
        metric="orders",
        wanted=0.1,
        stop="fixed",
        starts_on=STARTS,
        ends_on=ENDS,
        mode="production",
        products=products,
    )


def shop_with_visits(folder: Path, *products: str) -> TinyLake:
    """Return a shop with the test, whose lever leaves nobody alone."""
    lake = TinyLake(folder)
    settings = lake.shop.folder / "cartwheel.toml"
    text = settings.read_text("utf-8")
    settings.write_text(
        text + "\n[holdout]\nshare_bps = 0\nlevers = { content = 0 }\n", "utf-8"
    )
    lake.shop = open_shop(lake.shop.folder)
    add_turn(lake.shop, 1, LOOKED)
    for product in products:
        put(lake.shop, fix(product), turn=1, state="approved")
    return lake


def agree(lake: TinyLake, *products: str) -> None:
    """Begin the test."""
    create(lake.shop.database, terms_of(*products), actor="owner")


def visit(
    lake: TinyLake,
    name: str,
    product: str,
    *,
    buys: bool = True,
    back: bool = False,
    asks: bool = False,
    reason: str = "too small",
    on: date = VISITED,
) -> None:
    """A device opens a page, signs in, and its owner may buy, send back or write."""
    for at, kind, opened, who in (
        ("10:00", "view", product, None),
        ("10:05", "view", "elsewhere", f"c-{name}"),
    ):
        lake.add(
            "events",
            event_id=f"{name}-{kind}-{product}-{on}-{at}",
            kind=kind,
            occurred_at=f"{on} {at}",
            visitor_id=name,
            customer_id=who,
            product_id=opened,
        )
    if not buys:
        return
    order = f"o-{name}-{product}-{on}"
    lake.sale(order, product, f"{on} 11:00", customer=f"c-{name}")
    if back:
        lake.add(
            "returns",
            return_id=f"r-{order}",
            line_id=str(lake._charges),
            order_id=order,
            product_id=product,
            variant_id=product,
            returned_at=f"{on + timedelta(days=9)} 12:00",
            quantity_units=1,
            reason=reason,
        )
    if asks:
        lake.add(
            "messages",
            message_id=f"m-{order}",
            direction="in",
            sent_at=f"{on + timedelta(days=3)} 12:00",
            order_id=order,
            body="It is too small, what can I do?",
        )


def is_shown(name: str, *products: str) -> bool:
    """Tell whether a device is to be shown fixes."""
    return terms_of(*products).trial().arm_of(STARTS, visitor=name) == TREATED


def deliver(lake: TinyLake) -> None:
    """Deliver all fixes to visitors, before the test is agreed."""
    from sqlalchemy import select

    from cartwheel.operations import decisions

    with lake.shop.database.begin() as con:
        for (name,) in con.execute(select(decisions.c.id)).all():
            con.execute(
                visitor_fixes.insert().values(
                    decision_id=name, at=now_text(), actor="owner"
                )
            )
