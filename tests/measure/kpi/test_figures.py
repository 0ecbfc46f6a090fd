"""Every KPI worked out by hand on a tiny shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cartwheel.connectors.nps_survey import NpsSurvey
from cartwheel.measure.kpi import KPIS
from cartwheel.measure.kpi.intervals import wilson
from tests.connectors.tickets.made import CONTEXT
from tests.measure.kpi.made import Facts, at, days_of_march


@pytest.fixture
def facts() -> Iterator[Facts]:
    made = Facts()
    yield made
    made.con.close()


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_an_empty_shop_says_what_is_missing(facts: Facts, kpi) -> None:
    found = facts.value(kpi.name)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.not_yet.startswith("Not yet: ")
    assert found.not_yet.endswith(".")


def twelve_orders(facts: Facts) -> None:
    """Twelve customers pay 1,000 each in March; others do not count."""
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}")
    facts.order("before", "03-03", "C1", 9_000)
    facts.order("after", "04-01", "C1", 9_000)
    facts.order("cancelled", "03-11", "C1", 9_000, status="cancelled")
    facts.order("cancelled later", "03-11", "C1", 9_000)
    facts.cancel("cancelled later", "03-20", "03-11", "C1")


def visited(facts: Facts) -> None:
    """Every day of March one visitor comes; C0's device is known, seen twice."""
    for i, day in enumerate(days_of_march()):
        facts.view(f"D{i}", day, "C0" if i == 0 else None)
    facts.view("D0", "03-30")
    facts.view("D-before", "03-03")


def test_conversion_and_revenue_per_visitor(facts: Facts) -> None:
    twelve_orders(facts)
    visited(facts)
    conversion = facts.value("conversion")
    assert (conversion.top, conversion.bottom) == (12, 28)
    assert conversion.value == 12 / 28
    revenue = facts.value("revenue_per_visitor")
    assert revenue.value == 12_000 / 28
    # C0 and device D0 are one owner: 11 more customers and 27 more devices.
    assert revenue.owners == 39
    order_value = facts.value("average_order_value").value
    assert order_value == 1_000
    assert revenue.value == pytest.approx(conversion.value * order_value)


def test_visitors_are_not_said_before_events_cover_the_window(facts: Facts) -> None:
    twelve_orders(facts)
    for day in days_of_march()[6:]:
        facts.view(f"D{day}", day)
    found = facts.value("conversion").not_yet
    assert found == (
        "Not yet: visits are known since 10 Mar 2026; the first full 28 days end on "
        "6 Apr 2026."
    )
    assert facts.value("revenue_per_visitor").not_yet == found


def test_visitors_are_not_said_when_events_stopped(facts: Facts) -> None:
    facts.view("early", "02-01")
    for day in days_of_march()[:-4]:
        facts.view(f"D{day}", day)
    assert "4 of the 28 days have no visit; the newest is of 27 Mar 2026" in (
        facts.value("conversion").not_yet
    )


def test_more_orders_than_visitors_is_no_conversion(facts: Facts) -> None:
    for day in days_of_march():
        facts.view("D", day)
    twelve_orders(facts)
    assert (
        "12 orders stand against 1 seen visitors" in facts.value("conversion").not_yet
    )


def test_order_value_takes_discounts_off_and_counts_guests(facts: Facts) -> None:
    for i in range(12):
        facts.order(f"O{i}", "03-10", None, 2_000, off=500)
    facts.order("big", "03-11", "C", 14_000)
    found = facts.value("average_order_value")
    assert (found.top, found.bottom, found.owners) == (12 * 1_500 + 14_000, 13, 13)


def test_a_sale_keyed_in_and_taken_back_is_no_sale(facts: Facts) -> None:
    facts.open_since()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}")
    facts.order("twice", "03-11", "C0")
    back = {"reason": "cancellation", "amount_minor": 1_000}
    # It closes the newest open sale of the same to the same; one too late closes none.
    facts.refund("X0", "03-12", None, customer_id="C0", **back)
    facts.refund("X1", "03-14", None, customer_id="C1", **back)
    facts.refund("X2", "03-12", None, customer_id="C2", **{**back, "reason": "torn"})
    assert {row["id"] for row in facts.rows("average_order_value")} == {
        f"O{i}" for i in range(12)
    }
    before = facts.value("average_order_value", date(2026, 3, 11))
    assert before.bottom == 13, "on the day before, nobody knew"
    returned = facts.value("return_rate")
    assert (returned.top, returned.bottom) == (2, 12)


