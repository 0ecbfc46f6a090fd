"""`cartwheel kpis`: the KPI board as of any day, for people, programs or a file.

Heavy modules are imported inside the command.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cartwheel.errors import Failure, Misuse

if TYPE_CHECKING:
    from cartwheel.shop import Shop


def kpis(
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    as_of: Annotated[
        str, typer.Option("--as-of", help="Last day whose facts count.")
    ] = "",
    weeks: Annotated[
        int, typer.Option(min=1, max=260, help="Weeks of each series in the JSON.")
    ] = 1,
    file: Annotated[
        Path | None, typer.Option("--csv", help="Write the board to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every KPI as of a day, with interval, definition and freshness."""
    from cartwheel.measure.kpi import board_table, make_board, source_of
    from cartwheel.measure.kpi.words import board_lines
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    day = chosen_day(opened, as_of)
    with source_of(opened) as source:
        board = make_board(source, day, weeks=weeks)
    if file is not None:
        _write(file, board_table(board))
    if as_json:
        print(json.dumps(board, ensure_ascii=False))
        return
    settings = opened.settings
    for line in board_lines(
        board, currency=settings.currency, minor_digits=settings.minor_digits
    ):
        print(line)


def chosen_day(shop: Shop, text: str) -> date:
    """Return the day asked for; without one, a demo shop's today or the real one.

    Raises:
        Misuse: If the text is no day.
    """
    if text:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Misuse(
                f"--as-of is {text[:40]!r}; expected a day such as 2011-11-09.",
                "Correct the day.",
            ) from None
    today = datetime.now(UTC).astimezone(ZoneInfo(shop.settings.timezone)).date()
    return shop.lived_until or today


def _write(file: Path, rows: list[list[object]]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(rows)
    except OSError as error:
        raise Failure(
            f"{file} cannot be written: {error.strerror}.", "Choose another file."
        ) from error
