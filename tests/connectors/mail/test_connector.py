"""Mail files into messages: every one accounted for, own words only, masked."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors.base import Harvest, ImportContext
from cartwheel.connectors.intake import import_source
from cartwheel.connectors.mail import files as mail_parts
from cartwheel.connectors.mail.connector import MailFiles
from cartwheel.connectors.mail.files import messages
from cartwheel.connectors.mail.message import read_mail
from cartwheel.errors import Misuse
from cartwheel.shop import make_shop
from tests.connectors.mail.made import SHOP, mail, mbox

CONTEXT = ImportContext(
    currency="EUR", minor_digits=2, timezone="Europe/Berlin", now=datetime(2026, 6, 1)
)


def read(path: Path) -> Harvest:
    found = MailFiles().read(path, CONTEXT)
    rows = {
        row for one in found.facts.values() for row in one["_source_row"].to_pylist()
    }
    kept_aside = [one.source_row for one in found.rejects]
    every = sorted([*rows, *kept_aside, *found.duplicates])
    assert every == list(range(found.rows_read)), "every message is accounted for"
    return found


def rows(found: Harvest) -> list[dict[str, Any]]:
    table = found.facts.get("messages")
    return [] if table is None else table.to_pylist()


def written(tmp_path: Path, *given: bytes, own: str = "") -> Path:
    path = tmp_path / "in.mbox"
    if own:
        (tmp_path / "mail.toml").write_text(f'own = ["{own}"]')
    path.write_bytes(mbox(*given))
    return path


def test_a_mailbox_becomes_messages_in_and_out(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        mail("Where is my parcel?\n\nFrom Berlin with love\n\n-- \nAnn\n030 1234567"),
        mail(
            "It left on Monday.\n\nOn Tue, 3 Mar 2026 at 10:00, Ann Lee wrote:\n"
            "> Where is my parcel?\n",
            sender=f"Harbour <{SHOP}>", to="ann@mail.example", subject="Re: Parcel",
            id="<2@harbour.example>", date="Tue, 03 Mar 2026 12:30:00 +0000",
        ),
        mail("Again", id="<1@mail.example>"),
        own="@harbour.example",
    )  # fmt: skip
    found = read(path)
    first, second = rows(found)
    assert first["body"] == "Where is my parcel?\n\nFrom Berlin with love"
    assert (first["direction"], first["address"]) == ("in", "ann@mail.example")
    assert first["sent_at"] == datetime(2026, 3, 3, 9)
    assert (second["direction"], second["address"]) == ("out", "ann@mail.example")
    assert (second["subject"], second["body"]) == ("Parcel", "It left on Monday.")
    assert second["sent_at"] == datetime(2026, 3, 3, 12, 30)
    assert found.duplicates == (2,)
    assert found.files[0].line(1) > found.files[0].line(0) == 1
    assert "@harbour.example" in found.notes[0]


def test_it_is_imported_once_and_masked(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    text = "My card 4111 1111 1111 1111, mail bob@mail.example, order #10012."
    path = written(
        tmp_path,
        mail(text, subject="bob@mail.example"),
        mail(id="<3@mail.example>"),
        own=SHOP,
    )
    first = import_source(shop, "mail", path, now=CONTEXT.now)
    again = import_source(shop, "mail", path, now=CONTEXT.now)
    assert (first.rows_kept, again.rows_kept, again.rows_duplicate) == (2, 0, 2)
    with shop.lake.attached(read_only=True) as con:
        body, subject = con.execute(
            "SELECT body, subject FROM lake.messages WHERE message_id LIKE '1@%'"
        ).fetchone()  # type: ignore[misc]
    assert body == "My card [card], mail [e-mail], order #10012."
    assert subject == "[e-mail]"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (mail(Auto_Submitted="auto-replied"), "automatic"),
        (mail(sender="noreply@mail.example"), "automatic"),
        (mail(sender="MAILER-DAEMON@mail.example"), "automatic"),
        (mail(List_Unsubscribe="<mailto:x@mail.example>"), "mailing"),
        (mail(Precedence="bulk"), "mailing"),
        (mail(date="yesterday"), "no date"),
        (mail(sender="nobody"), "no sender"),
        (mail("> all quoted", subject=""), "nothing the writer wrote"),
        (mail(sender=f"a <{SHOP}>"), "by itself"),
    ],
)
def test_what_is_no_contact_is_kept_aside_with_a_reason(
    tmp_path: Path, given: bytes, said: str
) -> None:
    others = [mail(id=f"<{n}@y>", sender=f"c{n}@mail.example") for n in range(2, 6)]
    found = read(written(tmp_path, given, *others))
    (reject,) = found.rejects
    assert said in reject.reason
    assert len(rows(found)) == 4


def test_folders_of_messages_and_a_maildir(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / "box").mkdir(exist_ok=True)
        (tmp_path / "box" / f"{n}.eml").write_bytes(
            mail(id=f"<{n}@x>", sender=f"c{n}@mail.example")
        )
    (tmp_path / "box" / "cur").mkdir()
    (tmp_path / "box" / "cur" / "1772.M1P2.host:2,S").write_bytes(mail(id="<9@x>"))
    (tmp_path / "box" / "notes.pdf").write_bytes(b"%PDF")
    with gzip.open(tmp_path / "box" / "old.mbox.gz", "wb") as packed:
        packed.write(mbox(mail(id="<10@x>", sender="z@mail.example")))
    found = read(tmp_path / "box")
    assert len(rows(found)) == 5
    names = [one.name for one in found.files]
    assert names == ["0.eml", "1.eml", "2.eml", "cur/1772.M1P2.host:2,S", "old.mbox.gz"]


def test_whose_mailbox_is_stated_or_told(tmp_path: Path) -> None:
    one = written(tmp_path, mail())
    with pytest.raises(Misuse, match="Whose mailbox this is cannot be told"):
        read(one)
    (tmp_path / "mail.toml").write_text(f'own = ["{SHOP}"]')
    assert rows(read(one))[0]["direction"] == "in"
    (tmp_path / "mail.toml").write_text('own = ["@mail.example"]')
    assert rows(read(one))[0]["direction"] == "out"
    for wrong in ("own = 3", 'own = ["no"]', "own = [", 'own = ["a@b"]\nmore = 1'):
        (tmp_path / "mail.toml").write_text(wrong)
        with pytest.raises(Misuse, match=r"mail\.toml"):
            read(one)
    gmail = tmp_path / "open"
    gmail.mkdir()
    path = written(
        gmail,
        *(
            mail(id=f"<{n}@x>", to="shop@gmail.com", sender=f"c{n}@gmail.com")
            for n in range(4)
        ),
    )
    assert {one["direction"] for one in rows(read(path))} == {"in"}


def test_what_is_no_mail_is_refused(tmp_path: Path) -> None:
    for name, body, said in (
        ("a.mbox", b"", "empty"),
        ("b.eml", b"Dear shop, where is it?\n", "is no mail"),
        ("c.mbox", b"\x89PNG\r\n\x1a\n" + bytes(50), "is no mail"),
    ):
        (tmp_path / name).write_bytes(body)
        with pytest.raises(Misuse, match=said):
            read(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misuse, match="holds no mail file"):
        read(tmp_path / "empty")
    with pytest.raises(Misuse, match="neither a file nor a folder"):
        read(tmp_path / "nowhere")


def test_html_alone_is_read_as_it_is_shown(tmp_path: Path) -> None:
    html = (
        "<html><head><style>p{}</style><title>x</title></head><body><p>The colour is "
        "<b>darker</b>.</p><script>alert(1)</script><div>Thanks</div>"
        "<blockquote>We wrote this</blockquote></body></html>"
    )
    raw = (
        f"From: ann@mail.example\nTo: {SHOP}\nDate: Tue, 03 Mar 2026 10:00:00 +0000\n"
        f"Content-Type: text/html; charset=utf-8\n\n{html}"
    ).encode()
    found = read_mail(raw)
    assert found.body == "The colour is darker.\nThanks"
    both = read_mail(mail("plain", html="<p>marked</p>"))
    assert both.body == "plain"


def test_attachments_are_never_read() -> None:
    raw = (
        f"From: ann@mail.example\nTo: {SHOP}\nDate: Tue, 03 Mar 2026 10:00:00 +0000\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSee the picture.\n"
        "--b\nContent-Type: text/plain\nContent-Disposition: attachment; "
        'filename="secret.txt"\n\nSECRET\n'
        "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n"
        "--b--\n"
    ).encode()
    assert read_mail(raw).body == "See the picture."


@pytest.mark.parametrize(
    "raw",
    [
        b"From: \xff\xfe\nDate: x\n\n\x00\x01",
        b"Content-Type: multipart/mixed\n\n--\n--",
        b'Content-Type: multipart/mixed; boundary="a"\n\n' + b"--a\n\n" * 500,
        b"Content-Type: text/plain; charset=no-such\nFrom: a@b.example\n\nhello \xe9",
        b"Subject: =?utf-8?q?=?=\nFrom: =?x?=\n\nx",
        b"Subject: =?utf-8?b?AAAA\nTo: <<<>>>,,,;\nMessage-ID: <\n\nx",
        b"Content-Transfer-Encoding: base64\n\n!!!!====",
        b"Date: Tue, 99 Zzz 0000 99:99:99 +9999\n\nx",
        b"From: " + b"a" * 100_000 + b"\n\nx",
        b"Content-Type: message/rfc822\n\n" * 200,
    ],
)
def test_malformed_mail_is_read_as_far_as_it_goes(raw: bytes) -> None:
    found = read_mail(raw)
    assert found.id
    assert "\x00" not in found.body


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    for given_bytes in (raw, b"From: a@b.example\n" + raw, b"Content-Type: " + raw):
        found = read_mail(given_bytes)
        assert found.body == found.body.strip()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(alphabet="ab >From\n:-", min_size=1, max_size=60),
        min_size=1,
        max_size=5,
    )
)
def test_an_mbox_gives_back_its_messages(bodies: list[str]) -> None:
    import tempfile

    given_mails = [
        mail(body, id=f"<{n}@x>", sender=f"c{n}@mail.example")
        for n, body in enumerate(bodies)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.mbox"
        path.write_bytes(mbox(*given_mails))
        found = [one.body for one in messages(path)]
    ids = [read_mail(one or b"").id for one in found]
    assert ids == [f"{n}@x" for n in range(len(bodies))]


def test_a_message_too_large_is_kept_aside_and_a_large_file_is_read_by_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_parts, "MOST_BYTES", 50_000)
    (tmp_path / "mail.toml").write_text(f'own = ["{SHOP}"]')
    big = mail("x " * 40_000, id="<big@x>")
    small = [mail("word " * 2_000, id=f"<{n}@x>") for n in range(60)]
    path = written(tmp_path, small[0], big, *small[1:])
    tracemalloc.start()
    seen = sum(1 for _ in messages(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 61
    assert peak < path.stat().st_size / 2, "one message is held at a time"
    found = read(path)
    (reject,) = found.rejects
    assert reject.source_row == 1
    assert "expected less" in reject.reason
    assert len(rows(found)) == 60
