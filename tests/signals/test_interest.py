"""Interest by visitor, and whose device it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.tiny_lake import TinyLake


def _met(lake: TinyLake, number: int, kind: str, at: str, **more: Any) -> None:
    values = {"visitor_id": "w1", "product_id": "p", **more}
    lake.add("events", event_id=f"e{number}", kind=kind, occurred_at=at, **values)


def test_interest_counts_views_and_carts_lately_and_before(lake: TinyLake) -> None:
    _met(lake, 1, "view", "2025-12-01 10:00")
    _met(lake, 2, "view", "2026-01-10 10:00")
    _met(lake, 3, "add_to_cart", "2025-12-01 10:01")
    _met(lake, 4, "failed_add", "2026-01-10 10:01")
    _met(lake, 5, "exposure", "2026-01-10 10:00")
    _met(lake, 9, "exposure", "2025-12-01 10:00")
    _met(lake, 10, "click", "2025-12-01 10:00")
    _met(lake, 6, "view", "2025-07-01 10:00")  # too long ago
    _met(lake, 7, "view", "2026-01-10 10:00", visitor_id=None)  # nobody's
    _met(lake, 8, "view", "2026-01-10 10:00", visitor_id="w2")
    assert lake.rows("interest", "2026-01-20") == [
        {
            "visitor_id": "w1",
            "product_id": "p",
            "views": 2,
            "carts": 2,
            "exposures": 2,
            "clicks": 1,
            "recent_views": 1,
            "recent_carts": 1,
            "recent_exposures": 1,
            "recent_clicks": 0,
        },
        {
            "visitor_id": "w2",
            "product_id": "p",
            "views": 1,
            "carts": 0,
            "exposures": 0,
            "clicks": 0,
            "recent_views": 1,
            "recent_carts": 0,
            "recent_exposures": 0,
            "recent_clicks": 0,
        },
    ]


def test_a_device_is_the_last_customers_to_sign_in(lake: TinyLake) -> None:
    _met(lake, 1, "view", "2026-01-01 10:00", customer_id="anna")
    _met(lake, 2, "view", "2026-01-02 10:00", customer_id="ben")
    _met(lake, 3, "view", "2026-01-03 10:00")
    _met(lake, 4, "view", "2026-01-03 10:00", visitor_id="w2")
    assert lake.rows("identity", "2026-01-20") == [
        {"visitor_id": "w1", "customer_id": "ben"}
    ]
    assert lake.rows("identity", "2026-01-01") == [
        {"visitor_id": "w1", "customer_id": "anna"}
    ]


@pytest.mark.parametrize("again", [False, True])
def test_who_objects_leaves_no_interest(lake: TinyLake, again: bool) -> None:
    _met(lake, 1, "view", "2026-01-01 10:00", customer_id="anna")
    _met(lake, 2, "view", "2026-01-03 10:00")
    _met(lake, 3, "view", "2026-01-03 10:00", visitor_id="w2")
    consent = {"customer_id": "anna", "purpose": "personalisation"}
    lake.add("consents", **consent, changed_at="2026-01-04 10:00", granted=False)
    if again:
        lake.add("consents", **consent, changed_at="2026-01-05 10:00", granted=True)
    seen = {row["visitor_id"] for row in lake.rows("interest", "2026-01-20")}
    assert seen == ({"w1", "w2"} if again else {"w2"})
    # Whose device it is stays known: who objects is left alone where recognised.
    assert lake.rows("identity", "2026-01-20") == [
        {"visitor_id": "w1", "customer_id": "anna"}
    ]
