"""What a test would cost and when it could answer, told before it starts.

The shop's own past is read as if the test had run then, as long as it will run: the
spread it shows is the spread to be expected, so the plan holds for this shop and not
for an average one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.assign import held_out_of
from cartwheel.measure.experiment.interleave import LEAST_CUSTOMERS
from cartwheel.measure.experiment.lift import compare_groups
from cartwheel.measure.experiment.outcomes import (
    known_products,
    place_sizes,
    read_days,
    read_group,
    read_places,
    read_product_weeks,
)
from cartwheel.measure.experiment.page_tests import (
    is_page_test,
    other_design,
    shown_products,
    which_sees_more,
)
from cartwheel.measure.experiment.places import compare_places, paired, places_of
from cartwheel.measure.experiment.power import LONGEST_DAYS, spread_wanted
from cartwheel.measure.experiment.sequential import boundary
from cartwheel.measure.experiment.staggered import compare_product_weeks
from cartwheel.measure.experiment.switchback import compare_switchback
from cartwheel.measure.experiment.terms import DRAWN_ONCE, Terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.measure.experiment.visitors import read_visitors
from cartwheel.measure.experiment.votes import clicked_answers
from cartwheel.measure.holdout_lift import instants, known_customers
from cartwheel.measure.plain import finite
from cartwheel.measure.sales import sales_by

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ALPHA = 0.05

PAIRED_BY_DAYS = 365
"""Days before, by whose spending places are paired."""

LEAST_PAST = 14
"""Days of the past below which its spread says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to expect of a test.

    Attributes:
        units: Units by arm, as they would be drawn today.
        detectable: Smallest change found four times in five, as a share of the
            control; None when the past cannot say.
        days_needed: Days for the change that is wanted, None when unknown or beyond
            ten years.
        by: Day on which they are over.
        cost_minor: What leaving the control alone forgoes if the lever earns what is
            wanted, in minor units; None when unknown.
        sentence: The same in words.
    """

    units: dict[str, int]
    detectable: float | None
    days_needed: int | None
    by: date | None
    cost_minor: int | None
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        found: dict[str, Any] = finite(
            {
                "units": self.units,
                "detectable": self.detectable,
                "days_needed": self.days_needed,
                "by": None if self.by is None else self.by.isoformat(),
                "cost_minor": self.cost_minor,
                "sentence": self.sentence,
            }
        )
        return found


def enrolled(shop: Shop, terms: Terms, today: date) -> Terms:
    """Return terms with the shop's products or places enrolled, where they take part.

    Raises:
        Misuse: If the shop has too few places for a test by place, or shows no page
            fix to visitors for a test of them.
    """
    if is_page_test(terms) and terms.unit == "visitor" and not terms.products:
        return replace(terms, products=shown_products(shop.database))
    if terms.unit == "geography" and not terms.places:
        return replace(terms, places=_places(shop, terms, today))
    if terms.unit != "product-week" or terms.products:
        return terms
    with shop.lake.attached(read_only=True) as con:
        _, end = instants(today, today, shop.settings.timezone)
        return replace(terms, products=known_products(con, "lake", end))


def _places(shop: Shop, terms: Terms, today: date) -> tuple[str, ...]:
    """Return the places of customers that may be reached, those alike in pairs."""
    with shop.lake.attached(read_only=True) as con:
        start, end = instants(
            today - timedelta(days=PAIRED_BY_DAYS), today, shop.settings.timezone
        )
        lives = places_of(con, "lake", end)
        people = [
            name
            for name in known_customers(con, "lake", end)
            if name in lives
            and held_out_of(name, terms.lever, shop.settings.holdout) is None
        ]
        sales = sales_by(con, ("customer",), schema="lake", start=start, end=end)
    customers: dict[str, int] = {}
    spent: dict[str, float] = {}
    for name in people:
        place, sold = lives[name], sales.by.get((name,))
        customers[place] = customers.get(place, 0) + 1
        spent[place] = spent.get(place, 0.0) + (0.0 if sold is None else sold.revenue)
    return paired(customers, spent)


def plan(shop: Shop, terms: Terms, today: date) -> Plan:
    """Return what a test would cost and when it could answer.

    Of a test of page fixes it also says which design sees more.

    Args:
        shop: The shop.
        terms: Checked terms, products enrolled.
        today: Last day whose facts count.
    """
    found = _plan(shop, terms, today)
    if not is_page_test(terms):
        return found
    other = other_design(shop.database, terms)
    if other is None:
        return found
    plans = {terms.unit: found, other.unit: _plan(shop, other, today)}
    said = which_sees_more(terms, other, lambda one: plans[one.unit].detectable)
    return replace(found, sentence=f"{found.sentence} {said}".strip())


def _plan(shop: Shop, terms: Terms, today: date) -> Plan:
    try:
        past = _past_of(shop, terms, today)
        units, error, control, count = _as_if(shop, past, today)
    except (Misuse, ValueError) as problem:
        said = problem.message if isinstance(problem, Misuse) else f"{problem}."
        return Plan(
            units={},
            detectable=None,
            days_needed=None,
            by=None,
            cost_minor=None,
            sentence=f"The shop's past cannot say what this test would see: {said}",
        )
    # A test of other length: units are watched longer, so the error of the share falls
    # with the root of the days, and what is forgone grows with them.
    longer = terms.days / past.days
    share = error / control / math.sqrt(longer)
    quantiles = spread_wanted()
    if terms.stop == "always-valid":
        # The price of looking every day, at the end of the plan.
        wide = boundary(terms.days, planned=terms.days, alpha=ALPHA)
        quantiles += wide - spread_wanted(power=0.5)
    detectable = quantiles * share
    days: int | None = math.ceil(terms.days * (detectable / terms.wanted) ** 2)
    if days is not None and days > LONGEST_DAYS:
        days = None
    by = None if days is None else terms.starts_on + timedelta(days=days - 1)
    cost = None
    # Where the lever decides in both arms, nobody is left alone and nothing forgone.
    if terms.metric in ("margin", "revenue") and not terms.two_models:
        cost = round(control * terms.wanted * count * longer)
    return Plan(
        units=units,
        detectable=detectable,
        days_needed=days,
        by=by,
        cost_minor=cost,
        sentence=_sentence(terms, detectable, by),
    )


def _past_of(shop: Shop, terms: Terms, today: date) -> Terms:
    """Return terms moved into the past, no longer than the past is.

    Raises:
        ValueError: If there is no past to speak of.
    """
    with shop.lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT CAST(min(placed_at) AS DATE) FROM lake.orders"
        ).fetchone()
    if row is None or row[0] is None:
        raise ValueError("no order is known")
    known = (today - row[0]).days + 1
    # Customers are those known before the start, so half of the past makes them known.
    whole = terms.unit in (*DRAWN_ONCE, "geography")
    most = known // 2 if whole else known
    # A shorter test is read from more of the past, since few days show no spread.
    days = min(max(terms.days, LEAST_PAST), most)
    if terms.unit == "product-week":
        days = days // 14 * 14
    if days < LEAST_PAST:
        raise ValueError(
            f"{known} days of orders are known, {2 * LEAST_PAST} are needed"
        )
    return replace(terms, starts_on=today - timedelta(days=days - 1), ends_on=today)


def _sentence(terms: Terms, detectable: float, by: date | None) -> str:
    seen = (
        f"In {terms.days} days this test finds a change of {terms.metric} of "
        f"{detectable:.0%} or more four times in five."
    )
    if detectable <= terms.wanted:
        return f"{seen} That is enough for the {terms.wanted:.0%} wanted."
    if by is None:
        return (
            f"{seen} The {terms.wanted:.0%} wanted cannot be seen in ten years: ask "
            "for a larger change, or draw by a finer unit."
        )
    return f"{seen} For the {terms.wanted:.0%} wanted it must run until {by}."


def _as_if(
    shop: Shop, past: Terms, today: date
) -> tuple[dict[str, int], float, float, float]:
    """Read the past as if the test had run in it.

    Returns:
        Units by arm, the effect's standard error, the metric of a control unit, and
        how many control units of it are forgone.

    Raises:
        ValueError: If there is too little to see a spread.
        Misuse: The same, from a design.
    """
    settings, metric = shop.settings, past.metric
    with shop.lake.attached(read_only=True) as con:
        if past.unit == "answer":
            return _votes(*clicked_answers(con, past, settings, until=today), past)
        if past.unit in DRAWN_ONCE:
            if past.unit == "visitor":
                group = read_visitors(
                    con, past, settings, until=today, metrics=[metric]
                ).group
            else:
                group = read_group(con, past, settings, until=today, metrics=[metric])
            found = compare_groups(
                group.during[metric], group.treated, group.before[metric], metric=metric
            )
            held = int((~group.treated).sum())
            units = {"control": held, "treated": len(group.names) - held}
            level = float(np.mean(group.during[metric]))
            count = float(held)
        elif past.unit == "geography":
            places = read_places(con, past, settings, until=today, metrics=[metric])
            found = compare_places(
                places[metric], metric=metric, names=(CONTROL, TREATED)
            )
            units = place_sizes(places[metric])
            level, count = found.control_value, float(units[CONTROL])
        elif past.unit == "product-week":
            values = read_product_weeks(con, past, settings, until=today, metric=metric)
            found = compare_product_weeks(past.trial().rotation, values, metric=metric)
            units = {"products": len(past.products), "weeks": values.shape[1]}
            level, count = float(values.mean()), values.size / 2
        else:
            days, totals = read_days(con, past, settings, until=today, metric=metric)
            found = compare_switchback(
                past.trial().switchback, days, totals, metric=metric
            )
            units = {"days": len(days)}
            level, count = float(totals.mean()), len(days) / 2
    if level <= 0 or not found.error > 0:
        raise ValueError(f"nothing was sold in the {past.days} days before")
    return units, found.error, level, count


def _votes(
    clicked: int, people: int, past: Terms
) -> tuple[dict[str, int], float, float, float]:
    """Return the same of clicks, as if each told the two rankings apart.

    How often the rankings differ where people click is not known before both are there;
    an interleaving therefore needs the longer, the more alike they are. A vote is half
    away from one half, and a person's votes are taken to agree.

    Raises:
        ValueError: If too few people clicked to say anything.
    """
    if people < LEAST_CUSTOMERS:
        raise ValueError(
            f"{people} people clicked what {past.lever} answered in the {past.days} "
            f"days before, {LEAST_CUSTOMERS} are needed"
        )
    return {"votes": clicked, "people": people}, 0.5 / math.sqrt(people), 0.5, 0.0
