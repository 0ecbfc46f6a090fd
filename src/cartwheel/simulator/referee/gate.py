"""The gate for releases: on fixed worlds, connected must beat isolated.

The worlds never change, so with unchanged code the result is the same to the last cent.
It fails when the mean advantage over the fixed worlds is no larger than its own noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cartwheel.simulator.arms.registry import CONNECTED, ISOLATED
from cartwheel.simulator.referee.batch import Job
from cartwheel.simulator.referee.results import Run

ARMS = (ISOLATED, CONNECTED)
SMALL = "small"
FIXED: dict[str, tuple[tuple[str, int], ...]] = {
    "ci": (
        ("electronics", 11),
        ("electronics", 12),
        ("consumables", 11),
        ("apparel", 11),
    ),
    "nightly": tuple(
        (world, seed)
        for seed in range(11, 19)
        for world in ("apparel", "consumables", "electronics", "hostile")
    ),
}
"""Worlds and seeds by size of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the fixed worlds say.

    Attributes:
        passed: Connected beats isolated by more than the noise.
        mean: Mean advantage in profit, as a share of the isolated arm's revenue.
        noise: Standard error of that mean.
        rows: World, seed and advantage of each.
        reason: One sentence for people.
    """

    passed: bool
    mean: float
    noise: float
    rows: tuple[tuple[str, int, float], ...]
    reason: str


def jobs(size: str) -> list[Job]:
    """Return what is played for a run of the gate, "ci" or "nightly"."""
    return [
        Job(world=world, size=SMALL, seed=seed, arms=ARMS)
        for world, seed in FIXED[size]
    ]


def judge(runs: Sequence[Run], size: str) -> Verdict:
    """Judge the fixed worlds; a world that failed or is missing fails the gate."""
    found = {(run.world, run.seed, run.arm): run for run in runs}
    rows = []
    for world, seed in FIXED[size]:
        pair = [found.get((world, seed, arm)) for arm in ARMS]
        isolated, connected = pair
        if isolated is None or connected is None:
            return _broken(f"{world} {seed} was not played by both arms")
        failed = [run for run in (isolated, connected) if run.state != "done"]
        if failed:
            return _broken(f"{world} {seed}, {failed[0].arm}: {failed[0].reason}")
        # Profit a visit over revenue a visit, so that dear goods do not outweigh.
        gain = connected.profit_minor / connected.visits
        gain -= isolated.profit_minor / isolated.visits
        rows.append((world, seed, gain / (isolated.parts["revenue"] / isolated.visits)))
    shares = np.array([share for _, _, share in rows])
    mean = float(shares.mean())
    noise = float(shares.std(ddof=1) / np.sqrt(len(shares)))
    passed = mean > noise
    return Verdict(
        passed=passed,
        mean=mean,
        noise=noise,
        rows=tuple(rows),
        reason=f"connected earns {mean:+.1%} of revenue more than isolated, noise "
        f"{noise:.1%}, over {len(rows)} worlds",
    )


def _broken(reason: str) -> Verdict:
    return Verdict(
        passed=False, mean=float("nan"), noise=float("nan"), rows=(), reason=reason
    )
