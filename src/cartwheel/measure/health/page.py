"""Health as JSON values: what a turn publishes and the command line prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cartwheel.measure.health.calibration import calibrations, errors_by_turn
from cartwheel.measure.health.data import BEFORE_DAYS, RECENT_DAYS, HealthData
from cartwheel.measure.health.drift import find_drift
from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.reliance import find_reliance
from cartwheel.measure.health.spokes import ALPHA, faults_of, find_faults
from cartwheel.measure.plain import finite


def health_page(data: HealthData) -> dict[str, Any]:
    """Return the page of a turn's health.

    Returns:
        `faults` (ranked), `well` and `unknown` findings, `calibration`, `errors`,
        `drift`, `reliance` and `says`, one sentence.
    """
    findings = find_faults(data)
    faults = faults_of(findings)
    drift = find_drift(data)
    reliance = find_reliance(data)
    body = {
        "as_of_recent_days": RECENT_DAYS,
        "as_of_before_days": BEFORE_DAYS,
        "alpha": ALPHA,
        "says": summary(faults),
        "faults": [_plain(one) for one in faults],
        "well": [_plain(one) for one in findings if one.state == "well"],
        "unknown": [_plain(one) for one in findings if one.state == "unknown"],
        "calibration": [asdict(one) for one in calibrations(data)],
        "errors": [asdict(one) for one in errors_by_turn(data)],
        "drift": [asdict(one) for one in drift],
        "reliance": [asdict(one) for one in reliance],
    }
    found: dict[str, Any] = finite(body)
    return found


def summary(faults: list[Finding]) -> str:
    """Return which spoke is worst, in one sentence."""
    broken = [one for one in faults if one.state == "broken"]
    roots = [one for one in broken if not one.explained_by]
    weak = len({one.spoke for one in faults if one.state == "weak"})
    if roots:
        others = len({one.spoke for one in broken} - {roots[0].spoke})
        also = f" {others} more broken." if others else ""
        return f"Broken: {roots[0].spoke}. {roots[0].says}{also}"
    if weak:
        count = "one spoke is" if weak == 1 else f"{weak} spokes are"
        return f"Nothing broke; {count} weak."
    return "Nothing is broken or weak, as far as could be looked at."


def _plain(one: Finding) -> dict[str, Any]:
    value = asdict(one)
    return {**value, "rows": list(one.rows), "evidence": dict(one.evidence)}
