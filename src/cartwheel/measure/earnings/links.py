"""What each link of the wheel earned, from experiments that cut it for a part.

A link is worth what a lever earns less with it cut. Where an experiment cuts it for
drawn customers, visitors, products or periods and leaves it whole for the others, the
loss of the cut arm is what the link earns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Engine

from cartwheel.measure.earnings.figures import LinkEarned, Range
from cartwheel.measure.experiment.store import list_experiments, looks
from cartwheel.measure.experiment.terms import DRAWN_ONCE, Terms
from cartwheel.measure.experiment.trial import CONTROL

Tested = tuple[Terms, Mapping[str, Any]]
"""An experiment's terms and its last look, empty before the first."""

MONEY = ("margin", "revenue")
HOW = "cartwheel experiment create NAME --lever {lever} --link '{link}'"


def link_tests(engine: Engine, on: date) -> dict[str, Tested]:
    """Return the newest experiment on each link with its last look by a day.

    Args:
        engine: Operational database.
        on: Last day that counts.

    Returns:
        Terms and look, as JSON values, by link.
    """
    found: dict[str, Tested] = {}
    tests = (
        one.terms
        for one in list_experiments(engine)
        if one.terms.link and one.terms.metric in MONEY and one.terms.starts_on <= on
    )
    for terms in sorted(tests, key=lambda one: (one.starts_on, one.name)):
        seen = [look for day, look in looks(engine, terms.name) if day <= on]
        found[terms.link] = (terms, seen[-1] if seen else {})
    return found


def link_earned(
    link: str,
    lever: str,
    *,
    cut: int,
    turns: int,
    tested: Tested | None,
) -> LinkEarned:
    """Return what is known of one link.

    Args:
        link: Its name.
        lever: Lever that reads it.
        cut: Turns in which it was cut for everybody.
        turns: Turns counted.
        tested: The newest experiment that cut it for a part, with its last look.
    """
    if tested is None:
        note = (
            "Not measured: nobody's was cut alone. An experiment tells it: "
            f"{HOW.format(lever=lever, link=link.replace('→', '->'))}."
        )
        if cut:
            note = (
                f"Not measured: it was cut for everybody in {cut} of {turns} turns, so "
                "nobody is left to compare with."
            )
        return LinkEarned(link=link, cut_turns=cut, turns=turns, note=note)
    terms, look = tested
    worth = _worth(look)
    return LinkEarned(
        link=link,
        cut_turns=cut,
        turns=turns,
        note=_note(terms, look, worth),
        experiment=terms.name,
        unit=terms.unit,
        worth=worth,
        money=_money(terms, look, worth),
    )


def _worth(look: Mapping[str, Any]) -> Range | None:
    """Return the loss of the arm that had it cut: the effect, turned round."""
    primary: Sequence[Mapping[str, Any]] = look.get("metrics") or ()
    if not primary:
        return None
    told = [primary[0][name] for name in ("effect", "high", "low")]
    if any(value is None or not math.isfinite(value) for value in told):
        return None
    value, low, high = (-float(one) for one in told)
    return Range(value=value, low=low, high=high)


def _money(terms: Terms, look: Mapping[str, Any], worth: Range | None) -> Range | None:
    """Return the worth of all units that kept it; periods and weeks do not add up."""
    kept = (look.get("units") or {}).get(CONTROL, 0)
    if worth is None or terms.unit not in DRAWN_ONCE or not kept:
        return None
    return worth.times(kept)


def _note(terms: Terms, look: Mapping[str, Any], worth: Range | None) -> str:
    if not look:
        return f"Not yet: the experiment {terms.name} had no look so far."
    if worth is None:
        waits = str(look["sentence"]).removeprefix("Not yet: ")
        return f"Not yet, the experiment {terms.name}: {waits}"
    over = f"the experiment {terms.name}, day {look['days_over']} of {look['days']}"
    drawn = "half of the"
    if terms.unit in DRAWN_ONCE:
        drawn = f"{1 - terms.control_share:.0%} of the"
    told = (
        f"{terms.metric.capitalize()} a {terms.unit} with it less {terms.metric} "
        f"without, cut for {drawn} {terms.unit}s ({over})."
    )
    if worth.low <= 0 <= worth.high:
        told = f"Not shown, the interval holds zero. {told}"
    return told
