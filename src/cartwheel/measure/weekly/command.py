"""`cartwheel report`: the week on one screen, as text, JSON or an HTML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def report(
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    to_file: Annotated[
        Path | None, typer.Option("--html", help="Write it as an HTML file as well.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Report the week on one screen: figures, earnings, tests, health, proposals."""
    from cartwheel.measure.weekly.html import to_html, to_text
    from cartwheel.measure.weekly.report import weekly
    from cartwheel.shop import open_shop

    found = weekly(open_shop(shop))
    if to_file is not None:
        to_file.write_text(to_html(found), encoding="utf-8")
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        print(to_text(found))