def test_an_interval_needs_ten_owners(facts: Facts) -> None:
    for i in range(9):
        facts.order(f"O{i}", "03-10", f"C{i}")
    found = facts.value("average_order_value")
    assert "counted from 9 customers; 10 are needed" in found.not_yet
    facts.order("O9", "03-10", "C9")
    assert facts.value("average_order_value").value == 1_000


def margins(facts: Facts) -> None:
    facts.open_since()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}", variant="V1")
    facts.add("costs", variant_id="V1", valid_from_at=at("01-01"), cost_minor=300)
    # Dearer from the day after: what was sold before keeps its cost.
    facts.add("costs", variant_id="V1", valid_from_at=at("03-11"), cost_minor=700)


def test_contribution_margin_is_what_goods_leave(facts: Facts) -> None:
    margins(facts)
    found = facts.value("contribution_margin")
    assert (found.top, found.bottom) == (12 * 700, 12_000)
    assert found.note.startswith("Unit costs are known for 100.0% of revenue; what")


def test_contribution_margin_leaves_unknown_costs_out(facts: Facts) -> None:
    margins(facts)
    facts.order("dark", "03-10", "C1", 3_000, variant="V2")
    facts.refund("R", "03-12", "dark", product_id="V2", variant_id="V2")
    found = facts.value("contribution_margin")
    assert (found.top, found.bottom) == (12 * 700, 12_000)
    assert "known for 80.0% of revenue" in found.note


def test_contribution_margin_is_not_said_where_most_costs_are_unknown(
    facts: Facts,
) -> None:
    margins(facts)
    facts.order("dark", "03-10", "C1", 13_000, variant="V2")
    assert "known for 48% of revenue, 50% are needed" in (
        facts.value("contribution_margin").not_yet
    )


def test_contribution_margin_takes_refunds_returns_and_parcels_off() -> None:
    facts = Facts(parcel_minor=50)
    margins(facts)
    facts.refund("R1", "03-14", "O1")
    facts.came_back("B1", "03-13", "O1", cost_minor=80, grade="resale")
    # Waste whose loss nobody wrote down is worth nothing again.
    facts.came_back("B2", "03-13", "O2", grade="waste")
    # A refund of units without a return: the goods are back, at their cost then.
    facts.refund("R3", "03-14", "O3", amount_minor=900)
    facts.refund("late", "04-02", "O4")
    found = facts.value("contribution_margin")
    sold, back = 12 * 700, 700 + 700
    assert found.top == sold - 12 * 50 - 1_000 - 900 + back - 80
    assert found.bottom == 12_000 - 1_000 - 900
    assert "each order's parcel is taken off" in found.note


def test_a_cost_known_only_after_the_sale_counts_as_known(facts: Facts) -> None:
    facts.open_since()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}")
    facts.add("costs", variant_id="V1", valid_from_at=at("03-20"), cost_minor=400)
    assert facts.value("contribution_margin").top == 12 * 600


def test_a_cost_announced_for_later_is_not_yet_one(facts: Facts) -> None:
    facts.open_since()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}")
    facts.add(
        "costs", at("03-20"), variant_id="V1", valid_from_at=at("04-20"), cost_minor=400
    )
    assert "known for 0% of revenue" in facts.value("contribution_margin").not_yet


def cohort(facts: Facts, first: str, count: int = 20) -> None:
    facts.open_since()
    for i in range(count):
        facts.order(f"F{i}", first, f"N{i}")


def test_repeat_rate_follows_each_customer_for_90_days(facts: Facts) -> None:
    # The window that ended 90 days before 1 April is 4 to 31 December.
    cohort(facts, "2025-12-10")
    facts.order("same day", "2025-12-10", "N0")
    for i in (1, 2, 3):
        facts.order(f"again{i}", "01-15", f"N{i}")
    facts.order("more", "02-15", "N3")
    facts.order("late", "03-20", "N4")  # 100 days after
    facts.order("taken back", "01-15", "N5")
    facts.cancel("taken back", "01-16", "01-15", "N5")
    facts.order("not new", "2025-12-12", "old customer")
    found = facts.value("repeat_rate")
    assert (found.top, found.bottom) == (3, 20)
    assert (found.low, found.high) == pytest.approx(wilson(3, 20))


