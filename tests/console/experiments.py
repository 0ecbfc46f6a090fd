"""Experiments on record for the console's tests, as looks would have left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from cartwheel.measure.experiment.store import close, create, keep_look
from cartwheel.measure.experiment.terms import Guard, Terms
from cartwheel.shop import Shop

START = date(2026, 10, 1)
HARM = "lifecycle-harm"
WORKED = "lifecycle-worked"
OPEN = "lifecycle-open"
RUNNING = "recommend-runs"


def terms(name: str, **other: Any) -> Terms:
    """Return terms of a test of 50 days."""
    given: dict[str, Any] = {
        "name": name,
        "question": f"Does {name} earn more?",
        "lever": "lifecycle",
        "unit": "customer",
        "metric": "margin",
        "wanted": 0.1,
        "stop": "fixed",
        "starts_on": START,
        "ends_on": START + timedelta(days=49),
        "mode": "production",
    }
    return Terms(**{**given, **other})


def metric(effect: float | None, half: float | None, **other: Any) -> dict[str, Any]:
    """Return one metric of a look; `half` None is an interval without end."""
    bounded = effect is not None and half is not None
    error = None if half is None else half / 1.96
    given = {
        "metric": "margin",
        "control": "control",
        "arm": "treated",
        "control_value": 2_000.0,
        "arm_value": None if effect is None else 2_000.0 + effect,
        "effect": effect,
        "low": effect - half if bounded else None,
        "high": effect + half if bounded else None,
        "error": error,
        "relative": None if effect is None else effect / 2_000,
        "relative_low": (effect - half) / 2_000 if bounded else None,
        "relative_high": (effect + half) / 2_000 if bounded else None,
        "p_value": 0.0123 if bounded and abs(effect) > half else 0.777,
        "p_adjusted": 0.0123 if bounded and abs(effect) > half else 0.777,
        "method": "pooled+cuped",
        "n": 440,
        "level": 0.95,
        "reduction": 0.1,
    }
    return {**given, **other}


def look(
    over: int, metrics: Sequence[dict[str, Any]], *, days: int = 50, **other: Any
) -> dict[str, Any]:
    """Return a look as `Look.to_json` would."""
    given = {
        "day": (START + timedelta(days=over - 1)).isoformat(),
        "days_over": over,
        "days": days,
        "units": {"control": 221, "treated": 219},
        "metrics": list(metrics),
        "checks": [],
        "final": over >= days,
        "close": "",
        "sentence": f"Day {over} of {days}: no verdict before 2026-11-19.",
        "reach": {"detectable": 0.4, "wanted": 0.1, "days_needed": 800, "by": None},
    }
    return {**given, **other}


def refusal() -> dict[str, Any]:
    return {
        "check": "sample_ratio",
        "level": "refusal",
        "metric": None,
        "rows": 440,
        "message": "The groups have not the sizes they should have.",
        "next_step": "Find out who is missing.",
    }


def put(
    shop: Shop,
    agreed: Terms,
    looks: Sequence[dict[str, Any]] = (),
    *,
    state: str = "running",
    why: str = "",
    actor: str = "ann",
) -> None:
    """Put an experiment on record with its looks, and close it."""
    create(shop.database, agreed, actor=actor)
    for one in looks:
        keep_look(shop.database, agreed.name, date.fromisoformat(one["day"]), one)
    if state != "running":
        close(shop.database, agreed.name, state, actor="stop rule", why=why)


def add_experiments(shop: Shop) -> Shop:
    """Put one running experiment and three that are over on record."""
    put(
        shop,
        terms(WORKED, others=("orders",)),
        [
            look(7, [metric(500.0, 900.0)]),
            look(
                50,
                [
                    metric(400.0, 150.0),
                    metric(0.02, 0.01, metric="orders", control_value=0.1),
                ],
                close="end",
                sentence="margin with treated against control is higher: +400.",
            ),
        ],
        state="ended",
        why="its last day is over",
    )
    put(
        shop,
        terms(OPEN),
        [look(50, [metric(30.0, 150.0)], close="end", sentence="Not shown: margin.")],
        state="ended",
        why="its last day is over",
    )
    put(
        shop,
        terms(HARM, guards=(Guard(metric="revenue", worst=0.1),)),
        [
            look(
                21,
                [metric(-300.0, 400.0)],
                close="guard",
                sentence="Stopped: revenue fell by more than the 10% allowed.",
            )
        ],
        state="stopped",
        why="a guard was broken",
    )
    put(
        shop,
        terms(
            RUNNING,
            lever="recommend",
            mode="sandbox",
            budget_minor=50_000,
            starts_on=START + timedelta(days=30),
            ends_on=START + timedelta(days=79),
        ),
        [
            look(7, [metric(900.0, None)]),
            look(14, [metric(123.0, 2_000.0)]),
            look(20, [metric(345.0, 1_500.0)]),
        ],
    )
    return shop
