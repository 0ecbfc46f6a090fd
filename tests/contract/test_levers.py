"""Every installed lever keeps the contract; and the kit catches one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace as changed
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest

from cartwheel.levers.base import (
    Answer,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Lever,
    Model,
    Need,
    Prediction,
    Request,
    Rule,
    Slot,
)
from cartwheel.levers.report import Figure, Report
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import RHYTHM
from tests.contract import lever_kit as kit
from tests.levers.made import empty_signals, made_signals

NAMES = sorted(point.name for point in entry_points(group="cartwheel.levers"))


@pytest.fixture(scope="module")
def shop() -> Signals:
    return made_signals(customers=120, products=16, days=300)


def lever_named(name: str) -> Lever:
    (point,) = entry_points(group="cartwheel.levers", name=name)
    try:
        found: Lever = point.load()()
    except ModuleNotFoundError as error:
        pytest.fail(f"lever {name} does not load: {error}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_lever_declares_itself(name: str) -> None:
    lever = lever_named(name)
    assert lever.name == name
    kit.check_declaration(lever)


@pytest.mark.parametrize("name", NAMES)
def test_lever_empty_shop(name: str) -> None:
    kit.check_empty_shop(lever_named(name), empty_signals())


@pytest.mark.parametrize("check", kit.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_lever_keeps_contract(
    name: str, check: Callable[[Lever, Signals], None], shop: Signals
) -> None:
    check(lever_named(name), shop)


class Plain:
    """A lever that keeps the contract; each test below breaks one thing of it."""

    name = "plain"
    title = "Plain"
    group = Group.GROWTH
    reads = (RHYTHM,)
    writes = ()
    kinds = (Kind(name="greet", title="Greet", autonomy=Autonomy.SUGGEST),)
    floor = Floor(
        needs=(
            Need(
                what="customers",
                at_least=1,
                count=lambda data: data.table(RHYTHM).num_rows,
            ),
        ),
        meanwhile="Greets nobody.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        return Model(rule="plain", arrays={"a": np.arange(3)})

    def emit(self, model: Model, data: Signals) -> Mapping[str, Any]:
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        for name in data.table(RHYTHM).column("customer_id").to_pylist()[:3]:
            yield self.shape(
                Decision(
                    kind="greet",
                    subject=f"customer:{name}",
                    action={"say": "hello"},
                    reason="Came back.",
                    predicted=Prediction(metric="orders", value=1, low=0, high=2),
                )
            )

    def shape(self, decision: Decision) -> Decision:
        return decision

    def fallback(self) -> Rule:
        return Rule(name="none", doc="Nothing.", model=lambda data: Model(rule="none"))

    def report(self, model: Model, data: Signals) -> Report:
        return Report(summary="Plain.")


def test_kit_passes_a_plain_lever(shop: Signals) -> None:
    kit.check_lever(Plain(), [shop], empty_signals())


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"subject": "nobody"},
        {"reason": " "},
        {"propensity": 0.0},
        {"propensity": 1.5},
        {"predicted": Prediction(metric="orders", value=3, low=0, high=2)},
        {"action": {"say": float("nan")}},
        {"worth_minor": 1.5},
    ],
    ids=str,
)
def test_kit_refuses_decision(shop: Signals, change: dict[str, Any]) -> None:
    class Broken(Plain):
        def shape(self, decision: Decision) -> Decision:
            return changed(decision, **change)

    with pytest.raises(AssertionError):
        kit.check_model(Broken(), shop)


def test_kit_refuses_changing_decisions(shop: Signals) -> None:
    class Broken(Plain):
        count = 0

        def shape(self, decision: Decision) -> Decision:
            self.count += 1
            return changed(decision, reason=f"Call {self.count}.")

    with pytest.raises(AssertionError):
        kit.check_repeatable(Broken(), shop)


def test_kit_refuses_undeclared_read(shop: Signals) -> None:
    class Broken(Plain):
        reads = ()

    with pytest.raises(KeyError):
        kit.check_reads_suffice(Broken(), shop)


def test_kit_refuses_changed_model(shop: Signals) -> None:
    class Broken(Plain):
        def report(self, model: Model, data: Signals) -> Report:
            model.arrays["a"][0] = 9
            return Report(summary="Changed it.")

    with pytest.raises(AssertionError):
        kit.check_inputs_unchanged(Broken(), shop)


def test_kit_refuses_figure_without_value(shop: Signals) -> None:
    class Broken(Plain):
        def report(self, model: Model, data: Signals) -> Report:
            figure = Figure(label="x", value=None, unit="", definition="x")
            return Report(summary="x", figures=(figure,))

    with pytest.raises(AssertionError):
        kit.check_model(Broken(), shop)


def test_kit_refuses_emitting_undeclared(shop: Signals) -> None:
    class Broken(Plain):
        def emit(self, model: Model, data: Signals) -> Mapping[str, Any]:
            return {"rhythm": data.table(RHYTHM)}

    with pytest.raises(AssertionError):
        kit.check_model(Broken(), shop)


def test_kit_refuses_repeating_answer() -> None:
    slot = Slot(product_id="p1", propensity=1.0, reason="Popular now")
    answer = Answer(slots=(slot, slot), eligible_hash="x", rule="x")
    with pytest.raises(AssertionError):
        kit.check_answer(answer, Request(placement="home"))


def test_kit_refuses_what_the_gate_keeps_out() -> None:
    slot = Slot(product_id="p1", propensity=1.0, reason="Popular now")
    answer = Answer(slots=(slot,), eligible_hash="x", rule="x")
    with pytest.raises(AssertionError):
        kit.check_answer(answer, Request(placement="home", excluded=frozenset({"p1"})))


def test_kit_refuses_context_in_cart() -> None:
    slot = Slot(product_id="p1", propensity=1.0, reason="Popular now")
    answer = Answer(slots=(slot,), eligible_hash="x", rule="x")
    with pytest.raises(AssertionError):
        kit.check_answer(answer, Request(placement="cart", context=("p1",)))
