"""The terms of an experiment, fixed before its start and never changed after it.

A metric chosen after the figures are seen, or a test that ends when it looks good,
finds something in any noise. So the primary metric, the arms and the stop rule are
required, and a fingerprint of them is kept with the verdict.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, get_args

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.options import links_of, options_of
from cartwheel.measure.experiment.trial import UNITS, Trial, Unit

MetricName = Literal["margin", "revenue", "orders", "units", "preference"]
Stop = Literal["fixed", "always-valid"]
Mode = Literal["sandbox", "production"]

METRICS: tuple[MetricName, ...] = get_args(MetricName)
STOPS: tuple[Stop, ...] = get_args(Stop)
MODES: tuple[Mode, ...] = get_args(Mode)

LEVER_UNITS: Mapping[str, tuple[Unit, ...]] = {
    "recommend": ("customer", "period", "visitor", "geography", "answer"),
    "search": ("customer", "period", "geography", "answer"),
    "lifecycle": ("customer", "period", "geography"),
    "price": ("product", "product-week", "period"),
    "content": ("product", "visitor"),
    "replenish": ("product", "product-week", "period"),
}
"""What a lever's decisions can be drawn by. Levers not named here decide nothing that
can be left out, or are a third party's and may use any unit."""

DRAWN_ONCE: tuple[Unit, ...] = ("customer", "product", "visitor")
"""Units that are drawn one by one and stay in their arm, in a share that is chosen."""

WATCHED: tuple[Unit, ...] = (*DRAWN_ONCE, "answer")
"""Units that are many, so that a test by them may be looked at every day."""

PEOPLE: tuple[Unit, ...] = ("customer", "visitor", "geography")
"""Units compared by what people brought: orders count, units sold do not."""