def test_repeat_rate_says_from_when_it_can_be_told(facts: Facts) -> None:
    facts.order("first", "03-01", "C")
    assert facts.value("repeat_rate").not_yet == (
        "Not yet: orders are known since 1 Mar 2026; who came back within 90 days can "
        "be told from 26 Jun 2026."
    )


def test_lifetime_value_is_of_a_whole_first_year(facts: Facts) -> None:
    # Customers first seen in the 84 days that ended 365 days before 1 April 2026.
    cohort(facts, "2025-02-01")
    facts.order("more", "2025-06-01", "N0", 5_000)
    facts.order("after a year", "2026-02-02", "N0", 9_000)
    facts.refund("R", "2025-06-10", "more", amount_minor=2_000)
    facts.refund("by hand", "2025-06-10", None, customer_id="N1", amount_minor=300)
    facts.refund("late", "2026-02-03", "F2", amount_minor=700)
    found = facts.value("lifetime_value")
    assert (found.top, found.bottom) == (20 * 1_000 + 5_000 - 2_000 - 300, 20)


def test_payback_is_months_of_first_year_margin(facts: Facts) -> None:
    cohort(facts, "2025-02-01")
    facts.add("costs", variant_id="V1", valid_from_at=at("2024-01-01"), cost_minor=400)
    facts.add(
        "campaigns",
        campaign_id="inside",
        medium="ads",
        started_at=at("2025-02-01"),
        cost_minor=5_000,
    )
    # Half of its ten days lie in the cohort's 84, which end on 1 April 2025.
    facts.add(
        "campaigns",
        campaign_id="half",
        medium="ads",
        started_at=datetime(2025, 3, 27),
        ended_at=datetime(2025, 4, 6),
        cost_minor=2_000,
    )
    facts.add(
        "campaigns",
        campaign_id="mail",
        medium="email",
        started_at=at("2025-02-01"),
        cost_minor=9_000,
    )
    found = facts.value("cac_payback")
    assert found.value == 12 * 6_000 / (20 * 600)
    assert found.low == found.high == found.value, "all customers earn the same"


def test_payback_refuses_what_it_cannot_know(facts: Facts) -> None:
    assert "no advertising is known" in facts.value("cac_payback").not_yet
    cohort(facts, "2025-02-01")
    ad = {"medium": "ads", "started_at": at("2025-02-01")}
    facts.add("campaigns", campaign_id="A", **ad)
    assert "1 of 1 advertising campaigns" in facts.value("cac_payback").not_yet
    later = datetime(2025, 3, 1)
    facts.add("campaigns", later, campaign_id="A", cost_minor=99_000, **ad)
    assert "known for 0% of these" in facts.value("cac_payback").not_yet
    facts.add("costs", variant_id="V1", valid_from_at=at("2024-01-01"), cost_minor=400)
    assert "has not paid for the advertising" in facts.value("cac_payback").not_yet


def test_net_promoter_score(facts: Facts) -> None:
    answers = [10, 9, 9, 9, 10, 8, 7, 6, 0, 3, 5, 10]
    for i, score in enumerate(answers):
        facts.add(
            "messages",
            message_id=f"M{i}",
            customer_id=f"C{i}",
            direction="in",
            medium="nps",
            sent_at=at("03-10"),
            body=f" {score} ",
        )
    for i, (medium, body) in enumerate((("email", "10"), ("nps", "11"), ("nps", "ok"))):
        facts.add(
            "messages",
            message_id=f"X{i}",
            direction="in",
            medium=medium,
            sent_at=at("03-10"),
            body=body,
        )
    found = facts.value("net_promoter_score")
    assert (found.top, found.bottom) == (6 - 4, 12)
    assert found.value == pytest.approx(100 * 2 / 12)


