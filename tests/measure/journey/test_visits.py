"""Visits: cut as the signal cuts them, counted once, and what they did."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.measure.journey.tally import Tally, count_visits
from cartwheel.measure.journey.visits import cut_visits
from cartwheel.signals.days import midnight_after
from tests.contract.tiny_lake import TinyLake
from tests.measure.journey.made import END, event, events_lake, lake_of, look

AT = END - timedelta(days=3)
KINDS = ("view", "list", "search", "add_to_cart", "failed_add", "checkout", "exposure")


def count(events: list[dict[str, Any]], **more: Any) -> dict[tuple[str, ...], Tally]:
    con = lake_of({"events": events, **more})
    data = look(con)
    found = {(one.step, one.kind, one.place): one for one in count_visits(con)}
    data.close()
    con.close()
    return found


def after(minutes: float, number: int, kind: str, **more: Any) -> dict[str, Any]:
    return event(number, kind, AT + timedelta(minutes=minutes), **more)


def test_a_visit_counts_once_in_each_step_it_reached() -> None:
    found = count(
        [
            after(0, 1, "search", query="Red  Lamp"),
            after(1, 2, "view", product_id="P00"),
            after(2, 3, "view", product_id="P00"),
            after(3, 4, "add_to_cart", product_id="P00"),
            after(4, 5, "view", product_id="P01"),
            after(5, 6, "checkout"),
        ]
    )
    recent = {key: one.recent for key, one in found.items()}
    assert recent == {
        ("visit", "shop", ""): (1, 1),
        ("find", "shop", ""): (1, 1),
        ("find", "query", "red lamp"): (1, 1),
        ("product", "shop", ""): (1, 1),
        ("product", "way_in", "search"): (1, 1),
        ("product", "product", "P00"): (1, 1),
        ("product", "product", "P01"): (1, 0),
        ("product", "category", "Home > Other"): (1, 1),
        ("cart", "shop", ""): (1, 1),
        ("cart", "product", "P00"): (1, 1),
        ("cart", "category", "Home > Other"): (1, 1),
    }


def test_what_comes_before_a_step_does_not_go_on_from_it() -> None:
    found = count(
        [
            after(0, 1, "checkout"),
            after(1, 2, "view", product_id="P00"),
            after(2, 3, "add_to_cart", product_id="P00"),
            after(3, 4, "search", query="red"),
        ]
    )
    assert found["find", "shop", ""].recent == (1, 0)
    assert found["find", "query", "red"].recent == (1, 0)
    assert found["cart", "shop", ""].recent == (1, 0)


def test_sold_out_is_no_way_on_and_an_exposure_alone_opens_nothing() -> None:
    found = count(
        [
            after(0, 1, "exposure", product_id="P00"),
            after(60, 2, "view", product_id="P00"),
            after(61, 3, "failed_add", product_id="P00"),
        ]
    )
    assert found["visit", "shop", ""].recent == (2, 1)
    assert found["product", "product", "P00"].recent == (1, 0)


def test_what_is_opened_counts_for_the_last_search_before_it() -> None:
    found = count(
        [
            after(0, 1, "search", query="red"),
            after(1, 2, "search", query="lamp"),
            after(2, 3, "click", product_id="P00"),
        ]
    )
    assert found["find", "query", "red"].recent == (1, 0)
    assert found["find", "query", "lamp"].recent == (1, 1)


def order(who: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {"order_id": f"O{at}", "customer_id": who, "placed_at": at, **more}


def test_only_known_checkouts_before_the_last_order_are_sought() -> None:
    def checkout(number: int, minutes: float, who: str | None) -> dict[str, Any]:
        return after(
            minutes, number, "checkout", visitor_id=f"d{number}", customer_id=who
        )

    paid = {"status": "paid", "updated_at": AT}
    found = count(
        [
            checkout(1, 0, "anna"),
            checkout(2, 0, "bob"),
            checkout(3, 0, None),
            checkout(4, 600, "cleo"),
        ],
        orders=[
            order("anna", AT + timedelta(minutes=1), **paid),
            order("bob", AT + timedelta(minutes=31), **paid),
        ],
    )
    assert found["checkout", "shop", ""].recent == (2, 1)


def test_devices_of_who_objects_and_events_without_id_are_in_no_visit() -> None:
    found = count(
        [
            after(0, 1, "view", product_id="P00", customer_id="anna"),
            after(90, 2, "view", product_id="P00"),
            after(0, 3, "view", product_id="P00", visitor_id=None),
            after(0, 4, "view", product_id="P00", visitor_id="d2", customer_id="bob"),
        ],
        consents=[
            {
                "customer_id": who,
                "purpose": "personalisation",
                "changed_at": AT + timedelta(hours=hour),
                "granted": granted,
            }
            for who, hour, granted in (("anna", 1, False), ("bob", 1, False))
        ]
        + [
            {
                "customer_id": "bob",
                "purpose": "personalisation",
                "changed_at": AT + timedelta(hours=2),
                "granted": True,
            }
        ],
    )
    assert found["visit", "shop", ""].recent == (1, 1)


def test_days_are_split_at_the_window_and_the_end() -> None:
    found = count(
        [
            event(1, "view", END - timedelta(days=28), product_id="P00"),
            event(2, "view", END - timedelta(days=28, seconds=2 * 3600)),
            event(3, "view", END - timedelta(days=126), product_id="P00"),
            event(4, "view", END - timedelta(days=126, seconds=2 * 3600)),
            event(5, "view", END, product_id="P00"),
        ]
    )
    shop = found["visit", "shop", ""]
    assert (shop.recent[0], shop.before[0]) == (1, 2)


def test_visits_are_cut_as_the_signal_cuts_them(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    minutes = (0, 1, 31, 62, 92, 93, 200)
    for number, minute in enumerate(minutes):
        at = datetime(2026, 1, 10, 10) + timedelta(minutes=minute)
        lake.add(
            "events",
            event_id=f"e{number}",
            kind="view" if number % 2 else "add_to_cart",
            occurred_at=at.isoformat(),
            visitor_id="w1",
            product_id="p",
        )
    rows = lake.rows("visits", "2026-01-20")
    wanted = defaultdict(int)
    for row in rows:
        wanted[row["visit"]] += 1
    end = midnight_after(date(2026, 1, 20), "UTC")
    with lake.shop.lake.attached() as con:
        cut_visits(con, schema="lake", end=end)
        cut = dict(
            con.execute(
                "SELECT visit, count(*) FROM j_events GROUP BY visit"
            ).fetchall()
        )
    assert cut == dict(wanted)
    assert len(cut) == 3


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, Any]]:
    size = draw(st.integers(0, 25))
    return [
        event(
            number,
            draw(st.sampled_from(KINDS)),
            END - timedelta(minutes=draw(st.integers(1, 60 * 24 * 40))),
            visitor_id=draw(st.sampled_from(["d1", "d2", None])),
            product_id=draw(st.sampled_from(["P00", "P01", None])),
            query=draw(st.sampled_from(["red", " Red ", None])),
        )
        for number in range(size)
    ]


def sessions(events: list[dict[str, Any]]) -> int:
    """Return the number of visits, counted the plain way."""
    mine = defaultdict(list)
    for one in events:
        if one["visitor_id"]:
            mine[one["visitor_id"]].append(one["occurred_at"])
    pause = timedelta(minutes=30)
    return sum(
        1 + sum(b - a > pause for a, b in pairwise(s))
        for s in (sorted(times) for times in mine.values())
    )


@settings(deadline=None, max_examples=40)
@given(streams())
def test_every_visit_is_counted_once_and_shares_are_shares(
    events: list[dict[str, Any]],
) -> None:
    found = count(events)
    for one in found.values():
        assert (one.on >= 0).all()
        assert (one.on <= one.visits).all()
    visits = sessions(events)
    shop = found.get(("visit", "shop", ""))
    assert (shop.visits.sum() if shop else 0) == visits
    for one in found.values():
        assert one.visits.sum() <= visits


def test_what_was_made_is_dropped() -> None:
    con = events_lake([after(0, 1, "view", product_id="P00")])
    look(con).close()
    left = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'j\\_%' ESCAPE '\\'"
    ).fetchone()
    assert left == (0,)
