"""CSV files people download."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response

from cartwheel.channels.csv_files import csv_text


def csv_answer(rows: Iterable[Sequence[object]], name: str) -> Response:
    """Return rows as a file to download; the mark at its start tells Excel UTF-8."""
    return Response(
        ("\ufeff" + csv_text(rows)).encode(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
