"""`cartwheel content`: proposals, their difference, applied and taken back."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import delete

from cartwheel.content_command import KINDS
from cartwheel.measure.page_fixes_page import NAME
from cartwheel.operations import pages
from cartwheel.shop import open_shop
from tests.cli.program import Run, assert_one_line
from tests.page_fixes import PAGE, fix, fix_with_table, mail, outline, put, read_as
from tests.turned import Turned


def test_proposals_of_the_published_turn(run: Run, turned: Turned) -> None:
    value = run("content", "propose", "--shop", turned.folder, "--json").json()
    assert value["turn"] == 2
    assert {one["kind"] for one in value["proposals"]} <= set(KINDS)
    said = run("content", "propose", "--shop", turned.folder).out
    for one in value["proposals"]:
        assert one["id"] in said


def test_a_fix_is_shown_applied_and_undone(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    shop.database.dispose()
    said = run("content", "show", name, "--shop", copied).out
    assert "+<li>Chest width: 54 cm</li></ul>" in said
    assert "from attribute:Chest" in said
    assert "Written by offline" in said
    value = run("content", "show", name, "--shop", copied, "--json").json()
    assert value["before"] == PAGE
    assert value["trouble"] == ""
    done = run("content", "apply", name, "--shop", copied)
    assert f"{name} is applied." in done.out
    file = copied / "outbox" / "pages" / "P1.html"
    assert str(copied / "outbox" / "pages.csv") in done.out
    assert file.read_bytes().decode() == value["after"]
    assert "is reverted" in run("content", "undo", name, "--shop", copied).out
    assert not file.exists()


def test_a_services_draft_is_told_with_what_was_blocked(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    read_as(shop, turn=2, P1=PAGE)
    blocked = {"text": "The best.", "why": "a superlative"}
    told = {"failed": "no sentence of it passed", "blocked": [blocked]}
    name = put(shop, fix(evidence={"service": told}), turn=2)
    shop.database.dispose()
    said = run("content", "show", name, "--shop", copied).out
    assert "The text service did not write it: no sentence of it passed." in said
    assert "blocked: 'The best.': a superlative" in said


def test_a_table_is_told_cell_by_cell(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    read_as(shop, turn=2, P1=PAGE, P2=PAGE)
    name = put(shop, fix_with_table(), turn=2)
    shop.database.dispose()
    said = run("content", "show", name, "--shop", copied).out
    assert "Chest, side by side" in said
    assert "    Shirt <P2>: 60 cm, from product:P2/attribute:Chest" in said


def test_a_mail_paragraph_is_shown_applied_and_undone(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    name = put(shop, mail(), turn=2)
    shop.database.dispose()
    assert name in run("content", "propose", "--shop", copied).out
    said = run("content", "show", name, "--shop", copied).out
    assert "Good to know\nChest width: 54 cm" in said
    assert "from attribute:Chest" in said
    value = run("content", "show", name, "--shop", copied, "--json").json()
    assert value["kind"] == "mail_paragraph"
    done = run("content", "apply", name, "--shop", copied)
    assert f"{name} is applied." in done.out
    file = copied / "outbox" / "mail-paragraphs.csv"
    assert str(file) in done.out
    assert "is reverted" in run("content", "undo", name, "--shop", copied).out
    assert not file.exists()


def test_an_outline_is_listed_and_shown_and_not_applied(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    name = put(shop, outline(), turn=2)
    shop.database.dispose()
    said = run("content", "propose", "--shop", copied).out
    assert f"{name}  proposed  Shirts <all>  category: a buying guide to write" in said
    said = run("content", "show", name, "--shop", copied).out
    assert "Does it <i>shrink</i>?\n    asked 3 times, not answered yet" in said
    assert "By Material, unknown for 1:\n    linen: 4 (Shirt P1)" in said
    value = run("content", "show", name, "--shop", copied, "--json").json()
    assert value["kind"] == "guide_outline"
    done = run("content", "apply", name, "--shop", copied)
    assert_one_line(done, 2, "not a page fix")


def test_a_fix_is_shown_to_visitors_and_then_to_everybody(
    run: Run, copied: Path
) -> None:
    shop = open_shop(copied)
    read_as(shop, turn=2, P1=PAGE)
    name = put(shop, fix(), turn=2)
    shop.database.dispose()
    file = copied / "outbox" / "pages" / "P1.html"
    done = run("content", "apply", name, "--visitors", "--shop", copied)
    assert f"{name} is applied: visitors of a test's arm see it" in done.out
    assert not file.exists()
    done = run("content", "apply", name, "--visitors", "--shop", copied)
    assert done.code != 0
    done = run("content", "apply", name, "--shop", copied)
    assert f"{name} goes to its page." in done.out
    assert "Chest width" in file.read_text("utf-8")


def test_an_edited_page_is_told(run: Run, copied: Path) -> None:
    shop = open_shop(copied)
    read_as(shop, turn=2, P1="<p>Edited.</p>")
    name = put(shop, fix(), turn=2)
    shop.database.dispose()
    done = run("content", "apply", name, "--shop", copied)
    assert "not on the page: somebody edited the page" in done.out


def test_wrong_questions_are_answered_in_one_line(
    run: Run, turned: Turned, empty: Path
) -> None:
    listed = run("decisions", "--shop", turned.folder, "--json").out.splitlines()
    other = next(
        line.split('"')[3] for line in listed if '"kind": "page_fix"' not in line
    )
    for verb in ("show", "apply", "undo"):
        done = run("content", verb, other, "--shop", turned.folder)
        assert_one_line(done, 2, "not a page fix")
        done = run("content", verb, "no-such", "--shop", turned.folder)
        assert_one_line(done, 2, "cartwheel decisions")
    assert_one_line(run("content", "propose", "--shop", empty), 2, "cartwheel turn")


def test_without_a_test_nothing_is_told(run: Run, turned: Turned) -> None:
    assert "Not yet" in run("content", "score", "--shop", turned.folder).out
    value = run("content", "score", "--shop", turned.folder, "--json").json()
    assert value["scores"] == []


def test_tests_by_visitor_are_told_beside_those_by_product(
    run: Run, copied: Path
) -> None:
    found = {
        "control_value": 0.4,
        "arm_value": 0.2,
        "effect": -0.2,
        "low": -0.3,
        "high": -0.1,
    }
    scores = [
        {"metric": "return rate", "found": found, "p_value": 0.001, "lacks": ""},
        {"metric": "orders per visitor", "found": None, "p_value": None, "lacks": "x"},
    ]
    test = {
        "name": "note",
        "since": "2026-01-06",
        "until": "2026-02-28",
        "over": False,
        "fixed": 1157,
        "held_out": 1143,
        "scores": scores,
    }
    body = {"on": "2026-02-01", "since": None, "failed": "", "scores": []}
    shop = open_shop(copied)
    with shop.database.begin() as con:
        con.execute(delete(pages).where(pages.c.name == NAME))
        con.execute(
            pages.insert().values(
                turn=2, name=NAME, body=json.dumps({**body, "by_visitor": [test]})
            )
        )
    shop.database.dispose()
    said = run("content", "score", "--shop", copied).out
    assert "note: 1,157 visitors shown fixes against 1,143 not" in said
    assert "still running" in said
    assert "return rate: 0.2 against 0.4, -0.2 (-0.3 to -0.1)" in said
    assert "orders per visitor: not yet, x" in said
    assert "Not yet: nobody" not in said
