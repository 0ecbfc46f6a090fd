"""How fast customers are segmented."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.measure import Figure, Plan
from cartwheel.levers.lifecycle.lapse import learn_rhythm
from cartwheel.levers.lifecycle.rhythm import Rhythm, score, segment
from cartwheel.signals.base import ShopContext, Signals, When
from cartwheel.signals.customers import RHYTHM

if TYPE_CHECKING:
    import pyarrow as pa

AS_OF = date(2026, 1, 1)
SIZES = (25_000, 100_000, 400_000)
QUICK = (500, 1_000, 2_000)
NEW_DAYS = 60


def segments(plan: Plan) -> Iterator[Figure]:
    """Measure rhythm signal in, segment of every customer out."""
    sizes = QUICK if plan.quick else SIZES
    for size in sizes:
        frame = rhythm_table(size)
        chief = size == sizes[1]
        labelled = f"{size:,} customers"
        yield Figure(
            part="segments",
            name="fit, score and segment",
            size=labelled,
            unit="s",
            values=_timed(segmented, frame, plan.repeats(5)),
            most=2.0 if chief else None,
        )
        if chief:
            yield Figure(
                part="segments",
                name="DuckDB alone, quintiles of recency, orders, revenue",
                size=labelled,
                unit="s",
                values=_timed(_quintiles, frame, plan.repeats(5)),
                floor=True,
            )


def segmented(table: pa.Table) -> np.ndarray:
    """Return the segment of every customer, parameters learned on the way."""
    when = When(as_of=AS_OF, cutoff_at="2026-01-02T00:00:00", timezone="UTC")
    context = ShopContext(
        currency="EUR",
        minor_digits=2,
        when=when,
        holdout_share=0.05,
        holdout_salt="bench",
    )
    rhythm = Rhythm.of(Signals({RHYTHM.name: table}, context).frame(RHYTHM))
    learned = learn_rhythm(rhythm, new_days=NEW_DAYS, seed=1, fitted=True)
    return segment(learned, rhythm, score(learned, rhythm))


def _quintiles(table: pa.Table) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.register("rhythm", table)
        con.sql(
            "SELECT customer_id, ntile(5) OVER (ORDER BY recency_days), "
            "ntile(5) OVER (ORDER BY orders), ntile(5) OVER (ORDER BY revenue_minor) "
            "FROM rhythm"
        ).fetchnumpy()


def rhythm_table(size: int) -> pa.Table:
    """Return customers who order at their own rate until they drop out."""
    import pyarrow as pa

    rng = np.random.default_rng(1)
    age = rng.integers(1, 730, size)
    rate = rng.gamma(0.6, 1 / 60, size)
    alive = np.minimum(age, rng.exponential(300, size))
    days = 1 + rng.poisson(rate * alive)
    last = np.where(days > 1, np.floor(alive * rng.uniform(0.5, 1, size)), 0)
    last = np.minimum(np.maximum(last, days - 1), age).astype(int)
    days = np.minimum(days, last + 1)
    first_on = [AS_OF - timedelta(days=int(n)) for n in age]
    last_on = [AS_OF - timedelta(days=int(n)) for n in age - last]
    columns: dict[str, Any] = {
        "customer_id": [f"C{n:07d}" for n in range(size)],
        "first_on": first_on,
        "last_on": last_on,
        "orders": days,
        "order_days": days,
        "revenue_minor": (days * rng.lognormal(8, 0.5, size)).astype(np.int64),
        "gap_days": np.where(days > 1, last / np.maximum(days - 1, 1), np.nan),
        "recency_days": age - last,
        "age_days": age,
    }
    return RHYTHM.conform(pa.table(columns))


def _timed(
    work: Callable[[pa.Table], object], frame: pa.Table, repeats: int
) -> list[float]:
    work(frame)  # once, so that no repeat pays for imports
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work(frame)
        taken.append(time.perf_counter() - began)
    return taken
