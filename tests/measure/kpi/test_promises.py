"""What holds for any facts: as of means as of, rows give the figure, one pass is many.

Facts are drawn at random, with versions, cancellations, refunds, voided sales and
corrections that arrive late; figures are compared by all they were counted from, so
that a shop too small for an interval still tells a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.measure.kpi import KPIS, series
from cartwheel.measure.kpi.looks import looks_at
from cartwheel.signals.engine import compute, when_of
from tests.measure.kpi.made import Facts

FIRST = datetime(2024, 9, 1)
DAYS = 580
ZONE = "Europe/Berlin"
LOOKS = [date(2026, 3, 6), date(2026, 3, 13), date(2026, 3, 20)]
few = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

Row = tuple[str, datetime, dict[str, Any]]
moments = st.one_of(
    st.integers(0, DAYS * 24),
    # Most are near the looks, where windows begin and end.
    st.integers((DAYS - 75) * 24, DAYS * 24),
    st.integers((DAYS - 45) * 24, (DAYS - 10) * 24),
).map(lambda hours: FIRST + timedelta(hours=hours))
lags = st.sampled_from([0, 0, 3, 9, 40]).map(lambda days: timedelta(days=days))
customers = st.sampled_from([None, "C0", "C1", "C2", "C3"])
goods = st.sampled_from(["V0", "V1", "V2"])
names = st.integers(0, 6)


@st.composite
def orders(draw: Any) -> list[Row]:
    name, when = f"O{draw(names)}", draw(moments)
    customer, lag = draw(customers), draw(lags)
    found: list[Row] = []
    versions = draw(st.lists(st.sampled_from(["paid", "cancelled"]), max_size=2))
    for i, status in enumerate(["paid", *versions]):
        known = when + lag + timedelta(days=9 * i)
        values = {
            "order_id": name,
            "customer_id": customer,
            "placed_at": when,
            "updated_at": known,
            "status": status,
            "discount_minor": draw(st.sampled_from([None, 0, 150])),
        }
        found.append(("orders", known, values))
    for i in range(draw(st.integers(1, 2))):
        variant = draw(goods)
        line = {
            "order_id": name,
            "line_id": f"{i}",
            "placed_at": when,
            "customer_id": customer,
            "kind": draw(st.sampled_from(["product", "product", "shipping"])),
            "product_id": variant[:1],
            "variant_id": variant,
            "quantity_units": draw(st.integers(0, 3)),
            "unit_price_minor": draw(st.integers(0, 900)),
            "discount_minor": draw(st.sampled_from([None, 40])),
        }
        found.append(("order_lines", when + lag, line))
    return found


@st.composite
def backs(draw: Any) -> list[Row]:
    when, lag = draw(moments), draw(lags)
    variant = draw(goods)
    table = draw(st.sampled_from(["refunds", "returns"]))
    shared = {
        "line_id": "0",
        "order_id": draw(st.sampled_from([None, "O0", "O1", "O2"])),
        "customer_id": draw(customers),
        "product_id": variant[:1],
        "variant_id": variant,
        "quantity_units": draw(st.integers(0, 2)),
    }
    if table == "returns":
        more = {
            "return_id": f"B{draw(names)}",
            "returned_at": when,
            "grade": draw(st.sampled_from([None, "resale", "waste"])),
            "cost_minor": draw(st.sampled_from([None, 30])),
        }
    else:
        more = {
            "refund_id": f"R{draw(names)}",
            "refunded_at": when,
            "amount_minor": draw(st.integers(0, 500)),
            "reason": draw(st.sampled_from([None, "cancellation"])),
        }
    return [(table, when + lag, {**shared, **more})]


@st.composite
def others(draw: Any) -> list[Row]:
    when, lag, variant = draw(moments), draw(lags), draw(goods)
    sort = draw(st.sampled_from(["event", "count", "cost", "ad", "answer", "product"]))
    name = f"{sort}{draw(names)}"
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "event": (
            "events",
            {
                "event_id": f"{name} {when}",
                "kind": "view",
                "occurred_at": when,
                "visitor_id": draw(st.sampled_from([None, "D0", "D1", "D2"])),
                "customer_id": draw(customers),
            },
        ),
        "count": (
            "inventory_levels",
            {
                "variant_id": variant,
                "location_id": draw(st.sampled_from(["L", "M"])),
                "counted_at": when,
                "available_units": draw(st.integers(-2, 4)),
            },
        ),
        "cost": (
            "costs",
            {
                "variant_id": variant,
                "valid_from_at": when,
                "cost_minor": draw(st.integers(0, 500)),
            },
        ),
        "ad": (
            "campaigns",
            {
                "campaign_id": name,
                "medium": "ads",
                "started_at": when,
                "ended_at": draw(st.sampled_from([None, when + timedelta(days=9)])),
                "cost_minor": draw(st.sampled_from([None, 700])),
            },
        ),
        "answer": (
            "messages",
            {
                "message_id": f"{name} {when}",
                "customer_id": draw(customers),
                "direction": "in",
                "medium": "nps",
                "sent_at": when,
                "body": f"{draw(st.integers(0, 11))}",
            },
        ),
        "product": (
            "products",
            {
                "product_id": variant,
                "status": draw(st.sampled_from(["active", "archived"])),
                "created_at": when,
            },
        ),
    }
    table, values = made[sort]
    return [(table, when + lag, values)]


histories = st.lists(st.one_of(orders(), orders(), backs(), others()), max_size=40).map(
    lambda parts: [row for part in parts for row in part]
)


@pytest.fixture(scope="module")
def lay() -> Iterator[Callable[[Sequence[Row]], Facts]]:
    """Return what fills one set of tables anew; making them costs most of the time."""
    facts = Facts(timezone=ZONE, parcel_minor=20)

    def fill(rows: Sequence[Row]) -> Facts:
        for table in TABLE_BY_NAME:
            facts.con.execute(f"DELETE FROM made.{table}")
        seen = set()
        for table, known_at, values in rows:
            declared = TABLE_BY_NAME[table]
            key = (table, *(values[name] for name in declared.key))
            if declared.immutable and key in seen:
                continue
            seen.add(key)
            facts.add(table, known_at, **values)
        return facts

    yield fill
    facts.con.close()


def by_name(facts: Facts, days: Sequence[date]) -> dict[str, Any]:
    return series(facts.source, days)


@few
@given(rows=histories)
def test_what_becomes_known_later_changes_no_figure_of_a_day(
    lay: Callable[[Sequence[Row]], Facts], rows: list[Row]
) -> None:
    (look,) = looks_at([LOOKS[1]], ZONE)
    after = by_name(lay(rows), [LOOKS[1]])
    then = [row for row in rows if row[1] < look.end_at]
    assert by_name(lay(then), [LOOKS[1]]) == after


@few
@given(rows=histories)
def test_one_pass_over_days_gives_what_each_day_alone_gives(
    lay: Callable[[Sequence[Row]], Facts], rows: list[Row]
) -> None:
    facts = lay(rows)
    together = by_name(facts, LOOKS)
    for place, day in enumerate(LOOKS):
        alone = by_name(facts, [day])
        for kpi in KPIS:
            assert together[kpi.name][place] == alone[kpi.name][0], (kpi.name, day)


@few
@given(rows=histories)
def test_rows_behind_give_the_figure(
    lay: Callable[[Sequence[Row]], Facts], rows: list[Row]
) -> None:
    facts = lay(rows)
    found = by_name(facts, [LOOKS[2]])
    for kpi in KPIS:
        value = found[kpi.name][0]
        behind = facts.rows(kpi.name, LOOKS[2])
        top = sum(row[kpi.top] for row in behind)
        bottom = sum(row[kpi.bottom] for row in behind)
        assert (len(behind), top, bottom) == (value.rows, value.top, value.bottom)
        if value.value is not None:
            assert value.value == kpi.scale * top / bottom


@few
@given(rows=histories)
def test_revenue_is_that_of_the_signals(
    lay: Callable[[Sequence[Row]], Facts], rows: list[Row]
) -> None:
    # Drawn orders with the same name and other lines are versions of one another
    # whose lines need not fall on one day; the signal shares discounts over all.
    single = {}
    for table, known_at, values in rows:
        if table in ("orders", "order_lines"):
            single.setdefault(values["order_id"], values["placed_at"])
            if values["placed_at"] != single[values["order_id"]]:
                continue
        single.setdefault(len(single), (table, known_at, values))
    kept = [row for row in single.values() if isinstance(row, tuple)]
    facts = lay(kept)
    facts.write()
    when = when_of(LOOKS[2], ZONE)
    import ibis

    backend = ibis.duckdb.from_connection(facts.con)
    demand = compute(
        backend,
        when,
        only=["demand"],
        source=lambda name: backend.table(name, database="made"),
    )["demand"].to_pylist()
    first = LOOKS[2] - timedelta(days=27)
    recent = [row for row in demand if first <= row["day"] <= LOOKS[2]]
    found = facts.value("average_order_value", LOOKS[2])
    assert found.top == sum(row["revenue_minor"] for row in recent)
    sold = facts.value("return_rate", LOOKS[2])
    assert sold.bottom == sum(row["units"] for row in recent)


def test_a_window_of_another_length_is_another_figure() -> None:
    facts = Facts()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}")
        facts.order(f"P{i}", "03-30", f"C{i}", 3_000)
    week = replace(facts.source, window_days=7)
    name = "average_order_value"
    assert series(week, [date(2026, 3, 31)])[name][0].value == 3_000
    assert facts.value(name).value == 2_000
