"""The facts: what a shop could know, when it could, and nothing that never was."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import pairwise

import ibis
import numpy as np
import pyarrow as pa
import pytest

from cartwheel.lake.tables import BOOKKEEPING, TABLES, FactTable
from cartwheel.signals.engine import compute, when_of
from cartwheel.simulator.world.goods import LOCATIONS
from cartwheel.simulator.world.records import midnight
from cartwheel.simulator.world.world import World
from tests.simulator.world.made import (
    SIZE,
    Eager,
    Idle,
    Played,
    Reader,
    first_instant,
    make_spec,
    play,
    same,
)

EMPTY = {
    *("campaigns", "answers", "outcomes", "policies", "questions"),
    "theme_corrections",
    "fix_effects",
}
"""Tables no simulated shop writes: it has no platform of its own."""

ARROW = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "instant": pa.timestamp("us"),
    "date": pa.date32(),
}

each_table = pytest.mark.parametrize("declared", TABLES, ids=lambda t: t.name)


@pytest.fixture(scope="module")
def con(played: Played):
    """The facts of a world, looked at for the first time at its end."""
    return played.world.facts.connection


def rows(con, sql: str) -> list[tuple]:
    return con.execute(sql).fetchall()


@each_table
def test_columns_are_those_of_the_lake_in_its_types(played, con, declared: FactTable):
    table = played.world.facts.table(declared.name)
    columns = (*declared.columns, *BOOKKEEPING)
    assert table.column_names == [c.name for c in columns]
    assert table.schema.types == [ARROW[c.type] for c in columns]
    assert (table.num_rows == 0) == (declared.name in EMPTY)


@each_table
def test_values_are_ones_an_import_accepts(con, declared: FactTable):
    for column in declared.columns:
        name = f'SELECT count(*) FROM {declared.name} WHERE "{column.name}"'
        if column.required:
            assert rows(con, f"{name} IS NULL") == [(0,)], column.name
        if column.choices:
            accepted = ", ".join(f"'{choice}'" for choice in column.choices)
            assert rows(con, f"{name} NOT IN ({accepted})") == [(0,)], column.name
        if column.minimum is not None:
            assert rows(con, f"{name} < {column.minimum}") == [(0,)], column.name
    for name in ("known_at", "imported_at", "batch", "content_hash"):
        missing = f'SELECT count(*) FROM {declared.name} WHERE "{name}" IS NULL'
        assert rows(con, missing) == [(0,)]


@each_table
def test_a_key_has_one_row_a_version(con, declared: FactTable):
    key = ", ".join(f'"{name}"' for name in declared.key)
    if not declared.immutable:
        key += ", known_at"
    twice = f"SELECT {key} FROM {declared.name} GROUP BY {key} HAVING count(*) > 1"
    assert rows(con, twice) == []


@pytest.mark.parametrize(
    ("table", "column", "other", "key"),
    [
        ("order_lines", "order_id", "orders", "order_id"),
        ("order_lines", "variant_id", "variants", "variant_id"),
        ("orders", "customer_id", "customers", "customer_id"),
        ("returns", "order_id", "orders", "order_id"),
        ("refunds", "order_id", "orders", "order_id"),
        ("reviews", "order_id", "orders", "order_id"),
        ("messages", "order_id", "orders", "order_id"),
        ("messages", "customer_id", "customers", "customer_id"),
        ("consents", "customer_id", "customers", "customer_id"),
        ("events", "customer_id", "customers", "customer_id"),
        ("events", "product_id", "products", "product_id"),
        ("events", "variant_id", "variants", "variant_id"),
        ("prices", "variant_id", "variants", "variant_id"),
        ("costs", "variant_id", "variants", "variant_id"),
        ("inventory_levels", "variant_id", "variants", "variant_id"),
        ("inventory_levels", "location_id", "locations", "location_id"),
        ("purchase_orders", "variant_id", "variants", "variant_id"),
        ("receipts", "purchase_order_id", "purchase_orders", "purchase_order_id"),
        ("variants", "product_id", "products", "product_id"),
        ("variants", "supplier_id", "suppliers", "supplier_id"),
    ],
)
def test_what_is_named_exists_and_was_known_by_then(con, table, column, other, key):
    found = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL"
    assert rows(con, found)[0][0] > 0
    orphans = f"""
        SELECT DISTINCT t.{column} FROM {table} t WHERE t.{column} IS NOT NULL AND
        NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{key} = t.{column}
                    AND o.known_at <= t.known_at)"""
    assert rows(con, orphans) == []


@pytest.fixture(scope="module")
def daily() -> tuple[Played, list[list[tuple]]]:
    """The same world, its facts looked at every morning; and the newest instants."""
    # A promise is about the future and known today.
    promises = ("promised_at", "expected_at")
    newest = " UNION ALL ".join(
        f"""SELECT '{declared.name}', '{c.name}', max("{c.name}"), count(*)
            FROM {declared.name}"""
        for declared in TABLES
        for c in (*declared.columns, *BOOKKEEPING)
        if c.type == "instant" and c.name not in promises
    )
    mornings: list[list[tuple]] = []

    def look(shop) -> None:
        mornings.append(shop.facts.connection.execute(newest).fetchall())
        if shop.day % 10 == 9:
            known = shop.facts.table("returns")["known_at"].to_pylist()
            assert max(known) < datetime(*shop.today.timetuple()[:3])

    return play(Reader(look)), mornings


def test_nothing_is_known_before_it_happened(daily):
    played, mornings = daily
    assert len(mornings) == SIZE.days
    counts = []
    for day, found in enumerate(mornings):
        morning = midnight(played.world.state, day).item()
        for table, column, instant, _ in found:
            assert instant is None or instant < morning, (table, column, instant)
        counts.append(sum({table: count for table, _, _, count in found}.values()))
    suppliers = len(played.world.spec.supply.suppliers)
    assert counts[0] == len(LOCATIONS) + suppliers
    assert all(one < other for one, other in pairwise(counts))


def test_looking_changes_neither_the_world_nor_what_is_found(played, con, daily):
    daily = daily[0]
    assert same(daily.logs, played.logs)
    assert same(daily.world.books.parts, played.world.books.parts)
    assert same(daily.world.books.counts, played.world.books.counts)
    theirs = daily.world.facts.connection
    for declared in TABLES:
        everything = f"SELECT * FROM {declared.name} ORDER BY ALL"
        assert rows(theirs, everything) == rows(con, everything), declared.name


def test_only_people_who_accept_measurement_leave_events(played, con):
    tracked = played.world.state.people.tracked
    visitors = [int(name[1:]) for (name,) in rows(con, VISITORS)]
    assert len(visitors) > 100
    assert all(tracked[person] for person in visitors)
    came = {int(p) for log in played.logs for p in log.visits.person}
    assert set(visitors) <= came
    assert any(not tracked[person] for person in came)


VISITORS = "SELECT DISTINCT visitor_id FROM events"


def test_events_are_what_measured_visitors_did(played, con):
    tracked = played.world.state.people.tracked
    expected: Counter[str] = Counter()
    for log in played.logs:
        visits, seen, adds = log.visits, log.visits.seen, log.sales.adds
        mine = tracked[visits.person[seen.visit]]
        met = seen.placement >= 0
        expected["exposure"] += int((mine & met).sum())
        expected["click"] += int((mine & met & seen.opened).sum())
        expected["view"] += int((mine & seen.opened).sum())
        adding = tracked[visits.person[adds.visit]]
        expected["add_to_cart"] += int((adding & ~adds.failed).sum())
        expected["failed_add"] += int((adding & adds.failed).sum())
        paying = tracked[visits.person[log.sales.checkouts[0]]]
        expected["checkout"] += int(paying.sum())
        expected["search"] += int((tracked[visits.person] & (visits.entry == 1)).sum())
        expected["list"] += int((tracked[visits.person] & (visits.entry == 0)).sum())
    found = dict(rows(con, "SELECT kind, count(*) FROM events GROUP BY kind"))
    assert found == dict(expected)
    assert min(found.values()) > 0


def test_damaged_records_are_lost_as_often_as_stated():
    def events(noise: float) -> int:
        world = World(make_spec(noise=noise), SIZE, 1)
        for _ in range(4):
            world.play_day(Idle())
        return world.facts.table("events").num_rows

    whole = events(0.0)
    assert events(0.3) == pytest.approx(0.7 * whole, abs=4 * np.sqrt(0.21 * whole))
    assert events(1.0) == 0


class Shows(Idle):
    """Shows everybody the same list."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def slates(self, pages):
        return [self.names for _ in pages]


