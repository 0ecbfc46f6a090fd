"""The outbox: files of what is in force, only for kinds allowed to act."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cartwheel.channels.act import act
from cartwheel.channels.csv_files import safe_cell
from cartwheel.errors import Conflict, Misuse
from cartwheel.ledger.store import edit, find, insert_decisions
from cartwheel.levers.base import Decision
from cartwheel.settings import Settings
from cartwheel.shop import Shop, make_shop
from tests.page_fixes import mail, put


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "s", currency="EUR")


def allow(shop: Shop, **autonomy: str) -> Shop:
    return replace(shop, settings=Settings(currency="EUR", autonomy=autonomy))


def propose(
    shop: Shop, kind: str, subject: str, action: dict[str, object], turn: int = 1
) -> str:
    decision = Decision(
        kind=kind, subject=subject, action=action, reason="because", cost_minor=1200
    )
    name = f"{turn}-{kind}-{subject}"
    row = {
        "id": name,
        "turn": turn,
        "position": 0,
        "lever": "x",
        "kind": kind,
        "subject": subject,
        "state": "proposed",
        "worth_minor": None,
        "cost_minor": 1200,
        "body": decision.canonical(),
        "action": json.dumps(action),
        "model": "",
        "refusal": None,
        "expires_on": None,
    }
    with shop.database.begin() as con:
        insert_decisions(con, [row], actor="turn 1")
    return name


def lines(shop: Shop, file: str) -> list[dict[str, str]]:
    path = shop.outbox / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_suggestion_is_approved_and_nothing_goes_out(shop: Shop) -> None:
    name = propose(shop, "reorder", "variant:a", {"units": 12, "supplier_id": "s"})
    assert act(shop, "approve", [name], actor="ann")[0].state == "approved"
    assert lines(shop, "purchase-orders.csv") == []


def test_an_approved_order_stands_in_the_file_until_it_is_undone(shop: Shop) -> None:
    shop = allow(shop, reorder="approve")
    name = propose(shop, "reorder", "variant:a", {"units": 12, "supplier_id": "s"})
    assert lines(shop, "purchase-orders.csv") == []
    assert act(shop, "approve", [name], actor="ann")[0].state == "applied"
    (order,) = lines(shop, "purchase-orders.csv")
    assert (order["variant_id"], order["units"], order["cost"]) == ("a", "12", "12.00")
    assert act(shop, "undo", [name], actor="ann")[0].state == "reverted"
    assert lines(shop, "purchase-orders.csv") == []


def test_the_edited_quantity_goes_out_at_its_cost(shop: Shop) -> None:
    shop = allow(shop, reorder="approve")
    name = propose(shop, "reorder", "variant:a", {"units": 12, "supplier_id": "s"})
    edit(shop.database, name, {"units": 24}, actor="ann")
    act(shop, "approve", [name], actor="ann")
    (order,) = lines(shop, "purchase-orders.csv")
    assert (order["units"], order["cost"], order["unit_cost"]) == (
        "24",
        "24.00",
        "1.00",
    )


def test_prices_and_offers_have_files_of_their_own(shop: Shop) -> None:
    shop = allow(shop, price_change="auto", winback="approve")
    price = propose(shop, "price_change", "variant:a", {"price_minor": 1995})
    offer = {"offer": "discount", "discount_bps": 1000, "products": ["p", "=q"]}
    mail = propose(shop, "winback", "customer:c", offer)
    none = propose(shop, "winback", "customer:d", {"offer": "none"})
    act(shop, "approve", [price, mail, none], actor="ann")
    assert lines(shop, "prices.csv")[0]["price"] == "19.95"
    offers = lines(shop, "offers.csv")
    assert [o["customer_id"] for o in offers] == ["c"]  # d was drawn to get nothing
    assert offers[0]["discount_percent"] == "10"
    assert offers[0]["send_hour"] == ""  # proposed before offers had an hour


def test_a_late_order_is_told_once_however_often_it_is_proposed(shop: Shop) -> None:
    told = {"order_ids": ["o1"], "subject": "=late", "body": "It is late."}
    first = propose(shop, "late_notice", "customer:c", told, turn=1)
    again = propose(shop, "late_notice", "customer:c", told, turn=2)
    other = propose(shop, "late_notice", "customer:d", {**told, "order_ids": ["o2"]})
    act(shop, "approve", [first, again, other], actor="ann")
    found = lines(shop, "late-notices.csv")
    assert [(row["customer_id"], row["orders"]) for row in found] == [
        ("c", "o1"),
        ("d", "o2"),
    ]
    assert found[0]["subject"] == "'=late"
    act(shop, "undo", [first, again], actor="ann")
    assert [row["customer_id"] for row in lines(shop, "late-notices.csv")] == ["d"]


def test_the_hour_in_force_stands_in_the_file(shop: Shop) -> None:
    shop = allow(shop, winback="approve")
    offer = {"offer": "discount", "discount_bps": 1000, "products": ["p"]}
    names = [
        propose(shop, "winback", f"customer:{hour}", {**offer, "send_hour": hour})
        for hour in (8, 20)
    ]
    edit(shop.database, names[1], {"send_hour": 0}, actor="ann")
    act(shop, "approve", names, actor="ann")
    found = {o["customer_id"]: o["send_hour"] for o in lines(shop, "offers.csv")}
    assert found == {"8": "8", "20": "0"}


def test_a_formula_in_an_id_stays_text(shop: Shop) -> None:
    shop = allow(shop, reorder="approve")
    action = {"units": 1, "supplier_id": "=cmd|' /C calc'!A0"}
    act(shop, "approve", [propose(shop, "reorder", "variant:a", action)], actor="ann")
    assert lines(shop, "purchase-orders.csv")[0]["supplier_id"].startswith("'=")
    assert safe_cell(-3) == -3


def test_a_refused_move_leaves_the_outbox_alone(shop: Shop) -> None:
    shop = allow(shop, reorder="approve")
    name = propose(shop, "reorder", "variant:a", {"units": 12, "supplier_id": "s"})
    with pytest.raises(Conflict):
        act(shop, "undo", [name], actor="ann")
    assert find(shop.database, name).state == "proposed"
    assert not shop.outbox.exists()


def test_an_approved_mail_paragraph_stands_in_its_file_and_goes_by_undo(
    shop: Shop,
) -> None:
    first = put(shop, mail("P1"))
    other = put(shop, mail("P2"))
    assert lines(shop, "mail-paragraphs.csv") == []
    act(shop, "approve", [first, other], actor="me")
    assert find(shop.database, first).state == "applied"
    found = lines(shop, "mail-paragraphs.csv")
    assert [row["product_id"] for row in found] == ["P1", "P2"]
    assert found[0]["text"] == "Good to know\nChest width: 54 cm"
    assert found[0]["html"] == "<h3>Good to know</h3><p>Chest width: 54 cm</p>"
    assert found[0]["decision"] == first
    # A newer one takes its place, and its undo gives the older back.
    said = ({"text": "Chest width: 56 cm", "question": "", "sources": []},)
    newer = put(shop, mail("P1", said=said), turn=2)
    act(shop, "approve", [newer], actor="me")
    assert [r["decision"] for r in lines(shop, "mail-paragraphs.csv")] == [newer, other]
    act(shop, "undo", [newer, other], actor="me")
    assert [r["decision"] for r in lines(shop, "mail-paragraphs.csv")] == [first]
    act(shop, "undo", [first], actor="me")
    assert not (shop.outbox / "mail-paragraphs.csv").exists()
    assert not (shop.outbox / "pages.csv").exists()


def test_a_mail_paragraph_is_not_edited_past_its_check(shop: Shop) -> None:
    name = put(shop, mail())
    with pytest.raises(Misuse, match="checked against"):
        edit(shop.database, name, {"text": "Buy now!"}, actor="me")
