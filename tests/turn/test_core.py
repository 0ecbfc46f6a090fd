"""The pure core: states, cuts, order and what a broken lever does to the rest."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from cartwheel.errors import Failure
from cartwheel.levers.base import Lever, Model, State
from cartwheel.signals.base import ShopContext, When
from cartwheel.turn.core import run_lever, turn_core
from cartwheel.wheel import check_lever, order_levers
from tests.turn.made import NUMBERS, Breaks, Doubler, Garbage, Reader, Silent

CONTEXT = ShopContext(
    currency="EUR",
    minor_digits=2,
    when=When(as_of=date(2026, 1, 31), cutoff_at="2026-02-01 00:00:00", timezone="UTC"),
    holdout_share=0.05,
    holdout_salt="wheel",
)


def numbers(*values: int) -> dict[str, pa.Table]:
    rows = [{"key": f"k{i}", "n": n} for i, n in enumerate(values)]
    return {"numbers": pa.Table.from_pylist(rows, schema=NUMBERS.schema())}


def run(lever: Lever, tables: dict[str, pa.Table], previous: Model | None = None):  # type: ignore[no-untyped-def]
    return run_lever(lever, tables, CONTEXT, cuts=(), previous=previous, seed=1)


def test_a_healthy_lever_decides() -> None:
    result = run(Doubler(), numbers(3, 4))
    assert result.state is State.HEALTHY
    assert [d.action["n"] for d in result.decisions] == [6, 8]


def test_without_pages_a_lever_decides_the_same() -> None:
    levers = order_levers({"reader": Reader(), "doubler": Doubler()})
    with_pages, without = (
        turn_core(
            levers, numbers(3, 4), CONTEXT, cuts=(), previous={}, seed=1, pages=pages
        )
        for pages in (True, False)
    )
    assert {n: r.decisions for n, r in without.items()} == {
        n: r.decisions for n, r in with_pages.items()
    }
    assert all(run.report for run in with_pages.values())
    assert not any(run.report for run in without.values())


def test_without_learning_the_last_model_decides_on_fresh_signals() -> None:
    last = {"doubler": Model(rule="thrice", meta={"factor": 3})}
    levers = order_levers({"reader": Reader(), "doubler": Doubler()})
    runs = turn_core(
        levers, numbers(5, 6), CONTEXT, cuts=(), previous=last, seed=1, learn=False
    )
    assert runs["doubler"].state is State.HEALTHY
    assert runs["doubler"].rule == "thrice"
    assert [d.action["n"] for d in runs["reader"].decisions] == [15, 18]


def test_without_learning_a_lever_that_has_no_model_learns() -> None:
    levers = order_levers({"doubler": Doubler()})
    runs = turn_core(
        levers, numbers(5, 6), CONTEXT, cuts=(), previous={}, seed=1, learn=False
    )
    assert [d.action["n"] for d in runs["doubler"].decisions] == [10, 12]


def test_without_learning_the_floor_of_learning_is_not_asked_for() -> None:
    last = {"doubler": Model(rule="thrice", meta={"factor": 3})}
    levers = order_levers({"doubler": Doubler()})
    runs = turn_core(
        levers, numbers(5), CONTEXT, cuts=(), previous=last, seed=1, learn=False
    )
    assert runs["doubler"].state is State.HEALTHY
    assert [d.action["n"] for d in runs["doubler"].decisions] == [15]


def test_below_the_floor_the_fallback_decides_and_says_what_is_lacking() -> None:
    result = run(Doubler(), numbers(3))
    assert result.state is State.FALLBACK
    assert [d.action["n"] for d in result.decisions] == [3]
    assert "needs 2 numbers, has 1" in result.reason


def test_a_broken_lever_keeps_its_last_healthy_model() -> None:
    last = Model(rule="thrice", meta={"factor": 3})
    result = run(Breaks(), numbers(3, 4), previous=last)
    assert result.state is State.DEGRADED
    assert [d.action["n"] for d in result.decisions] == [9, 12]
    assert "ZeroDivisionError: no numbers" in result.reason


def test_a_broken_lever_without_a_past_falls_back() -> None:
    assert run(Breaks(), numbers(3, 4)).state is State.FALLBACK


def test_an_abstaining_lever_gives_its_reason() -> None:
    result = run(Silent(), numbers(3, 4))
    assert (result.state, result.reason) == (State.ABSTAINED, "prices never changed")
    assert result.decisions == ()


def test_garbage_is_not_published() -> None:
    result = run(Garbage(), numbers(3, 4))
    assert result.state is State.ABSTAINED
    assert "undeclared kind other" in result.reason


def test_levers_see_what_those_before_them_wrote() -> None:
    levers = order_levers({"reader": Reader(), "doubler": Doubler()})
    assert [lever.name for lever in levers] == ["doubler", "reader"]
    runs = turn_core(levers, numbers(3, 4), CONTEXT, cuts=(), previous={}, seed=1)
    assert [d.action["n"] for d in runs["reader"].decisions] == [6, 8]


def test_a_cut_link_reads_as_neutral_and_changes_nothing_else() -> None:
    levers = order_levers({"reader": Reader(), "doubler": Doubler()})
    cut = turn_core(
        levers,
        numbers(3, 4),
        CONTEXT,
        cuts=("doubled→reader",),
        previous={},
        seed=1,
    )
    assert [d.action["n"] for d in cut["reader"].decisions] == [-1, -1]
    assert [d.action["n"] for d in cut["doubler"].decisions] == [6, 8]


def test_a_writer_that_is_down_reads_as_neutral() -> None:
    levers = order_levers({"reader": Reader(), "doubler": Silent()})
    runs = turn_core(levers, numbers(3, 4), CONTEXT, cuts=(), previous={}, seed=1)
    assert [d.action["n"] for d in runs["reader"].decisions] == [-1, -1]


def test_an_undeclared_read_is_refused() -> None:
    class Peeks(Reader):
        reads = (NUMBERS,)

    result = run(Peeks(), numbers(3, 4))
    assert result.state is State.ABSTAINED
    assert "not among the declared reads" in result.reason


def test_a_circle_of_levers_is_named() -> None:
    class Loop(Doubler):
        reads = (NUMBERS, *Reader.reads)

    class Writes(Reader):
        writes = (NUMBERS,)

        def emit(self, model, data):  # type: ignore[no-untyped-def]
            return {}

    with pytest.raises(Failure, match="wait for one another"):
        order_levers({"doubler": Loop(), "reader": Writes()})


def test_something_that_is_no_lever_is_refused() -> None:
    with pytest.raises(Failure, match="does not keep the contract"):
        check_lever(object(), "odd")
