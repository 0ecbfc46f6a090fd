from __future__ import annotations

from dataclasses import replace

import pytest

from cartwheel.simulator.referee.gate import ARMS, FIXED, jobs, judge
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.world.spec import WORLDS
from tests.simulator.referee.made import run


def played(advantage: float, spread: float = 0.0) -> list[Run]:
    """Runs in which connected earns a share of revenue more than isolated."""
    runs = []
    for number, (world, seed) in enumerate(FIXED["ci"]):
        sign = 1 if number % 2 else -1
        for arm in ARMS:
            share = advantage + sign * spread if arm == ARMS[1] else 0.0
            runs.append(
                run(
                    arm,
                    seed,
                    world=world,
                    profit_minor=round(50_000 + share * 1_000_000),
                    parts={"revenue": 1_000_000},
                )
            )
    return runs


def test_an_advantage_beyond_its_noise_passes() -> None:
    verdict = judge(played(0.03, 0.01), "ci")
    assert verdict.passed
    assert verdict.mean == pytest.approx(0.03, abs=1e-6)
    assert "+3.0% of revenue" in verdict.reason


@pytest.mark.parametrize(
    ("advantage", "spread"), [(0.0, 0.0), (-0.02, 0.001), (0.01, 0.05)]
)
def test_no_advantage_or_one_within_its_noise_fails(
    advantage: float, spread: float
) -> None:
    assert not judge(played(advantage, spread), "ci").passed


def test_a_failed_or_missing_world_fails_and_is_named() -> None:
    runs = played(0.1)
    broken = [replace(runs[0], state="failed", reason="the lever raised"), *runs[1:]]
    verdict = judge(broken, "ci")
    assert not verdict.passed
    assert "the lever raised" in verdict.reason
    assert not judge(runs[1:], "ci").passed


@pytest.mark.parametrize("size", sorted(FIXED))
def test_fixed_worlds_exist_and_are_played_by_both_arms(size: str) -> None:
    assert {job.world for job in jobs(size)} <= set(WORLDS)
    assert all(tuple(job.arms) == ARMS for job in jobs(size))
    assert len(set(FIXED[size])) == len(FIXED[size]) > 2
