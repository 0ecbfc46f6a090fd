"""One look at an experiment: checks, effects, and what its terms make of them.

While a test with a fixed end runs, its figures are shown only with the interval that
holds at every look, and no verdict: a page that is watched cannot mislead. The last
day's look is the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.checks import Check
from cartwheel.measure.experiment.comparison import Comparison
from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.experiment.interleave import compare_rankings
from cartwheel.measure.experiment.lift import compare_groups
from cartwheel.measure.experiment.outcomes import (
    Group,
    place_sizes,
    read_days,
    read_group,
    read_places,
    read_product_weeks,
    shared_devices,
)
from cartwheel.measure.experiment.places import compare_places
from cartwheel.measure.experiment.power import reach
from cartwheel.measure.experiment.ratio_check import ALARM, sample_ratio
from cartwheel.measure.experiment.sequential import FEWEST, always_valid
from cartwheel.measure.experiment.staggered import compare_product_weeks
from cartwheel.measure.experiment.switchback import compare_switchback
from cartwheel.measure.experiment.terms import (
    DRAWN_ONCE,
    WATCHED,
    MetricName,
    Terms,
)
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.measure.experiment.verdict import verdict
from cartwheel.measure.experiment.visitors import read_visitors
from cartwheel.measure.experiment.votes import Votes, read_votes
from cartwheel.measure.holdout_lift import instants
from cartwheel.measure.plain import finite

if TYPE_CHECKING:
    import duckdb

    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

MOST_SHARED = 0.02
"""Share of customers on devices of both arms above which a warning is due."""


MOST_LOST = 0.1
"""Share of orders without a device above which the effect is of a part only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What an experiment shows on a day.

    Attributes:
        day: Day looked from.
        days_over: Days that have counted.
        days: Days it takes.
        units: Units by arm.
        comparisons: The primary metric first, then the others.
        adjusted: p values for their number, in the same order.
        checks: What forbids or clouds a verdict.
        final: The last day is over.
        close: Rule that ends it now, "" when it goes on.
        sentence: The verdict in one sentence, or what it waits for.
        reach: What can be seen and by when, as JSON values; None when unknown.
    """

    day: date
    days_over: int
    days: int
    units: Mapping[str, int]
    comparisons: tuple[Comparison, ...]
    adjusted: tuple[float, ...]
    checks: tuple[Check, ...]
    final: bool
    close: str
    sentence: str
    reach: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is unknown or without end is None."""
        found: dict[str, Any] = {
            "day": self.day.isoformat(),
            "days_over": self.days_over,
            "days": self.days,
            "units": dict(self.units),
            "metrics": [
                {**one.to_json(), "p_adjusted": p}
                for one, p in zip(self.comparisons, self.adjusted, strict=True)
            ],
            "checks": [check.to_json() for check in self.checks],
            "final": self.final,
            "close": self.close,
            "sentence": self.sentence,
            "reach": self.reach,
        }
        plain: dict[str, Any] = finite(found)
        return plain


def look(shop: Shop, terms: Terms, on: date) -> Look:
    """Look at an experiment with what a shop knew at the end of a day.

    Args:
        shop: The shop.
        terms: The experiment's terms.
        on: Day looked from.
    """
    with shop.lake.attached(read_only=True) as con:
        return look_at(con, terms, shop, on)


