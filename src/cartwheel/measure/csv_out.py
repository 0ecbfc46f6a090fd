"""A CSV file that somebody asked for on the command line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from cartwheel.errors import Misuse


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows with the mark by which spreadsheets know UTF-8.

    Args:
        path: File, replaced when there is one.
        rows: Rows, the head first.

    Raises:
        Misuse: If it cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
    except OSError as error:
        raise Misuse(
            f"{path} cannot be written: {error.strerror}.", "Name another file."
        ) from error
