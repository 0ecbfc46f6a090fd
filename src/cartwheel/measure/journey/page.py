"""The journey as JSON values: what a turn publishes and the command line prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cartwheel.measure.journey.data import JourneyData
from cartwheel.measure.journey.judge import (
    ALPHA,
    LEAST_FALL,
    Look,
    look_at,
    visits_needed,
)
from cartwheel.measure.journey.links import beside
from cartwheel.measure.journey.spread import LEAST_VISITS
from cartwheel.measure.journey.steps import (
    BEFORE_DAYS,
    KIND_TITLES,
    RECENT_DAYS,
    STEP_BY_NAME,
    STEPS,
)
from cartwheel.measure.journey.tally import Tally, count_visits
from cartwheel.measure.journey.worth import (
    Money,
    Onward,
    OrderWorth,
    money_of,
    onward,
    order_worth,
)
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.measure.plain import finite

MOST_NAMED = 50
MOST_NEAR = 20
MOSTLY = 0.5
"""Part of the lost visits of a wider place from which a product explains it."""


def journey_page(data: JourneyData) -> dict[str, Any]:
    """Return the page of a turn's journey.

    Returns:
        `steps` with their shares; `drop_offs`, what fell against its own days, and
        `low`, what is below the others as ever, most money first; `near`, those that
        chance may explain; `waiting` by step and kind; `worth` of an order; `says`, one
        sentence; and `not_yet`, why nothing can be said.
    """
    tallies = count_visits(data.con)
    looks = look_at(tallies)
    fell, low, near = _sorted(looks)
    worth = order_worth(data.con, data.parcel_minor)
    after = onward(data.con)
    titles = _titles(data)
    told, below = (
        sorted((_told(data, one, after, worth, titles) for one in part), key=_rank)
        for part in (fell, low)
    )
    mark_wider(told)
    steps = [_step(step.name, tallies, looks) for step in STEPS]
    seen, before = (steps[0]["visits"], steps[0]["visits_before"])
    body = {
        "on": data.on.isoformat(),
        "recent_days": RECENT_DAYS,
        "before_days": BEFORE_DAYS,
        "alpha": ALPHA,
        "least_fall": LEAST_FALL,
        "visits": seen,
        "visits_before": before,
        "not_yet": not_yet(seen, before),
        "says": "",
        "steps": steps,
        "drop_offs": told[:MOST_NAMED],
        "low": below[:MOST_NAMED],
        "left_out": max(len(told) - MOST_NAMED, 0),
        "low_left_out": max(len(below) - MOST_NAMED, 0),
        "near": [_plain(one, titles) for one in near[:MOST_NEAR]],
        "looked_at": sum(
            one.p_value is not None and one.against == "itself" for one in looks
        ),
        "waiting": _waiting(tallies, looks),
        "worth": {
            "of": worth.of,
            "orders": worth.orders,
            "mean_minor": worth.mean_minor,
            "why_not": worth.why_not,
        },
        "failed": "",
    }
    body["says"] = summary(body)
    plain: dict[str, Any] = finite(body)
    return plain


def not_yet(visits: int, before: int) -> str:
    """Return why nothing can be said yet, "" when something can."""
    if visits < LEAST_VISITS:
        return (
            f"{visits:,} visits of the last {RECENT_DAYS} days left events; "
            f"{LEAST_VISITS} are needed"
        )
    if before < LEAST_VISITS:
        return (
            f"{before:,} visits of the {BEFORE_DAYS} days before left events, so that "
            f"nobody knows what is usual; {LEAST_VISITS} are needed"
        )
    return ""


def summary(body: dict[str, Any]) -> str:
    """Return where most is lost, in one sentence."""
    if body["not_yet"]:
        return f"Not yet: {body['not_yet']}."
    if body["drop_offs"]:
        worst = body["drop_offs"][0]
        count = len(body["drop_offs"]) + body["left_out"]
        more = f" {count - 1} more fell." if count > 1 else ""
        return f"Most fell at {worst['title']}: {worst['says']}{more}"
    nothing = (
        f"Nothing fell: in {body['looked_at']:,} comparisons with its own days before "
        "nothing is lower by enough and beyond chance."
    )
    if body["low"]:
        worst = body["low"][0]
        nothing += f" Low as ever, most at {worst['title']}: {worst['says']}"
    return nothing


def mark_wider(told: Sequence[dict[str, Any]]) -> None:
    """Say of wider places which product named in the same step is most of them."""
    products = [one for one in told if one["kind"] == "product"]
    for wide in told:
        inside = [
            one
            for one in products
            if one["step"] == wide["step"]
            and wide["kind"] not in ("product", "query")
            and (wide["kind"] != "category" or one["category"] == wide["place"])
            and one["lost"] >= MOSTLY * wide["lost"] > 0
        ]
        wide["mostly"] = inside[0]["title"] if inside else ""


def _sorted(looks: Sequence[Look]) -> tuple[list[Look], list[Look], list[Look]]:
    """Return what fell, what is low without having fallen, and what is near, by p."""
    fell = [one for one in looks if one.named and one.against == "itself"]
    gone = {id(one.tally) for one in fell}
    low = [one for one in looks if one.named and id(one.tally) not in gone]
    gone |= {id(one.tally) for one in low}
    near = [
        one
        for one in looks
        if one.against == "itself"
        and one.p_value is not None
        and one.lost > 0
        and id(one.tally) not in gone
    ]
    near.sort(key=lambda one: (one.p_value or 0.0, one.tally.step, one.tally.place))
    return fell, low, near


def _told(
    data: JourneyData,
    look: Look,
    after: dict[str, Onward],
    worth: OrderWorth,
    titles: dict[tuple[str, str], tuple[str, str]],
) -> dict[str, Any]:
    money = money_of(look, after[look.tally.step], worth, seed=data.seed)
    return {
        **_plain(look, titles),
        **asdict(money),
        "says": _says(look, money),
        "mostly": "",
        "beside": [
            {**asdict(one), "numbers": dict(one.numbers)}
            for one in beside(data, look.tally)
        ],
    }


_USUALLY = {"itself": "in its own days before", "others": "others of its kind"}


def _says(look: Look, money: Money) -> str:
    step = STEP_BY_NAME[look.tally.step]
    visits, on = look.tally.recent
    return (
        f"{visits - on:,} of {visits:,} visits {step.stops} "
        f"({1 - on / visits:.1%}; {_USUALLY[look.against]} {1 - look.usual:.1%}), some "
        f"{money.lost:,.0f} more than usual ({money.lost_low:,.0f} to "
        f"{money.lost_high:,.0f})."
    )


def _plain(
    look: Look, titles: dict[tuple[str, str], tuple[str, str]]
) -> dict[str, Any]:
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


def _rank(one: dict[str, Any]) -> tuple[bool, float, str, str]:
    value = one["value_minor"]
    return value is None, -(value or one["lost"]), one["step"], one["place"]


def _step(name: str, tallies: Sequence[Tally], looks: Sequence[Look]) -> dict[str, Any]:
    """Return one step of the whole shop, as far as it can be said."""
    step = STEP_BY_NAME[name]
    mine = [one for one in tallies if one.step == name and one.kind == "shop"]
    visits, on = mine[0].recent if mine else (0, 0)
    before, on_before = mine[0].before if mine else (0, 0)
    low, high = wilson(visits - on, visits) if visits else (None, None)
    look = next((one for one in looks if mine and one.tally is mine[0]), None)
    if look is not None and look.p_value is not None:
        state = "fell" if look.named else "as usual"
        needed = look.needed
    else:
        state = "not yet"
        needed = visits_needed(on_before / before) if on_before else LEAST_VISITS
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
        "needed": needed,
    }


def _waiting(tallies: Sequence[Tally], looks: Sequence[Look]) -> list[dict[str, Any]]:
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


def _titles(data: JourneyData) -> dict[tuple[str, str], tuple[str, str]]:
    """Return title and category of places by kind and id."""
    found = {
        ("product", str(name)): (str(title or name), str(category or ""))
        for name, title, category in data.rows(
            "SELECT product_id, title, category FROM j_listing ORDER BY product_id"
        )
    }
    for way in ("search", "category", "product", "slot", "cart"):
        found["way_in", way] = (f"visits that began with a {way}", "")
    return found
