"""Page fixes as files: the whole page as it should be, and back to the last byte."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cartwheel.channels.act import act
from cartwheel.channels.outbox import refresh
from cartwheel.channels.pages import REPLACED, fix_views
from cartwheel.errors import Misuse
from cartwheel.ledger.store import edit, expire, find
from cartwheel.levers.base import Decision
from cartwheel.settings import Settings
from cartwheel.shop import Shop, make_shop
from cartwheel.text.page_block import EDITED
from cartwheel.wheel import find_kinds, find_levers
from tests.page_fixes import ASKED, PAGE, SAID, fix, fix_with_table, put, read_as


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "s", currency="EUR")


def rows(shop: Shop, file: str = "pages.csv") -> list[dict[str, str]]:
    path = shop.outbox / file
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def redraw(shop: Shop) -> None:
    refresh(shop, find_kinds(find_levers()))


def test_an_approved_fix_stands_in_the_file_and_goes_by_undo(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    decision = fix(said=(*SAID, ASKED))
    name = put(shop, decision)
    redraw(shop)
    assert rows(shop) == []
    act(shop, "approve", [name], actor="me")
    assert find(shop.database, name).state == "applied"
    (row,) = rows(shop)
    assert row["product_id"] == "P1"
    assert row["body"] == PAGE + str(decision.action["block"])
    (other,) = rows(shop, "pages-shopify.csv")
    assert (other["Handle"], other["Body (HTML)"]) == ("P1", row["body"])
    held = (shop.outbox / "pages" / "P1.html").read_bytes().decode()
    assert held == row["body"]
    act(shop, "undo", [name], actor="me")
    # The platform never had it: nothing is left to tell it.
    assert rows(shop) == []
    assert not (shop.outbox / "pages").exists()


def test_a_page_that_has_it_is_done_and_undo_gives_every_byte_back(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    decision = fix()
    name = put(shop, decision)
    act(shop, "approve", [name], actor="me")
    # The next turn reads the page with the fix on it.
    read_as(shop, turn=2, P1=PAGE + str(decision.action["block"]))
    redraw(shop)
    assert rows(shop) == []
    assert (shop.outbox / "pages" / "P1.jsonld").exists()
    act(shop, "undo", [name], actor="me")
    (row,) = rows(shop)
    assert row["body"] == PAGE
    assert (shop.outbox / "pages" / "P1.html").read_bytes() == PAGE.encode()


def test_somebody_elses_edit_is_never_overwritten(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    name = put(shop, fix())
    read_as(shop, turn=2, P1="<p>Their own new text.</p>")
    act(shop, "approve", [name], actor="me")
    assert find(shop.database, name).state == "approved"
    assert rows(shop) == []
    (view,) = fix_views(shop, [find(shop.database, name)])
    assert view["trouble"] == EDITED
    assert view["before"] == view["after"]


def test_their_edit_beside_a_fix_outlives_its_undo(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    decision = fix()
    name = put(shop, decision)
    act(shop, "approve", [name], actor="me")
    theirs = "<p>Now in blue.</p>"
    read_as(shop, turn=2, P1=theirs + PAGE + str(decision.action["block"]))
    act(shop, "undo", [name], actor="me")
    (row,) = rows(shop)
    assert row["body"] == theirs + PAGE


def test_nothing_is_carried_out_on_suggest(shop: Shop) -> None:
    shop = replace(
        shop, settings=Settings(currency="EUR", autonomy={"page_fix": "suggest"})
    )
    read_as(shop, P1=PAGE)
    name = put(shop, fix())
    act(shop, "approve", [name], actor="me")
    assert find(shop.database, name).state == "approved"
    assert rows(shop) == []


def test_a_page_that_a_spreadsheet_would_run_has_a_file_of_its_own(shop: Shop) -> None:
    read_as(shop, P1="=1+1")
    name = put(shop, fix(page="=1+1", markup="text"))
    act(shop, "approve", [name], actor="me")
    assert rows(shop) == []
    held = (shop.outbox / "pages" / "P1.txt").read_bytes().decode()
    assert held.startswith("=1+1\n\nSize and fit\n")


def test_structured_data_says_what_the_page_says(shop: Shop) -> None:
    read_as(shop, **{"P1": PAGE})
    name = put(shop, fix(said=(*SAID, ASKED)))
    act(shop, "approve", [name], actor="me")
    data = json.loads((shop.outbox / "pages" / "P1.jsonld").read_text("utf-8"))
    product, asked = data["@graph"]
    assert data["@context"] == "https://schema.org"
    assert product["@type"] == "Product"
    assert product["offers"] == {
        "@type": "Offer",
        "price": "49.00",
        "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
    }
    assert product["additionalProperty"][0]["value"] == "54 cm"
    (question,) = asked["mainEntity"]
    assert question["name"] == ASKED["question"]
    assert question["acceptedAnswer"] == {"@type": "Answer", "text": "It is."}


def test_ids_cannot_leave_the_folder(shop: Shop) -> None:
    read_as(shop, **{"../../evil": PAGE})
    name = put(shop, fix("../../evil"))
    act(shop, "approve", [name], actor="me")
    names = {path.name for path in (shop.outbox / "pages").iterdir()}
    assert names == {"..%2F..%2Fevil.html", "..%2F..%2Fevil.jsonld"}


def test_a_checked_text_is_not_edited(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    name = put(shop, fix())
    with pytest.raises(Misuse, match="checked"):
        edit(shop.database, name, {"block": "<p>The best!</p>"}, actor="me")


def test_the_difference_shows_lines_of_the_block(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    name = put(shop, fix())
    (view,) = fix_views(shop, [find(shop.database, name)])
    assert any(line == "+<li>Chest width: 54 cm</li></ul>" for line in view["diff"])
    assert view["trouble"] == ""
    assert view["after"].startswith(view["before"])


@pytest.mark.parametrize("state", ["expired", "rejected", "refused", "held_out"])
def test_words_of_a_proposal_that_somebody_copied_stay(shop: Shop, state: str) -> None:
    decision = fix(page="A shirt.", markup="text")
    theirs = "A shirt." + str(decision.action["block"])
    read_as(shop, P1=theirs)
    put(shop, decision, state=state)
    redraw(shop)
    assert rows(shop) == []
    assert not (shop.outbox / "pages").exists()


def test_a_rolled_back_turn_takes_its_fixes_off_the_page(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    decision = fix()
    name = put(shop, decision)
    act(shop, "approve", [name], actor="me")
    read_as(shop, turn=2, P1=PAGE + str(decision.action["block"]))
    with shop.database.begin() as con:
        expire(con, turn=1)
    redraw(shop)
    (row,) = rows(shop)
    assert row["body"] == PAGE


def test_long_ids_that_begin_alike_have_files_of_their_own(shop: Shop) -> None:
    ids = [f"{'x' * 200}{end}" for end in "ab"]
    read_as(shop, **dict.fromkeys(ids, PAGE))
    act(shop, "approve", [put(shop, fix(one)) for one in ids], actor="me")
    assert len(list((shop.outbox / "pages").glob("*.html"))) == 2


@pytest.mark.parametrize("how", ["sold_out", "withdrawn", "unknown"])
def test_a_table_goes_while_what_it_shows_cannot_be_had(shop: Shop, how: str) -> None:
    read_as(shop, P1=PAGE, P2=PAGE)
    decision = fix_with_table()
    name = put(shop, decision)
    act(shop, "approve", [name], actor="me")
    (row,) = rows(shop)
    assert row["body"] == PAGE + str(decision.action["block"])
    # The platform has it; then the product beside it can no longer be had.
    page = PAGE + str(decision.action["block"])
    if how == "unknown":
        read_as(shop, turn=2, P1=page)
    elif how == "sold_out":
        read_as(shop, turn=2, P1=page, P2=PAGE, sold_out=("P2",))
    else:
        read_as(shop, turn=2, P1=page, P2=PAGE, withdrawn=("P2",))
    redraw(shop)
    (row,) = rows(shop)
    assert row["body"] == PAGE
    (view,) = fix_views(shop, [find(shop.database, name)])
    assert "which its table shows, is" in view["trouble"]
    assert view["before"] == view["after"] == PAGE
    # And it comes back with it.
    read_as(shop, turn=3, P1=PAGE, P2=PAGE)
    redraw(shop)
    (row,) = rows(shop)
    assert row["body"] == page


def test_of_two_tables_the_newest_stands(shop: Shop) -> None:
    read_as(shop, P1=PAGE, P2=PAGE)
    old = put(shop, fix_with_table())
    act(shop, "approve", [old], actor="me")
    newer = fix_with_table(said=())
    new = put(shop, newer, turn=2)
    read_as(shop, turn=2, P1=PAGE, P2=PAGE)
    act(shop, "approve", [new], actor="me")
    (row,) = rows(shop)
    assert row["body"] == PAGE + str(newer.action["block"])


COUNT = "Of {0} reviews, messages and returns that call it too small, {0} found it so."


def counted(many: int) -> Decision:
    """Return a size note written for the page as it was before any."""
    return fix(said=({**SAID[0], "text": COUNT.format(many)},))


def test_of_two_counts_of_one_thing_the_newest_stands(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    older, newer = counted(9), counted(17)
    old = put(shop, older)
    act(shop, "approve", [old], actor="me")
    new = put(shop, newer, turn=2)
    read_as(shop, turn=2, P1=PAGE)
    (view,) = fix_views(shop, [find(shop.database, new)])
    assert view["trouble"] == "", "it was written for the page without the older"
    assert view["before"] == PAGE + str(older.action["block"])
    assert view["after"] == PAGE + str(newer.action["block"])
    act(shop, "approve", [new], actor="me")
    (row,) = rows(shop)
    assert row["body"] == PAGE + str(newer.action["block"])
    (view,) = fix_views(shop, [find(shop.database, old)])
    assert view["trouble"] == REPLACED
    act(shop, "undo", [new], actor="me")
    (row,) = rows(shop)
    assert row["body"] == PAGE + str(older.action["block"]), "the older again"
    act(shop, "undo", [old], actor="me")
    assert rows(shop) == []


def test_fixes_of_two_objections_stand_together(shop: Shop) -> None:
    read_as(shop, P1=PAGE)
    one, other = counted(9), fix(said=(ASKED,))
    other = replace(other, action={**other.action, "objection": "compatibility"})
    act(shop, "approve", [put(shop, one)], actor="me")
    second = put(shop, other, turn=2)
    read_as(shop, turn=2, P1=PAGE)
    act(shop, "approve", [second], actor="me")
    (row,) = rows(shop)
    blocks = str(one.action["block"]), str(other.action["block"])
    assert row["body"] == PAGE + "".join(blocks)