def test_return_rate_counts_what_came_back_once(facts: Facts) -> None:
    facts.open_since()
    for i in range(12):
        facts.order(f"O{i}", "03-10", f"C{i}", units=2)
    facts.came_back("B1", "03-15", "O1")
    facts.refund("R1", "03-16", "O1")  # of the same goods
    facts.refund("R2", "03-16", "O2")  # no return tells of these
    facts.refund("money", "03-16", "O3", quantity_units=0)
    facts.came_back("late", "04-01", "O4")
    found = facts.value("return_rate")
    assert (found.top, found.bottom) == (2, 24)


def test_return_rate_waits_for_a_full_window(facts: Facts) -> None:
    facts.order("first", "03-10", "C")
    facts.came_back("B", "03-12", "first")
    assert "the first full 28 days end on 6 Apr 2026" in (
        facts.value("return_rate").not_yet
    )


def counted(facts: Facts, variant: str, day: str, units: int, place: str = "L") -> None:
    facts.add(
        "inventory_levels",
        variant_id=variant,
        location_id=place,
        counted_at=at(day),
        available_units=units,
    )


def test_stock_out_rate_counts_days_at_whose_end_nothing_is_left(facts: Facts) -> None:
    for i in range(10):
        counted(facts, f"V{i}", "02-01", 5)  # 28 days each, never out
    counted(facts, "V0", "03-11", 0)  # 11 to 20 March: 10 days
    counted(facts, "V0", "03-21", 7)
    counted(facts, "V1", "03-30", -2)  # 30 and 31 March; oversold is out
    counted(facts, "new", "03-25", 0)  # 7 days, all out
    counted(facts, "two", "03-02", 4, "L")
    counted(facts, "two", "03-02", 0, "M")
    counted(facts, "two", "03-28", 0, "L")  # now nothing at both: 4 days
    facts.add("products", product_id="V2", status="archived", created_at=at("01-01"))
    found = facts.value("stock_out_rate")
    assert found.top == 10 + 2 + 7 + 4
    assert found.bottom == 28 * 9 + 7 + 28


def test_sell_through_is_sold_of_sold_and_left(facts: Facts) -> None:
    facts.open_since()
    for i in range(10):
        counted(facts, f"V{i}", "03-20", 3)
    counted(facts, "V1", "03-28", -1)  # nothing left, not less
    facts.order("O", "03-10", "C", variant="V1", units=4)
    facts.order("uncounted", "03-10", "C", variant="V77", units=4)
    found = facts.value("sell_through")
    assert (found.top, found.bottom) == (4, 4 + 9 * 3)


def test_days_are_the_shops(facts: Facts) -> None:
    """Midnight in Tokyo is 15:00 UTC: 31 March ends there nine hours earlier."""
    tokyo = Facts(timezone="Asia/Tokyo")
    for made in (facts, tokyo):
        for i in range(12):
            made.order(f"O{i}", "03-10", f"C{i}")
        made.add(
            "orders",
            order_id="late",
            placed_at=datetime(2026, 3, 31, 16),
            updated_at=datetime(2026, 3, 31, 16),
            status="paid",
        )
        made.add(
            "order_lines",
            order_id="late",
            line_id="1",
            placed_at=datetime(2026, 3, 31, 16),
            kind="product",
            variant_id="V",
            quantity_units=1,
            unit_price_minor=1,
        )
    assert facts.value("average_order_value").bottom == 13
    assert tokyo.value("average_order_value").bottom == 12
    assert tokyo.value("average_order_value", date(2026, 4, 1)).bottom == 13


@pytest.mark.parametrize(
    ("kpi", "told_on"),
    [
        ("repeat_rate", date(2026, 6, 26)),
        ("lifetime_value", date(2027, 5, 23)),
        ("sell_through", date(2026, 3, 28)),
        ("conversion", date(2026, 3, 28)),
    ],
)
def test_the_day_that_a_sentence_names_is_the_first(
    facts: Facts, kpi: str, told_on: date
) -> None:
    for i in range(12):
        facts.order(f"O{i}", "03-01", f"C{i}")
        counted(facts, f"V{i}", "03-01", 5)
    for i in range(28):
        facts.view(f"D{i}", (date(2026, 3, 1) + timedelta(days=i)).isoformat())
    before, then = facts.values(kpi, [told_on - timedelta(days=1), told_on])
    assert f"{told_on.day} {told_on:%b %Y}" in before.not_yet
    assert then.value is not None


