"""A folder on an IMAP server, read only: nothing is marked, moved or deleted.

RFC 3501 (IMAP4rev1) with the standard library, TLS from the first byte, the server's
certificate checked. The folder is opened by `EXAMINE`, messages come by `BODY.PEEK[]`.
"""

from __future__ import annotations

import base64
import imaplib
import io
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

from cartwheel.connectors.mail.files import MOST_BYTES
from cartwheel.errors import Failure, Misuse, NotFound

SILENCE_SECONDS = 60.0
"""Longest wait for a server that says nothing."""

MOST_LITERAL = MOST_BYTES + 1024
_CHUNK = 65_536
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
_WIDE = re.compile(r"[^\x20-\x7e]+|&")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a mailbox is, and who signs in.

    Attributes:
        host: Server.
        port: Port of TLS.
        user: Who signs in.
        password: Never written or told anywhere.
        folder: Folder that is read.
        seconds: Seconds after which nothing more is asked for; a message that is
            under way then has as long again.
    """

    host: str
    port: int
    user: str
    password: str
    folder: str
    seconds: int


class Mailbox:
    """An open folder.

    Attributes:
        validity: UIDVALIDITY; where it changes, numbers mean other messages.
    """

    def __init__(self, client: _Client, validity: int) -> None:
        self._client = client
        self.validity = validity

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return self._client.late

    def sizes(self, after: int) -> dict[int, int]:
        """Return size in bytes by UID of the messages behind one, by UID."""
        found: dict[int, int] = {}
        for line in self._asked(f"{after + 1}:*", "(RFC822.SIZE)"):
            uid, size = _UID.search(_head(line)), _SIZE.search(_head(line))
            # `n:*` is the newest message, too, where it stands before n.
            if uid and size and int(uid[1]) > after:
                found[int(uid[1])] = int(size[1])
        return dict(sorted(found.items()))

    def message(self, uid: int) -> bytes | None:
        """Return a message's bytes, None for one that was deleted meanwhile."""
        for part in self._asked(str(uid), "(BODY.PEEK[])"):
            if isinstance(part, tuple) and len(part) > 1:
                return bytes(part[1])
        return None

    def _asked(self, which: str, what: str) -> list[object]:
        said, lines = self._client.uid("FETCH", which, what)
        if said != "OK":
            raise self._client.error(f"it answers {said} to what it is asked for")
        return list(lines)


@contextmanager
def open_mailbox(
    account: Account, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Mailbox]:
    """Open a folder for reading.

    Args:
        account: Where it is.
        clock: Seconds that pass.

    Raises:
        Misuse: If the server refuses the user or has no such folder.
        Failure: If it cannot be reached, its certificate is not trusted, or it breaks
            off or answers what is no IMAP.
    """
    where = f"{account.host}:{account.port}"
    client: _Client | None = None
    try:
        client = _Client(account, clock)
        _sign_in(client, account)
        yield _examine(client, account)
    except ssl.SSLCertVerificationError as error:
        raise Failure(
            f"The certificate of {where} is not trusted: {error.verify_message}.",
            "Check connectors.imap.host; a certificate of your own is trusted where "
            "SSL_CERT_FILE names the file of who signed it.",
        ) from None
    except (imaplib.IMAP4.error, ssl.SSLError, EOFError) as error:
        raise Failure(
            f"{where} broke off or answered what is no IMAP: {_said(error)}. Nothing "
            "was imported.",
            "Import again; what is new is still there.",
        ) from None
    except OSError as error:
        raise Failure(
            f"There is no connection to {where}: {error.strerror or _said(error)}. "
            "Nothing was imported.",
            "Check connectors.imap.host and port, and the network; then import again.",
        ) from None
    finally:
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                client.logout()


class _Client(imaplib.IMAP4_SSL):
    """The library's client, with limits of time and size on what a server says."""

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + account.seconds
        self._hard_until = self._until + account.seconds
        super().__init__(
            account.host,
            account.port,
            ssl_context=ssl.create_default_context(),
            timeout=SILENCE_SECONDS,
        )

    @property
    def late(self) -> bool:
        return self._clock() > self._until

    def read(self, size: int) -> bytes:
        if size > MOST_LITERAL:
            raise self.abort(f"it sends {size:,} bytes at once; expected less")
        stream = cast(io.BufferedReader, self.file)
        parts: list[bytes] = []
        while size > 0:
            self._check()
            part = stream.read1(min(size, _CHUNK))
            if not part:
                raise self.abort("the connection ended within a message")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def readline(self) -> bytes:
        self._check()
        return super().readline()

    def _check(self) -> None:
        if self._clock() > self._hard_until:
            raise self.abort("it takes too long")


def _sign_in(client: _Client, account: Account) -> None:
    plain = account.password.isascii() and account.password.isprintable()
    refused = Misuse(
        f"{account.host} refuses the user {account.user!r} with this password.",
        "Check connectors.imap.user and the password; many providers ask for one made "
        "for programs.",
    )
    if not plain:
        raise refused
    try:
        client.login(account.user, account.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        # What the server says is not told: it may repeat what was sent.
        raise refused from None


def _examine(client: _Client, account: Account) -> Mailbox:
    name = quoted(account.folder)
    said, _ = client.select(name, readonly=True)
    if said != "OK":
        raise NotFound(
            f"{account.host} has no folder {account.folder!r} that can be read.",
            "Set connectors.imap.folder, with the names of the folders above it.",
        )
    _, validity = client.response("UIDVALIDITY")
    number = validity[0] if validity else None
    known = isinstance(number, bytes) and number.isdigit()
    return Mailbox(client, int(number) if known and number else 0)


def quoted(folder: str) -> str:
    """Return a folder's name as IMAP writes it: modified UTF-7 in quotes.

    References:
        RFC 3501, section 5.1.3.
    """

    def wide(found: re.Match[str]) -> str:
        if found.group() == "&":
            return "&-"
        packed = base64.b64encode(found.group().encode("utf-16-be")).rstrip(b"=")
        return f"&{packed.decode().replace('/', ',')}-"

    name = _WIDE.sub(wide, folder)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _head(line: object) -> bytes:
    part = line[0] if isinstance(line, tuple) else line
    return part if isinstance(part, bytes) else b""


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
