"""A published turn and the facts after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.errors import NotFound
from cartwheel.operations import decisions, reading, turns
from cartwheel.shop import Shop
from cartwheel.signals.engine import compute_for, when_of

if TYPE_CHECKING:
    import pandas as pd

FORECAST_DAYS = 28
# A shop may be closed on the last days of the window.
SLACK_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A published turn and what happened since.

    Attributes:
        as_of: The turn's last day.
        days: Days looked at after it.
        seed: The turn's seed.
        plans: Bodies of its decisions by kind.
        then: Signals the turn read or wrote, by name.
        now: Signals made from the facts up to `days` after it, by name.
        newest: Newest day with a sale, or None.
    """

    as_of: date
    days: int
    seed: int
    plans: Mapping[str, list[dict[str, Any]]]
    then: Mapping[str, pd.DataFrame]
    now: Mapping[str, pd.DataFrame]
    newest: date | None

    def missing(self, days: int) -> str | None:
        """Return "not yet" when facts do not reach `days` after the turn."""
        until = self.as_of + timedelta(days=days)
        if self.newest and self.newest >= until - timedelta(days=SLACK_DAYS):
            return None
        return f"not yet, about {until.isoformat()}: facts end {self.newest or 'never'}"


def not_yet(why: str) -> dict[str, Any]:
    """Return a part that cannot be said yet."""
    return {"not_yet": why}


def read_past(shop: Shop, turn_number: int, days: int) -> Past:
    """Read a turn and the facts after it; raise `NotFound` when there is none."""
    with reading(shop.database) as con:
        turn = con.execute(
            select(turns.c.as_of, turns.c.seed).where(turns.c.number == turn_number)
        ).one_or_none()
        rows = con.execute(
            select(decisions.c.kind, decisions.c.body)
            .where(decisions.c.turn == turn_number, decisions.c.state != "refused")
            .order_by(decisions.c.position)
        ).all()
    if turn is None:
        raise NotFound(
            f"There is no turn {turn_number}.", "List turns with: cartwheel status"
        )
    plans: dict[str, list[dict[str, Any]]] = {}
    for kind, body in rows:
        plans.setdefault(kind, []).append(json.loads(body))
    as_of = date.fromisoformat(turn.as_of)
    reach = max(days, FORECAST_DAYS)
    later = when_of(as_of + timedelta(days=reach), shop.settings.timezone)
    found = compute_for(
        shop, later, shop.lake.snapshot(), only=["demand", "purchases", "rhythm"]
    )
    now = {n: table.to_pandas(date_as_object=False) for n, table in found.items()}
    sold = now["demand"].loc[now["demand"]["units"] > 0, "day"]
    return Past(
        as_of=as_of,
        days=days,
        seed=int(turn.seed),
        plans=plans,
        then=_staged(shop.turn_folder(turn_number) / "signals"),
        now=now,
        newest=sold.max().date() if len(sold) else None,
    )


def _staged(folder: Path) -> dict[str, pd.DataFrame]:
    import pyarrow.parquet as pq

    names = ("demand", "catalogue", "purchases", "rhythm", "lifetime_value")
    return {
        name: pq.read_table(folder / f"{name}.parquet").to_pandas(date_as_object=False)
        for name in names
        if (folder / f"{name}.parquet").is_file()
    }
