"""Records of JSON exports: one document, or a record or a page of them a line.

A file of lines is read a line at a time, whatever its size; a document is held whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from cartwheel.connectors.detect import open_bytes
from cartwheel.connectors.written import LONGEST_ID, clean
from cartwheel.errors import Misuse

LONGEST_LINE = 32 * 1024**2
"""Longest line in bytes; a ticket with its comments stands on one."""

LARGEST_DOCUMENT = 128 * 1024**2
"""Largest file in bytes that is one document and no lines."""

SUFFIXES = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz")
_CHUNK = 1024**2

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record.

    Attributes:
        line: Line it stands on; in a document, its number from 1.
        body: The record; None when it cannot be read.
        fault: Why it cannot, "" when it can.
    """

    line: int
    body: Body | None
    fault: str = ""


def read_records(path: Path, lists: tuple[str, ...]) -> Iterator[Record]:
    """Yield the records of a file.

    Args:
        path: The file, plain or gzip.
        lists: Names under which a page of an answer lists records.

    Raises:
        Misuse: If the file is empty, no JSON, or a document too large to be held.
    """
    with open_bytes(path) as stream:
        first = stream.readline(LONGEST_LINE + 1)
        while first and not first.strip():
            first = stream.readline(LONGEST_LINE + 1)
        if not first:
            raise Misuse(f"{path.name} is empty.", "Export it again.")
        value, fault = _parsed(first)
        if not fault and isinstance(value, dict):
            yield from _within(value, lists, 1)
            yield from _of_lines(stream, lists)
            return
        whole = first + stream.read(LARGEST_DOCUMENT + 1 - len(first))
    if len(whole) > LARGEST_DOCUMENT:
        raise Misuse(
            f"{path.name} is one document of more than {LARGEST_DOCUMENT >> 20} MB.",
            "Export it with one record a line (NDJSON), or in parts.",
        )
    value, fault = _parsed(whole)
    if fault or not isinstance(value, dict | list):
        raise Misuse(
            f"{path.name} is no JSON that holds records: "
            f"{fault or 'it is a single value'}.",
            "Expected one document, or one record a line from the first line on.",
        )
    pages = value if isinstance(value, list) else [value]
    number = 0
    for page in pages:
        for one in _within(page, lists, 0):
            number += 1
            yield Record(line=number, body=one.body, fault=one.fault)


def _of_lines(stream: IO[bytes], lists: tuple[str, ...]) -> Iterator[Record]:
    line = 1
    while text := stream.readline(LONGEST_LINE + 1):
        line += 1
        if len(text) > LONGEST_LINE:
            while text and not text.endswith(b"\n"):
                text = stream.readline(_CHUNK)
            reason = f"a line of more than {LONGEST_LINE >> 20} MB; expected less"
            yield Record(line=line, body=None, fault=reason)
        elif text.strip():
            value, fault = _parsed(text)
            if fault:
                yield Record(line=line, body=None, fault=fault)
            else:
                yield from _within(value, lists, line)


def _within(value: Any, lists: tuple[str, ...], line: int) -> Iterator[Record]:
    """Yield a record, or the records that a page lists."""
    if not isinstance(value, dict):
        reason = "no record; expected an object with fields"
        yield Record(line=line, body=None, fault=reason)
        return
    held = [name for name in lists if isinstance(value.get(name), list)]
    if not held:
        yield Record(line=line, body=value)
        return
    for name in held:
        for one in value[name]:
            yield from _within(one, (), line)


def _parsed(text: bytes) -> tuple[Any, str]:
    """Return the value of a text, and why there is none."""
    try:
        return json.loads(text.removeprefix(b"\xef\xbb\xbf")), ""
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:  # no JSON, no UTF-8, a number of too many digits
        return None, f"it is no JSON ({str(error)[:100]})"


def text_at(body: Body, *names: str) -> str:
    """Return the first of these fields that is a text with something in it."""
    for name in names:
        found = body.get(name)
        if isinstance(found, str) and found.strip():
            return found
    return ""


def id_at(body: Body, name: str) -> str:
    """Return an id, which may be a number or a text; "" for none."""
    found = body.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str):
        return ""
    return clean(str(found)).strip()[:LONGEST_ID]


def part_at(body: Body, name: str) -> Body:
    """Return a field that is a record, an empty one where it is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def list_at(body: Body, name: str) -> list[Body]:
    """Return the records of a field that lists them."""
    found = body.get(name)
    if not isinstance(found, list):
        return []
    return [one for one in found if isinstance(one, dict)]


def instant_at(body: Body, *names: str) -> datetime | None:
    """Return the first of these fields that is an instant, naive UTC.

    Read are ISO 8601, UTC where it names no zone, and seconds since 1970.
    """
    for name in names:
        found = body.get(name)
        try:
            if isinstance(found, str):
                at = datetime.fromisoformat(found.strip())
            elif isinstance(found, int | float) and not isinstance(found, bool):
                at = datetime.fromtimestamp(found, UTC)
            else:
                continue
            return (at.astimezone(UTC) if at.tzinfo else at).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            continue
    return None
