"""A folder on an IMAP server: what is new, read only, all of it or nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from cartwheel.connectors import registry
from cartwheel.connectors.base import RemoteConnector
from cartwheel.connectors.intake import ImportReport, import_source, read_rejects
from cartwheel.connectors.mail import mailbox as mailbox_room
from cartwheel.connectors.mail.imap import Imap
from cartwheel.connectors.mail.mailbox import Account, open_mailbox, quoted
from cartwheel.errors import CartwheelError, Failure, Misuse, NotFound
from cartwheel.settings import check_settings
from cartwheel.shop import Shop, make_shop
from tests.connectors.mail.imap_server import (
    PASSWORD,
    Served,
    make_certificate,
    serving,
)
from tests.connectors.mail.made import SHOP, mail

NOW = datetime(2026, 6, 1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def served(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("IMAP_PASSWORD", PASSWORD)
    points = [EntryPoint("imap", "cartwheel.connectors.mail.imap:Imap", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    mails = {n: mail(f"Letter {n}", id=f"<{n}@x>") for n in (3, 5, 8)}
    with serving(certificate, Served(mails=mails)) as one:
        yield one


Take = Callable[..., ImportReport]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "shop", currency="EUR")


@pytest.fixture
def take(served: Served, shop: Shop) -> Take:
    def take(**options: Any) -> ImportReport:
        imap = {"host": "127.0.0.1", "port": served.port, "user": SHOP, **options}
        values = {"currency": "EUR", "connectors": {"imap": imap}}
        settings = check_settings(values, shop.folder)
        return import_source(replace(shop, settings=settings), "imap", None, now=NOW)

    return take


def bodies(shop: Shop) -> list[str]:
    with shop.lake.attached(read_only=True) as con:
        found = con.execute("SELECT body FROM lake.messages ORDER BY body").fetchall()
    return [row[0] for row in found]


def fetched(served: Served) -> list[int]:
    asked = [line.split() for line in served.said if "BODY" in line]
    return [int(words[3]) for words in asked]


def test_only_what_is_new_is_fetched_and_nothing_is_changed(
    take: Take, served: Served, shop: Shop
) -> None:
    first = take()
    assert (first.rows_read, first.rows_kept) == (3, 3)
    assert bodies(shop) == ["Letter 3", "Letter 5", "Letter 8"]
    assert take().rows_read == 0
    served.mails[9] = mail("Letter 9", id="<9@x>", to="c@mail.example", sender=SHOP)
    assert take().rows_kept == 1
    assert fetched(served) == [3, 5, 8, 9]
    words = {" ".join(line.split()[1:3]) for line in served.said}
    assert words == {"CAPABILITY", f"LOGIN {SHOP}", 'EXAMINE "INBOX"', *_READING}
    with shop.lake.attached(read_only=True) as con:
        said = con.execute(
            "SELECT direction FROM lake.messages WHERE body = ?", ["Letter 9"]
        )
        assert said.fetchall() == [("out",)]
        paths = con.execute("SELECT DISTINCT path FROM lake.imports").fetchall()
    assert paths == [("127.0.0.1/INBOX",)]


_READING = ("UID FETCH", "LOGOUT")


def test_a_new_validity_reads_all_again_and_doubles_nothing(
    take: Take, served: Served, shop: Shop
) -> None:
    take()
    served.validity = 8
    served.mails = {1: served.mails[5], 2: mail("New", id="<new@x>")}
    again = take()
    assert (again.rows_read, again.rows_kept, again.rows_duplicate) == (2, 1, 1)
    assert len(bodies(shop)) == 4
    served.validity = 7
    assert take().rows_read == 0, "what was read under the old one stays read"


def test_a_connection_that_drops_leaves_nothing_half_and_loses_nothing(
    take: Take, served: Served, shop: Shop
) -> None:
    served.drop_at = 8
    with pytest.raises(Failure, match="the connection ended within a message"):
        take()
    assert bodies(shop) == []
    served.drop_at = 0
    assert take().rows_kept == 3
    assert fetched(served) == [3, 5, 8, 3, 5, 8]


def test_a_message_too_large_is_kept_aside_unfetched(
    take: Take, served: Served, shop: Shop
) -> None:
    served.sizes[5] = 10**9
    found = take()
    assert (found.rows_kept, found.rows_rejected) == (2, 1)
    assert fetched(served) == [3, 8]
    (reject,) = read_rejects(shop)
    assert (reject["line"], reject["file"]) == (5, "127.0.0.1/INBOX")
    assert "expected less" in reject["reason"]


def test_a_literal_beyond_measure_is_not_taken(take: Take, served: Served) -> None:
    served.literal = 10**12
    with pytest.raises(Failure, match="expected less"):
        take()


def test_malformed_mail_and_a_deleted_one(
    take: Take, served: Served, shop: Shop
) -> None:
    served.mails = {
        1: b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\xff\x00",
        2: b"",
        3: b"\x00" * 2000,
        4: mail("Letter 4", id="<4@x>"),
        5: mail("Gone", id="<5@x>"),
    }
    served.gone = {5}
    found = take()
    assert (found.rows_read, found.rows_kept, found.rows_rejected) == (4, 1, 3)
    assert bodies(shop) == ["Letter 4"]
    assert take().rows_read == 0


def test_a_large_folder_is_read_by_parts(
    take: Take, served: Served, shop: Shop
) -> None:
    first = take(most_messages=2)
    assert first.rows_kept == 2
    assert "1 messages are left for the next import." in first.notes
    assert take(most_messages=2).rows_kept == 1


def test_an_empty_folder(take: Take, served: Served) -> None:
    served.mails = {}
    assert take().rows_read == 0


@pytest.mark.parametrize(
    ("change", "options", "kind", "code", "said"),
    [
        ({}, {"folder": "Käse & Co"}, NotFound, 2, "no folder 'Käse & Co'"),
        ({}, {"host": ""}, Misuse, 2, "host is empty"),
        ({}, {"user": ""}, Misuse, 2, "user is empty"),
        ({}, {"user": "help"}, Misuse, 2, r"imap\.own is \[\]"),
        ({}, {"own": ("nobody",)}, Misuse, 2, r"imap\.own is \['nobody'\]"),
        ({}, {"password_variable": "NO_SUCH"}, Misuse, 2, "has no NO_SUCH"),
        ({}, {"host": "localhost"}, Failure, 1, "certificate of localhost"),
        ({}, {"host": "no-such-host.invalid"}, Failure, 1, "no connection to no-such"),
        ({"refuse": "UID"}, {}, Failure, 1, "answers NO"),
        ({"garbage": b"HTTP/1.1 400\r\n\r\n"}, {}, Failure, 1, "what is no IMAP"),
    ],
)
def test_what_is_wrong_is_said(
    take: Take,
    served: Served,
    shop: Shop,
    change: dict[str, Any],
    options: dict[str, Any],
    kind: type[CartwheelError],
    code: int,
    said: str,
) -> None:
    for name, value in change.items():
        setattr(served, name, value)
    with pytest.raises(kind, match=said) as caught:
        take(**options)
    assert type(caught.value) is kind
    assert caught.value.exit_code == code
    assert bodies(shop) == []


@pytest.mark.parametrize("password", ["xyzzy word", "xyzzyö", "xyzzy\r\nb LOGOUT"])
def test_a_wrong_password_is_never_repeated(
    take: Take, served: Served, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("IMAP_PASSWORD", password)
    with pytest.raises(Misuse, match="refuses the user") as caught:
        take()
    assert "xyzzy" not in str(caught.value)
    assert not any(line.endswith("b LOGOUT") for line in served.said)


def test_a_certificate_of_somebody_else_is_not_trusted(
    take: Take, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Failure, match="is not trusted"):
        take()
    assert served.said == [], "nobody signed in"


def test_no_connection(take: Take, served: Served) -> None:
    with pytest.raises(Failure, match="There is no connection to"):
        take(port=1)


def account(served: Served, seconds: int) -> Account:
    return Account(
        host="127.0.0.1",
        port=served.port,
        user=SHOP,
        password=PASSWORD,
        folder="INBOX",
        seconds=seconds,
    )


def test_time_is_limited_even_within_a_message(served: Served) -> None:
    ticks = itertools.count()
    with open_mailbox(account(served, 10**6), clock=lambda: next(ticks)) as open_one:
        assert not open_one.late
    with (
        pytest.raises(Failure, match="it takes too long"),
        open_mailbox(account(served, 1), clock=lambda: next(ticks)),
    ):
        pass


def test_an_import_that_is_late_keeps_what_it_has(
    take: Take, served: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = iter([False, True])
    monkeypatch.setattr(mailbox_room.Mailbox, "late", property(lambda self: next(late)))
    found = take()
    assert found.rows_kept == 1
    assert "2 messages are left for the next import." in found.notes


def test_folders_of_other_alphabets_are_named_as_the_standard_says() -> None:
    assert quoted("INBOX") == '"INBOX"'
    assert quoted("Entwürfe & mehr") == '"Entw&APw-rfe &- mehr"'
    assert quoted("~peter/台北/日本語") == '"~peter/&U,BTFw-/&ZeVnLIqe-"'
    assert quoted('a"b\\') == '"a\\"b\\\\"'


def test_a_path_is_for_files_and_none_for_a_mailbox(take: Take, shop: Shop) -> None:
    assert isinstance(Imap(), RemoteConnector)
    with pytest.raises(Misuse, match="imap reads no file"):
        import_source(shop, "imap", Path("x"))
    with pytest.raises(Misuse, match="no kind of source"):
        import_source(shop, "mail", None)
