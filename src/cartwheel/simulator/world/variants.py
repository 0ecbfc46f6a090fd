"""Worlds with one thing changed: half as much of it, or half as much again.

A variant goes by its world's name, two dashes, the parameter and which way:
`apparel--taste-low`. It has its world's luck, so the same people come with the same
tastes of the day; only what the parameter touches differs. Variants are not calibrated:
they show how far a result depends on a parameter that nobody knows exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from cartwheel.simulator.world.spec import WorldSpec

MARK = "--"
"""Between the name of a world and of its variant."""

FACTORS = {"low": 0.5, "high": 1.5}
"""By how much a parameter is multiplied, by the variant's way."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter whose uncertainty could change what is found.

    Attributes:
        name: Name within a variant's.
        title: What it is, for people.
        why: Why connection may pay more or less with it.
        change: Multiplies it in the values of a settings file, within its range.
    """

    name: str
    title: str
    why: str
    change: Callable[[Values, float], None]


def _taste(values: Values, factor: float) -> None:
    values["goods"]["taste_weight"] *= factor


def _price(values: Values, factor: float) -> None:
    values["people"]["price_mean"] *= factor


def _returns(values: Values, factor: float) -> None:
    for category in values["goods"]["categories"]:
        category["returns"] = min(category["returns"] * factor, 1.0)


def _markup(values: Values, factor: float) -> None:
    # What is above cost is scaled: half the price would be below it.
    values["goods"]["markup"] = [
        1 + (one - 1) * factor for one in values["goods"]["markup"]
    ]


def _supply(values: Values, factor: float) -> None:
    for supplier in values["supply"]["suppliers"]:
        supplier["spread"] *= factor
        supplier["disruptions"] *= factor


def _visits(values: Values, factor: float) -> None:
    visits = values["visits"]
    visits["per_person_day"] = min(visits["per_person_day"] * factor, 1.0)


PARAMETERS = (
    Parameter(
        name="taste",
        title="pull of taste",
        why="how much there is to gain from showing each person what suits them",
        change=_taste,
    ),
    Parameter(
        name="price",
        title="weight of prices",
        why="how far demand moves with prices and how exactly that can be learned",
        change=_price,
    ),
    Parameter(
        name="returns",
        title="returns",
        why="what the link from returns to margins carries",
        change=_returns,
    ),
    Parameter(
        name="markup",
        title="markup above cost",
        why="what a lost sale costs beside a unit too many",
        change=_markup,
    ),
    Parameter(
        name="supply",
        title="unsteady supply",
        why="what knowing stock and demand ahead is good for",
        change=_supply,
    ),
    Parameter(
        name="visits",
        title="visits",
        why="how much there is to learn from, and what a better page earns",
        change=_visits,
    ),
)
"""Effects of mail are left out: mails are less than a hundredth of any arm's profit."""


def variant_names(world: str) -> list[str]:
    """Return the names of a world's variants, by parameter."""
    return [f"{world}{MARK}{one.name}-{way}" for one in PARAMETERS for way in FACTORS]


def split_name(name: str) -> tuple[str, str]:
    """Return the name of the world and of its variant, "" for the world itself."""
    world, mark, variant = name.rpartition(MARK)
    return (world, variant) if mark else (name, "")


def parameter_of(variant: str) -> tuple[Parameter, float]:
    """Return which parameter a variant changes, and its factor.

    Raises:
        Misuse: If there is no such variant.
    """
    name, _, way = variant.rpartition("-")
    for parameter in PARAMETERS:
        if parameter.name == name and way in FACTORS:
            return parameter, FACTORS[way]
    raise Misuse(
        f"There is no variant {variant!r} of a world.",
        f"Choose one of {', '.join(one.name for one in PARAMETERS)}, followed by "
        f"-{' or -'.join(FACTORS)}.",
    )


def vary(spec: WorldSpec, variant: str) -> WorldSpec:
    """Return a world with one parameter multiplied.

    Raises:
        Misuse: If there is no such variant.
    """
    parameter, factor = parameter_of(variant)
    values = spec.model_dump(mode="json")
    parameter.change(values, factor)
    values["name"] = f"{spec.name}{MARK}{variant}"
    return type(spec).model_validate(values)
