"""Contacts: kept masked, urgent ones first, closed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartwheel.contacts import (
    Contact,
    close,
    count_waiting,
    keep,
    list_contacts,
    masked,
)
from cartwheel.errors import Conflict, NotFound
from cartwheel.operations import open_database


def contact(name: str, *, outcome: str = "handed_over", **changes: object) -> Contact:
    values: dict[str, object] = {
        "id": name,
        "at": f"2026-11-01T10:00:0{name[-1]}.000000Z",
        "turn": 1,
        "customer_id": None,
        "visitor_id": "v1",
        "product_id": None,
        "asked": "Is it?",
        "outcome": outcome,
        "why": "no_evidence",
        "arm": "treated",
        **changes,
    }
    return Contact(**values)  # type: ignore[arg-type]


def test_what_is_personal_is_masked_and_anything_can_be_kept(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "o.sqlite")
    text = "write to ann@example.org or +49 170 1234567\x00\ud800"
    keep(engine, contact("a1", asked=masked(text)))
    (kept,) = list_contacts(engine)
    assert kept.asked == "write to [e-mail] or [phone] ?"
    assert kept.waiting


def test_urgent_ones_come_first_and_each_is_closed_once(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "o.sqlite")
    keep(engine, contact("a1", why="urgent"))
    keep(engine, contact("a2"))
    keep(engine, contact("a3", outcome="answered", why="evidence"))
    keep(engine, contact("a4", outcome="answered", why="late_order"))
    waiting = [one.id for one in list_contacts(engine, waiting=True)]
    assert waiting == ["a1", "a4", "a2"]
    assert count_waiting(engine) == 3
    assert [one.id for one in list_contacts(engine, waiting=False)] == ["a3"]
    close(engine, "a2", "ann")
    assert count_waiting(engine) == 2
    closed = next(one for one in list_contacts(engine) if one.id == "a2")
    assert (closed.closed_by, closed.waiting) == ("ann", False)
    with pytest.raises(Conflict):
        close(engine, "a2", "bob")
    with pytest.raises(Conflict):
        close(engine, "a3", "bob")
    with pytest.raises(NotFound):
        close(engine, "nothing", "bob")
