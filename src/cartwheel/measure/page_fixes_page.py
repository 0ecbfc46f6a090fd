"""The scorecard of page fixes as a turn publishes it, from the ledger and the lake."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.measure.credit.enrol import fix_experiments, last_day
from cartwheel.measure.experiment.store import list_experiments
from cartwheel.measure.plain import finite
from cartwheel.operations import decisions, page_data, reading, turns
from cartwheel.signals.days import midnight_after
from cartwheel.turn.core import describe

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.measure")

NAME = "page-fix-score"
KIND = "page_fix"
HELD_OUT, REFUSED = "held_out", "refused"
LONGEST_BEFORE = 365
MOST_BY_VISITOR = 5
"""Tests by visitor that are shown, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Products for which a fix passed the gate, by where the hash put them.

    Attributes:
        fixed: Whether each product's page was to be mended.
        since: Day of the first fix that anybody was held out from, None before.
    """

    fixed: Mapping[str, bool]
    since: date | None


def assigned_products(engine: Engine) -> Assigned:
    """Return what the ledger knows of products with page fixes.

    A product counts as it was first drawn. What was proposed before anybody was held
    out is no part of a comparison and is left out.

    Args:
        engine: Operational database.
    """
    query = (
        select(decisions.c.subject, decisions.c.state, turns.c.as_of)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(decisions.c.kind == KIND, decisions.c.state != REFUSED)
        .order_by(decisions.c.turn, decisions.c.position)
    )
    with reading(engine) as con:
        rows = con.execute(query).all()
    first = min((row.as_of for row in rows if row.state == HELD_OUT), default=None)
    if first is None:
        return Assigned(fixed={}, since=None)
    fixed: dict[str, bool] = {}
    earlier = {row.subject for row in rows if row.as_of < first}
    for row in rows:
        if row.subject not in earlier:
            fixed.setdefault(row.subject.partition(":")[2], row.state != HELD_OUT)
    return Assigned(fixed=fixed, since=date.fromisoformat(first))


def page_fixes_page(shop: Shop, on: date, snapshot: int | None) -> dict[str, Any]:
    """Return the page; one that cannot be made says why, and the turn goes on.

    Args:
        shop: The shop.
        on: Day the turn looks from.
        snapshot: Snapshot of the lake it looks at.
    """
    try:
        found = assigned_products(shop.database)
        body: dict[str, Any] = {
            "on": on.isoformat(),
            "since": None,
            "failed": "",
            "by_visitor": _scores_by_visitor(shop, on, snapshot),
        }
        if found.since is None or found.since >= on:
            return {**body, "fixed": 0, "held_out": 0, "scores": []}
        card = _score(shop, found.fixed, found.since, on, snapshot)
    except Exception as error:  # measuring must not keep decisions from being published
        log.exception("What page fixes brought could not be told.")
        return {"failed": describe(error), "scores": [], "by_visitor": []}
    return {**body, "since": found.since.isoformat(), **card}


def published_score(engine: Engine, turn: int) -> dict[str, Any]:
    """Return the page that a turn published, empty where it published none."""
    found: dict[str, Any] = page_data(engine, NAME, turn) or {}
    return found


def _score(
    shop: Shop,
    fixed: Mapping[str, bool],
    since: date,
    on: date,
    snapshot: int | None,
) -> dict[str, Any]:
    from cartwheel.measure.page_fixes import score_fixes

    zone = shop.settings.timezone
    days = min((on - since).days, LONGEST_BEFORE)
    with shop.lake.attached(snapshot=snapshot, read_only=True) as con:
        card = score_fixes(
            con,
            fixed,
            schema="lake",
            before=midnight_after(since - timedelta(days=days), zone),
            start=midnight_after(since, zone),
            until=midnight_after(on, zone),
            known=midnight_after(on, zone),
        )
    plain: dict[str, Any] = finite(card.to_json())
    return plain


def _scores_by_visitor(
    shop: Shop, on: date, snapshot: int | None
) -> list[dict[str, Any]]:
    """Return the scorecards of tests by visitor, the newest first."""
    from cartwheel.measure.fix_visits_score import score_fix_visits

    tests = [
        one
        for one in fix_experiments(list_experiments(shop.database), on)
        if one.terms.unit == "visitor" and last_day(one) is not None
    ]
    if not tests:
        return []
    found = []
    with shop.lake.attached(snapshot=snapshot, read_only=True) as con:
        newest = sorted(tests, key=lambda one: one.terms.starts_on, reverse=True)
        for one in newest[:MOST_BY_VISITOR]:
            last = last_day(one) or one.terms.ends_on
            terms = replace(one.terms, ends_on=last)
            card = score_fix_visits(con, terms, shop.settings, on=on)
            found.append(
                {
                    "name": one.terms.name,
                    "since": one.terms.starts_on.isoformat(),
                    "until": last.isoformat(),
                    "over": last <= on,
                    **card.to_json(),
                }
            )
    plain: list[dict[str, Any]] = finite({"found": found})["found"]
    return plain
