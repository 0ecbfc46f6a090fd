"""What learning is worth, on runs made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cartwheel.simulator.arms.registry import FROZEN, NEVER, make_arm
from cartwheel.simulator.referee import groups
from cartwheel.simulator.referee.claims import headline
from cartwheel.simulator.referee.learning import learning, text_learning
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.simulator.world.world import World


def run(arm: str, seed: int, early: float, late: float) -> Run:
    """Return a run of ten turns with 100 visits a day."""
    wobble = np.random.default_rng([seed, 7]).normal(0, 300, 70)
    profit = np.where(np.arange(70) < 35, early, late) * 100 + wobble
    return Run(
        world="apparel",
        size="small",
        seed=seed,
        arm=arm,
        state="done",
        visits=7_000,
        orders=100,
        profit_minor=round(profit.sum()),
        days={"profit_minor": profit, "visits": np.full(70, 100.0)},
        currency="EUR",
    )


def test_regret_is_told_early_and_late() -> None:
    runs = []
    for seed in range(6):
        runs += [
            run("connected frozen", seed, 50, 50),
            run("connected", seed, 52, 80),
            run("oracle", seed, 100, 100),
        ]
    early, sixth, later = learning(runs)
    assert (early.turns, sixth.turns, later.turns) == ("1 to 5", "6", "6 and later")
    assert early.lower.share == pytest.approx(0.04, abs=0.01)
    assert later.lower.share == pytest.approx(0.6, abs=0.01)
    assert later.difference.mean == pytest.approx(30, abs=0.5)
    told = text_learning([early, sixth, later])
    assert "60.0 %" in told
    assert "aim 30%" in told.replace(" %", "%")


def test_worlds_without_all_three_arms_are_left_out() -> None:
    assert learning([run("connected", 1, 1, 1), run("oracle", 1, 2, 2)]) == []
    assert text_learning([]) == "There are no results yet."


def test_the_arm_that_learns_once_is_in_no_headline() -> None:
    runs = [run(arm, seed, 50, 50) for arm in ("connected", FROZEN) for seed in (1, 2)]
    told = {line.arm for row in headline(runs) for line in row.arms}
    assert FROZEN == groups.FROZEN
    assert FROZEN not in told


def test_it_learns_once_and_the_others_every_week(monkeypatch) -> None:
    asked: dict[str, int] = {}

    def made(name: str, **options: Any) -> None:
        asked[name] = options["learn_days"]

    monkeypatch.setattr("cartwheel.simulator.arms.wheel.Wheel", made)
    world = World(
        load_world("apparel"), Size(products=9, customers=50, warmup_days=3, days=9), 3
    )
    for name in (FROZEN, "connected"):
        make_arm(name, world, 1)
    assert asked == {FROZEN: NEVER, "connected": 7}
    world.facts.close()
