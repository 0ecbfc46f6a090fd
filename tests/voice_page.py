"""A turn of the lever voice for tests of the console: published, with hostile words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pandas as pd

from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.board import board
from cartwheel.operations import pages
from cartwheel.shop import Shop
from cartwheel.signals.base import Signals
from cartwheel.signals.listing import LISTING
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from tests.levers.made import AS_OF, replace
from tests.levers.test_voice import priced

HOSTILE = "Runs small <script>alert(1)</script> and \u202etoo tight\u202c " + "W" * 150
SAID = [
    ("review", "Runs small.", "p", 3),
    ("review", HOSTILE, "p", 4),
    ("message", "Too tight, write to ann@example.org now.", "p", 30),
    ("return", "size_too_small", "p", 200),
    ("review", "Feels cheap.", "<b>odd</b>/id?&x=1", 3),
    ("review", "The sleeves are too short.", "<b>odd</b>/id?&x=1", 5),
    ("message", "Which size should I take?", None, 8),
    *(("review", f"Lovely, number {at}.", "p", at) for at in range(30)),
]


def signals(rows: list[dict[str, Any]] | None = None) -> Signals:
    """Return a shop in which this was said, with a record of corrections."""
    data = priced(SAID, contact_minor=300)
    listed = {name: None for name in LISTING.column_names}
    titles = [
        {**listed, "product_id": "p", "title": "Dress"},
        {**listed, "product_id": "<b>odd</b>/id?&x=1", "title": "<i>Odd</i> " * 9},
    ]
    data = replace(data, LISTING, pd.DataFrame(titles))
    if rows:
        names = THEME_CORRECTIONS.column_names
        made = [
            {**{name: row.get(name) for name in names}, "position": at}
            for at, row in enumerate(rows)
        ]
        data = replace(data, THEME_CORRECTIONS, pd.DataFrame(made))
    return data


def publish_voice(
    shop: Shop, rows: list[dict[str, Any]] | None = None, turn: int = 2
) -> dict[str, Any]:
    """Publish what a turn with these corrections would; return it."""
    return publish(shop, signals(rows), turn)


def publish(shop: Shop, data: Signals, turn: int = 2) -> dict[str, Any]:
    """Publish what a turn that sees this would; return it."""
    body = board(Voice().learn(data, None, seed=1), AS_OF)
    with shop.database.begin() as con:
        con.execute(pages.delete().where(pages.c.turn == turn, pages.c.name == "voice"))
        con.execute(
            pages.insert().values(turn=turn, name="voice", body=json.dumps(body))
        )
    return body


def quote_of(body: dict[str, Any], objection: str, text: str) -> dict[str, Any]:
    """Return a published quote by how it begins."""
    return next(
        quote
        for theme in body["themes"]
        if theme["objection"] == objection
        for product in theme["products"]
        for quote in product["quotes"]
        if quote["text"].startswith(text)
    )


DAY = (AS_OF - timedelta(days=3)).isoformat()
