"""Each check is silent in a healthy shop and fires on the fault it is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.lake.tables import TABLES
from cartwheel.measure.health.data import Carried, Made, Ran
from cartwheel.measure.health.finding import Finding, Stake
from cartwheel.measure.health.page import health_page
from cartwheel.measure.health.spokes import faults_of, find_faults, judge, rank
from tests.measure.health.made import (
    DAYS,
    END,
    SINCE,
    decisions,
    empty,
    look,
    make_shop,
    with_state,
)

Damage = Callable[[duckdb.DuckDBPyConnection], object]
FROM = f"TIMESTAMP '{SINCE}'"

FAULTS: dict[str, tuple[str, str, str]] = {
    "events_whole": (
        "events",
        "events_whole",
        f"DELETE FROM events WHERE kind = 'view' AND occurred_at >= {FROM} "
        "AND hash(event_id) % 2 = 0",
    ),
    "events_once": (
        "events",
        "events_once",
        "INSERT INTO events SELECT * REPLACE (event_id || 'x' AS event_id) FROM events "
        f"WHERE occurred_at >= {FROM} AND visitor_id < 'd30'",
    ),
    "exposures_seen": (
        "exposures",
        "exposures_seen",
        f"DELETE FROM events WHERE kind = 'exposure' AND occurred_at >= {FROM} "
        "AND hash(event_id) % 3 = 0",
    ),
    "exposures_per_view": (
        "exposures",
        "exposures_per_view",
        f"DELETE FROM events WHERE kind IN ('exposure', 'click') "
        f"AND occurred_at >= {FROM}",
    ),
    "exposures_named": (
        "exposures",
        "exposures_named",
        f"UPDATE events SET decision_id = NULL WHERE occurred_at >= {FROM}",
    ),
    "visitors_known": (
        "identity",
        "visitors_known",
        f"UPDATE events SET customer_id = NULL WHERE occurred_at >= {FROM}",
    ),
    "orders_known": (
        "identity",
        "orders_known",
        f"UPDATE orders SET customer_id = NULL WHERE placed_at >= {FROM}",
    ),
    "stock_counted": (
        "stock",
        "stock_counted",
        f"DELETE FROM inventory_levels WHERE counted_at >= {FROM}",
    ),
    "stock_agrees": (
        "stock",
        "stock_agrees",
        f"UPDATE inventory_levels SET available_units = 0 WHERE counted_at >= {FROM} "
        "AND variant_id IN ('V1', 'V2', 'V3')",
    ),
    "costs_known": (
        "costs",
        "costs_known",
        "DELETE FROM costs WHERE variant_id IN ('V1', 'V2', 'V3', 'V4')",
    ),
    "costs_plausible": (
        "costs",
        "costs_plausible",
        "INSERT INTO costs SELECT * REPLACE (0 AS cost_minor, "
        f"{FROM} AS valid_from_at, {FROM} AS known_at) FROM costs "
        "WHERE variant_id IN ('V1', 'V2', 'V3')",
    ),
    "prices_agree": (
        "prices",
        "prices_agree",
        f"UPDATE order_lines SET unit_price_minor = 900 WHERE placed_at >= {FROM} "
        "AND variant_id IN ('V1', 'V2')",
    ),
    "receipts_recorded": (
        "receipts",
        "receipts_recorded",
        f"DELETE FROM receipts WHERE received_at >= {FROM}",
    ),
    "returns_recorded": (
        "returns",
        "returns_recorded",
        f"DELETE FROM returns WHERE returned_at >= {FROM}",
    ),
    "deliveries_recorded": (
        "deliveries",
        "deliveries_recorded",
        f"UPDATE orders SET delivered_at = NULL WHERE placed_at >= {FROM}",
    ),
    "offers_sent": (
        "mail",
        "offers_sent",
        f"DELETE FROM messages WHERE sent_at >= {FROM}",
    ),
    "orders_arrive": (
        "orders",
        "orders_arrive",
        f"DELETE FROM orders WHERE placed_at >= {FROM} + INTERVAL 18 DAY",
    ),
    "events_arrive": (
        "events",
        "events_arrive",
        f"DELETE FROM events WHERE occurred_at >= {FROM} + INTERVAL 18 DAY",
    ),
    "counts_arrive": (
        "stock",
        "counts_arrive",
        f"DELETE FROM inventory_levels WHERE counted_at >= {FROM} + INTERVAL 18 DAY",
    ),
    "events_per_order": (
        "events",
        "events_per_order",
        "DELETE FROM events WHERE kind IN ('checkout', 'add_to_cart') "
        f"AND occurred_at >= {FROM}",
    ),
    "lead_times": (
        "supplier S1",
        "lead_times",
        "DELETE FROM receipts WHERE received_at >= "
        f"{FROM}; DELETE FROM inventory_levels WHERE hour(counted_at) = 6 "
        f"AND counted_at >= {FROM}",
    ),
}
"""Check by name: spoke, check that must say broken, and the damage."""

SHOP = make_shop()


@pytest.fixture
def shop() -> duckdb.DuckDBPyConnection:
    """A copy of the healthy shop."""
    con = empty()
    for table in TABLES:
        con.register("given", SHOP.table(table.name).to_arrow_table())
        con.execute(f"INSERT INTO {table.name} SELECT * FROM given")
        con.unregister("given")
    return con


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings}


def costs_seen() -> frozenset[str]:
    return frozenset(f"V{v}" for v in range(8))


def test_healthy_shop_has_no_fault_and_every_share_was_looked_at() -> None:
    found = find_faults(look(SHOP, costs_before=costs_seen()))
    assert faults_of(found) == []
    looked = {one.check for one in found if one.state == "well"}
    assert set(FAULTS) <= looked
    assert {one.check for one in found if one.state == "unknown"} == {"forecasts"}


@pytest.mark.parametrize("check", FAULTS)
def test_check_fires_on_its_fault(check: str, shop: duckdb.DuckDBPyConnection) -> None:
    spoke, name, damage = FAULTS[check]
    shop.execute(damage)
    found = find_faults(look(shop, costs_before=costs_seen()))
    one = by_check(found)[name]
    assert (one.state, one.spoke) == ("broken", spoke)
    assert one.adjusted is not None
    assert one.adjusted < 0.01
    assert one.evidence
    assert one.next_step
    assert found[0].spoke == spoke, [f.check for f in faults_of(found)]


def test_mailings_that_stop_are_seen_without_a_ledger(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute(f"DELETE FROM messages WHERE sent_at >= {FROM}")
    found = find_faults(look(shop, decisions=()))
    assert found[0].check == "mail_rhythm"
    # Four empty weeks after fourteen full ones: 1 of C(18, 4) orders.
    assert found[0].p_value == pytest.approx(1 / 3060)


def test_stake_is_the_money_touched_times_what_is_assumed_lost(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("DELETE FROM costs WHERE variant_id IN ('V1', 'V2', 'V3', 'V4')")
    one = find_faults(look(shop, costs_before=costs_seen()))[0]
    # 14 sales of each of the four variants in 28 days, at 10.01 to 10.04, of a month
    # of 30 days; 4 % of it.
    paid = 14 * (1_001 + 1_002 + 1_003 + 1_004) * 30 / 28
    assert one.stake.value == pytest.approx(0.04 * paid)
    assert one.stake.low is not None
    assert one.stake.high is not None
    assert one.stake.low < 0.04 * paid < one.stake.high
    assert "assumed lost: 1.0% to 10%" in one.stake.basis
    assert set(one.rows) <= {"V1", "V2", "V3", "V4"}


def test_a_fault_upstream_explains_those_after_it(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute(f"DELETE FROM receipts WHERE received_at >= {FROM}")
    found = by_check(find_faults(look(shop)))
    assert found["lead_times"].explained_by == "receipts_recorded"
    assert found["receipts_recorded"].explained_by == ""


def test_receipts_of_other_goods_and_returns_of_other_orders_prove_nothing(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute(f"UPDATE receipts SET variant_id = 'V9' WHERE received_at >= {FROM}")
    shop.execute(f"UPDATE returns SET order_id = 'O9' WHERE returned_at >= {FROM}")
    found = by_check(find_faults(look(shop)))
    assert found["receipts_recorded"].state == "broken"
    assert found["returns_recorded"].state == "broken"


def test_trade_that_halves_is_no_fault(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute(
        "CREATE TABLE gone AS SELECT order_id, 'A' || CAST(substr(order_id, 2) AS "
        f"INTEGER) AS answer FROM orders WHERE placed_at >= {FROM} "
        "AND hash(order_id) % 2 = 0"
    )
    for name in ("orders", "order_lines", "returns", "refunds"):
        shop.execute(
            f"DELETE FROM {name} WHERE order_id IN (SELECT order_id FROM gone)"
        )
    shop.execute(
        "DELETE FROM events WHERE 'A' || split_part(substr(event_id, 2), '-', 1) "
        "IN (SELECT answer FROM gone)"
    )
    assert faults_of(find_faults(look(shop))) == []


def test_wheel_parts_are_looked_at() -> None:
    late = with_state(decisions(), "approved")
    runs = [
        Ran(lever="price", state="degraded", reason="it broke", before=("healthy",)),
        Ran(lever="lifecycle", state="fallback", reason="too few", before=()),
    ]
    cut = [
        Carried(name="a→b", cut=True, rows=3),
        Carried(name="c→d", cut=False, rows=0),
        Carried(name="e→f", cut=False, rows=1),
    ]
    found = by_check(find_faults(look(SHOP, decisions=late, runs=runs, links=cut)))
    assert found["lever_price"].state == "broken"
    assert found["lever_lifecycle"].state == "weak"
    # Ten decisions of 1.00 a turn.
    assert found["lever_lifecycle"].stake.value == 1_000.0
    assert found["link_a→b"].state == found["link_c→d"].state == "weak"
    assert "link_e→f" not in found
    assert found["applied_winback"].evidence["waiting"] == 180
    assert found["applied_winback"].stake.value == pytest.approx(0.5 * 18_000)


def test_held_out_customers_who_are_treated_are_found(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("UPDATE answers SET arm = 'treated'")
    one = by_check(find_faults(look(shop)))["holdout_kept"]
    assert one.state == "broken"
    assert one.stake.value is None


def outcomes(con: duckdb.DuckDBPyConnection, actual: str) -> None:
    con.execute(
        "INSERT INTO outcomes BY NAME SELECT '3-' || i AS decision_id, 'units_28d' AS "
        "metric, 'forecast' AS lever, 'forecast' AS kind, 'variant:V' || i AS subject, "
        f"{FROM} AS measured_at, 10.0 AS predicted, 6.0 AS low, 14.0 AS high, "
        f"{actual} AS actual, {FROM} AS known_at FROM range(60) AS t(i)"
    )


def test_biased_forecasts_are_found_and_noisy_ones_are_not(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    outcomes(shop, "10.0 + (i % 5 - 2) * 2")
    assert by_check(find_faults(look(shop)))["forecast_forecast_units_28d"].state == (
        "well"
    )
    shop.execute("UPDATE outcomes SET actual = actual * 0.6")
    one = by_check(find_faults(look(shop)))["forecast_forecast_units_28d"]
    assert one.state == "broken"
    assert one.evidence["actual"] == pytest.approx(360)


def finding(name: str, state: str, value: float | None, **more: object) -> Finding:
    return Finding(
        check=name,
        spoke=name,
        part="input",
        state=state,  # type: ignore[arg-type]
        says=name,
        stake=Stake(value=value, low=value, high=value, basis=""),
        **more,  # type: ignore[arg-type]
    )


def test_ranking_is_by_money_and_unknown_money_comes_after_known() -> None:
    given = [
        finding("well", "well", None),
        finding("lacks", "unknown", None),
        finding("weak", "weak", 9_000.0),
        finding("dark", "broken", None),
        finding("small", "broken", 10.0),
        finding("follows", "broken", 5_000.0, explained_by="large"),
        finding("large", "broken", 2_000.0),
    ]
    assert [one.check for one in rank(given)] == [
        *("large", "small", "dark", "follows", "weak", "lacks", "well")
    ]


def test_chance_is_taken_back_over_all_checks_together() -> None:
    few = [finding("a", "broken", 1.0, p_value=0.004)]
    assert judge(few)[0].state == "broken"
    many = few + [finding(str(i), "well", None, p_value=0.5) for i in range(4)]
    assert judge(many)[0].state == "well"
    assert judge(many)[0].stake.value is None
    assert judge(many)[0].adjusted == pytest.approx(0.02)


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_a_shop_without_one_table_is_looked_at(
    name: str, shop: duckdb.DuckDBPyConnection
) -> None:
    shop.execute(f"DELETE FROM {name}")
    page = health_page(look(shop))
    told = {one["check"]: one for one in page["unknown"]}
    assert all(one["lacks"] for one in told.values())


def test_an_empty_shop_says_what_every_check_lacks() -> None:
    page = health_page(
        look(empty(), decisions=(), runs=(), links=(), held_out=frozenset())
    )
    assert page["faults"] == []
    assert page["well"] == []
    assert len(page["unknown"]) >= len(FAULTS)
    assert all(one["lacks"] for one in page["unknown"])


@settings(max_examples=25, deadline=None)
@given(
    days=st.integers(1, 30),
    daily=st.integers(1, 3),
    gone=st.sets(st.sampled_from([table.name for table in TABLES]), max_size=6),
    kept=st.integers(0, 30),
)
def test_tiny_shops_never_raise_and_never_alarm(
    days: int, daily: int, gone: set[str], kept: int
) -> None:
    """Thirty orders at most; whole tables and some rows are missing."""
    con = make_shop(days, daily)
    con.execute(
        "CREATE TABLE few AS SELECT order_id FROM orders ORDER BY hash(order_id) "
        f"LIMIT {kept}"
    )
    for name in ("orders", "order_lines", "returns", "refunds"):
        con.execute(f"DELETE FROM {name} WHERE order_id NOT IN (FROM few)")
    for name in gone:
        con.execute(f"DELETE FROM {name}")
    page = health_page(
        look(
            con, decisions=[d for d in decisions(DAYS) if d.at >= END - timedelta(days)]
        )
    )
    assert all(one["lacks"] for one in page["unknown"])
    money = [one["stake"]["value"] for one in page["faults"]]
    assert all(value is None or value >= 0 for value in money)


def test_decisions_of_other_subjects_are_no_customers() -> None:
    made = [
        Made(
            id="1-a",
            lever="price",
            kind="price_change",
            subject="variant:C1",
            state="applied",
            at=SINCE,
            turn=1,
        )
    ] * 10
    one = by_check(find_faults(look(SHOP, decisions=made)))["holdout_kept"]
    assert one.evidence["reached"] == 0
