"""Page fixes delivered to visitors: on no page, until they are brought there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartwheel.channels.act import act, bring_to_page
from cartwheel.channels.pages import FILE, fix_views
from cartwheel.channels.visitor_fixes import to_visitors, visitor_blocks
from cartwheel.errors import Conflict, NotFound
from cartwheel.ledger.store import find
from cartwheel.shop import Shop, make_shop
from tests.page_fixes import ASKED, PAGE, SAID, fix, put, read_as


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path / "s", currency="EUR")
    read_as(made, P1=PAGE, P2=PAGE)
    return made


def test_a_fix_for_visitors_is_in_no_file_and_is_shown(shop: Shop) -> None:
    name = put(shop, fix(said=(*SAID, ASKED)))
    to_visitors(shop.database, [name], actor="ann")
    act(shop, "approve", [name], actor="ann")
    assert not (shop.outbox / FILE).exists()
    entry = find(shop.database, name)
    assert entry.state == "applied"
    (view,) = fix_views(shop, [entry])
    assert view["to_visitors"]
    (block,) = visitor_blocks(shop.database).values()
    assert (block.decision_id, block.heading) == (name, "Size and fit")
    assert block.lines == (
        ("Chest width: 54 cm", ""),
        ("It is.", "Is it <b>lined</b>?"),
    )


def test_brought_to_the_page_it_is_shown_to_visitors_no_more(shop: Shop) -> None:
    name = put(shop, fix())
    to_visitors(shop.database, [name], actor="ann")
    act(shop, "approve", [name], actor="ann")
    assert bring_to_page(shop, [name, name]) == [name]
    assert bring_to_page(shop, [name]) == []
    assert "Chest width" in (shop.outbox / FILE).read_text("utf-8")
    assert visitor_blocks(shop.database) == {}
    assert not fix_views(shop, [find(shop.database, name)])[0]["to_visitors"]


def test_without_a_yes_or_after_an_undo_nothing_is_shown(shop: Shop) -> None:
    name = put(shop, fix())
    to_visitors(shop.database, [name], actor="ann")
    assert visitor_blocks(shop.database) == {}
    act(shop, "approve", [name], actor="ann")
    assert list(visitor_blocks(shop.database)) == ["P1"]
    act(shop, "undo", [name], actor="ann")
    assert visitor_blocks(shop.database) == {}
    assert not (shop.outbox / FILE).exists()


def test_other_fixes_go_to_their_pages_as_ever(shop: Shop) -> None:
    one, other = put(shop, fix("P1")), put(shop, fix("P2"))
    to_visitors(shop.database, [one], actor="ann")
    act(shop, "approve", [one, other], actor="ann")
    text = (shop.outbox / FILE).read_text("utf-8")
    assert "P2" in text
    assert "P1" not in text
    assert list(visitor_blocks(shop.database)) == ["P1"]


def test_what_everybody_sees_cannot_be_shown_to_some(shop: Shop) -> None:
    name = put(shop, fix())
    act(shop, "approve", [name], actor="ann")
    with pytest.raises(Conflict, match="only a proposed one"):
        to_visitors(shop.database, [name], actor="ann")
    with pytest.raises(NotFound):
        to_visitors(shop.database, ["nothing"], actor="ann")
    again = put(shop, fix("P2"))
    to_visitors(shop.database, [again, again], actor="ann")
    to_visitors(shop.database, [again], actor="ann")