def test_damage_to_a_record_does_not_depend_on_others():
    def kept(first: int) -> tuple[set[object], set[object]]:
        world = World(make_spec(noise=0.5, funnel={"strip": 0.0}), SIZE, 1)
        names = world.state.goods.product_ids[world.state.launched()].tolist()
        world.play_day(Shows(names[first : first + 4]))
        found = world.facts.table("events").to_pylist()
        began = {e["visitor_id"] for e in found if e["kind"] in ("search", "list")}
        met = {
            e["visitor_id"]
            for e in found
            if (e["kind"], e["product_id"]) == ("exposure", names[3])
        }
        return began, met

    began, fourth = kept(0)
    same, first = kept(3)
    assert began == same
    # Whoever looked at it as the fourth looks at it as the first.
    assert len(fourth) > 5
    assert fourth < first


def test_orders_say_what_was_paid_and_guests_stay_unknown(played, con):
    orders = {
        row[0]: row[1:]
        for row in rows(
            con,
            "SELECT order_id, customer_id, shipping_minor FROM orders "
            "WHERE status = 'paid'",
        )
    }
    lines: dict[str, int] = {}
    for order, paid in rows(
        con,
        "SELECT order_id, sum(quantity_units * unit_price_minor - discount_minor) "
        "FROM order_lines GROUP BY order_id",
    ):
        lines[order] = int(paid)
    guests = 0
    for log in played.logs:
        for number, name in enumerate(log.order_ids):
            customer, shipping = orders.pop(name)
            mine = log.sales.orders.order_of == number
            assert lines.pop(name) == log.sales.orders.paid_minor[mine].sum()
            assert shipping == log.sales.orders.shipping_minor[number]
            person = int(log.sales.orders.person[number])
            if customer is None:
                guests += 1
                assert played.world.state.people.guest_first[person]
            else:
                assert customer.removesuffix("b") == f"C{person + 1:06d}"
    assert (orders, lines) == ({}, {})
    assert guests > 0
    # Lines and returns of a guest name nobody either.
    assert rows(con, "SELECT count(*) FROM order_lines WHERE customer_id = ''") == [
        (0,)
    ]
    unknown = rows(
        con,
        "SELECT count(*) FROM order_lines l JOIN orders o USING (order_id) "
        "WHERE l.customer_id IS DISTINCT FROM o.customer_id",
    )
    assert unknown == [(0,)]


