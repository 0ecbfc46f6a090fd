"""What experiments taught: a page each, failures first, and what the next one weighs.

The page is written from the record alone, so it says what was agreed before the start
beside what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.shrink import Shrunk, prior_of, shrink
from cartwheel.measure.experiment.store import Record
from cartwheel.measure.experiment.verdict import ALPHA, Write, number, verdict

FAILED = "failed"
WORKED = "worked"
OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one experiment taught.

    Attributes:
        name: The experiment.
        lever: Lever it was on.
        outcome: "worked", "failed" (it did harm), or "open" (nothing could be told).
        sentence: The verdict.
        effect: Effect on the primary metric as a share of the control, or None.
        error: Its standard error as a share of the control, or None.
        metric: The primary metric.
    """

    name: str
    lever: str
    outcome: str
    sentence: str
    effect: float | None
    error: float | None
    metric: str


def lesson_of(record: Record) -> Lesson | None:
    """Return what a closed experiment taught, None while it runs."""
    if record.state == "running":
        return None
    primary = _primary(record)
    effect = error = None
    outcome = OPEN
    if primary is not None and (primary["control_value"] or 0) > 0:
        effect = _share(primary["effect"], primary["control_value"])
        error = _share(primary["error"], primary["control_value"])
        low, high, p = primary["low"], primary["high"], primary["p_adjusted"]
        # As the verdict does: what several comparisons may have thrown up is open.
        told = p is not None and p < ALPHA
        if told and low is not None and low > 0:
            outcome = WORKED
        elif told and high is not None and high < 0:
            outcome = FAILED
    standing = record.standing or {}
    if standing.get("close") == "guard":
        outcome = FAILED
    return Lesson(
        name=record.terms.name,
        lever=record.terms.lever,
        outcome=outcome,
        sentence=sentence_of(record),
        effect=effect,
        error=error,
        metric=record.terms.metric,
    )


def sentence_of(record: Record, write: Write | None = None) -> str:
    """Return how an experiment stands, in one sentence; its verdict once it ended.

    Args:
        record: The experiment.
        write: Writes a value of the primary metric with its unit; plain numbers
            without it.
    """
    standing = record.standing or {}
    said = str(standing.get("sentence") or "")
    if record.state == "running":
        return said or f"It begins on {record.terms.starts_on}; no look was taken yet."
    if standing.get("close"):
        primary = _primary(record)
        if write is None or primary is None or standing["close"] == "guard":
            return said
        found = Comparison.from_json(primary)
        adjusted = 1.0 if primary["p_adjusted"] is None else primary["p_adjusted"]
        return verdict(found, adjusted=adjusted, write=write)
    # Closed by a person or the budget: what the last look waited for came never.
    day = f"on day {standing['days_over']} of {standing['days']}" if standing else ""
    when = day or "before its first look"
    why = record.why.rstrip(".") or "no reason was given"
    return f"Stopped {when}: {why}. No verdict."


def lessons_of(records: Iterable[Record], lever: str | None = None) -> list[Lesson]:
    """Return what closed experiments taught, failures first, then the newest.

    Args:
        records: Experiments on record, newest first.
        lever: Only those on this lever.
    """
    found = [one for one in map(lesson_of, records) if one is not None]
    wanted = [one for one in found if lever is None or one.lever == lever]
    rank = {FAILED: 0, OPEN: 1, WORKED: 2}
    return sorted(wanted, key=lambda one: rank[one.outcome])


def in_their_light(
    record: Record, records: Iterable[Record]
) -> tuple[Shrunk, int] | None:
    """Return an effect drawn towards those of earlier experiments on its lever.

    Args:
        record: The experiment.
        records: Experiments on record.

    Returns:
        The drawn effect as a share of the control, and how many earlier ones counted;
        None when the experiment has no effect yet.
    """
    primary = _primary(record)
    if primary is None or primary["effect"] is None:
        return None
    if not (primary["control_value"] or 0) > 0 or not primary["error"]:
        return None
    past = [
        (lesson.effect, lesson.error)
        for lesson in lessons_of(records, record.terms.lever)
        if lesson.name != record.terms.name
        and lesson.metric == record.terms.metric
        and lesson.effect is not None
        and lesson.error
    ]
    control = primary["control_value"]
    drawn = shrink(
        primary["effect"] / control,
        primary["error"] / control,
        prior_of(past),
    )
    return drawn, len(past)


def page_of(record: Record, records: Iterable[Record]) -> str:
    """Return an experiment's learning record as plain text, one page.

    Args:
        record: The experiment.
        records: Experiments on record, for what is known of its lever.
    """
    terms = record.terms
    lines = [
        f"{terms.name}: {terms.question}",
        "",
        f"Agreed {record.created_at[:10]} by {record.actor}, "
        f"fingerprint {terms.fingerprint}",
        f"Lever {terms.lever}, drawn by {terms.unit}, {terms.mode}",
        f"{terms.starts_on} to {terms.ends_on} ({terms.days} days), stop rule "
        f"{terms.stop}",
        f"Primary metric {terms.metric}, smallest change that matters "
        f"{terms.wanted:.1%}",
    ]
    for guard in terms.guards:
        lines.append(
            f"Guard: {guard.metric} must not fall by more than {guard.worst:.0%}"
        )
    if terms.budget_minor is not None:
        lines.append(f"Budget: {terms.budget_minor:,} minor units")
    lines += ["", f"State: {record.state}{f' ({record.why})' if record.why else ''}"]
    standing = record.standing
    if standing is None:
        return "\n".join([*lines, "No look was taken yet."])
    lines.append(f"As of {standing['day']}: {sentence_of(record)}")
    for one in standing["metrics"]:
        low, high = (_said(end, sign=True) for end in (one["low"], one["high"]))
        if record.state == "running":
            # An estimate that is watched tempts to stop at a lucky day.
            lines.append(
                f"  {one['metric']}: the effect lies between {low} and {high}, at "
                f"every look together; n {one['n']:,}"
            )
            continue
        lines.append(
            f"  {one['metric']}: {_said(one['control_value'])} against "
            f"{_said(one['arm_value'])}, effect {_said(one['effect'], sign=True)} "
            f"({low} to {high}), {one['method']}, n {one['n']:,}"
        )
    for check in standing["checks"]:
        lines.append(f"  {check['level']}: {check['message']} {check['next_step']}")
    light = in_their_light(record, records) if record.state == "ended" else None
    if light is not None:
        drawn, past = light
        lines += [
            "",
            f"In the light of {past} earlier experiments on {terms.lever}: "
            f"{drawn.effect:+.1%} ({drawn.low:+.1%} to {drawn.high:+.1%}); the past "
            f"weighs {drawn.weight:.0%}, the chance of a gain is {drawn.above:.0%}.",
        ]
    return "\n".join(lines)


def _share(value: float | None, control: float) -> float | None:
    return None if value is None else value / control


def _said(value: float | None, *, sign: bool = False) -> str:
    return "unknown" if value is None else number(value, sign)


def _primary(record: Record) -> Mapping[str, Any] | None:
    standing = record.standing
    if standing is None or not standing["metrics"]:
        return None
    found: Mapping[str, Any] = standing["metrics"][0]
    return found
