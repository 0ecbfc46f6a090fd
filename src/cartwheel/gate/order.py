"""The gate's rules, in the order every decision passes them."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.assignment import assignment
from cartwheel.gate.autonomy import autonomy
from cartwheel.gate.base import Candidate, GateContext, Refusal, Rule, Verdict
from cartwheel.gate.budget import budget
from cartwheel.gate.conflicts import conflicts
from cartwheel.gate.consent import consent
from cartwheel.gate.eligible import eligible
from cartwheel.gate.frequency import frequency
from cartwheel.gate.page_changes import page_changes
from cartwheel.gate.price_limits import price_limits

RULES: tuple[Rule, ...] = (
    eligible,
    consent,
    price_limits,
    frequency,
    budget,
    page_changes,
    conflicts,
    assignment,
    autonomy,
)


def pass_gate(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Pass candidates through every rule; the first refusal stands."""
    passed = list(candidates)
    refused: list[Refusal] = []
    for rule in RULES:
        verdict = rule(passed, context)
        passed = verdict.passed
        refused += verdict.refused
    return Verdict(passed, refused)