def test_some_people_have_two_profiles_and_the_first_came_first(con):
    both = rows(
        con,
        "SELECT b.created_at >= a.created_at, b.phone = a.phone, b.email = a.email "
        "FROM customers b JOIN customers a "
        "ON b.customer_id = a.customer_id || 'b'",
    )
    seconds = "SELECT count(*) FROM customers WHERE customer_id LIKE '%b'"
    assert rows(con, seconds) == [(len(both),)]
    assert len(both) > 3
    assert set(both) == {(True, True, False)}


def test_a_delivered_order_is_a_later_version(con):
    found = rows(
        con,
        "SELECT p.known_at < d.known_at, d.delivered_at = d.known_at, "
        "p.delivered_at IS NULL, d.placed_at = p.placed_at FROM orders d "
        "JOIN orders p USING (order_id) "
        "WHERE d.status = 'fulfilled' AND p.status = 'paid'",
    )
    assert len(found) > 50
    assert set(found) == {(True, True, True, True)}


def test_returns_are_what_came_back_so_far(played, con):
    expected = sum(
        int(((log.fate.returned >= 0) & (log.fate.returned < SIZE.days)).sum())
        for log in played.logs
    )
    assert rows(con, "SELECT count(*) FROM returns") == [(expected,)]
    wrong = (
        "SELECT count(*) FROM returns r JOIN order_lines l USING (order_id, line_id) "
        "WHERE r.quantity_units <> l.quantity_units OR r.variant_id <> l.variant_id"
    )
    assert rows(con, wrong) == [(0,)]
    refunds = (
        "SELECT count(*), sum(f.amount_minor - l.quantity_units * l.unit_price_minor "
        "+ l.discount_minor) FROM refunds f JOIN order_lines l "
        "USING (order_id, line_id)"
    )
    count, difference = rows(con, refunds)[0]
    assert count == rows(con, "SELECT count(*) FROM refunds")[0][0] > 0
    assert difference == 0


LAST_COUNT = """
    SELECT variant_id, location_id, arg_max(available_units, counted_at),
           arg_max(incoming_units, counted_at)
    FROM inventory_levels GROUP BY ALL"""


