"""What a turn publishes for the console, as JSON values by page name."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from cartwheel.channels.pages import PAGE_TEXTS
from cartwheel.connectors.rejects import read_rejects
from cartwheel.errors import Busy
from cartwheel.gate.base import MESSAGE_KINDS
from cartwheel.measure.assign import holdout_mask
from cartwheel.measure.earnings.page import earnings_page
from cartwheel.measure.freshness import table_states
from cartwheel.measure.health.shop import shop_health
from cartwheel.measure.journey.shop import NAME as JOURNEY
from cartwheel.measure.journey.shop import shop_journey
from cartwheel.measure.kpi import make_board, source_of
from cartwheel.measure.kpi.overview import overview_figures
from cartwheel.measure.off_policy.page import NAME as WHAT_IF
from cartwheel.measure.off_policy.page import what_if_page
from cartwheel.measure.page_fixes_page import NAME as PAGE_FIX_SCORE
from cartwheel.measure.page_fixes_page import page_fixes_page
from cartwheel.measure.support_record import NAME as SUPPORT_RECORD
from cartwheel.measure.support_record import support_page
from cartwheel.operations import pages
from cartwheel.shop import Shop
from cartwheel.signals.base import Signal
from cartwheel.turn.core import describe
from cartwheel.turn.page_texts import page_texts
from cartwheel.turn.publish import decision_id
from cartwheel.turn.stage import Stage
from cartwheel.turn.steps import TurnRow, known_signals, read_turn, runs_of, stage_of
from cartwheel.turn.steps import when_of as turn_when
from cartwheel.turn.voice_page import VOICE, voice_page
from cartwheel.wheel import Link, all_signals, find_levers, find_links

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("cartwheel.turn")

IMPORTS_TURN = 0
"""Pages that belong to no turn are kept under this number."""

REJECTS_SHOWN = 500
KPI_SECONDS = 300
"""Longest that a turn counts its KPI board; without one the console counts it."""


def make_pages(shop: Shop, number: int) -> dict[str, Any]:
    """Return a turn's pages: overview, titles, earnings, what if, one per lever."""
    row = read_turn(shop, number)
    stage = stage_of(shop, number)
    tables = known_signals(stage)
    overview = _overview(shop, row, stage, tables)
    on = date.fromisoformat(row.as_of)
    gated = _gated(row, stage)
    made = {
        "overview": overview,
        "titles": _titles(tables),
        PAGE_TEXTS: page_texts(shop, row, stage, tables),
        "earnings": earnings_page(shop, on, overview),
        WHAT_IF: what_if_page(shop, on),
        PAGE_FIX_SCORE: page_fixes_page(shop, on, row.snapshot),
        VOICE: voice_page(stage, on),
        SUPPORT_RECORD: _support(shop, on, row.snapshot),
        "health": _health(shop, row, stage, _expected(overview["links"]), gated),
        JOURNEY: shop_journey(
            shop,
            as_of=on,
            snapshot=row.snapshot,
            settings=row.settings,
            signals=tables,
            gated=gated,
            seed=row.seed,
        ),
    }
    kpis = _kpis(shop, row)
    if kpis is not None:
        made["kpis"] = kpis
    for name, run in runs_of(stage).items():
        made[f"lever:{name}"] = run["report"]
    return made


def _support(shop: Shop, on: date, snapshot: int | None) -> dict[str, Any]:
    """Return what became of support's contacts; a turn is never lost for it."""
    try:
        return support_page(shop, on, snapshot)
    except Exception as error:
        log.exception("What became of support's contacts could not be told")
        return {"failed": describe(error)}


def _gated(row: TurnRow, stage: Stage) -> list[dict[str, Any]]:
    """Return a turn's decisions as the gate left them, with their ids."""
    gated = []
    for line in stage.read_lines("gate", "rows"):
        item = json.loads(line)
        named = (item["lever"], item["kind"], item["subject"])
        gated.append({**item, "id": decision_id(row.number, *named)})
    return gated