NEWER = ("places", "option", "control_value", "arm_value", "link")
"""Terms added after the first version."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
TAKEN_NAMES = ("new",)
"""Names that no experiment can have: the console's form stands at that address."""
LONGEST_DAYS = 400
LEAST_SHARE, MOST_SHARE = 0.05, 0.95
LEAST_WANTED, MOST_WANTED = 0.001, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A metric that must not suffer; the experiment stops when it surely does.

    Attributes:
        metric: Name of the metric.
        worst: Largest loss allowed, as a share of the control, 0 to 1.
    """

    metric: MetricName
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed before an experiment began.

    Attributes:
        name: Short name, small letters, digits and hyphens.
        question: What the owner wants to know, one sentence.
        lever: Lever whose decisions are left out in the control.
        unit: What is drawn.
        metric: The one metric that decides.
        wanted: Smallest change of it that matters, as a share of the control.
        stop: "fixed" is read once, on the last day; "always-valid" may stop at any
            look.
        starts_on: First day.
        ends_on: Last day.
        control_share: Share of customers or products left alone; half of all weeks or
            periods always are.
        mode: "sandbox" has a budget; "production" is what the shop lives by.
        budget_minor: Most that may be lost, as measured, before a sandbox stops.
        others: Further metrics that are told, corrected for being several.
        guards: Metrics that must not suffer.
        period_days: Days of a period.
        burn_in_days: Days at the start of a period that are not analysed.
        products: Products enrolled, for product weeks, and for page fixes that
            visitors are shown.
        places: Places enrolled, in pairs, for geography.
        option: Option of the lever that the arms differ in; "" when the lever's
            decisions are left out in the control instead.
        control_value: Its value in the control, and for whoever takes no part.
        arm_value: Its value in the arm.
        link: Link of the wheel that is cut in the arm and whole in the control, so that
            what it is worth is told; "" for none.
    """

    name: str
    question: str
    lever: str
    unit: Unit
    metric: MetricName
    wanted: float
    stop: Stop
    starts_on: date
    ends_on: date
    mode: Mode
    control_share: float = 0.5
    budget_minor: int | None = None
    others: tuple[MetricName, ...] = ()
    guards: tuple[Guard, ...] = ()
    period_days: int = 7
    burn_in_days: int = 1
    products: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    option: str = ""
    control_value: float | None = None
    arm_value: float | None = None
    link: str = ""

    @property
    def two_models(self) -> bool:
        """The lever decides in both arms, by a model for each."""
        return bool(self.option or self.link)

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def fingerprint(self) -> str:
        """Hash of every term, kept with the verdict."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def trial(self) -> Trial:
        """Return it as the gate and the storefront see it."""
        return Trial(
            name=self.name,
            lever=self.lever,
            unit=self.unit,
            salt=f"experiment/{self.name}",
            control_share=self.control_share,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            period_days=self.period_days,
            burn_in_days=self.burn_in_days,
            products=self.products,
            places=self.places,
            option=self.option,
            control_value=self.control_value,
            arm_value=self.arm_value,
            link=self.link,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        value = asdict(self)
        value["starts_on"] = self.starts_on.isoformat()
        value["ends_on"] = self.ends_on.isoformat()
        value["others"] = list(self.others)
        value["guards"] = [asdict(one) for one in self.guards]
        value["products"] = list(self.products)
        value["places"] = list(self.places)
        # What an earlier version did not know is left out where it says nothing, so
        # that the fingerprint of terms agreed then stays.
        for name in NEWER:
            if value[name] in ([], "", None):
                del value[name]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """Return the terms of plain values."""
        return cls(
            **{
                **value,
                "starts_on": date.fromisoformat(value["starts_on"]),
                "ends_on": date.fromisoformat(value["ends_on"]),
                "others": tuple(value["others"]),
                "guards": tuple(Guard(**one) for one in value["guards"]),
                "products": tuple(value["products"]),
                "places": tuple(value.get("places", ())),
            }
        )


class WrongTerm(Misuse):
    """A term that cannot be carried out.

    Args:
        message: What is wrong, with the value and what is accepted.
        next_step: What to do about it.
        term: Name of the term, so that a form can say it beside the field.
    """

    def __init__(self, message: str, next_step: str, term: str = "") -> None:
        super().__init__(message, next_step)
        self.term = term


def check_terms(terms: Terms, *, levers: Collection[str], today: date) -> Terms:
    """Return terms that can be carried out, the last day fitted to whole pairs.

    Args:
        terms: What somebody asks for, products enrolled.
        levers: Names of the levers there are.
        today: Day looked from.

    Raises:
        WrongTerm: Naming the first wrong term, its value and what is accepted.
        Misuse: If too few products are enrolled.
    """
    for wrong in wrong_terms(terms, levers=levers, today=today):
        raise wrong
    fitted = _fitted(terms)
    if terms.unit == "product-week":
        # It checks itself, so that a wrong one is refused before the start.
        _ = fitted.trial().rotation
    return fitted


def wrong_terms(
    terms: Terms, *, levers: Collection[str], today: date
) -> list[WrongTerm]:
    """Return everything wrong with terms, but for the products enrolled.

    Args:
        terms: What somebody asks for.
        levers: Names of the levers there are.
        today: Day looked from.
    """
    found = [
        *_wrong_words(terms, levers),
        *_wrong_numbers(terms),
        *_wrong_days(terms, today),
    ]
    # What fits a whole number of pairs can be asked only of terms that are right.
    return found or list(_wrong_pairs(terms))


def _wrong_words(terms: Terms, levers: Collection[str]) -> Iterator[WrongTerm]:
    if not NAME.fullmatch(terms.name) or terms.name in TAKEN_NAMES:
        yield WrongTerm(
            f"name is {terms.name[:80]!r}; expected 2 to 60 small letters, digits and "
            "hyphens.",
            "Example: price-steps-march.",
            "name",
        )
    if not 1 <= len(terms.question.strip()) <= 300:
        yield WrongTerm(
            f"question has {len(terms.question)} letters; expected 1 to 300.",
            "Say in one sentence what you want to know.",
            "question",
        )
    yield from _one_of("lever", terms.lever, sorted(levers))
    yield from _one_of("unit", terms.unit, LEVER_UNITS.get(terms.lever, UNITS))
    yield from _wrong_option(terms)
    yield from _wrong_link(terms)
    yield from _wrong_interleaving(terms)
    yield from _one_of("stop", terms.stop, STOPS)
    yield from _one_of("mode", terms.mode, MODES)
    yield from _wrong_metric("metric", terms.metric, terms.unit)
    for other in terms.others:
        yield from _wrong_metric("others", other, terms.unit)
    for guard in terms.guards:
        yield from _wrong_metric("guards", guard.metric, terms.unit)
    if len(set(terms.others) | {terms.metric}) < len(terms.others) + 1:
        yield WrongTerm(
            "others names a metric twice.",
            "Name each once, the primary one not again.",
            "others",
        )


def _wrong_option(terms: Terms) -> Iterator[WrongTerm]:
    values = {"control_value": terms.control_value, "arm_value": terms.arm_value}
    if not terms.option:
        for name, value in values.items():
            if value is not None:
                yield WrongTerm(
                    f"{name} is {value:g} and no option is named.",
                    "Name the option with --option, or leave the value out.",
                    name,
                )
        return
    known = options_of(terms.lever)
    if known is not None:
        yield from _one_of("option", terms.option, known)
    for name, value in values.items():
        if value is None or not (math.isfinite(value) and value >= 0):
            yield WrongTerm(
                f"{name} is {value}; expected a number of at least 0 for "
                f"{terms.option}.",
                "Give --control-value and --arm-value.",
                name,
            )
    if terms.control_value is not None and terms.control_value == terms.arm_value:
        yield WrongTerm(
            f"control_value and arm_value are both {terms.control_value:g}; expected "
            "two values.",
            "Give the arm another value than the control.",
            "arm_value",
        )


def _wrong_link(terms: Terms) -> Iterator[WrongTerm]:
    if not terms.link:
        return
    if terms.option:
        yield WrongTerm(
            f"link is {terms.link!r} and option is {terms.option!r}; arms differ in "
            "one of them.",
            "Leave one out.",
            "link",
        )
    yield from _one_of("link", terms.link, links_of(terms.lever))


def _wrong_interleaving(terms: Terms) -> Iterator[WrongTerm]:
    if terms.unit != "answer":
        return
    if not terms.two_models:
        yield WrongTerm(
            "option is missing; with the unit 'answer' the rankings of two values of "
            "an option, or of a link whole and cut, share every list.",
            "Name an option and give both of its values, or a link.",
            "option",
        )
    for name, further in (("others", terms.others), ("guards", terms.guards)):
        if further:
            yield WrongTerm(
                f"{name} names {len(further)}; with the unit 'answer' everybody sees "
                "both arms, so only clicks tell them apart.",
                "Leave it out.",
                name,
            )
    if terms.mode == "sandbox":
        yield WrongTerm(
            "mode is 'sandbox'; with the unit 'answer' no money is measured that a "
            "budget could end.",
            "Use the mode 'production'.",
            "mode",
        )


def _wrong_metric(term: str, metric: str, unit: str) -> Iterator[WrongTerm]:
    yield from _one_of("metric", metric, METRICS, term=term)
    if (metric == "preference") != (unit == "answer"):
        yield WrongTerm(
            f"metric is {metric!r} with the unit {unit!r}; 'preference' goes with the "
            "unit 'answer', and nothing else does.",
            f"Choose {', '.join(METRICS[:-1])}."
            if metric == "preference"
            else "Choose preference.",
            term,
        )
        return
    if metric == "units" and unit in PEOPLE:
        who = {"visitor": "visitors", "geography": "places"}.get(unit, "customers")
        yield WrongTerm(
            f"metric is 'units'; {who} are compared by margin, revenue or orders.",
            "Choose one of these.",
            term,
        )
    if metric == "orders" and unit not in PEOPLE:
        yield WrongTerm(
            f"metric is 'orders'; by {unit} units are counted instead, since an order "
            "holds several products.",
            "Choose margin, revenue or units.",
            term,
        )


def _wrong_numbers(terms: Terms) -> Iterator[WrongTerm]:
    yield from _between("wanted", terms.wanted, LEAST_WANTED, MOST_WANTED)
    yield from _between("control_share", terms.control_share, LEAST_SHARE, MOST_SHARE)
    for guard in terms.guards:
        yield from _between(
            f"the guard of {guard.metric}", guard.worst, 0.0, 1.0, term="guards"
        )
    if terms.mode == "sandbox" and terms.budget_minor is None:
        yield WrongTerm(
            "A sandbox experiment has no budget; expected the most that may be lost.",
            "Give --budget in minor units, or run it as production.",
            "budget_minor",
        )
    if terms.budget_minor is not None and terms.budget_minor <= 0:
        yield WrongTerm(
            f"budget is {terms.budget_minor}; expected more than 0.",
            "Correct it.",
            "budget_minor",
        )
    if terms.stop == "always-valid" and terms.unit not in WATCHED:
        yield WrongTerm(
            f"stop is 'always-valid' with the unit {terms.unit!r}; such tests have too "
            "few units for it.",
            "Use the stop rule 'fixed'.",
            "stop",
        )


def _wrong_days(terms: Terms, today: date) -> Iterator[WrongTerm]:
    if terms.starts_on <= today:
        yield WrongTerm(
            f"starts_on is {terms.starts_on}; expected a day after {today}.",
            "An experiment begins with a day of which nothing is known yet.",
            "starts_on",
        )
    if not 1 <= terms.days <= LONGEST_DAYS:
        yield WrongTerm(
            f"ends_on is {terms.ends_on}, {terms.days} days from {terms.starts_on}; "
            f"expected 1 to {LONGEST_DAYS} days.",
            "Choose another last day.",
            "ends_on",
        )


def _wrong_pairs(terms: Terms) -> Iterator[WrongTerm]:
    try:
        _fitted(terms)
    except WrongTerm as wrong:
        yield wrong
    except Misuse as wrong:
        yield WrongTerm(wrong.message, wrong.next_step, "period_days")


def _fitted(terms: Terms) -> Terms:
    """Return terms whose last day ends a whole number of pairs."""
    if terms.unit == "product-week":
        whole = terms.days // 14 * 14
        if not whole:
            raise WrongTerm(
                f"ends_on is {terms.ends_on}, {terms.days} days from "
                f"{terms.starts_on}; products take turns by week, which needs 14.",
                f"Let it run until {terms.starts_on + timedelta(days=13)} or longer.",
                "ends_on",
            )
        return replace(terms, ends_on=terms.starts_on + timedelta(days=whole - 1))
    if terms.unit == "period":
        design = terms.trial().switchback
        pairs = design.pairs_until(terms.ends_on)
        if pairs < 4:
            raise WrongTerm(
                f"{terms.days} days hold {pairs} pairs of periods of "
                f"{terms.period_days} days; expected 4 or more.",
                f"Let it run until {design.over_on(3)} or shorten the periods.",
                "ends_on",
            )
        return replace(terms, ends_on=design.over_on(pairs - 1))
    return terms


def _one_of(
    what: str, value: str, accepted: Collection[str], *, term: str = ""
) -> Iterator[WrongTerm]:
    if value not in accepted:
        yield WrongTerm(
            f"{what} is {value[:80]!r}; expected one of {', '.join(accepted)}.",
            "Choose one of them.",
            term or what,
        )


def _between(
    what: str, value: float, low: float, high: float, *, term: str = ""
) -> Iterator[WrongTerm]:
    if not low <= value <= high:
        yield WrongTerm(
            f"{what} is {value}; expected {low:g} to {high:g}.",
            "Correct it.",
            term or what,
        )
