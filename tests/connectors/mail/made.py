"""Messages and mailboxes for tests."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

SHOP = "help@harbour.example"


def mail(
    body: str = "Where is my parcel?",
    *,
    sender: str = "Ann Lee <ann@mail.example>",
    to: str = SHOP,
    subject: str = "Parcel",
    date: str = "Tue, 03 Mar 2026 10:00:00 +0100",
    id: str = "<1@mail.example>",
    html: str = "",
    **headers: str,
) -> bytes:
    """Return a message as bytes."""
    made = EmailMessage()
    given: dict[str, Any] = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Date": date,
        "Message-ID": id,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            made[name] = value
    made.set_content(body)
    if html:
        made.add_alternative(html, subtype="html")
    return made.as_bytes()


def mbox(*messages: bytes) -> bytes:
    """Return messages as an mbox file."""
    parts = []
    for one in messages:
        quoted = b"\n".join(
            b">" + line if line.startswith(b"From ") else line
            for line in one.replace(b"\r\n", b"\n").split(b"\n")
        )
        parts.append(b"From x@mail.example Tue Mar  3 10:00:00 2026\n" + quoted + b"\n")
    return b"\n".join(parts)
