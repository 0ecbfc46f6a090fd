"""When nothing happened, how often is something found? And how fast is measuring?

A/A tests: both arms are the same. Read once, 4 to 6 % of tests may find a difference;
looked at after each shopper, at most 5 % may ever. Real tests are looked at day by day:
a naive reader stops at the first p below .05, ours reads the interval that holds at
every look. Arms of 52.5 to 47.5 % instead of even are what the size check is to notice.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan, cartwheel, run
from cartwheel.measure.assign import in_holdout
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.ratio_check import ALARM, sample_ratio
from cartwheel.measure.experiment.sequential import FEWEST, boundary
from cartwheel.measure.kpi.intervals import wilson

Array = np.ndarray[Any, Any]

ASOS = "asos-digital-experiments"
RUNS, QUICK_RUNS = 2_000, 40
SHOPPERS = 2_000
SEED = 20_260_707
ALPHA = 0.05

COLUMNS = ("spend", "orders", "visits", "before")
METRICS = {
    "mean (Welch)": Metric(name="mean", value="spend"),
    "mean, before taken off (CUPED)": Metric(
        name="cuped", value="spend", covariates=("before",)
    ),
    "ratio (delta method)": Metric(name="ratio", value="orders", per="visits"),
    "ratio, before taken off": Metric(
        name="both", value="orders", per="visits", covariates=("before",)
    ),
}


def measure_aa(plan: Plan) -> Iterator[Figure]:
    """Measure false finds of fixed tests and of peeking, and the size check."""
    runs = QUICK_RUNS if plan.quick else RUNS
    found = np.array([_fixed(one) for one in range(runs)])
    for place, name in enumerate(METRICS):
        yield _share(f"A/A, {name}: p below .05", found[:, place], 0.04, 0.06)
    every, naive = np.array([_peeked(one) for one in range(runs)]).T
    peeked = "A/A, looked at after each"
    yield _share(f"{peeked}: always-valid ever finds", every, None, 0.05)
    yield _share(f"{peeked}: p below .05 ever", naive, None, None)
    lost = [_sizes(one) for one in range(runs)]
    yield _share("5 % imbalance among 10,000: alarm", np.array(lost), 0.9, None)
    folder = plan.data / ASOS
    if folder.is_dir():
        yield from _replayed(folder)


def shoppers(seed: int) -> Array:
    """Return what shoppers did, columns of `COLUMNS`, shape (n, 4)."""
    rng = np.random.default_rng([SEED, seed])
    taste = rng.lognormal(0.0, 0.7, SHOPPERS)
    visits = 1 + rng.poisson(2 * taste)
    orders = rng.binomial(visits, 0.15)
    before = rng.poisson(0.5 * taste) * taste * rng.lognormal(3, 0.4, SHOPPERS)
    spend = orders * taste * rng.lognormal(3, 0.6, SHOPPERS)
    return np.column_stack([spend, orders, visits, before])


def _fixed(seed: int) -> list[bool]:
    rows = shoppers(seed)
    arm = np.random.default_rng([SEED, seed, 1]).permutation(SHOPPERS) % 2 == 0
    groups = [Moments.of(COLUMNS, rows[side]) for side in (~arm, arm)]
    return [compare(metric, *groups).p_value < ALPHA for metric in METRICS.values()]


def _peeked(seed: int) -> tuple[bool, bool]:
    """Tell whether looking after each shopper ever found something, ours and naive."""
    spend = shoppers(seed)[:, 0]
    arm = np.random.default_rng([SEED, seed, 2]).random(SHOPPERS) < 0.5
    z = np.zeros(SHOPPERS)
    parts = []
    for side in (arm, ~arm):
        n = np.cumsum(side)
        total, squares = np.cumsum(spend * side), np.cumsum(spend**2 * side)
        mean = total / np.maximum(n, 1)
        spread = np.maximum(squares / np.maximum(n, 1) - mean**2, 0.0)
        parts.append((n, mean, spread / np.maximum(n - 1, 1)))
    counted = np.minimum(parts[0][0], parts[1][0]) >= FEWEST
    error = np.sqrt(parts[0][2] + parts[1][2])
    z[counted] = np.abs(parts[0][1] - parts[1][1])[counted] / error[counted]
    ends = np.array(
        [boundary(n, planned=SHOPPERS, alpha=ALPHA) for n in range(1, SHOPPERS + 1)]
    )
    return bool((z > ends).any()), bool((z > 1.96).any())


def _sizes(seed: int) -> bool:
    kept = int(np.random.default_rng([SEED, seed, 3]).binomial(10_000, 0.525))
    return sample_ratio({"a": kept, "b": 10_000 - kept}, {"a": 1, "b": 1}) < ALARM


def _share(name: str, hits: Array, least: float | None, most: float | None) -> Figure:
    low, high = wilson(int(hits.sum()), len(hits))
    return Figure(
        part="measure-aa",
        name=name,
        size=f"{len(hits):,} runs",
        unit="",
        values=[low, float(np.mean(hits)), high],
        least=least,
        most=most,
    )


def _replayed(folder: Path) -> Iterator[Figure]:
    """Replay real tests day by day: who stops, and was it still so at the end?"""
    import pandas as pd

    rows = pd.read_parquet(folder / "experiments.parquet").dropna()
    naive, ours, turned, last = [], [], [], []
    keys = ["experiment_id", "variant_id", "metric_id"]
    for _, looks in rows.groupby(keys):
        looks = looks.sort_values("time_since_start")
        error = np.sqrt(
            looks["variance_c"] / looks["count_c"]
            + looks["variance_t"] / looks["count_t"]
        ).to_numpy()
        good = (error > 0) & (looks[["count_c", "count_t"]].min(axis=1) >= FEWEST)
        if good.sum() < 2:
            continue
        gap = (looks["mean_t"] - looks["mean_c"]).to_numpy()[good]
        z = gap / error[good]
        n = (looks["count_c"] + looks["count_t"]).to_numpy()[good]
        # Planned at the size at which it was half over: no look at the outcome.
        planned = int(n[-1] // 2)
        ends = np.array([boundary(int(k), planned=planned, alpha=ALPHA) for k in n])
        first = np.flatnonzero(np.abs(z) > 1.96)
        naive.append(len(first) > 0)
        last.append(abs(z[-1]) > 1.96)
        ours.append(bool((np.abs(z) > ends).any()))
        if len(first):
            turned.append(abs(z[-1]) <= 1.96)
    for name, hits in (
        ("real tests, naive reader ever stops", naive),
        ("real tests, significant on the last day", last),
        ("real tests, always-valid ever stops", ours),
        ("naive stops that the last day takes back", turned),
    ):
        yield _share(name, np.array(hits), None, None)


def measure_speed(plan: Plan) -> Iterator[Figure]:
    """Measure `measure FILE` on a million units, and an assignment."""
    sizes = (20_000,) if plan.quick else (250_000, 1_000_000)
    with tempfile.TemporaryDirectory() as place:
        for n in sizes:
            path = Path(place) / f"{n}.parquet"
            _write(path, n)
            call = ["measure", str(path), "--unit", "unit", "--arm", "arm"]
            call += ["--control", "control", "--covariate", "before"]
            for number in range(10):
                call += ["--metric", f"m{number}=m{number}"]
            done = [run(cartwheel(*call)) for _ in range(1 if plan.quick else 3)]
            yield Figure(
                part="measure-speed",
                name="measure FILE, 10 metrics, CUPED",
                size=f"{n:,} units",
                unit="s",
                values=[one.seconds for one in done],
                most=10.0 if n == 1_000_000 else None,
            )
            yield Figure(
                part="measure-speed",
                name="measure FILE, memory",
                size=f"{n:,} units",
                unit="MB",
                values=[one.peak_mb for one in done],
                most=2_000.0 if n == 1_000_000 else None,
            )
    calls = 2_000 if plan.quick else 200_000
    times = []
    for _ in range(3):
        began = time.perf_counter()
        for number in range(calls):
            in_holdout(f"customer-{number}", 0.05, "wheel")
        times.append((time.perf_counter() - began) / calls * 1e6)
    yield Figure(
        part="measure-speed",
        name="assignment of a customer",
        size=f"{calls:,} calls",
        unit="µs",
        values=times,
        most=5.0,
    )


def _write(path: Path, n: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    before = rng.lognormal(0, 1, n)
    columns = {
        "unit": np.arange(n),
        "arm": np.where(rng.random(n) < 0.5, "control", "treated"),
        "before": before,
    }
    for number in range(10):
        columns[f"m{number}"] = before * rng.lognormal(0, 0.5, n)
    pq.write_table(pa.table(columns), path)
