"""Small levers made for testing the turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cartwheel.levers.base import (
    Abstain,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Rule,
)
from cartwheel.levers.report import Report
from cartwheel.signals.base import Field, Signal, Signals

NUMBERS = Signal(
    name="numbers",
    keys=(Field(name="key", type="text", unit="", doc="Key."),),
    fields=(Field(name="n", type="int", unit="", doc="Number.", neutral=0),),
    writer="lake",
    doc="Numbers.",
)
DOUBLED = Signal(
    name="doubled",
    keys=NUMBERS.keys,
    fields=(Field(name="n", type="int", unit="", doc="Twice.", neutral=-1),),
    writer="doubler",
    doc="Twice the numbers.",
)


class Doubler:
    """Writes every number twice as large."""

    name, title, group = "doubler", "Doubler", Group.VALUE_CHAIN
    reads: tuple[Signal, ...] = (NUMBERS,)
    writes: tuple[Signal, ...] = (DOUBLED,)
    kinds = (Kind(name="double", title="Double", autonomy=Autonomy.AUTO),)
    floor = Floor(
        needs=(
            Need(
                what="numbers",
                at_least=2,
                count=lambda data: data.table(NUMBERS).num_rows,
            ),
        ),
        meanwhile="numbers stay as they are",
    )
    factor = 2

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        return Model(rule="twice", meta={"factor": self.factor, "seed": seed})

    def emit(self, model: Model, data: Signals) -> Mapping[str, Any]:
        import pyarrow as pa

        rows = data.table(NUMBERS).to_pylist()
        return {
            "doubled": pa.Table.from_pylist(
                [{"key": r["key"], "n": r["n"] * model.meta["factor"]} for r in rows],
                schema=DOUBLED.schema(),
            )
        }

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        for row in data.table(NUMBERS).to_pylist():
            yield Decision(
                kind="double",
                subject=f"variant:{row['key']}",
                action={"n": row["n"] * model.meta["factor"]},
                reason="because",
            )

    def fallback(self) -> Rule:
        return Rule(
            name="once",
            doc="Leaves numbers as they are.",
            model=lambda data: Model(rule="once", meta={"factor": 1}),
        )

    def report(self, model: Model, data: Signals) -> Report:
        return Report(summary=f"by {model.rule}")


class Reader(Doubler):
    """Decides from what the doubler wrote."""

    name, title = "reader", "Reader"
    reads = (NUMBERS, DOUBLED)
    writes = ()
    kinds = (Kind(name="read", title="Read", autonomy=Autonomy.SUGGEST),)

    def emit(self, model: Model, data: Signals) -> Mapping[str, Any]:
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        keys = data.table(NUMBERS).column("key").to_pylist()
        for key, n in zip(keys, data.align(DOUBLED, keys)["n"], strict=True):
            yield Decision(
                kind="read",
                subject=f"variant:{key}",
                action={"n": int(n)},
                reason="because",
            )


class Breaks(Doubler):
    """Cannot learn."""

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        raise ZeroDivisionError("no\nnumbers")


class Silent(Doubler):
    """Prefers not to decide."""

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        raise Abstain("prices never changed")


class Garbage(Doubler):
    """Decides a kind it did not declare."""

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        if model.rule == "once":
            return
        yield Decision(kind="other", subject="variant:a", action={}, reason="x")