LATE = datetime(2026, 3, 24)
"""An instant between the two days of the next test, whose windows hold 10 March."""


def add_late(facts: Facts, table: str, known_at: datetime | None) -> None:
    """Add a fact of 10 March (a year earlier for an advertisement)."""
    if table == "orders":
        facts.order("late", "03-10", "C99", known_at=known_at)
        return
    made: dict[str, dict[str, Any]] = {
        "events": {
            "event_id": "late",
            "kind": "view",
            "occurred_at": at("03-10"),
            "visitor_id": "late",
        },
        "inventory_levels": {
            "variant_id": "V0",
            "location_id": "L",
            "counted_at": at("03-10"),
            "available_units": 0,
        },
        "early count": {
            "variant_id": "V0",
            "location_id": "L",
            "counted_at": at("02-10"),
            "available_units": 0,
        },
        "costs": {
            "variant_id": "V1",
            "valid_from_at": at("03-09"),
            "cost_minor": 1,
        },
        "messages": {
            "message_id": "late",
            "direction": "in",
            "medium": "nps",
            "sent_at": at("03-10"),
            "body": "9",
        },
        "campaigns": {
            "campaign_id": "late",
            "medium": "ads",
            "started_at": at("2025-02-10"),
            "cost_minor": 7,
        },
        "refunds": {
            "refund_id": "late",
            "line_id": "1",
            "order_id": "O1",
            "product_id": "V1",
            "variant_id": "V1",
            "refunded_at": at("03-11"),
            "quantity_units": 1,
            "amount_minor": 50,
        },
        "returns": {
            "return_id": "late",
            "line_id": "1",
            "order_id": "O2",
            "product_id": "V1",
            "variant_id": "V1",
            "returned_at": at("03-11"),
            "quantity_units": 1,
        },
    }
    name = "inventory_levels" if table == "early count" else table
    facts.add(name, known_at, **made[table])


@pytest.mark.parametrize(
    ("table", "kpi"),
    [
        ("orders", "average_order_value"),
        ("events", "conversion"),
        ("inventory_levels", "stock_out_rate"),
        ("early count", "stock_out_rate"),
        ("costs", "contribution_margin"),
        ("messages", "net_promoter_score"),
        ("campaigns", "cac_payback"),
        ("refunds", "contribution_margin"),
        ("returns", "return_rate"),
    ],
)
def test_a_fact_known_late_counts_from_then_on(table: str, kpi: str) -> None:
    days = [date(2026, 3, 20), date(2026, 3, 27)]
    found = {}
    for when in (None, LATE, datetime(2026, 5, 1)):
        facts = Facts()
        facts.open_since()
        visited(facts)
        for i in range(12):
            facts.order(f"O{i}", "03-10", f"C{i}")
            facts.order(f"F{i}", "2025-02-01", f"N{i}")
            counted(facts, f"V{i}", "02-01", 5)
        facts.add(
            "costs", variant_id="V1", valid_from_at=at("2024-01-01"), cost_minor=9
        )
        add_late(facts, table, when)
        values = facts.values(kpi, days)
        found[when] = [(value.top, value.bottom) for value in values]
        facts.con.close()
    at_once, late, never = found.values()
    assert at_once[0] != never[0], "the fact is seen by this figure"
    assert at_once[1] != never[1]
    assert late == [never[0], at_once[1]]


def test_the_net_promoter_score_of_an_export(facts: Facts, tmp_path: Path) -> None:
    lines = [
        f"{score},2026-03-10,c{n}@mail.example,Fine"
        for n, score in enumerate([10, 9, 9, 9, 10, 8, 7, 6, 0, 3, 5, 10, 11])
    ]
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(["Score,Date,Email,Comment", *lines]), encoding="utf-8")
    found = NpsSurvey().read(path, CONTEXT)
    for row in found.facts["messages"].to_pylist():
        del row["_source_row"]
        facts.add("messages", **row)
    value = facts.value("net_promoter_score")
    assert (value.top, value.bottom, value.owners) == (6 - 4, 12, 12)
