"""CSV files people download."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from starlette.responses import Response, StreamingResponse

from cartwheel.channels.csv_files import csv_text

MARK = "\ufeff"
IN_MEMORY, PIECE = 8 << 20, 1 << 16


def csv_answer(rows: Iterable[Sequence[object]], name: str) -> Response:
    """Return rows as a file to download; the mark at its start tells Excel UTF-8."""
    return Response(
        (MARK + csv_text(rows)).encode(),
        media_type="text/csv; charset=utf-8",
        headers=_headers(name),
    )


def long_csv_answer(
    chunks: Iterable[Iterable[Sequence[object]]], name: str
) -> StreamingResponse:
    """Return many rows as a file to download; all are read before the first is sent.

    Args:
        chunks: Rows, some at a time; never all of them in memory.
        name: Name of the file.
    """
    # Closed by whoever sends it, after its end.
    kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    kept.write(MARK.encode())
    for rows in chunks:
        kept.write(csv_text(rows).encode())
    kept.seek(0)
    return StreamingResponse(
        _pieces(kept), media_type="text/csv; charset=utf-8", headers=_headers(name)
    )


def _pieces(kept: IO[bytes]) -> Iterator[bytes]:
    with kept:
        while piece := kept.read(PIECE):
            yield piece


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
