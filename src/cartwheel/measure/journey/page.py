"""The journey as JSON values: what a turn publishes and the command line prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cartwheel.measure.journey.data import JourneyData
from cartwheel.measure.journey.judge import ALPHA, LEAST_FALL, Look, look_at
from cartwheel.measure.journey.links import beside
from cartwheel.measure.journey.rows import (
    Titles,
    named_row,
    place_row,
    step_row,
    waiting_rows,
)
from cartwheel.measure.journey.spread import LEAST_VISITS
from cartwheel.measure.journey.steps import BEFORE_DAYS, RECENT_DAYS, STEPS
from cartwheel.measure.journey.tally import count_visits
from cartwheel.measure.journey.worth import (
    Onward,
    OrderWorth,
    money_of,
    onward,
    order_worth,
)
from cartwheel.measure.plain import finite

MOST_NAMED = 25
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
    told, more = _named(data, fell, after, worth, titles)
    below, more_below = _named(data, low, after, worth, titles)
    mark_wider(told)
    told.sort(key=lambda one: bool(one["mostly"]))  # what explains others comes first
    steps = [step_row(step.name, tallies, looks) for step in STEPS]
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
        "checkouts": _checkouts(data),
        "drop_offs": told,
        "low": below,
        "left_out": more,
        "low_left_out": more_below,
        "near": [place_row(one, titles) for one in near[:MOST_NEAR]],
        "looked_at": sum(
            one.p_value is not None and one.against == "itself" for one in looks
        ),
        "waiting": waiting_rows(tallies, looks),
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
        more = f" {count - 1:,} more fell." if count > 1 else ""
        return f"The largest drop-off is {worst['title']}: {worst['says']}{more}"
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


def _named(
    data: JourneyData,
    looks: Sequence[Look],
    after: Mapping[str, Onward],
    worth: OrderWorth,
    titles: Titles,
) -> tuple[list[dict[str, Any]], int]:
    """Return named places, most money first, and how many more there are."""
    rows = []
    for look in looks:
        money = money_of(look, after[look.tally.step], worth, seed=data.seed)
        rows.append((named_row(look, money, titles), look))
    rows.sort(key=lambda row: rank(row[0]))
    for row, look in rows[:MOST_NAMED]:
        row["beside"] = [
            {**asdict(one), "numbers": dict(one.numbers)}
            for one in beside(data, look.tally)
        ]
    return [row for row, _ in rows[:MOST_NAMED]], max(len(rows) - MOST_NAMED, 0)


def rank(one: Mapping[str, Any]) -> tuple[bool, float, str, str]:
    """Return what places are sorted by: money, then visits; unknown money last."""
    value = one["value_minor"]
    return value is None, -(value or one["lost"]), one["step"], one["place"]


def _checkouts(data: JourneyData) -> int:
    """Return the recent visits that checked out, known customers or not."""
    query = f"SELECT count(*) FROM j_visits WHERE bought AND ago < {RECENT_DAYS}"
    return int(data.rows(query)[0][0])


def _titles(data: JourneyData) -> Titles:
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
