"""The ledger's states and moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.ledger.entry import MOVES, UNDO, DecisionState
from cartwheel.ledger.store import (
    count_decisions,
    edit,
    expire,
    find,
    history,
    insert_decisions,
    list_decisions,
    move,
    undo,
)
from cartwheel.levers.base import Decision
from cartwheel.operations import open_database


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path / "operations.sqlite")


def add(
    engine: Engine, name: str, state: str = "proposed", worth: int | None = None
) -> None:
    decision = Decision(
        kind="reorder",
        subject=f"variant:{name}",
        action={"units": 12, "note": None},
        reason="because",
        worth_minor=worth,
    )
    row = {
        "id": name,
        "turn": 1,
        "position": 0,
        "lever": "replenish",
        "kind": "reorder",
        "subject": decision.subject,
        "state": state,
        "worth_minor": worth,
        "cost_minor": None,
        "body": decision.canonical(),
        "action": json.dumps(dict(decision.action)),
        "model": "m",
        "refusal": None,
        "expires_on": "2026-01-10",
    }
    with engine.begin() as con:
        insert_decisions(con, [row], actor="turn 1")


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(DecisionState)
    assert all(target in MOVES[state] for state, target in UNDO.items())


def test_most_worth_comes_first_and_unknown_worth_last(engine: Engine) -> None:
    for name, worth in (("a", 5), ("b", None), ("c", 50)):
        add(engine, name, worth=worth)
    assert [e.id for e in list_decisions(engine)] == ["c", "a", "b"]
    assert count_decisions(engine, kind="reorder") == 3
    assert count_decisions(engine, state="approved") == 0


def test_approve_then_undo_is_on_record(engine: Engine) -> None:
    add(engine, "a")
    move(engine, ["a"], "approved", actor="ann", note="fine")
    assert undo(engine, ["a"], actor="bob")[0].state == "reverted"
    steps = [(h["from_state"], h["to_state"], h["actor"]) for h in history(engine, "a")]
    assert steps == [
        ("", "proposed", "turn 1"),
        ("proposed", "approved", "ann"),
        ("approved", "reverted", "bob"),
    ]


def test_a_bulk_move_is_all_or_nothing(engine: Engine) -> None:
    add(engine, "a")
    add(engine, "b", state="refused")
    with pytest.raises(Conflict, match="b is refused and cannot become approved"):
        move(engine, ["a", "b"], "approved", actor="ann")
    assert find(engine, "a").state == "proposed"


def test_an_unknown_decision_is_named(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no decision 'zzz'"):
        find(engine, "zzz")


def test_an_edit_keeps_the_original(engine: Engine) -> None:
    add(engine, "a")
    entry = edit(engine, "a", {"units": 24}, actor="ann")
    assert entry.action["units"] == 24
    assert entry.body["action"]["units"] == 12
    assert entry.edited


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": 1}, "has no 'unit'"),
        ({"units": "many"}, "expected int"),
        ({"units": -1}, "expected 0 or more"),
        ({"units": True}, "expected int"),
    ],
)
def test_a_wrong_edit_changes_nothing(
    engine: Engine, changes: dict[str, object], said: str
) -> None:
    add(engine, "a")
    with pytest.raises(Misuse, match=said):
        edit(engine, "a", changes, actor="ann")
    assert not find(engine, "a").edited


def test_an_approved_decision_is_not_edited(engine: Engine) -> None:
    add(engine, "a")
    move(engine, ["a"], "approved", actor="ann")
    with pytest.raises(Conflict, match="only a proposed one"):
        edit(engine, "a", {"units": 3}, actor="ann")


def test_unanswered_proposals_lapse_and_answered_ones_stay(engine: Engine) -> None:
    add(engine, "a")
    add(engine, "b")
    move(engine, ["b"], "approved", actor="ann")
    with engine.begin() as con:
        assert expire(con, on="2026-01-10") == 0
        assert expire(con, on="2026-01-11") == 1
    assert find(engine, "a").state == "expired"
    assert find(engine, "b").state == "approved"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.sampled_from([*DecisionState, "undo"]), max_size=8),
    st.integers(0, 10**9),
)
def test_only_declared_moves_ever_happen(
    engine: Engine, wanted: list[str], name: int
) -> None:
    decision = f"d{name}"
    if count_decisions(engine, subject=f"variant:{decision}"):
        return
    add(engine, decision)
    state = DecisionState.PROPOSED
    for target in wanted:
        try:
            if target == "undo":
                after = undo(engine, [decision], actor="x")[0].state
                assert after == UNDO[state]
            else:
                after = move(engine, [decision], target, actor="x")[0].state
                assert after in MOVES[state]
            state = after
        except Conflict:
            assert find(engine, decision).state == state
