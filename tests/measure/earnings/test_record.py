"""Days of acts, whose work counts, and from when a lever's earnings count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.earnings.kinds import quarter_end
from cartwheel.measure.earnings.record import Act, Record, Turn, read_record
from cartwheel.measure.earnings.window import (
    MOST_DAYS,
    acted_on,
    first_acts,
    unit_of,
    window_of,
)
from cartwheel.operations import transitions, turns
from cartwheel.shop import Shop, make_shop
from tests.measure.earnings.made import ON, TURNED, add_decisions, add_turn

PROPOSED = (("proposed", "turn 1"), ("approved", "anna"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path / "shop", currency="EUR")
    add_turn(made)
    return made


def test_an_approval_acts_from_its_own_day(shop: Shop) -> None:
    add_decisions(shop, ["customer:a"])
    late = TURNED + timedelta(days=9)
    add_decisions(shop, ["customer:b"], kind="winback", path=PROPOSED, on=late)
    record = read_record(shop.database, ON)
    assert {act.kind: act.day for act in record.acts} == {
        "leave_alone": TURNED + timedelta(days=1),
        "winback": late,
    }
    earlier = read_record(shop.database, late - timedelta(days=1))
    assert [act.kind for act in earlier.acts] == ["leave_alone"]
    assert earlier.looked_at == ()
    assert record.looked_at == ((late, "lifecycle"),)


def test_a_shop_whose_clock_runs_elsewhere(shop: Shop) -> None:
    # A history of March turned on in November; approved on the spot, and a day later.
    with shop.database.begin() as con:
        at = "2026-11-28T10:00:00.000000Z"
        con.execute(turns.update().values(published_at=at))
    now, later = date(2026, 11, 28), date(2026, 11, 29)
    path = (
        ("proposed", "turn 1"),
        ("a", "x"),
        ("b", "x"),
        ("c", "x"),
        ("approved", "a"),
    )
    add_decisions(shop, ["customer:a"], path=path, on=now)
    add_decisions(shop, ["customer:b"], kind="winback", path=path, on=later)
    days = {act.kind: act.day for act in read_record(shop.database, ON).acts}
    assert days["leave_alone"] == TURNED + timedelta(days=1)
    assert days["winback"] == TURNED + timedelta(days=2)


def test_only_people_work_and_each_decision_is_looked_at_once(shop: Shop) -> None:
    paths = {
        "approved": PROPOSED,
        "rejected": (("proposed", "turn 1"), ("rejected", "cli")),
        "twice": (*PROPOSED, ("reverted", "anna")),
        "carried": (("applied", "turn 1"),),
        "lapsed": (("proposed", "turn 1"), ("expired", "turn")),
        "refused": (("applied", "turn 1"), ("reverted", "world")),
    }
    for kind, path in paths.items():
        add_decisions(shop, ["customer:a"], kind=kind, path=path)
    assert len(read_record(shop.database, ON).looked_at) == 3
    with shop.database.begin() as con:  # an edit keeps the state
        con.execute(
            transitions.insert().values(
                decision_id="1-lifecycle-carried-customer:a",
                from_state="proposed",
                to_state="proposed",
                actor="anna",
                at="2026-03-03T12:00:00.000000Z",
            )
        )
    assert len(read_record(shop.database, ON).looked_at) == 4


def turn(
    number: int,
    as_of: date,
    *,
    share: float = 0.05,
    salt: str = "w",
    state: str = "healthy",
) -> Turn:
    return Turn(
        number=number,
        as_of=as_of,
        published_at=f"{as_of}T20:00:00.000000Z",
        states={"lifecycle": state},
        share=share,
        lever_shares={"lifecycle": share},
        salt=salt,
        cuts=frozenset(),
    )


def record_of(*made: Turn, acts: Mapping[int, date] | None = None) -> Record:
    return Record(
        turns=made,
        acts=tuple(
            Act(
                turn=number,
                lever="lifecycle",
                kind="winback",
                customers=True,
                day=day,
                count=1,
                worth_minor=None,
                cost_minor=0,
            )
            for number, day in (acts or {}).items()
        ),
        looked_at=(),
    )


def test_the_first_act_of_a_healthy_turn_counts() -> None:
    made = [turn(1, TURNED, state="fallback"), turn(2, TURNED + timedelta(days=7))]
    acts = {1: TURNED + timedelta(days=1), 2: TURNED + timedelta(days=9)}
    record = record_of(*made, acts=acts)
    assert first_acts(record, []) == {"lifecycle": TURNED + timedelta(days=9)}
    answers = [("lifecycle", 2, TURNED + timedelta(days=8)), ("lifecycle", 1, TURNED)]
    assert first_acts(record, answers) == {"lifecycle": TURNED + timedelta(days=8)}


def test_a_lever_that_answers_reaches_customers_whatever_it_decides_beside() -> None:
    act = Act(
        turn=1,
        lever="recommend",
        kind="recommendation",
        customers=False,
        day=TURNED,
        count=1,
        worth_minor=None,
        cost_minor=0,
    )
    record = replace(record_of(turn(1, TURNED)), acts=(act,))
    acted = {"recommend": TURNED}
    assert unit_of(record, "recommend", ()) == "product"
    assert unit_of(record, "recommend", {"recommend"}) == "customer"
    assert unit_of(record, "other", ()) == "customer"
    # The wheel first acts when somebody is reached.
    assert acted_on(record, acted, None, ()) is None
    assert acted_on(record, acted, None, {"recommend"}) == TURNED
    assert acted_on(record, acted, "recommend", ()) == TURNED


def test_a_window_starts_where_the_salt_or_the_holdout_did() -> None:
    start = TURNED + timedelta(days=1)
    week = [TURNED + timedelta(days=7 * i) for i in range(4)]
    made = [turn(i, d) for i, d in enumerate(week)]
    plain = window_of(record_of(*made), start, ON, None)
    assert plain is not None
    assert (plain.since, plain.first, plain.days) == (start, start, 30)
    assert plain.before == (start - timedelta(days=30), TURNED)
    for changed in (
        turn(0, week[0], salt="old"),
        turn(0, week[0], share=0.0),
    ):
        found = window_of(record_of(changed, *made[1:]), start, ON, None)
        assert found is not None
        assert found.since == week[1] + timedelta(days=1)
    none = record_of(*(turn(i, d, share=0.0) for i, d in enumerate(week)))
    assert window_of(none, start, ON, "lifecycle") is None


def test_who_changed_sides_is_told_from_who_stayed() -> None:
    made = (turn(1, TURNED, share=0.05), turn(2, TURNED + timedelta(days=7), share=0.2))
    found = window_of(record_of(*made), TURNED + timedelta(days=1), ON, None)
    assert found is not None
    assert found.shares(None) == (0.05, 0.2)


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_a_window_is_at_most_a_year_and_before_is_untouched(
    began: int, ran: int
) -> None:
    acted = TURNED + timedelta(days=began)
    on = acted + timedelta(days=ran)
    found = window_of(record_of(turn(1, acted - timedelta(days=1))), acted, on, None)
    assert found is not None
    assert found.days == min(ran + 1, MOST_DAYS)
    assert found.last == on
    assert found.before[1] < acted
    assert (found.before[1] - found.before[0]).days + 1 == found.days


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_quarter_ends_with_its_third_month(day: date) -> None:
    end = quarter_end(day)
    assert end >= day
    assert end.month in (3, 6, 9, 12)
    assert (end + timedelta(days=1)).day == 1
    assert (end - day).days <= 91
