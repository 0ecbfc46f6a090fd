"""What health looks at in a real shop: the turn's snapshot and the turns before it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cartwheel.measure.assign import holdout_mask
from cartwheel.measure.health.data import RECENT_DAYS, Carried, Made, Ran, gather
from cartwheel.measure.health.page import health_page
from cartwheel.operations import decisions, reading, turns
from cartwheel.settings import Settings
from cartwheel.shop import Shop
from cartwheel.signals.days import midnight_after

TURNS_BEFORE = 12
"""Published turns before this one that are looked at."""


def shop_health(
    shop: Shop,
    *,
    turn: int,
    as_of: date,
    snapshot: int,
    settings: Settings,
    gated: Sequence[Mapping[str, Any]],
    runs: Mapping[str, Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
    message_kinds: Collection[str],
    seed: int,
) -> dict[str, Any]:
    """Return the health page of a turn that is about to be published.

    Args:
        shop: The shop.
        turn: Number of the turn.
        as_of: Day it looks from.
        snapshot: Snapshot of the lake it is pinned to.
        settings: Settings it was pinned with.
        gated: Its decisions as the gate left them, with their ids.
        runs: What its levers did, by name.
        links: Its links as the overview tells them.
        message_kinds: Kinds of decision that reach a person by a message.
        seed: Seed of the bootstrap.
    """
    end = midnight_after(as_of, settings.timezone)
    earlier = _turns_before(shop, turn)
    zone = settings.timezone
    made = [
        *_made_before(shop, earlier, zone, message_kinds),
        *(_now(row, turn, as_of, zone, message_kinds) for row in gated),
    ]
    with shop.lake.attached(snapshot=snapshot) as con:
        data = gather(
            con,
            schema="lake",
            end=end,
            decisions=made,
            runs=_runs(runs, earlier),
            links=[
                Carried(name=str(x["name"]), cut=bool(x["cut"]), rows=int(x["rows"]))
                for x in links
            ],
            held_out=_held_out(con, made, settings),
            costs_before=_costs_before(shop, earlier, as_of),
            seed=seed,
        )
        return health_page(data)


def _turns_before(shop: Shop, turn: int) -> list[Any]:
    """Return the published turns before one, oldest first."""
    query = (
        select(turns.c.number, turns.c.as_of, turns.c.levers)
        .where(turns.c.state == "published", turns.c.number < turn)
        .order_by(turns.c.number.desc())
        .limit(TURNS_BEFORE)
    )
    with reading(shop.database) as con:
        return list(reversed(con.execute(query).all()))


def _made_before(
    shop: Shop, earlier: Sequence[Any], zone: str, message_kinds: Collection[str]
) -> list[Made]:
    days = {row.number: date.fromisoformat(row.as_of) for row in earlier}
    if not days:
        return []
    query = select(decisions).where(decisions.c.turn.in_(sorted(days)))
    found = []
    with reading(shop.database) as con:
        for row in con.execute(query):
            found.append(
                _made(
                    row._mapping, row.id, row.turn, days[row.turn], zone, message_kinds
                )
            )
    return found


def _now(
    row: Mapping[str, Any],
    turn: int,
    as_of: date,
    zone: str,
    message_kinds: Collection[str],
) -> Made:
    return _made(row, row["id"], turn, as_of, zone, message_kinds)


def _made(
    row: Mapping[str, Any],
    id_: str,
    turn: int,
    as_of: date,
    zone: str,
    message_kinds: Collection[str],
) -> Made:
    predicted = json.loads(row["body"]).get("predicted") or {}
    return Made(
        id=id_,
        lever=row["lever"],
        kind=row["kind"],
        subject=row["subject"],
        state=row["state"],
        at=midnight_after(as_of, zone),
        turn=turn,
        worth_minor=row["worth_minor"],
        message=row["kind"] in message_kinds,
        metric=str(predicted.get("metric") or ""),
        predicted=predicted.get("value"),
    )


def _runs(runs: Mapping[str, Mapping[str, Any]], earlier: Sequence[Any]) -> list[Ran]:
    before = [json.loads(row.levers) for row in earlier]
    return [
        Ran(
            lever=name,
            state=str(run["state"]),
            reason=str(run.get("reason") or ""),
            before=tuple(
                str(levers[name]["state"]) for levers in before if name in levers
            ),
        )
        for name, run in runs.items()
    ]


def _held_out(con: Any, made: Sequence[Made], settings: Settings) -> frozenset[str]:
    """Return the held-out ones among customers answered or decided about."""
    rows = con.execute(
        "SELECT DISTINCT customer_id FROM lake.answers WHERE customer_id IS NOT NULL"
    ).fetchall()
    names = {str(row[0]) for row in rows}
    names |= {
        d.subject.partition(":")[2] for d in made if d.subject.startswith("customer:")
    }
    listed = sorted(names)
    share = settings.holdout.share_bps / 10_000
    mask = holdout_mask(listed, share, settings.holdout.salt)
    return frozenset(name for name, held in zip(listed, mask, strict=True) if held)


def _costs_before(
    shop: Shop, earlier: Sequence[Any], as_of: date
) -> frozenset[str] | None:
    """Return the variants whose cost a kept turn of four weeks ago knew.

    The newest turn that is old enough is taken, else the oldest that is kept.
    """
    kept: list[tuple[date, Path]] = []
    for row in earlier:
        path = shop.turn_folder(row.number) / "signals" / "margin.parquet"
        if path.is_file():
            kept.append((date.fromisoformat(row.as_of), path))
    if not kept:
        return None
    limit = as_of - timedelta(days=RECENT_DAYS)
    old = [path for day, path in kept if day <= limit]
    import pyarrow.parquet as pq

    table = pq.read_table(old[-1] if old else kept[0][1])
    return frozenset(
        str(variant)
        for variant, cost in zip(
            table["variant_id"].to_pylist(),
            table["cost_minor"].to_pylist(),
            strict=True,
        )
        if cost is not None
    )
