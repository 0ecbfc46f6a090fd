"""Which spoke is broken or weak: every check, one correction, one ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.health.arrivals import (
    ARRIVALS,
    events_per_order,
    exposures_per_view,
    mail_rhythm,
)
from cartwheel.measure.health.data import HealthData
from cartwheel.measure.health.finding import UNKNOWN, Check, Finding
from cartwheel.measure.health.lead_times import lead_times
from cartwheel.measure.health.watched import SHARES
from cartwheel.measure.health.wheel_parts import (
    approved_not_applied,
    forecasts_biased,
    holdout_kept,
    lever_states,
    links,
)

ALPHA = 0.01
"""Level of a shop's alarms, over all checks together, after Holm."""

CHECKS: tuple[Check, ...] = (
    *SHARES,
    *ARRIVALS,
    events_per_order,
    exposures_per_view,
    mail_rhythm,
    lead_times,
    lever_states,
    links,
    approved_not_applied,
    holdout_kept,
    forecasts_biased,
)

ORDER = {"broken": 0, "weak": 1, "unknown": 2, "well": 3}


def find_faults(data: HealthData) -> list[Finding]:
    """Run every check and return all findings, the worst first.

    Order: broken before weak; within these what no other fault explains, then known
    money before unknown, most money first. What was not looked at and what is well
    follow.
    """
    return rank(judge([one for check in CHECKS for one in check(data)]))


def judge(findings: Sequence[Finding]) -> list[Finding]:
    """Take back what chance explains, and say which fault explains another.

    A change counts when its p value is below `ALPHA` after Holm's correction over all
    checks that tested.
    """
    adjusted = holm(
        [np.nan if one.p_value is None else one.p_value for one in findings]
    )
    judged = []
    for one, p_value in zip(findings, adjusted, strict=True):
        if one.p_value is None:
            judged.append(one)
            continue
        one = replace(one, adjusted=float(p_value))
        if one.state == "broken" and not p_value < ALPHA:
            # Chance explains it, so nothing is at stake.
            one = replace(one, state="well", stake=UNKNOWN, rows=())
        judged.append(one)
    failing = {one.check for one in judged if one.state == "broken"}
    return [
        replace(one, explained_by=next((a for a in one.after if a in failing), ""))
        if one.state == "broken"
        else one
        for one in judged
    ]


def rank(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with the worst first."""

    def place(one: Finding) -> tuple[int, bool, bool, float, float, str]:
        value = one.stake.value
        return (
            ORDER[one.state],
            bool(one.explained_by),
            value is None,
            -(value or 0.0),
            1.0 if one.adjusted is None else one.adjusted,
            one.check,
        )

    return sorted(findings, key=place)


def faults_of(findings: Sequence[Finding]) -> list[Finding]:
    """Return what is broken or weak, in order."""
    return [one for one in findings if one.state in ("broken", "weak")]
