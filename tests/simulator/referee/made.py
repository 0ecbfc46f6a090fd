"""Made-up runs whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.simulator.referee.results import Run

DAYS = 12
LIFTS = {"no-ai": 0.0, "isolated": 2.0, "connected": 6.0, "oracle": 10.0}


def run(arm: str, seed: int = 0, **more: Any) -> Run:
    values: dict[str, Any] = {
        "world": "apparel",
        "size": "small",
        "state": "done",
        "visits": 1_000,
        "profit_minor": 50_000,
    }
    return Run(arm=arm, seed=seed, **{**values, **more})


def played(
    lifts: Mapping[str, float] = LIFTS,
    *,
    worlds: int = 8,
    world: str = "apparel",
    noise: float = 0.5,
    visits: int = 1_000,
) -> list[Run]:
    """Return runs whose profit per visit is the world's own plus the arm's lift."""
    rng = np.random.default_rng(worlds)
    level = rng.normal(50, 20, worlds)
    found = []
    for arm, lift in lifts.items():
        for seed in range(worlds):
            daily = np.round(
                (level[seed] + lift + rng.normal(0, noise)) * visits / DAYS
            ) * np.ones(DAYS)
            profit = int(daily.sum())
            found.append(
                run(
                    arm,
                    seed,
                    world=world,
                    visits=visits,
                    profit_minor=profit,
                    parts={"revenue": 3 * profit, "goods": -2 * profit},
                    figures={"fill_rate": 0.9 + lift / 100},
                    days={"profit_minor": daily},
                )
            )
    return found
