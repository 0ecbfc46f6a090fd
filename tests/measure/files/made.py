"""A clean file of a test, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cartwheel.measure.files.analyse import Analysis, analyse
from cartwheel.measure.files.question import Question, parse_metrics


def shoppers(n: int = 2_000, seed: int = 1, lift: float = 0.0) -> pd.DataFrame:
    """Return n shoppers, half of them in each arm."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % 2)
    before = rng.gamma(2.0, 10.0, n)
    visits = 1 + rng.poisson(3, n)
    start = pd.Timestamp("2026-03-01T08:00:00Z")
    minutes = rng.integers(0, 20_000, n)
    shown = [start + pd.Timedelta(minutes=int(m)) for m in minutes]
    return pd.DataFrame(
        {
            "user": [f"u{i:05d}" for i in range(n)],
            "arm": np.where(arm == 1, "mail", "control"),
            "seen": np.where(arm == 1, "mail", "control"),
            "spend": (before * rng.gamma(4.0, 0.25, n) + lift * arm).round(2),
            "orders": rng.binomial(visits, 0.3),
            "visits": visits,
            "before": before.round(2),
            "shown_at": [t.isoformat() for t in shown],
            "bought_at": [(t + pd.Timedelta(hours=2)).isoformat() for t in shown],
        }
    )


def ask(folder: Path, frame: pd.DataFrame, **changes: Any) -> Analysis:
    """Write a frame as CSV and analyse it."""
    path = folder / "test.csv"
    frame.to_csv(path, index=False)
    return analyse(question(path, **changes))


def question(path: Path, **changes: Any) -> Question:
    """Return the question most tests ask, with changes."""
    metrics = changes.pop("metric", ["spend=spend"])
    covariates = changes.pop("covariate", [])
    given: dict[str, Any] = {
        "path": path,
        "unit": "user",
        "arm": "arm",
        "control": "control",
        "metrics": parse_metrics(metrics, covariates),
    }
    return Question(**{**given, **changes})


def refusals(found: Analysis) -> set[str]:
    """Return the names of the refusals."""
    return {check.check for check in found.checks if check.refuses}


def warnings(found: Analysis) -> set[str]:
    """Return the names of the warnings."""
    return {check.check for check in found.checks if not check.refuses}
