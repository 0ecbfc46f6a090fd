"""What somebody typed into the design of an experiment, and the terms it stands for.

Everything wrong is found at once and said beside its field; what was typed is kept as
it was typed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from starlette.datastructures import ImmutableMultiDict

from cartwheel.measure.experiment.options import declared_options, links_of
from cartwheel.measure.experiment.terms import (
    DRAWN_ONCE,
    LEAST_SHARE,
    LEAST_WANTED,
    LEVER_UNITS,
    LONGEST_DAYS,
    METRICS,
    MOST_SHARE,
    MOST_WANTED,
    PEOPLE,
    STOPS,
    WATCHED,
    Guard,
    MetricName,
    Mode,
    Stop,
    Terms,
    wrong_terms,
)
from cartwheel.measure.experiment.trial import UNITS, Unit
from cartwheel.wheel import find_levers

MOST_LETTERS = 500
MOST_PERIOD = 100
LINK = "link:"
"""Before a link, where an option's name would stand."""

AMOUNT = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+([.,]\d+)?")
FIELDS_OF = {"ends_on": "days", "budget_minor": "budget", "link": "option"}
"""Fields by the term that they stand for, where the names differ."""

FORM_ORDER = (
    *("lever", "unit", "option", "control_value", "arm_value"),
    *("question", "name", "metric", "wanted", "days", "starts_on"),
    *("stop", "control_share", "period_days", "burn_in_days", "mode", "budget"),
    *("others", "guards"),
)

Problems = dict[str, str]
"""What is wrong and what is accepted, by field."""


Typed = ImmutableMultiDict[Any, Any]
"""A form or a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The design as typed; every value is a text, and may be any text.

    Attributes:
        lever: Lever left out in the control, or whose option the arms differ in.
        unit: What is drawn.
        option: Option that the arms differ in, or "link:" and a link that is cut in
            the arm; "" leaves the lever's decisions out.
        control_value: Its value in the control.
        arm_value: Its value in the arm.
        name: Short name.
        question: What the owner wants to know.
        metric: Metric that decides.
        wanted: Smallest change that matters, in percent.
        mode: sandbox or production.
        budget: Most outlay, in the currency's major unit.
        stop: Stop rule.
        starts_on: First day, ISO; "" for tomorrow.
        days: Days it runs.
        control_share: Share left alone, in percent.
        period_days: Days of a period.
        burn_in_days: First days of a period left out.
        others: Further metrics.
        guards: Percent that a metric must not lose, by metric; "" for no guard.
    """

    lever: str = ""
    unit: str = ""
    option: str = ""
    control_value: str = ""
    arm_value: str = ""
    name: str = ""
    question: str = ""
    metric: str = "margin"
    wanted: str = "10"
    mode: str = "production"
    budget: str = ""
    stop: str = "fixed"
    starts_on: str = ""
    days: str = "84"
    control_share: str = "50"
    period_days: str = "7"
    burn_in_days: str = "1"
    others: tuple[str, ...] = ()
    guards: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> list[tuple[str, str]]:
        """Return every text by the name of its field, for hidden inputs."""
        plain = [
            (name, str(getattr(self, name)))
            for name in self.__dataclass_fields__
            if name not in ("others", "guards")
        ]
        others = [("others", metric) for metric in self.others]
        guards = [(f"guard_{metric}", text) for metric, text in self.guards.items()]
        return plain + others + guards


def read_draft(typed: Typed) -> Draft:
    """Return what was typed; what was not sent has its usual value."""
    usual = Draft()
    texts = {
        name: _text(typed.get(name, getattr(usual, name)))
        for name in Draft.__dataclass_fields__
        if name not in ("others", "guards")
    }
    return Draft(
        **texts,
        others=tuple(_text(one) for one in typed.getlist("others")[: len(METRICS)]),
        guards={metric: _text(typed.get(f"guard_{metric}", "")) for metric in METRICS},
    )


