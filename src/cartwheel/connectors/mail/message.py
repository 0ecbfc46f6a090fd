"""One mail: who wrote to whom when, and what they wrote themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime

from cartwheel.connectors.written import (
    AUTOMATIC,
    LONGEST_TEXT,
    is_machine,
    written_subject,
    written_text,
)
from cartwheel.text.markup import shown_text

BULK = "a mailing or list message, which is no contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What counts of a message.

    Attributes:
        id: Its Message-ID, or one made from its content.
        sent_at: When, naive UTC; None when no date can be read.
        sender: Address it is from, lower case; "" when there is none.
        readers: Addresses it is to, lower case, without repeats.
        delivered: Addresses a server delivered it to, as a hint at whose mailbox it is.
        subject: Subject without Re: and the like, masked.
        body: What the writer wrote, masked.
        machine: Why it is no contact, "" for a person's message.
    """

    id: str
    sent_at: datetime | None
    sender: str
    readers: tuple[str, ...]
    delivered: tuple[str, ...]
    subject: str
    body: str
    machine: str


def read_mail(raw: bytes) -> Mail:
    """Read a message; whatever is malformed is read as far as it goes.

    Attachments are never opened. Text comes from the plain part, else from the HTML.

    Args:
        raw: The message's bytes.
    """
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)
    sender = next(iter(_addresses(message, "from")), "")
    given = _header(message, "message-id").strip().strip("<>")[:500]
    return Mail(
        id=given or hashlib.blake2b(raw, digest_size=16).hexdigest(),
        sent_at=_sent_at(message),
        sender=sender,
        readers=_addresses(message, "to", "cc"),
        delivered=_addresses(message, "delivered-to", "x-original-to", "envelope-to"),
        subject=written_subject(_header(message, "subject")),
        body=written_text(_text(message)),
        machine=_machine(message, sender),
    )


def _header(message: EmailMessage, name: str) -> str:
    """Return a header decoded; "" when there is none or it cannot be read."""
    try:
        return str(message.get(name, "") or "")
    except (ValueError, LookupError, IndexError, AttributeError, TypeError):
        # The library's parser of headers raises these on some malformed ones.
        found = (text for key, text in message.raw_items() if key.lower() == name)
        return str(next(found, ""))


def _addresses(message: EmailMessage, *names: str) -> tuple[str, ...]:
    """Return the addresses of headers, lower case."""
    texts: list[str] = []
    for name in names:
        try:
            texts += [str(one) for one in message.get_all(name, [])]
        except (ValueError, LookupError, IndexError, AttributeError, TypeError):
            texts.append(_header(message, name))
    found = (address.strip().lower() for _, address in getaddresses(texts))
    plain = (one for one in found if 3 <= len(one) <= 254 and one.count("@") == 1)
    return tuple(dict.fromkeys(plain))


def _sent_at(message: EmailMessage) -> datetime | None:
    """Return when it was sent: its Date, else when a server received it."""
    for text in (
        _header(message, "date"),
        _header(message, "received").rpartition(";")[2],
    ):
        try:
            at = parsedate_to_datetime(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        try:
            # A date without a zone is UTC, as the standard has it.
            return (at.astimezone(UTC) if at.tzinfo else at).replace(tzinfo=None)
        except OverflowError:
            continue
    return None


def _text(message: EmailMessage) -> str:
    """Return the text of a message: the plain part, else what the HTML shows."""
    plain: list[str] = []
    marked: list[str] = []
    try:
        parts = list(message.walk())
    except (ValueError, RecursionError):
        return ""
    for part in parts:
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or part.is_multipart():
            continue
        if (part.get_content_disposition() or "") == "attachment":
            continue
        (plain if kind == "text/plain" else marked).append(_decoded(part))
    whole = "\n".join(plain)
    if whole.strip() or not marked:
        return whole
    return "\n".join(shown_text(one[: 4 * LONGEST_TEXT]) for one in marked)


def _decoded(part: EmailMessage) -> str:
    """Return a part's text; bytes its character set has not are replaced."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, AssertionError):
        return ""
    body = payload if isinstance(payload, bytes) else b""
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return body.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return body.decode("cp1252", "replace")


def _machine(message: EmailMessage, sender: str) -> str:
    """Return why a message is no contact, "" for a person's."""
    said = _header(message, "auto-submitted").lower()
    if (said and said != "no") or _header(message, "x-autoreply"):
        return AUTOMATIC
    if is_machine(sender) or message.get_content_type() == "multipart/report":
        return AUTOMATIC
    if _header(message, "list-id") or _header(message, "list-unsubscribe"):
        return BULK
    if _header(message, "precedence").lower() in ("bulk", "list", "junk"):
        return BULK
    return ""