def look_at(con: duckdb.DuckDBPyConnection, terms: Terms, shop: Shop, on: date) -> Look:
    """As `look`, on an open connection."""
    until = min(on, terms.ends_on)
    over = max(0, (until - terms.starts_on).days + 1)
    final = on >= terms.ends_on
    if over == 0:
        return _waiting(terms, on, f"It begins on {terms.starts_on}.")
    metrics: tuple[MetricName, ...] = tuple(
        dict.fromkeys((terms.metric, *terms.others, *(g.metric for g in terms.guards)))
    )
    checks: list[Check] = []
    found: dict[MetricName, Comparison] = {}
    units: dict[str, int] = {}
    try:
        if terms.unit in DRAWN_ONCE:
            group, told = _read(con, terms, shop, until, metrics)
            units = _sizes(group)
            checks += _group_checks(con, terms, shop, group, until)
            checks += told
            if not any(check.refuses for check in checks):
                found = {m: _of_group(group, m) for m in metrics}
        elif terms.unit == "answer":
            votes = read_votes(con, terms, shop.settings, until=until)
            units = {"votes": votes.votes, "people": votes.people}
            checks += _vote_checks(votes)
            found = {
                terms.metric: compare_rankings(
                    votes.arm,
                    votes.control,
                    votes.who,
                    control=CONTROL,
                    arm=TREATED,
                )
            }
        elif terms.unit == "geography":
            places = read_places(
                con, terms, shop.settings, until=until, metrics=metrics
            )
            units = place_sizes(places[terms.metric])
            found = {
                m: compare_places(places[m], metric=m, names=(CONTROL, TREATED))
                for m in metrics
            }
        elif terms.unit == "product-week":
            units = {"products": len(terms.products), "weeks": over // 7}
            for metric in metrics:
                values = read_product_weeks(
                    con, terms, shop.settings, until=until, metric=metric
                )
                found[metric] = compare_product_weeks(
                    terms.trial().rotation, values, metric=metric
                )
        else:
            units = {"days": over}
            for metric in metrics:
                days, totals = read_days(
                    con, terms, shop.settings, until=until, metric=metric
                )
                found[metric] = compare_switchback(
                    terms.trial().switchback, days, totals, metric=metric
                )
    except (Misuse, ValueError) as error:
        said = error.message if isinstance(error, Misuse) else f"{error}."
        return replace(_waiting(terms, on, f"Not yet: {said}"), units=units)
    return _judge(terms, on, over, units, found, tuple(checks), final=final)


def _waiting(terms: Terms, on: date, sentence: str) -> Look:
    return Look(
        day=on,
        days_over=max(0, (min(on, terms.ends_on) - terms.starts_on).days + 1),
        days=terms.days,
        units={},
        comparisons=(),
        adjusted=(),
        checks=(),
        final=on >= terms.ends_on,
        close="end" if on >= terms.ends_on else "",
        sentence=sentence,
        reach=None,
    )


def _read(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    shop: Shop,
    until: date,
    metrics: tuple[MetricName, ...],
) -> tuple[Group, list[Check]]:
    """Return the units drawn one by one, and what is to be told of devices."""
    if terms.unit != "visitor":
        read = partial(read_group, con, terms, shop.settings)
        return read(until=until, metrics=metrics), []
    found = read_visitors(con, terms, shop.settings, until=until, metrics=metrics)
    checks = []
    if found.shared:
        checks.append(_contamination(found.shared, len(found.group.names), "visitor"))
    lost = found.orders - found.joined
    if lost:
        share = lost / found.orders
        few = "" if share <= MOST_LOST else " The effect is of the others alone."
        checks.append(
            Check(
                check="orders_without_device",
                level="warning",
                rows=lost,
                message=f"{lost:,} of {found.orders:,} orders ({share:.0%}) are of "
                f"customers never seen signed in on a device.{few}",
                next_step="Send the visitor's and the customer's id together with "
                "events of people who are signed in.",
            )
        )
    return found.group, checks


def _vote_checks(votes: Votes) -> list[Check]:
    if not votes.unread:
        return []
    return [
        Check(
            check="unread_answers",
            level="warning",
            rows=votes.unread,
            message=f"{votes.unread:,} answers have a slate that cannot be read; they "
            "do not count.",
            next_step="Find what wrote them.",
        )
    ]


def _sizes(group: Group) -> dict[str, int]:
    treated = int(group.treated.sum())
    return {CONTROL: len(group.names) - treated, TREATED: treated}


def _group_checks(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    shop: Shop,
    group: Group,
    until: date,
) -> list[Check]:
    found = []
    sizes = _sizes(group)
    if min(sizes.values()) < 2:
        found.append(
            Check(
                check="too_few_units",
                level="refusal",
                rows=min(sizes.values()),
                message=f"An arm has {min(sizes.values())} {terms.unit}s "
                f"{'seen since' if terms.unit == 'visitor' else 'known before'} "
                "the start; a spread needs two.",
                next_step="Start again when there are more.",
            )
        )
        return found
    shares = {CONTROL: terms.control_share, TREATED: 1 - terms.control_share}
    p = sample_ratio(sizes, shares)
    if p < ALARM:
        found.append(
            Check(
                check="sample_ratio",
                level="refusal",
                rows=len(group.names),
                message=f"The groups have not the sizes they should have: {CONTROL} "
                f"{sizes[CONTROL]:,}, {TREATED} {sizes[TREATED]:,}, p = {p:.1g}.",
                next_step="Find out who is missing before any figure is believed.",
            )
        )
    if terms.unit == "customer":
        start, end = instants(terms.starts_on, until, shop.settings.timezone)
        shared = shared_devices(con, group, start=start, end=end)
        if shared:
            found.append(_contamination(shared, len(group.names), "customer"))
    if terms.metric == "margin" and not group.costed:
        found.append(
            Check(
                check="unknown_costs",
                level="warning",
                rows=0,
                message="Too few unit costs are known: margin is shown as revenue.",
                next_step="Import costs.",
            )
        )
    return found


def _contamination(shared: int, units: int, unit: str) -> Check:
    share = shared / units
    much = " This pulls the effect towards zero." if share > MOST_SHARED else ""
    what = (
        f"{shared:,} customers ({share:.1%}) used a device that the other arm used too."
    )
    if unit == "visitor":
        what = (
            f"{shared:,} visitors ({share:.1%}) are devices of customers who used one "
            "of the other arm too."
        )
    return Check(
        check="contamination",
        level="warning",
        rows=shared,
        message=f"{what}{much}",
        next_step="Nobody is moved; they stay in the arm they were drawn to.",
    )


def _of_group(group: Group, metric: MetricName) -> Comparison:
    """Compare the arms of customers or products, with their own past taken off."""
    return compare_groups(
        group.during[metric],
        group.treated,
        group.before[metric],
        metric=metric,
        names=(CONTROL, TREATED),
    )


def _judge(
    terms: Terms,
    on: date,
    over: int,
    units: Mapping[str, int],
    found: Mapping[MetricName, Comparison],
    checks: tuple[Check, ...],
    *,
    final: bool,
) -> Look:
    told = (terms.metric, *terms.others)
    peeked = {name: _peeked(one, terms, over, units) for name, one in found.items()}
    watched = terms.stop == "always-valid" or not final
    shown = [(peeked if watched else found)[name] for name in told if name in found]
    adjusted = tuple(float(p) for p in holm([one.p_value for one in shown]))
    refused = any(check.refuses for check in checks)
    close, sentence = "", ""
    if refused:
        sentence = f"No verdict: {next(c.message for c in checks if c.refuses)}"
        close = "end" if final else ""
    elif shown:
        primary = shown[0]
        broken = _broken_guard(terms, peeked)
        if broken:
            close, sentence = "guard", broken
        elif terms.stop == "always-valid" and primary.decided:
            close, sentence = "decided", verdict(primary, adjusted=adjusted[0])
        elif final:
            close, sentence = "end", verdict(primary, adjusted=adjusted[0])
        else:
            sentence = _running(terms, over)
    return Look(
        day=on,
        days_over=over,
        days=terms.days,
        units=units,
        comparisons=tuple(shown),
        adjusted=adjusted,
        checks=checks,
        final=final,
        close=close,
        sentence=sentence,
        reach=_reach(terms, on, over, found.get(terms.metric)),
    )


def _running(terms: Terms, over: int) -> str:
    if terms.stop == "always-valid":
        return (
            f"Day {over} of {terms.days}: nothing is shown yet. It ends when the "
            f"interval leaves zero out, or on {terms.ends_on}."
        )
    return (
        f"Day {over} of {terms.days}: no verdict before {terms.ends_on}. The intervals "
        "here hold at every look, so they are wide."
    )


def _peeked(
    one: Comparison, terms: Terms, over: int, units: Mapping[str, int]
) -> Comparison:
    """Return a comparison with the interval that holds at every look."""
    if terms.unit not in WATCHED:
        # Few units: their own interval at every look would mislead, so none is shown
        # before the end.
        return replace(one, low=-np.inf, high=np.inf, p_value=1.0)
    if min(units.values()) < FEWEST or not one.error > 0:
        return replace(one, low=-np.inf, high=np.inf, p_value=1.0)
    return always_valid(one, planned=terms.days, now=over)


def _broken_guard(terms: Terms, peeked: Mapping[MetricName, Comparison]) -> str:
    """Return why a guard stops the experiment, "" when none does."""
    for guard in terms.guards:
        one = peeked.get(guard.metric)
        if one is None or one.control_value <= 0:
            continue
        if one.high < -guard.worst * one.control_value:
            return (
                f"Stopped: {guard.metric} fell by more than the {guard.worst:.0%} "
                f"allowed ({one.effect / one.control_value:+.1%}, at best "
                f"{one.high / one.control_value:+.1%})."
            )
    return ""


def _reach(
    terms: Terms, on: date, over: int, one: Comparison | None
) -> dict[str, Any] | None:
    """Return what can be seen; days stand for units, as the same units are watched."""
    if one is None or not one.error > 0 or one.control_value <= 0:
        return None
    found = reach(
        error=one.error / one.control_value,
        units=over,
        control_value=1.0,
        wanted=terms.wanted,
        units_a_day=1.0,
        today=min(on, terms.starts_on + timedelta(days=over - 1)),
    )
    return {
        "detectable": found.relative,
        "wanted": terms.wanted,
        "days_needed": found.units_needed,
        "by": None if found.by is None else found.by.isoformat(),
    }
