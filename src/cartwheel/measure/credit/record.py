"""What tests of page fixes found becomes a fact, so that a turn may read it.

It is measured at the beginning of a turn with what is known on the turn's day, and
known since that day: a turn that looks from an earlier day does not see it, and a turn
stays a function of its snapshot.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cartwheel.measure.credit.enrol import (
    Enrolled,
    enrolled,
    fix_experiments,
    last_day,
    shown_kinds,
)
from cartwheel.measure.experiment.store import Record, list_experiments
from cartwheel.signals.days import midnight_after
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.turn.core import context_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from cartwheel.measure.credit.counts import Raising
    from cartwheel.measure.credit.effects import KindEffect
    from cartwheel.measure.credit.estimate import Estimate
    from cartwheel.measure.experiment.terms import Terms
    from cartwheel.settings import Settings
    from cartwheel.shop import Shop
    from cartwheel.turn.steps import TurnRow

log = logging.getLogger("cartwheel.measure")

TABLE = "fix_effects"
RETURN_DAYS = 30
"""Days for which sales wait to be counted: they may still come back."""


def record_fix_effects(shop: Shop, row: TurnRow) -> int:
    """Append what tests of page fixes tell on a turn's day; return how many kinds.

    What did not change since it was last told is not appended again.

    Args:
        shop: The shop.
        row: The turn that begins.
    """
    on = date.fromisoformat(row.as_of)
    tests = fix_experiments(list_experiments(shop.database), on)
    if not tests:
        return 0
    try:
        return _record(shop, row, tests, on)
    except Exception:  # measuring must not keep decisions from being published
        log.exception("What tests of page fixes found could not be told.")
        return 0


def _record(shop: Shop, row: TurnRow, tests: Sequence[Record], on: date) -> int:
    from cartwheel.measure.credit.counts import texts_raising
    from cartwheel.measure.credit.estimate import estimates
    from cartwheel.signals.base import Signals
    from cartwheel.signals.engine import compute, when_of

    zone = row.settings.timezone
    takes = {
        one.terms.name: enrolled(shop.database, one, timezone=zone, on=on)
        for one in tests
        if one.terms.unit == "product"
    }
    shows = {
        one.terms.name: shown_kinds(shop.database, one)
        for one in tests
        if one.terms.unit == "visitor"
    }
    # A product may be in many tests: what is said of it is read once.
    every = {one.product_id for some in takes.values() for one in some}
    every |= {name for some in shows.values() for name in some}
    if not every:
        return 0
    with shop.lake.attached(read_only=True) as con:
        # Its rows go into the lake by a transaction of its own, so nothing is pinned.
        when = when_of(on, zone)
        tables = compute(con, when, only=[FEEDBACK.name, THEME_CORRECTIONS.name])
        data = Signals(tables, context_of(row.settings, when))
        raising = texts_raising(data, sorted(every))
        found: list[KindEffect] = []
        for one in tests:
            name, last = one.terms.name, last_day(one)
            if last is not None and name in takes:
                found += effects_of_test(
                    con,
                    raising,
                    takes[name],
                    experiment=name,
                    schema="lake",
                    timezone=zone,
                    last=last,
                    on=on,
                )
            elif last is not None:
                found += effects_on_visitors(
                    con,
                    raising,
                    shows[name],
                    terms=one.terms,
                    settings=shop.settings,
                    schema="lake",
                    last=last,
                    on=on,
                )
        told = rows_of(estimates(found), on=on, timezone=zone, batch=row.number)
        new = _changed(con, told)
    if new:
        with shop.lake.transaction("measure", f"fixes by turn {row.number}") as con:
            append(con, f"lake.{TABLE}", new)
    return len(new)


def effects_of_test(
    con: duckdb.DuckDBPyConnection,
    raising: Raising,
    products: Sequence[Enrolled],
    *,
    experiment: str,
    schema: str,
    timezone: str,
    last: date,
    on: date,
) -> list[KindEffect]:
    """Return what a test tells of each kind of fix it had.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        raising: What texts about its products raise, as `texts_raising` returns it.
        products: Its products.
        experiment: Its name.
        schema: Where the tables are.
        timezone: The shop's.
        last: Its last day.
        on: Day looked from.
    """
    from cartwheel.measure.credit.counts import count
    from cartwheel.measure.credit.effects import effect_of

    settled = on - timedelta(days=RETURN_DAYS)
    until = midnight_after(min(last, settled), timezone)
    found = []
    for objection, form in sorted({(one.objection, one.form) for one in products}):
        mine = [
            one
            for one in products
            if (one.objection, one.form) == (objection, form) and one.since < until
        ]
        if not mine:
            continue
        counts = count(
            con,
            mine,
            objection,
            raising,
            schema=schema,
            until=until,
            known=midnight_after(on, timezone),
        )
        one_told = effect_of(
            counts,
            experiment=experiment,
            objection=objection,
            form=form,
            over=last <= settled,
        )
        if one_told is not None:
            found.append(one_told)
    return found


def effects_on_visitors(
    con: duckdb.DuckDBPyConnection,
    raising: Raising,
    kinds: Mapping[str, tuple[str, str]],
    *,
    terms: Terms,
    settings: Settings,
    schema: str,
    last: date,
    on: date,
) -> list[KindEffect]:
    """Return what a test by visitor tells of each kind of fix it shows.

    Compared are devices that opened a page with a fix of the kind. A device that opened
    pages with fixes of two kinds counts for both, each by what it bought of its own.

    Args:
        con: A DuckDB connection to the fact tables, bookkeeping columns included.
        raising: What texts about its products raise, as `texts_raising` returns it.
        kinds: Objection and form of the fix of each product.
        terms: Its terms.
        settings: The shop's settings.
        schema: Where the tables are.
        last: Its last day.
        on: Day looked from.
    """
    from cartwheel.measure.credit.counts import count_visits
    from cartwheel.measure.credit.effects import effect_of
    from cartwheel.measure.fix_visits import read_fix_visits

    settled = on - timedelta(days=RETURN_DAYS)
    until = min(last, settled)
    found = []
    for objection, form in sorted(set(kinds.values())):
        if until < terms.starts_on:
            continue
        mine = [name for name, kind in kinds.items() if kind == (objection, form)]
        visits = read_fix_visits(
            con,
            terms,
            settings,
            products=mine,
            until=until,
            known=midnight_after(on, settings.timezone),
            schema=schema,
        )
        one_told = effect_of(
            count_visits(visits, objection, raising),
            experiment=terms.name,
            objection=objection,
            form=form,
            over=last <= settled,
            unit="visitor",
        )
        if one_told is not None:
            found.append(one_told)
    return found


def rows_of(
    found: Iterable[Estimate], *, on: date, timezone: str, batch: int
) -> list[dict[str, Any]]:
    """Return estimates as rows of the fact table, known since the end of a day.

    Args:
        found: The estimates.
        on: The day.
        timezone: Its zone.
        batch: The turn.
    """
    end = midnight_after(on, timezone) - timedelta(microseconds=1)
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = []
    for one in found:
        body = one.to_row()
        text = json.dumps(body, sort_keys=True).encode()
        rows.append(
            {
                **body,
                "measured_at": end,
                "known_at": end,
                "imported_at": now,
                "batch": f"turn-{batch}",
                "content_hash": hashlib.blake2b(text, digest_size=16).hexdigest(),
            }
        )
    return rows


def append(
    con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
) -> None:
    """Append rows of the fact table.

    Args:
        con: A connection that may write.
        table: The table's full name.
        rows: Rows, see `rows_of`.
    """
    con.register("told_effects", _arrow(rows))
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM told_effects")
    con.unregister("told_effects")


def _arrow(rows: Sequence[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    table = pa.Table.from_pylist(list(rows))
    # A column of nothing but unknowns has no type of its own.
    at = table.schema.get_field_index("harm")
    return table.set_column(at, "harm", table["harm"].cast(pa.string()))


def _changed(
    con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the rows that differ from what was in force on their day."""
    from cartwheel.measure.sales import newest

    new = []
    for row in rows:
        kept = con.execute(
            f"SELECT content_hash FROM {newest(f'lake.{TABLE}', 'objection, form')} "
            "WHERE objection = ? AND form = ?",
            [
                row["known_at"] + timedelta(microseconds=1),
                row["objection"],
                row["form"],
            ],
        ).fetchone()
        if kept is None or kept[0] != row["content_hash"]:
            new.append(row)
    return new