def choices() -> dict[str, tuple[Unit, ...]]:
    """Return the units that each lever's decisions can be drawn by, by lever.

    Levers of others, of which nothing more is known, may use any.
    """
    return {
        name: LEVER_UNITS.get(name, UNITS)
        for name, lever in find_levers().items()
        if name in LEVER_UNITS or (lever.kinds and not _is_own(lever))
    }


def options_now(
    lever: str, settings: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return the options that a lever's arms can differ in, with their values now.

    Args:
        lever: Name of the lever.
        settings: The shop's settings under `levers`.
    """
    own = settings.get(lever, {})
    return [
        {"name": one.name, "now": str(own.get(one.name, one.default)), "doc": one.doc}
        for one in declared_options(lever) or ()
    ]


def links_now(lever: str, cuts: Collection[str]) -> list[dict[str, str]]:
    """Return the links that an arm of a lever can do without, of a shop.

    Args:
        lever: Name of the lever.
        cuts: Links that are cut for everybody, which no arm has.
    """
    return [
        {"value": f"{LINK}{link}", "name": link}
        for link in links_of(lever)
        if link not in cuts
    ]


def metrics_for(unit: str) -> tuple[MetricName, ...]:
    """Return the metrics that units of a kind can be compared by."""
    if unit == "answer":
        return ("preference",)
    left_out = "units" if unit in PEOPLE else "orders"
    return tuple(metric for metric in METRICS if metric not in (left_out, "preference"))


def stops_for(unit: str) -> tuple[Stop, ...]:
    """Return the stop rules that units of a kind allow."""
    return STOPS if unit in WATCHED else ("fixed",)


def terms_of(
    draft: Draft, *, today: date, minor_digits: int
) -> tuple[Terms | None, Problems]:
    """Return the terms a draft stands for, or what is wrong with it.

    Args:
        draft: What was typed.
        today: The shop's day.
        minor_digits: Decimal places of the currency.

    Returns:
        The terms, not yet fitted nor with products enrolled, and no problem; or None
        and every problem found, by field.
    """
    wrong: Problems = {}
    whole = draft.unit in DRAWN_ONCE
    link = _link(draft)
    sandbox = draft.mode == "sandbox"
    budget = _money(wrong, "budget", draft.budget, minor_digits)
    if sandbox and budget is None and "budget" not in wrong:
        wrong["budget"] = (
            "A sandbox needs a budget: type the most that carried-out decisions may "
            "cost before it stops, such as 250."
        )
    starts_on = _day(wrong, "starts_on", draft.starts_on, today)
    days = _whole(wrong, "days", draft.days, 1, LONGEST_DAYS)
    # Words are compared with those accepted by `wrong_terms`.
    terms = Terms(
        name=draft.name.strip(),
        question=draft.question.strip(),
        lever=draft.lever,
        unit=cast(Unit, draft.unit),
        metric=cast(MetricName, draft.metric),
        wanted=_percent(wrong, "wanted", draft.wanted, LEAST_WANTED, MOST_WANTED),
        stop=cast(Stop, draft.stop),
        starts_on=starts_on,
        ends_on=starts_on + timedelta(days=days - 1),
        mode=cast(Mode, draft.mode),
        # Half of all weeks and periods are left alone, whatever was typed.
        control_share=_percent(
            wrong, "control_share", draft.control_share, LEAST_SHARE, MOST_SHARE
        )
        if whole
        else 0.5,
        budget_minor=budget,
        others=tuple(
            cast(MetricName, one) for one in draft.others if one != draft.metric
        ),
        guards=_guards(wrong, draft.guards),
        option="" if link else draft.option.strip(),
        link=link,
        control_value=_value(wrong, draft, "control_value"),
        arm_value=_value(wrong, draft, "arm_value"),
        period_days=_period(wrong, draft, "period_days", 1),
        burn_in_days=_period(wrong, draft, "burn_in_days", 0),
    )
    for error in wrong_terms(terms, levers=choices(), today=today):
        wrong.setdefault(field_of(error.term), str(error))
    if not wrong:
        return terms, {}
    return None, {name: wrong[name] for name in sorted(wrong, key=_place)}


def _place(name: str) -> int:
    return FORM_ORDER.index(name) if name in FORM_ORDER else len(FORM_ORDER)


def field_of(term: str) -> str:
    """Return the field that stands for a term; "" is the form as a whole."""
    return FIELDS_OF.get(term, term)


def settled(draft: Draft, terms: Terms) -> Draft:
    """Return a draft with its first day said, so that it means the same tomorrow."""
    return replace(draft, starts_on=terms.starts_on.isoformat())


def _period(wrong: Problems, draft: Draft, name: str, least: int) -> int:
    """Return days of a period; for other units the usual ones, which nothing uses."""
    asked = draft if draft.unit == "period" else Draft()
    return _whole(wrong, name, str(getattr(asked, name)), least, MOST_PERIOD)


def _link(draft: Draft) -> str:
    """Return the link that is cut in the arm, "" for none."""
    typed = draft.option.strip()
    return typed.removeprefix(LINK) if typed.startswith(LINK) else ""


def _value(wrong: Problems, draft: Draft, name: str) -> float | None:
    """Return an option's value in an arm; without an option there is none."""
    if not draft.option.strip() or _link(draft):
        return None
    text = getattr(draft, name).strip().replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        wrong[name] = (
            f"{name.replace('_', ' ')} is {text[:40]!r}; expected a number of at least "
            f"0 for {draft.option[:40]}."
        )
        return None
    return value


def _guards(wrong: Problems, typed: Mapping[str, str]) -> tuple[Guard, ...]:
    found = []
    for metric in METRICS:
        text = typed.get(metric, "").strip()
        if text:
            worst = _percent(
                wrong, "guards", text, 0.0, 1.0, what=f"the {metric} guard"
            )
            found.append(Guard(metric=metric, worst=worst))
    return tuple(found)


def _is_own(lever: object) -> bool:
    return type(lever).__module__.partition(".")[0] == "cartwheel"


def _text(value: object) -> str:
    return value[:MOST_LETTERS] if isinstance(value, str) else ""


def _percent(
    wrong: Problems,
    name: str,
    text: str,
    low: float,
    high: float,
    *,
    what: str = "",
) -> float:
    typed = text.strip().removesuffix("%").strip().replace(",", ".")
    try:
        share = round(float(typed) / 100, 9)
    except ValueError:
        share = math.nan
    if not low <= share <= high:
        wrong[name] = (
            f"{what or name.replace('_', ' ')} is {text[:40]!r}; expected "
            f"{100 * low:g} to {100 * high:g} percent."
        )
        return min(max(low, 0.1), high)
    return share


def _whole(wrong: Problems, name: str, text: str, low: int, high: int) -> int:
    typed = text.strip()
    number = (
        int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else -1
    )
    if not low <= number <= high:
        wrong[name] = (
            f"{name.replace('_', ' ')} is {text[:40]!r}; expected a whole number of "
            f"{low} to {high}."
        )
        return min(84, high) if name == "days" else low
    return number


def _money(wrong: Problems, name: str, text: str, digits: int) -> int | None:
    typed = text.strip()
    if not typed:
        return None
    found = None
    if typed.isascii() and len(typed) <= 15 and AMOUNT.fullmatch(typed):
        # A comma before three digits sets thousands apart, any other is a point.
        grouped = re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", typed)
        plain = typed.replace(",", "" if grouped else ".")
        amount = Decimal(plain).scaleb(digits)
        found = int(amount) if amount == amount.to_integral_value() else None
    if not found:
        wrong[name] = (
            f"{name} is {text[:40]!r}; expected an amount above 0, such as 250 or "
            f"{'1,250' if digits == 0 else '1,250.50'}."
        )
        return 1
    return found


def _day(wrong: Problems, name: str, text: str, today: date) -> date:
    tomorrow = today + timedelta(days=1)
    typed = text.strip()
    if not typed:
        return tomorrow
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = date.min
    # A day far off would not be on the calendar once the last day is counted.
    if not 1900 <= day.year <= 9000:
        wrong[name] = (
            f"starts on is {text[:40]!r}; expected a day such as {tomorrow}, or "
            "nothing for tomorrow."
        )
        return tomorrow
    return day
