"""The journey of a real shop, as a turn publishes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.measure.journey.data import Fix, gather
from cartwheel.measure.journey.page import journey_page
from cartwheel.operations import decisions, reading
from cartwheel.settings import Settings
from cartwheel.signals.days import midnight_after
from cartwheel.turn.core import describe

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Engine

    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.measure")

NAME = "journey"
KIND = "page_fix"
IN_FORCE = ("approved", "applied")


def shop_journey(
    shop: Shop,
    *,
    as_of: date,
    snapshot: int | None,
    settings: Settings,
    signals: Mapping[str, pa.Table],
    gated: Sequence[Mapping[str, Any]],
    seed: int,
) -> dict[str, Any]:
    """Return the page; one that cannot be made says why, and the turn goes on.

    Args:
        shop: The shop.
        as_of: Day the turn looks from.
        snapshot: Snapshot of the lake it is pinned to.
        settings: Settings it was pinned with.
        signals: Its signals by name.
        gated: Its decisions as the gate left them, with their ids.
        seed: Seed of the intervals.
    """
    try:
        with shop.lake.attached(snapshot=snapshot) as con:
            data = gather(
                con,
                schema="lake",
                on=as_of,
                end=midnight_after(as_of, settings.timezone),
                signals=signals,
                fixes=[*_in_force(shop.database), *_of_turn(gated)],
                parcel_minor=settings.costs.parcel_minor,
                seed=seed,
            )
            return journey_page(data)
    except Exception as error:  # measuring must not keep decisions from being published
        log.exception("The journey as of %s could not be told.", as_of)
        return {"failed": describe(error)}


def _of_turn(gated: Sequence[Mapping[str, Any]]) -> list[Fix]:
    return [
        _fix(row["id"], row["subject"], row["state"])
        for row in gated
        if row["kind"] == KIND
    ]


def _in_force(engine: Engine) -> list[Fix]:
    query = (
        select(decisions.c.id, decisions.c.subject, decisions.c.state)
        .where(decisions.c.kind == KIND, decisions.c.state.in_(IN_FORCE))
        .order_by(decisions.c.turn, decisions.c.position)
    )
    with reading(engine) as con:
        return [_fix(row.id, row.subject, row.state) for row in con.execute(query)]


def _fix(decision: str, subject: str, state: str) -> Fix:
    return Fix(decision=decision, product=subject.partition(":")[2], state=state)
