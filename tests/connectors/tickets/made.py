"""Exports of desks for tests, and their reading with every row accounted for."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cartwheel.connectors.base import Connector, Harvest, ImportContext

CONTEXT = ImportContext(
    currency="EUR", minor_digits=2, timezone="Europe/Berlin", now=datetime(2026, 6, 1)
)
ANN = "Ann@Mail.example"


def read(connector: Connector, path: Path) -> Harvest:
    """Read a source; every row must be in exactly one place."""
    found = connector.read(path, CONTEXT)
    told = {row["_source_row"] for row in rows(found)}
    told_of = [*told, *(one.source_row for one in found.rejects)]
    told_of += [*found.duplicates, *found.supporting]
    assert sorted(told_of) == list(range(found.rows_read))
    return found


def rows(found: Harvest) -> list[dict[str, Any]]:
    """Return the messages of a harvest."""
    table = found.facts.get("messages")
    return [] if table is None else table.to_pylist()


def told(found: Harvest) -> list[tuple[str, str | None]]:
    """Return direction and body of each message."""
    return [(one["direction"], one["body"]) for one in rows(found)]


def reasons(found: Harvest) -> list[str]:
    """Return why rows were kept aside, in order."""
    return [one.reason for one in found.rejects]


def as_json(path: Path, value: Any) -> Path:
    """Write one document."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def as_lines(path: Path, *values: Any) -> Path:
    """Write a record a line; a text stands as it is."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def as_csv(path: Path, header: tuple[str, ...], *lines: tuple[str, ...]) -> Path:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *lines])
    return path
