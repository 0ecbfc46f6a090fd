"""An experiment in a merchant's words: its terms, its standing, its effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cartwheel.console.formatting import MINUS, Formatter, percent
from cartwheel.console.words import lever_title
from cartwheel.measure.experiment.lessons import sentence_of
from cartwheel.measure.experiment.store import Record
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.verdict import Write, number
from cartwheel.settings import Holdout

UNIT_WORDS = {
    "customer": (
        "customers",
        "Each customer is drawn once and stays in the control or out of it. Sees the "
        "most of what is done to a person.",
    ),
    "product": (
        "products",
        "Each product is drawn once and stays in the control or out of it. Needs many "
        "products that sell alike.",
    ),
    "product-week": (
        "products by week",
        "Products take turns by week, each one its own comparison. Suits a shop with "
        "few products; what lasts beyond a week blurs it.",
    ),
    "period": (
        "periods of the whole shop",
        "The whole shop takes turns by period. The only way to see what moves from "
        "one product to another; needs months.",
    ),
    "visitor": (
        "visitors",
        "Each device is drawn once, signed in or not. Sees people who never sign in; "
        "who uses two devices may meet both arms, which is counted.",
    ),
    "geography": (
        "countries and regions",
        "Whole places are drawn in pairs that are alike. For what people of a place "
        "share; needs a dozen places and finds large changes only.",
    ),
    "answer": (
        "lists that both arms share",
        "Everybody sees one list drafted from two rankings, and clicks vote. Takes "
        "fewer visits than any other, and says which ranking is clicked more, not what "
        "either earns. For two values of an option, or with and without a link.",
    ),
}
"""What a unit is called, and when it suits."""

METRIC_WORDS = {
    "margin": "Margin",
    "revenue": "Revenue",
    "orders": "Orders",
    "units": "Units sold",
    "preference": "Preference",
}
MONEY = ("margin", "revenue")
PER = {
    "customer": "per customer",
    "product": "per product",
    "product-week": "per product and week",
    "period": "per day",
    "visitor": "per visitor",
    "geography": "per customer",
    "answer": "of clicks on shared lists",
}
STOP_WORDS = {
    "fixed": "read once, on its last day",
    "always-valid": "may end at any look, by an interval that holds at every look",
}
MODE_WORDS = {
    "sandbox": "sandbox: stops when its budget is spent",
    "production": "production: what the shop lives by",
}
STATE_WORDS = {"running": "Running", "stopped": "Stopped", "ended": "Ended"}
OUTCOME_WORDS = {"failed": "Did harm", "open": "Not shown", "worked": "Worked"}
COUNT_WORDS = {
    "control": "in the control",
    "treated": "treated",
    "products": "products",
    "weeks": "weeks",
    "days": "days",
    "places": "places",
    "votes": "votes",
    "people": "people",
}


def writer(metric: str, fmt: Formatter) -> Write:
    """Return what writes a value of a metric with its unit."""

    def write(value: float, sign: bool) -> str:
        if metric not in MONEY or not math.isfinite(value):
            return number(value, sign).replace("-", MINUS)
        return f"{'+' if sign and value > 0 else ''}{fmt.money(value, exact=True)}"

    return write


def told(record: Record, fmt: Formatter) -> str:
    """Return how an experiment stands in one sentence, in the shop's currency."""
    text = sentence_of(record, writer(record.terms.metric, fmt))
    return text[:1].upper() + text[1:]


def span_text(low: float | None, high: float | None, write: Write) -> str:
    """Return an interval, "not yet" when an end of it is unknown."""
    if low is None or high is None:
        return "not yet"
    return f"{write(low, True)} to {write(high, True)}"


def share_text(value: float | None) -> str:
    """Return a change as a signed percentage, "" when it is unknown."""
    if value is None:
        return ""
    return f"{'+' if value > 0 else ''}{percent(value)}"


def _arms(terms: Terms) -> tuple[str, str]:
    """Return what the arms differ in: an option's value, or whether the lever acts."""
    if not terms.two_models:
        return "Left alone", _left_alone(terms)
    what, control, arm = f"link {terms.link}", "whole", "cut"
    if terms.option:
        what = terms.option
        control, arm = f"{terms.control_value:g}", f"{terms.arm_value:g}"
    if terms.unit == "answer":
        return (
            "Arms",
            f"{what} {control} in one ranking, {arm} in the other; lists are drafted "
            "from both",
        )
    return (
        "Arms",
        f"{what} {control} in the control and for whoever takes no part, {arm} in the "
        "arm",
    )


