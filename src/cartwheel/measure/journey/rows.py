"""Places and steps as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cartwheel.measure.journey.judge import Look
from cartwheel.measure.journey.spread import LEAST_VISITS
from cartwheel.measure.journey.steps import KIND_TITLES, STEP_BY_NAME
from cartwheel.measure.journey.tally import Tally
from cartwheel.measure.journey.worth import Money
from cartwheel.measure.kpi.intervals import wilson

Titles = Mapping[tuple[str, str], tuple[str, str]]
"""Title and category of places by kind and id."""

_USUALLY = {"itself": "in its own days before", "others": "others of its kind"}


def named_row(look: Look, money: Money, titles: Titles) -> dict[str, Any]:
    """Return a place that is named, with what it loses; nothing beside it yet."""
    return {
        **place_row(look, titles),
        **asdict(money),
        "says": _says(look, money),
        "mostly": "",
        "beside": [],
    }


def _says(look: Look, money: Money) -> str:
    step = STEP_BY_NAME[look.tally.step]
    visits, on = look.tally.recent
    return (
        f"{visits - on:,} of {visits:,} visits {step.stops} "
        f"({1 - on / visits:.1%}; {_USUALLY[look.against]} {1 - look.usual:.1%}), some "
        f"{money.lost:,.0f} more than usual ({money.lost_low:,.0f} to "
        f"{money.lost_high:,.0f})."
    )


def place_row(look: Look, titles: Titles) -> dict[str, Any]:
    """Return a place with its visits and what is usual there."""
    tally = look.tally
    visits, on = tally.recent
    before, on_before = tally.before
    title, category = titles.get((tally.kind, tally.place), (tally.place, ""))
    if tally.kind == "shop":
        title = "the whole shop"
    return {
        "step": tally.step,
        "step_title": STEP_BY_NAME[tally.step].title,
        "kind": tally.kind,
        "kind_title": KIND_TITLES[tally.kind],
        "place": tally.place,
        "title": title,
        "category": category,
        "against": look.against,
        "visits": visits,
        "went_on": on,
        "share_off": 1 - on / visits,
        "usual_share_off": 1 - look.usual,
        "shrunken_share_off": 1 - look.share,
        "visits_before": before,
        "share_off_before": 1 - on_before / before if before else None,
        "lost": look.lost,
        "p_value": look.p_value,
        "adjusted": look.adjusted,
    }


def step_row(
    name: str, tallies: Sequence[Tally], looks: Sequence[Look]
) -> dict[str, Any]:
    """Return one step of the whole shop, as far as it can be said."""
    step = STEP_BY_NAME[name]
    mine = [one for one in tallies if one.step == name and one.kind == "shop"]
    visits, on = mine[0].recent if mine else (0, 0)
    before, on_before = mine[0].before if mine else (0, 0)
    low, high = wilson(visits - on, visits) if visits else (None, None)
    look = next((one for one in looks if mine and one.tally is mine[0]), None)
    state, lacks = "not yet", ""
    if look is not None and look.p_value is not None:
        state = "fell" if look.named else "as usual"
    elif before < LEAST_VISITS:
        lacks = f"{LEAST_VISITS} visits in the days before are needed"
    else:
        needed = LEAST_VISITS if look is None else look.needed
        lacks = f"{needed:,} visits are needed"
    return {
        "step": name,
        "title": step.title,
        "goes_on": step.goes_on,
        "visits": visits,
        "went_on": on,
        "share_off": 1 - on / visits if visits else None,
        "low": low,
        "high": high,
        "visits_before": before,
        "share_off_before": 1 - on_before / before if before else None,
        "adjusted": None if look is None else look.adjusted,
        "state": state,
        "lacks": lacks,
    }


def waiting_rows(
    tallies: Sequence[Tally], looks: Sequence[Look]
) -> list[dict[str, Any]]:
    """Return, by step and kind, how many places are looked at and how many wait."""
    looked = {id(one.tally) for one in looks if one.p_value is not None}
    needed: dict[tuple[str, str], int] = {}
    for look in looks:
        key = (look.tally.step, look.tally.kind)
        needed[key] = min(needed.get(key, look.needed), look.needed)
    groups: dict[tuple[str, str], list[Tally]] = {}
    for one in tallies:
        if one.recent[0]:
            groups.setdefault((one.step, one.kind), []).append(one)
    return [
        {
            "step": step,
            "step_title": STEP_BY_NAME[step].title,
            "kind": kind,
            "places": len(places),
            "looked_at": (seen := sum(id(one) in looked for one in places)),
            "waiting": len(places) - seen,
            "needed": needed.get((step, kind), LEAST_VISITS),
            "needed_before": LEAST_VISITS,
        }
        for (step, kind), places in groups.items()
    ]