def _expected(links: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the links but for empty ones that nobody asked to carry anything."""
    return [x for x in links if x["cut"] or x["rows"] or not x["optional"]]


def _health(
    shop: Shop,
    row: TurnRow,
    stage: Stage,
    links: Sequence[Mapping[str, Any]],
    gated: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the page of the wheel's health; a turn is never lost for it."""
    if row.snapshot is None:
        return {"failed": "the turn is not pinned"}
    try:
        return shop_health(
            shop,
            turn=row.number,
            as_of=date.fromisoformat(row.as_of),
            snapshot=row.snapshot,
            settings=row.settings,
            gated=gated,
            runs=runs_of(stage),
            links=links,
            message_kinds=MESSAGE_KINDS,
            seed=row.seed,
        )
    except Exception as error:
        log.exception("The health of turn %s could not be looked at", row.number)
        return {"failed": describe(error)}


def publish_imports(shop: Shop) -> None:
    """Publish the page about imports and rejects; called after each import."""
    with shop.lake.attached(read_only=True) as con:
        cursor = con.execute(
            "SELECT batch, kind, path, CAST(started_at AS VARCHAR) AS started_at, "
            "rows_read, rows_kept, rows_duplicate, rows_rejected, facts_added, notes "
            "FROM lake.imports ORDER BY started_at DESC, batch DESC LIMIT 200"
        )
        names = [column[0] for column in cursor.description or []]
        imports = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        counted = con.execute("SELECT count(*) FROM lake.rejects").fetchone()
    body = {
        "imports": imports,
        "rejects": read_rejects(shop, limit=REJECTS_SHOWN),
        "rejects_total": int(counted[0]) if counted else 0,
    }
    publish_page(shop, "imports", body)


def publish_page(shop: Shop, name: str, body: Mapping[str, Any]) -> None:
    """Publish a page that belongs to no turn, in place of an earlier one."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)
    with shop.database.begin() as db:
        where = (pages.c.turn == IMPORTS_TURN) & (pages.c.name == name)
        db.execute(delete(pages).where(where))
        db.execute(pages.insert().values(turn=IMPORTS_TURN, name=name, body=text))


def _titles(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Return titles by subject, so that pages name things as shoppers know them."""
    table, listing = tables.get("catalogue"), tables.get("listing")
    found: dict[str, str] = {}
    if listing is not None:
        # A product is called by its own name, not by that of its first variant.
        pairs = listing.select(["product_id", "title"]).to_pylist()
        found = {f"product:{p['product_id']}": p["title"] for p in pairs if p["title"]}
    for item in [] if table is None else table.to_pylist():
        if item["title"]:
            found[f"variant:{item['variant_id']}"] = item["title"]
            found.setdefault(f"product:{item['product_id']}", item["title"])
    return found


def _overview(
    shop: Shop, row: TurnRow, stage: Stage, tables: Mapping[str, pa.Table]
) -> dict[str, Any]:
    on = date.fromisoformat(row.as_of)
    states = table_states(shop, on=on, cutoff_at=turn_when(shop, row).cutoff_at)
    return {
        "as_of": row.as_of,
        "shop": row.settings.name,
        "demo": row.settings.demo,
        "currency": row.settings.currency,
        "minor_digits": row.settings.minor_digits,
        "figures": [asdict(f) for f in overview_figures(tables, on, seed=row.seed)],
        "freshness": [{**asdict(s), "stale": s.stale} for s in states if s.rows],
        "missing": [s.table for s in states if not s.rows],
        "links": _links(row, tables),
        "levers": _levers(stage),
        "holdout": _holdout(row, tables),
    }


def _kpis(shop: Shop, row: TurnRow) -> dict[str, Any] | None:
    """Return the KPI board of a turn's day, None where counting takes too long."""
    try:
        with source_of(
            shop, snapshot=row.snapshot, settings=row.settings, seconds=KPI_SECONDS
        ) as source:
            board = make_board(source, date.fromisoformat(row.as_of))
    except Busy as error:
        log.warning("turn %d publishes no KPI board: %s", row.number, error)
        return None
    return {**board, "snapshot": row.snapshot}


def _levers(stage: Stage) -> list[dict[str, Any]]:
    levers = find_levers()
    return [
        {
            "name": name,
            "title": levers[name].title,
            "group": str(levers[name].group),
            "state": run["state"],
            "decisions": run["decisions"],
            "reason": run["reason"],
            "rule": run["rule"],
        }
        for name, run in runs_of(stage).items()
    ]


def _links(row: TurnRow, tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    levers = find_levers()
    signals = all_signals(levers)
    return [
        _link(link, signals[link.signal], tables.get(link.signal), row)
        for link in find_links(levers)
    ]


def _link(
    link: Link, signal: Signal, table: pa.Table | None, row: TurnRow
) -> dict[str, Any]:
    cut = link.name in row.cuts
    rows = 0 if table is None else table.num_rows
    return {
        "name": link.name,
        "signal": link.signal,
        "from": link.writer,
        "to": link.reader,
        "cut": cut,
        "lagged": link.lagged,
        "optional": signal.optional,
        "rows": rows,
        "value": "cut: reads as neutral" if cut else _value(signal, table),
        "state": "cut" if cut else "live" if rows else "neutral",
        "doc": signal.doc,
    }


def _value(signal: Signal, table: pa.Table | None) -> str:
    """Describe what a link carries, for people."""
    if table is None or table.num_rows == 0:
        return "nothing yet: reads as neutral"
    what = signal.keys[0].name.removesuffix("_id").removesuffix("_a")
    distinct = len(table.column(signal.keys[0].name).unique())
    first = table.column(signal.fields[0].name)
    known = 1 - first.null_count / table.num_rows
    text = f"{distinct:,} {_plural(what) if distinct != 1 else what}"
    if len(signal.keys) > 1:
        text += f", {table.num_rows:,} rows"
    return text if known == 1 else f"{text}, {known:.0%} known"


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _holdout(row: TurnRow, tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    share = row.settings.holdout.share_bps / 10_000
    rhythm = tables.get("rhythm")
    ids = [] if rhythm is None else rhythm.column("customer_id").to_pylist()
    held = int(holdout_mask(ids, share, row.settings.holdout.salt).sum())
    return {"share": share, "customers": held, "of": len(ids)}