def test_counts_are_the_stock_and_what_is_on_its_way(played, con):
    state = played.world.state
    numbers = {str(name): i for i, name in enumerate(state.goods.variant_ids)}
    found = rows(con, LAST_COUNT)
    launched = state.goods.launched[state.goods.product_of] < SIZE.days
    assert len(found) == launched.sum() * len(LOCATIONS)
    for variant, place, units, coming in found:
        at = numbers[variant], LOCATIONS.index(place)
        assert (units, coming) == (state.stock[at], state.inbound[at])


def test_prices_are_those_in_force(played, con):
    state = played.world.state
    numbers = {str(name): i for i, name in enumerate(state.goods.variant_ids)}
    found = dict(
        rows(
            con,
            "SELECT variant_id, arg_max(price_minor, valid_from_at) FROM prices "
            "GROUP BY ALL",
        )
    )
    last = played.logs[-1]
    assert found == {
        name: int(last.shelf_minor[number])
        for name, number in numbers.items()
        if state.goods.launched[state.goods.product_of[number]] < SIZE.days
    }
    lower = "SELECT count(*) FROM prices WHERE compare_at_minor <= price_minor"
    assert rows(con, lower) == [(0,)]


def test_mails_are_recorded_with_who_got_them(played, con):
    sent = sum(len(log.mails) for log in played.logs)
    found = rows(con, "SELECT count(*) FROM messages WHERE campaign_id IS NOT NULL")
    assert found == [(sent,)]
    assert sent > 100


def test_a_copy_begins_its_facts_where_the_world_was():
    world = World(make_spec(), SIZE, 1)
    for _ in range(3):
        world.play_day(Eager())
    twin = deepcopy(world)
    _ = world.facts.connection
    with pytest.raises(ValueError, match="before they are first looked at"):
        deepcopy(world)
    world.play_day(Idle())
    assert twin.facts.table("events").num_rows < world.facts.table("events").num_rows
    newest = twin.facts.connection.execute("SELECT max(known_at) FROM events")
    assert newest.fetchone()[0] < first_instant(twin).item()


def test_closed_facts_are_not_taken_for_empty_ones():
    world = World(make_spec(), SIZE, 1)
    assert world.facts.table("locations").num_rows == 2
    world.facts.close()
    world.facts.close()
    with pytest.raises(ValueError, match="closed"):
        world.facts.table("locations")


def test_no_such_table(played):
    with pytest.raises(KeyError, match="secrets"):
        played.world.facts.table("secrets")


def test_the_products_signals_read_them(played, con):
    state = played.world.state
    last_day = state.today - timedelta(days=1)
    backend = ibis.duckdb.from_connection(con)
    made = compute(backend, when_of(last_day, "UTC"), source=backend.table)
    demand = made["demand"].to_pandas()
    expected: Counter[tuple[str, object]] = Counter()
    for log in played.logs:
        day = played.world.spec.start + timedelta(days=log.day)
        orders = log.sales.orders
        for variant, units in zip(orders.variant, orders.units, strict=True):
            expected[str(state.goods.variant_ids[variant]), day] += int(units)
    sold = demand[demand["units"] > 0]
    found = {
        (variant, getattr(day, "date", lambda day=day: day)()): int(units)
        for variant, day, units in zip(
            sold["variant_id"], sold["day"], sold["units"], strict=True
        )
    }
    # No order is cancelled or voided in a world, so nothing is left out.
    assert found == dict(expected)
    # A variant is out on the days that ended without a unit anywhere.
    out = {
        (str(state.goods.variant_ids[v]), played.world.spec.start + timedelta(log.day))
        for log in played.logs
        for v in np.flatnonzero(log.stock.sum(axis=1) == 0)
        if state.goods.launched[state.goods.product_of[v]] <= log.day
    }
    gone = demand[demand["stocked_out"]]
    days = [getattr(day, "date", lambda day=day: day)() for day in gone["day"]]
    assert set(zip(gone["variant_id"], days, strict=True)) == out
    stock = made["stock"].to_pandas().set_index("variant_id")
    for variant, name in enumerate(state.goods.variant_ids):
        if name in stock.index:
            row = stock.loc[name]
            assert row["on_hand_units"] == state.stock[variant].sum()
            # What came short is not on its way any more.
            assert row["inbound_units"] == state.inbound[variant].sum()
    assert (stock["inbound_units"] > 0).any()
    for name in ("catalogue", "intent", "returns", "margin", "consent", "lead_time"):
        assert made[name].num_rows > 0
