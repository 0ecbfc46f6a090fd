"""Mail files and the messages in them, read one after the other.

An mbox file may be larger than memory, so it is read line by line and one message is
held at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cartwheel.connectors.detect import open_bytes
from cartwheel.errors import Misuse

MOST_BYTES = 40 * 1024**2
"""Largest message read; mail servers take some 25 MB."""

_FROM = re.compile(rb"From \S+.{0,40} \d\d:\d\d")
"""Line between two messages of an mbox file, such as `From ann@x.example Mon ...`."""

_FIELD = re.compile(rb"[!-9;-~]{1,76}:")
SUFFIXES = (".mbox", ".mbx", ".eml", ".mbox.gz", ".eml.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One message as it stands in a file.

    Attributes:
        line: Line on which it begins, from 1.
        body: Its bytes; None when there are more than `MOST_BYTES`.
    """

    line: int
    body: bytes | None


def mail_files(path: Path) -> list[Path]:
    """Return the mail files of a path, by name.

    Folders are looked through whole, as mail programs keep one file or folder for each
    mailbox; in folders named `cur` and `new` (Maildir) every file is a message.

    Args:
        path: A file or folder.

    Raises:
        Misuse: If there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Misuse(
            f"{path} is neither a file nor a folder.", "Check the path, with its name."
        )
    found = [
        one
        for one in sorted(path.rglob("*"))
        if one.is_file()
        and not one.name.startswith(".")
        and (
            one.parent.name in ("cur", "new")
            or one.name.lower().endswith(SUFFIXES)
            or (not one.suffix and _is_mbox(one))
        )
    ]
    if not found:
        raise Misuse(
            f"{path} holds no mail file; expected {', '.join(SUFFIXES)}, or a Maildir.",
            "Export a mailbox from the mail program, for example as mbox.",
        )
    return found


def _is_mbox(path: Path) -> bool:
    """Tell whether a file without an ending begins as an mbox file does."""
    with path.open("rb") as stream:
        return _FROM.match(stream.read(200)) is not None


def messages(path: Path) -> Iterator[Raw]:
    """Yield the messages of a file.

    Args:
        path: An mbox file or a single message, plain or gzip.

    Raises:
        Misuse: If it is empty, no mail, or cannot be read.
    """
    with open_bytes(path) as stream:
        first = stream.readline(MOST_BYTES)
        while first and not first.strip():
            first = stream.readline(MOST_BYTES)
        if not first:
            raise Misuse(f"{path.name} is empty.", "Export it again.")
        if _FROM.match(first):
            yield from _of_mbox(stream)
            return
        if not _FIELD.match(first.removeprefix(b"\xef\xbb\xbf")):
            raise Misuse(
                f"{path.name} is no mail: it begins with "
                f"{first[:60].decode('utf-8', 'replace').strip()!r}.",
                "Expected an mbox file or a message with its head (EML).",
            )
        rest = stream.read(MOST_BYTES + 1)
        whole = len(first) + len(rest) <= MOST_BYTES
        yield Raw(line=1, body=first + rest if whole else None)


def _of_mbox(stream: IO[bytes]) -> Iterator[Raw]:
    """Yield messages between `From ` lines that follow an empty line."""
    parts: list[bytes] = []
    size, begun, line, blank = 0, 1, 1, False
    while text := stream.readline(MOST_BYTES):
        line += 1
        if blank and _FROM.match(text):
            yield Raw(line=begun, body=_joined(parts, size))
            parts, size, begun, blank = [], 0, line, False
            continue
        blank = not text.strip()
        size += len(text)
        if size <= MOST_BYTES:
            # A line of the text that begins so was quoted when it was written.
            parts.append(text[1:] if text.startswith(b">From ") else text)
        else:
            parts.clear()
    yield Raw(line=begun, body=_joined(parts, size))


def _joined(parts: list[bytes], size: int) -> bytes | None:
    return b"".join(parts) if size <= MOST_BYTES else None
