"""Page fixes shown to half of the visitors: the scorecard, and what a kind is worth."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartwheel.measure.credit.enrol import shown_kinds
from cartwheel.measure.credit.record import RETURN_DAYS, record_fix_effects
from cartwheel.measure.experiment.store import find
from cartwheel.measure.fix_visits_score import LEAST_ORDERS, METRICS, score_fix_visits
from cartwheel.measure.page_fixes import Scorecard
from cartwheel.measure.page_fixes_page import page_fixes_page
from cartwheel.signals.days import midnight_after
from cartwheel.signals.fix_effects import FIX_EFFECTS
from tests.contract.tiny_lake import TinyLake
from tests.measure.credit.made import row_of
from tests.measure.visits_made import (
    ENDS,
    NAME,
    STARTS,
    VISITED,
    agree,
    deliver,
    is_shown,
    shop_with_visits,
    terms_of,
    visit,
)
from tests.page_fixes import fix, put

OVER = ENDS + timedelta(days=RETURN_DAYS)


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    """400 visitors who buy; the size note halves what comes back, and who writes."""
    made = shop_with_visits(tmp_path, "P1", "P2")
    deliver(made)
    agree(made, "P1", "P2")
    rng = np.random.default_rng(5)
    for n in range(400):
        name = f"d{n}"
        chance = 0.2 if is_shown(name, "P1", "P2") else 0.4
        back, asks = rng.random(2) < chance
        visit(made, name, ("P1", "P2")[n // 2 % 2], back=bool(back), asks=bool(asks))
    made.write()
    return made


def score(lake: TinyLake, on: date = OVER) -> Scorecard:
    lake.write()
    with lake.shop.lake.attached(read_only=True) as con:
        return score_fix_visits(con, terms_of("P1", "P2"), lake.shop.settings, on=on)


def figures(card: Scorecard) -> dict[str, tuple[float, float]]:
    return {
        one.metric: (one.found.control_value, one.found.arm_value)
        for one in card.scores
        if one.found is not None
    }


def test_the_scorecard_tells_returns_orders_contacts_and_revenue(
    lake: TinyLake,
) -> None:
    card = score(lake)
    assert card.fixed + card.held_out == 400
    assert [one.metric for one in card.scores] == [one.name for one in METRICS]
    returns, orders, contacts, revenue = (one.found for one in card.scores)
    assert returns is not None
    assert contacts is not None
    assert (returns.control_value, returns.arm_value) == (
        pytest.approx(0.4, abs=0.08),
        pytest.approx(0.2, abs=0.08),
    )
    assert returns.high < 0
    assert contacts.high < 0
    assert orders is None or orders.low <= 0 <= orders.high, "everybody bought"
    assert revenue is None or revenue.low < 0 < revenue.high


def test_only_what_a_visitor_bought_of_products_in_test_after_looking_counts(
    lake: TinyLake,
) -> None:
    before = figures(score(lake))
    for arm in (True, False):
        names = (f"d{i}" for i in range(400))
        name = next(n for n in names if is_shown(n, "P1", "P2") is arm)
        # Bought before looking, of another product, in one order with what was tested,
        # and after the test.
        day = VISITED - timedelta(days=1)
        visit(lake, name, "elsewhere", back=True, asks=True, on=day)
        lake.sale(f"early-{name}", "P1", f"{day} 12:00", customer=f"c-{name}")
        visit(lake, name, "other", back=True, asks=True, on=VISITED)
        order = f"o-{name}-P1-{VISITED}"
        lake.sale(order, "other", f"{VISITED} 11:00", new_order=False)
        lake.add(
            "returns",
            return_id=f"other-{order}",
            line_id=str(lake._charges),
            order_id=order,
            product_id="other",
            variant_id="other",
            returned_at=f"{VISITED} 18:00",
            quantity_units=1,
        )
        visit(lake, name, "P1", back=True, on=ENDS + timedelta(days=1))
    assert figures(score(lake)) == before


def test_a_mail_without_an_order_counts_by_its_sender(lake: TinyLake) -> None:
    before = figures(score(lake))["contacts per order"]
    name = next(n for n in (f"d{i}" for i in range(400)) if is_shown(n, "P1", "P2"))
    lake.add("customers", customer_id=f"c-{name}", email="ana@example.org")
    for n in range(40):
        lake.add(
            "messages",
            message_id=f"mail-{n}",
            direction="in",
            sent_at=f"{VISITED + timedelta(days=2)} 12:00",
            address="ana@example.org",
            body="Hello?",
        )
    after = figures(score(lake))["contacts per order"]
    assert after[0] == before[0]
    assert after[1] > before[1] + 0.1


def test_a_few_orders_tell_nothing(tmp_path: Path) -> None:
    made = shop_with_visits(tmp_path, "P1", "P2")
    for n in range(LEAST_ORDERS):
        visit(made, f"d{n}", "P1", back=n % 2 == 0)
    card = score(made)
    assert all(f"{LEAST_ORDERS} are needed" in one.lacks for one in card.scores)
    with made.shop.lake.attached(read_only=True) as con:
        none = score_fix_visits(
            con, terms_of("P9"), made.shop.settings, on=STARTS + timedelta(days=1)
        )
    assert (none.fixed, none.held_out) == (0, 0)


def test_the_page_shows_tests_by_visitor(lake: TinyLake) -> None:
    page = page_fixes_page(lake.shop, OVER, None)
    (test,) = page["by_visitor"]
    assert (test["name"], test["over"], len(test["scores"])) == (NAME, True, 4)
    during = page_fixes_page(lake.shop, ENDS - timedelta(days=9), None)
    assert during["by_visitor"][0]["over"] is False
    assert (
        page_fixes_page(lake.shop, STARTS - timedelta(days=2), None)["by_visitor"] == []
    )


def signal(lake: TinyLake, on: date) -> list[dict[str, Any]]:
    return lake.rows(FIX_EFFECTS.name, on.isoformat())


def test_what_visitors_told_is_what_the_next_fix_of_the_kind_is_worth(
    lake: TinyLake,
) -> None:
    assert record_fix_effects(lake.shop, row_of(2, OVER)) == 1
    (row,) = signal(lake, OVER)
    assert (row["objection"], row["form"]) == ("size_fit", "size note")
    assert (row["fixed"], row["held_out"]) == (0, 0)
    assert row["shown"] + row["not_shown"] == 400
    assert (row["experiments"], row["counted"]) == (NAME, "all returns")
    assert row["control_rate"] == pytest.approx(0.4, abs=0.08)
    assert row["change_high"] < 0
    assert 0.2 < row["share"] < 0.7
    assert row["harm"] is None
    assert signal(lake, OVER - timedelta(days=1)) == []


def test_sales_that_may_still_come_back_wait(lake: TinyLake) -> None:
    early = VISITED + timedelta(days=RETURN_DAYS - 1)
    assert record_fix_effects(lake.shop, row_of(2, early)) == 0
    assert record_fix_effects(lake.shop, row_of(2, early + timedelta(days=1))) == 1


def test_messages_count_where_nothing_comes_back_for_it(tmp_path: Path) -> None:
    made = shop_with_visits(tmp_path, "P1")
    deliver(made)
    agree(made, "P1")
    for n in range(300):
        asks = n % (6 if is_shown(f"d{n}", "P1") else 3) == 0
        visit(made, f"d{n}", "P1", back=n % 4 == 0, asks=asks, reason="broken")
    made.write()
    record_fix_effects(made.shop, row_of(2, OVER))
    (row,) = signal(made, OVER)
    assert row["counted"] == "messages"
    assert row["change"] < 0


def test_the_kind_is_that_of_the_fix_delivered_before_the_test(tmp_path: Path) -> None:
    made = shop_with_visits(tmp_path, "P1", "P3")
    deliver(made)
    put(made.shop, fix("P2"), turn=1, state="approved")  # on no visitor's page
    agree(made, "P1", "P2")
    record = find(made.shop.database, NAME)
    assert shown_kinds(made.shop.database, record) == {"P1": ("size_fit", "size note")}


def test_intervals_hold_where_a_fix_does_nothing(tmp_path: Path) -> None:
    """Devices put in two arms at random two hundred times: some 95 % hold zero."""
    from cartwheel.measure.experiment.effect import compare
    from cartwheel.measure.experiment.moments import Moments
    from cartwheel.measure.fix_visits import read_fix_visits
    from cartwheel.measure.fix_visits_score import SUMS, sums_of

    made = shop_with_visits(tmp_path, "P1")
    rng = np.random.default_rng(6)
    for n in range(300):
        buys, back, asks = rng.random(3) < (0.6, 0.3, 0.2)
        visit(made, f"d{n}", "P1", buys=buys, back=bool(back), asks=bool(asks))
    made.write()
    with made.shop.lake.attached(read_only=True) as con:
        found = read_fix_visits(
            con,
            terms_of("P1"),
            made.shop.settings,
            products=["P1"],
            until=ENDS,
            known=midnight_after(OVER, "UTC"),
            schema="lake",
        )
    sums = sums_of(found)
    held = dict.fromkeys((one.name for one in METRICS), 0)
    for _ in range(200):
        arm = rng.random(len(sums)) < 0.5
        for metric in METRICS:
            one = compare(
                metric, Moments.of(SUMS, sums[~arm]), Moments.of(SUMS, sums[arm])
            )
            held[metric.name] += one.low <= 0 <= one.high
    assert all(count >= 180 for count in held.values()), held
