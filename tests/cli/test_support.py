"""`cartwheel support`: an answer tried, the queue listed, contacts closed."""

from __future__ import annotations

from pathlib import Path

from cartwheel.contacts import keep
from cartwheel.shop import open_shop
from tests.cli.program import Run, assert_one_line
from tests.test_contacts import contact
from tests.turned import Turned


def test_a_question_is_answered_from_the_sample_shops_policies(
    run: Run, turned: Turned
) -> None:
    text = "How many days do I have to return goods?"
    value = run("support", "ask", text, "--shop", turned.folder, "--json").json()
    assert value["outcome"] == "answered"
    assert value["says"][0]["source"].startswith("policy:")
    said = run("support", "ask", text, "--shop", turned.folder).out
    assert f"[{value['says'][0]['source']}]" in said
    assert "(answered: evidence" in said
    nothing = run("support", "list", "--shop", turned.folder).out
    assert "Nobody has asked anything." in nothing, "trying is not asking"


def test_an_order_is_told_only_as_its_customer(run: Run, turned: Turned) -> None:
    text = "Where is my order?"
    value = run("support", "ask", text, "--shop", turned.folder, "--json").json()
    assert (value["why"], value["says"]) == ("unverified", [])


def test_contacts_are_listed_and_closed(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    keep(shop.database, contact("a1", asked="Do you ship to Norway?"))
    shop.database.dispose()
    said = run("support", "list", "--waiting", "--shop", copied).out
    assert "Do you ship to Norway?" in said
    assert "a1 is closed." in run("support", "close", "a1", "--shop", copied).out
    waiting = run("support", "list", "--waiting", "--shop", copied, "--json").json()
    assert waiting == []
    (kept,) = run("support", "list", "--shop", copied, "--json").json()
    assert kept["closed_by"] == "cli"


def test_wrong_use_says_so(run: Run, turned: Turned, copied: Path) -> None:
    empty = run("support", "ask", " ", "--shop", turned.folder)
    assert_one_line(empty, 2, "1 to 2,000")
    long = run("support", "ask", "x" * 3_000, "--shop", turned.folder)
    assert_one_line(long, 2, "3,000 characters")
    assert run("support", "close", "none", "--shop", copied).code != 0
