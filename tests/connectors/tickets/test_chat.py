"""Chat transcripts: columns by name, who speaks by role or by stated names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from cartwheel.connectors.tickets.chat import ChatTranscripts, speaker_of
from cartwheel.connectors.tickets.said import Speaker
from cartwheel.errors import Misuse
from tests.connectors.tickets.made import ANN, as_csv, read, reasons, rows, told

HEADER = ("Chat ID", "Timestamp", "Sender", "Message", "Visitor Email")
AT = "2026-03-01 10:00:00"


def test_lines_go_by_who_says_them(tmp_path: Path) -> None:
    path = as_csv(
        tmp_path / "c.csv",
        HEADER,
        ("c1", AT, "Bot", "How may I help?", ""),
        ("c1", AT, "Visitor", "Does it run small? Write to me@mail.example", ANN),
        ("c1", "2026-03-01T10:00:05+00:00", "Agent", "<b>No</b>", ""),
        ("c1", AT, "note", "a difficult one", ""),
        ("c1", AT, "Mia +49 30 1234567", "I look", ""),
        ("c1", AT, "Visitor", "Does it run small? Write to me@mail.example", ANN),
        ("", AT, "Visitor", "Hello", ANN),
        ("c1", "later", "Visitor", "Hello", ANN),
        ("c1", AT, "Visitor", "", ANN),
    )
    found = read(ChatTranscripts(), path)
    assert told(found) == [
        ("out", "How may I help?"),
        ("in", "Does it run small? Write to [e-mail]"),
        ("out", "No"),
    ]
    first, second, third = rows(found)
    assert first["sent_at"] == datetime(2026, 3, 1, 9), "the shop's time zone"
    assert third["sent_at"] == datetime(2026, 3, 1, 10, 0, 5)
    assert (second["address"], second["medium"]) == ("ann@mail.example", "chat")
    assert found.duplicates == (5,)
    assert [one[:11] for one in reasons(found)] == [
        *("an internal", "who speaks ", "no id of th", "not a date;", "nothing the"),
    ]
    assert "1234567" not in str(found.rejects)


def test_names_are_stated_in_a_file(tmp_path: Path) -> None:
    path = as_csv(
        tmp_path / "c.csv",
        ("conversation", "time", "who", "text"),
        ("c1", AT, "Mia", "Hello"),
        ("c1", AT, "Ann Lee", "It is broken"),
    )
    assert told(read(ChatTranscripts(), path)) == []
    (tmp_path / "chat.toml").write_text('own = ["mia"]')
    assert told(read(ChatTranscripts(), path)) == [
        ("out", "Hello"),
        ("in", "It is broken"),
    ]
    (tmp_path / "chat.toml").write_text('own = [" "]')
    with pytest.raises(Misuse, match=r"chat\.toml"):
        read(ChatTranscripts(), path)


def test_who_speaks() -> None:
    assert speaker_of(" Customer ", ()) is Speaker.CUSTOMER
    assert speaker_of("SYSTEM", ()) is Speaker.SHOP
    assert speaker_of("Ann", ()) is None
    assert speaker_of("", ("mia",)) is None
    assert speaker_of("Ann", ("mia",)) is Speaker.CUSTOMER


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "c.csv", ("chat_id", "time", "text"), ("1", AT, "x"))
    with pytest.raises(Misuse, match="no column of who"):
        read(ChatTranscripts(), path)
