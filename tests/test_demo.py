"""The demo is made whole, goes on after a kill, and is opened when it is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel import demo
from cartwheel.connectors.intake import append_harvest
from cartwheel.operations import now_text, turns
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.living.living import open_world
from cartwheel.simulator.sample import harvest, make_sample
from cartwheel.turn.workflow import list_turns


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_world_begins_on_a_monday_and_ends_yesterday(yesterday: date) -> None:
    last, days = demo.first_days(yesterday)
    assert last + timedelta(weeks=demo.WEEKS) == yesterday
    assert (last - timedelta(days=days - 1)).weekday() == 0
    assert demo.WARMUP_DAYS <= days < demo.WARMUP_DAYS + 7


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make demos small: two weeks, a turn before and after them."""
    for name, value in (
        ("PRODUCTS", 30),
        ("PEOPLE", 800),
        ("WARMUP_DAYS", 28),
        ("WEEKS", 2),
        ("TURNS_AFTER", (0, 2)),
    ):
        monkeypatch.setattr(demo, name, value)


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """Stand in for the turn, which other tests run; return the days looked from."""
    days: list[date] = []

    def run_turn(shop: Shop, *, as_of: date, **_: Any) -> None:
        days.append(as_of)
        with shop.database.begin() as con:
            con.execute(
                turns.insert().values(
                    number=len(days),
                    as_of=str(as_of),
                    state="published",
                    seed=1,
                    settings=shop.settings.model_dump_json(),
                    started_at=now_text(),
                )
            )

    monkeypatch.setattr("cartwheel.turn.workflow.run_turn", run_turn)
    return days


def test_a_demo_killed_while_it_is_made_is_finished(
    small: None, turned: list[date], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, asked = demo._live_week, []

    def dying(shop: Shop) -> int:
        asked.append(shop)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return whole(shop)

    monkeypatch.setattr(demo, "_live_week", dying)
    with pytest.raises(KeyboardInterrupt):
        demo.make_demo(tmp_path / "demo", say=lambda line: None)
    said: list[str] = []
    shop = demo.make_demo(tmp_path / "demo", say=said.append)
    assert len(asked) == 3, "the week that was lived is not lived again"
    assert len(open_world(shop).record.weeks) == 2
    last = shop.lived_until
    assert last is not None
    assert turned == [last - timedelta(weeks=2), last]
    # A test run may begin before midnight and end after it.
    assert datetime.now(UTC).date() - last <= timedelta(days=2)
    assert shop.settings.holdout.share_bps == demo.HOLDOUT_BPS
    # It has terms that support answers from, known on every day it was turned.
    with shop.lake.attached(read_only=True) as con:
        terms = con.execute("SELECT policy_id, known_at FROM lake.policies").fetchall()
    assert {name for name, _ in terms} == {"delivery", "returns", "guarantee"}
    assert max(known for _, known in terms).date() <= turned[0]
    # Opened again, nothing is made.
    again: list[str] = []
    demo.make_demo(tmp_path / "demo", say=again.append)
    assert again == [f"[1/4] using the sample shop in {tmp_path / 'demo'}"]
    assert said[0] == again[0]
    assert len(turned) == 2
    with shop.lake.attached(read_only=True) as con:
        row = con.execute("SELECT count(*) FROM lake.policies").fetchone()
    assert row == (3,)


def test_a_demo_of_an_earlier_version_is_opened_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shop = make_shop(folder, currency="EUR", demo=True)
    facts = make_sample(
        seed=1, start=date(2025, 1, 1), days=5, products=10, customers=20
    )
    now = datetime(2026, 1, 1)
    append_harvest(shop, harvest(facts), "sample", Path("sample"), now)
    said: list[str] = []
    demo.make_demo(folder, say=said.append)
    assert "cannot live" in said[-1]
    assert list_turns(shop) == []