def term_rows(terms: Terms, fmt: Formatter) -> list[tuple[str, str]]:
    """Return the terms as names and texts, in the order of reading."""
    unit, _ = UNIT_WORDS[terms.unit]
    rows = [
        ("Lever", lever_title(terms.lever)),
        ("Drawn by", unit),
        ("Decides", f"{METRIC_WORDS[terms.metric].lower()} {PER[terms.unit]}"),
        ("Smallest change that matters", percent(terms.wanted)),
        (
            "Runs",
            f"{fmt.day(terms.starts_on.isoformat())} to "
            f"{fmt.day(terms.ends_on.isoformat())}, {terms.days} days",
        ),
        ("Stop rule", STOP_WORDS[terms.stop]),
        _arms(terms),
        ("Mode", MODE_WORDS[terms.mode]),
    ]
    if terms.budget_minor is not None:
        rows.append(("Budget", fmt.money(terms.budget_minor, exact=True)))
    if terms.others:
        names = ", ".join(METRIC_WORDS[one].lower() for one in terms.others)
        rows.append(("Also told", names))
    for guard in terms.guards:
        rows.append(
            (
                "Guard",
                f"stops when {METRIC_WORDS[guard.metric].lower()} surely fell by more "
                f"than {percent(guard.worst)}",
            )
        )
    if terms.products:
        rows.append(("Products enrolled", f"{len(terms.products):,}"))
    return rows


def _left_alone(terms: Terms) -> str:
    if terms.unit == "product-week":
        return "each product, half of its weeks"
    if terms.unit == "period":
        return (
            f"the whole shop, half of the periods of {terms.period_days} days; the "
            f"first {terms.burn_in_days} of each are not counted"
        )
    return f"{percent(terms.control_share)} of the {UNIT_WORDS[terms.unit][0]}"


def unit_counts(units: Mapping[str, int]) -> str:
    """Return how many take part: "233 in the control, 207 treated"."""
    return ", ".join(
        f"{n:,} {COUNT_WORDS.get(name, name)}" for name, n in units.items()
    )


def effect_rows(
    metrics: Sequence[Mapping[str, Any]], fmt: Formatter
) -> list[dict[str, str]]:
    """Return the effects of a closed experiment as rows of a table."""
    rows = []
    for one in metrics:
        write = writer(str(one["metric"]), fmt)

        def said(value: float | None, sign: bool, write: Write = write) -> str:
            return "unknown" if value is None else write(value, sign)

        unknown = one["low"] is None or one["high"] is None
        p = one["p_adjusted"]
        rows.append(
            {
                "metric": METRIC_WORDS.get(one["metric"], str(one["metric"])),
                "control": said(one["control_value"], False),
                "treated": said(one["arm_value"], False),
                "effect": said(one["effect"], True),
                "relative": share_text(one["relative"]),
                "interval": span_text(one["low"], one["high"], write),
                "p": "not yet" if unknown or p is None else _p_text(p),
                "method": str(one["method"]),
                "n": f"{one['n']:,}",
            }
        )
    return rows


def _p_text(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def holdout_words(holdout: Holdout) -> tuple[str, str]:
    """Return two sentences: whom the wheel leaves alone, and whom each lever does."""
    wheel = holdout.share_bps / 10_000
    first = (
        f"The wheel leaves {percent(wheel)} of customers alone in all it does, so that "
        "what it earns as a whole can be measured."
        if wheel
        else "The wheel leaves nobody alone, so what it earns as a whole cannot be "
        "measured."
    )
    by_lever = [
        f"{lever_title(name)} {percent(share / 10_000)}"
        for name, share in holdout.levers.items()
        if share
    ]
    second = (
        "On top of it each lever leaves a share of its own alone, of customers or of "
        f"products, so that what it earns by itself can be: {', '.join(by_lever)}."
        if by_lever
        else "No lever leaves a share of its own alone."
    )
    return first, second


def plan_rows(
    terms: Terms, plan: Mapping[str, Any], fmt: Formatter
) -> list[dict[str, str]]:
    """Return what a test would cost and see, as figures with a note each."""
    detectable, days, cost = plan["detectable"], plan["days_needed"], plan["cost_minor"]
    metric = METRIC_WORDS[terms.metric].lower()
    wanted = percent(terms.wanted)
    rows = [
        {
            "label": "Cost of the test",
            "value": "unknown" if cost is None else fmt.money(cost, exact=True),
            "note": f"{metric} forgone by leaving the control alone for {terms.days} "
            f"days, if the lever earns the {wanted} wanted"
            if cost is not None
            else _no_cost(terms, detectable),
        },
        {
            "label": "Change it can find",
            "value": "unknown" if detectable is None else percent(detectable),
            "note": f"of {metric}, four times in five; wanted is {wanted}",
        },
        {
            "label": f"Days for the {wanted} wanted",
            "value": "unknown"
            if detectable is None
            else f"{days:,}"
            if days is not None
            else "over ten years",
            "note": f"over on {fmt.day(plan['by'])}; the test runs {terms.days}"
            if plan["by"]
            else f"the test runs {terms.days}",
        },
        {
            "label": "Takes part",
            "value": f"{_counted(plan['units']):,}" if plan["units"] else "unknown",
            "note": unit_counts(plan["units"]) or "nothing is known of the past",
        },
    ]
    return rows


def _counted(units: Mapping[str, int]) -> int:
    """Return how many take part: arms add up, products and their weeks do not."""
    return sum(n for name, n in units.items() if name not in ("weeks", "votes"))


def _no_cost(terms: Terms, detectable: float | None) -> str:
    if detectable is None:
        return "the shop's past cannot say"
    if terms.unit == "answer":
        return "nobody is left alone"
    return f"{METRIC_WORDS[terms.metric].lower()} have no price by themselves"
