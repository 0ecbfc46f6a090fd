"""What followed each search."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.signals.intent import LEAD_SECONDS, near_a_search
from tests.contract.tiny_lake import TinyLake


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    lake = TinyLake(tmp_path_factory.mktemp("clicks"))
    one = {"placement": "search"}
    facts: list[tuple[str, str, dict[str, Any]]] = [
        ("search", "2026-01-05 10:00", {"query": " Red  MUG "}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "p", "position": 1, **one}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "q", "position": 2, **one}),
        ("exposure", "2026-01-05 10:00:01", {"product_id": "r", "placement": "home"}),
        ("click", "2026-01-05 10:01", {"product_id": "p", **one}),
        ("view", "2026-01-05 10:01:01", {"product_id": "p"}),
        ("add_to_cart", "2026-01-05 10:02", {"product_id": "p"}),
        ("search", "2026-01-05 11:00", {"query": "blue mug"}),
        ("exposure", "2026-01-05 11:00:01", {"product_id": "q", "position": 1, **one}),
        ("view", "2026-01-05 11:40", {"product_id": "q"}),  # too late
        ("search", "2026-01-05 10:00", {"query": "red mug", "visitor_id": "w2"}),
        ("view", "2026-01-05 10:05", {"product_id": "q", "visitor_id": "w2"}),
        ("view", "2026-01-05 10:05", {"product_id": "s", "visitor_id": "w3"}),
        ("search", "2024-01-05 10:00", {"query": "old", "visitor_id": "w4"}),
        ("view", "2024-01-05 10:01", {"product_id": "q", "visitor_id": "w4"}),
    ]
    for number, (kind, at, more) in enumerate(facts):
        given = {"visitor_id": "w1", **more}
        lake.add("events", event_id=f"e{number:02}", kind=kind, occurred_at=at, **given)
    table = lake.tables("2026-01-20", only=["search_clicks"])["search_clicks"]
    return {(row["query"], row["product_id"]): row for row in table.to_pylist()}


def test_search_clicks_join_what_followed_to_the_search(rows: dict[Any, Any]) -> None:
    found = {
        key: (row["shown"], row["clicks"], row["carts"]) for key, row in rows.items()
    }
    assert found == {
        ("red mug", "p"): (1, 1, 1),
        ("red mug", "q"): (1, 1, 0),
        ("blue mug", "q"): (1, 0, 0),
    }


def test_search_clicks_expect_what_the_position_explains(rows: dict[Any, Any]) -> None:
    # At position 1 one of two exposures was opened, at position 2 none of one.
    assert rows["red mug", "p"]["expected_clicks"] == 0.5
    assert rows["blue mug", "q"]["expected_clicks"] == 0.5
    assert rows["red mug", "q"]["expected_clicks"] == 0.0


HALF = LEAD_SECONDS
MOMENTS = st.sampled_from(
    [m + d for m in range(0, 5 * HALF, HALF) for d in (-1, 0, 1, HALF // 2)]
)
STEPS = st.lists(
    st.tuples(st.sampled_from("vw"), MOMENTS, st.sampled_from(["search", "view"])),
    max_size=12,
)


@given(STEPS)
def test_no_step_soon_after_a_search_is_overlooked(
    steps: list[tuple[str, int, str]],
) -> None:
    frame = pd.DataFrame(
        {
            "number": range(len(steps)),
            "visitor": [visitor for visitor, _, _ in steps],
            "occurred_at": pd.to_datetime([at + HALF for _, at, _ in steps], unit="s"),
            "kind": [kind for _, _, kind in steps],
        }
    ).astype({"visitor": "str", "kind": "str", "number": "int64"})
    kept = set(near_a_search(ibis.memtable(frame)).to_pandas()["number"])
    for number, (visitor, at, kind) in enumerate(steps):
        waits = [at - s for v, s, k in steps if (v, k) == (visitor, "search")]
        if kind == "search" or any(0 <= wait <= HALF for wait in waits):
            assert number in kept
        if not any(-HALF < wait < 2 * HALF for wait in waits):
            assert number not in kept
