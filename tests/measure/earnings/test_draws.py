"""Win-backs are judged by their own draw of who gets nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from cartwheel.measure.earnings.ledger import earnings
from tests.measure.earnings.made import (
    ON,
    TURNED,
    add_decisions,
    add_turn,
    sales,
    shop_with,
)

PEOPLE = [f"C{i:03d}" for i in range(120)]
OFFERED = {x for i, x in enumerate(PEOPLE) if i % 3}


def test_a_draw_by_hand(tmp_path: Path) -> None:
    def price(place: int, who: str) -> int:
        return 1_000 + 10 * (place % 7) + 250 * (who in OFFERED)

    day = TURNED + timedelta(days=12)
    after = date(2026, 4, 2)  # the next quarter: they may be drawn anew
    rows = [(x, day, price(i, x)) for i, x in enumerate(PEOPLE)]
    rows += [(x, after, 90_000) for x in PEOPLE[:40]]
    shop = shop_with(tmp_path / "s", sales(rows), people=PEOPLE)
    add_turn(shop)
    bodies = [
        {
            "propensity": 0.6 if x in OFFERED else 0.4,
            "action": {"offer": "discount" if x in OFFERED else "none"},
        }
        for x in PEOPLE
    ]
    subjects = [f"customer:{x}" for x in PEOPLE]
    path = (("proposed", "turn 1"), ("approved", "anna"))
    add_decisions(shop, subjects, kind="winback", bodies=bodies, path=path, cost=30)
    add_decisions(shop, ["customer:q"], kind="leave_alone")
    for on in (ON, ON + timedelta(days=10)):
        kinds = {k.kind: k for k in earnings(shop, on).entry("lifecycle").kinds}
        paid = {x: price(i, x) for i, x in enumerate(PEOPLE)}
        effect = np.mean([paid[x] for x in OFFERED]) - np.mean(
            [p for x, p in paid.items() if x not in OFFERED]
        )
        found = kinds["winback"]
        assert found.incremental is not None
        assert found.incremental.value == pytest.approx(effect * len(OFFERED))
        assert found.incremental.low > 0
        # At one look it leaves zero out, but who looks every week needs more people.
        assert found.note == (
            "80 drawn to get it, 40 to get nothing; it cannot be told from luck"
        )
        assert kinds["leave_alone"].incremental is None


def test_a_draw_that_holds_at_every_look_is_told(tmp_path: Path) -> None:
    people = [f"C{i:03d}" for i in range(360)]
    offered = {x for i, x in enumerate(people) if i % 3}
    day = TURNED + timedelta(days=12)
    rows = [
        (x, day, 1_000 + 10 * (i % 7) + 250 * (x in offered))
        for i, x in enumerate(people)
    ]
    shop = shop_with(tmp_path / "s", sales(rows), people=people)
    add_turn(shop)
    bodies = [
        {
            "propensity": 0.6 if x in offered else 0.4,
            "action": {"offer": "discount" if x in offered else "none"},
        }
        for x in people
    ]
    path = (("proposed", "turn 1"), ("approved", "anna"))
    subjects = [f"customer:{x}" for x in people]
    add_decisions(shop, subjects, kind="winback", bodies=bodies, path=path, cost=30)
    (found,) = earnings(shop, ON).entry("lifecycle").kinds
    assert found.incremental is not None
    assert found.note == (
        "240 drawn to get it, 120 to get nothing, up to the quarter's end"
    )
