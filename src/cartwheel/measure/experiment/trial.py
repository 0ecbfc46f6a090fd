"""A running experiment as the gate and the storefront see it: who is left alone.

A turn pins the experiments that ran when it began, so the same turn answers the same
way for as long as it is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal, get_args

from cartwheel.measure.assign import in_holdout
from cartwheel.measure.experiment.places import is_treated
from cartwheel.measure.experiment.staggered import Rotation
from cartwheel.measure.experiment.switchback import Switchback

Unit = Literal[
    "customer", "product", "product-week", "period", "visitor", "geography", "answer"
]
UNITS: tuple[Unit, ...] = get_args(Unit)

CONTROL = "control"
TREATED = "treated"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Who takes part in an experiment on a lever, and in which arm.

    Attributes:
        name: The experiment.
        lever: Lever whose decisions are left out in the control.
        unit: What is drawn: customers, products, products by week, periods of the
            whole shop, visitors (devices), countries and regions; "answer" draws
            nobody: the rankings of both arms share every list.
        salt: Salt of its layer.
        control_share: Share of customers or products in the control.
        starts_on: First day.
        ends_on: Last day.
        period_days: Days of a period.
        burn_in_days: Days at the start of a period that are not analysed.
        products: Products enrolled, for product weeks.
        places: Places enrolled, in pairs, for geography.
        option: Option of the lever that the arms differ in; "" when the control is
            left alone instead.
        control_value: Its value in the control, and for whoever takes no part.
        arm_value: Its value in the arm.
        link: Link of the wheel that is cut in the arm and whole elsewhere; "" for none.
    """

    name: str
    lever: str
    unit: Unit
    salt: str
    control_share: float
    starts_on: date
    ends_on: date
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

    @cached_property
    def switchback(self) -> Switchback:
        """The periods of a switchback."""
        return Switchback(
            salt=self.salt,
            start=self.starts_on,
            period_days=self.period_days,
            burn_in_days=self.burn_in_days,
            control=CONTROL,
            arm=TREATED,
        )

    @cached_property
    def rotation(self) -> Rotation:
        """The weeks of products that take turns."""
        weeks = ((self.ends_on - self.starts_on).days + 1) // 7
        return Rotation(
            salt=self.salt,
            start=self.starts_on,
            products=self.products,
            weeks=weeks // 2 * 2,
            control=CONTROL,
            arm=TREATED,
        )

    @cached_property
    def treated_places(self) -> Mapping[str, bool]:
        """Whether the lever acts in each place enrolled."""
        return {
            place: bool(is_treated(place, self.places, self.salt))
            for place in self.places
        }

    def runs_on(self, day: date) -> bool:
        """Tell whether a day lies within it."""
        return self.starts_on <= day <= self.ends_on

    def arm_of(
        self,
        day: date,
        *,
        customer: str | None = None,
        product: str | None = None,
        visitor: str | None = None,
        place: str | None = None,
    ) -> str | None:
        """Return the arm that a decision falls in, None when it takes no part.

        Args:
            day: Day of the decision.
            customer: Customer it is about, if any.
            product: Product it is about, if any.
            visitor: Device it is about, if any.
            place: Where the customer lives, if known.
        """
        if not self.runs_on(day):
            return None
        if self.unit == "answer":
            return None  # everybody sees both
        if self.unit == "period":
            return self.switchback.arm_on(day)
        unit = {
            "customer": customer,
            "visitor": visitor,
            "geography": place,
        }.get(self.unit, product)
        if unit is None:
            return None
        if self.unit == "product-week":
            if unit not in self.rotation.products:
                return None
            return self.rotation.arm_on(unit, day)
        if self.unit == "geography":
            treated = self.treated_places.get(unit)
            return None if treated is None else TREATED if treated else CONTROL
        held = in_holdout(unit, self.control_share, self.salt)
        return CONTROL if held else TREATED

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "lever": self.lever,
            "unit": self.unit,
            "salt": self.salt,
            "control_share": self.control_share,
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "period_days": self.period_days,
            "burn_in_days": self.burn_in_days,
            "products": list(self.products),
            "places": list(self.places),
            "option": self.option,
            "control_value": self.control_value,
            "arm_value": self.arm_value,
            "link": self.link,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Trial:
        """Return the trial of plain values."""
        return cls(
            **{
                **value,
                "starts_on": date.fromisoformat(value["starts_on"]),
                "ends_on": date.fromisoformat(value["ends_on"]),
                "products": tuple(value["products"]),
                "places": tuple(value.get("places", ())),
            }
        )


@dataclass(frozen=True, kw_only=True)
class InForce:
    """Experiments a published turn was pinned with, and the day it acts from.

    Attributes:
        day: First day on which the turn's decisions act.
        trials: Experiments that run on it.
        places: Where customers live, as the turn was pinned, if a test is by place.
    """

    day: date
    trials: tuple[Trial, ...]
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> InForce | None:
        """Return what a turn's file says, None where there is none."""
        if value is None or not value["trials"]:
            return None
        return cls(
            day=date.fromisoformat(value["day"]),
            trials=tuple(Trial.from_json(one) for one in value["trials"]),
            places=value.get("places", {}),
        )

    def leaves_alone(
        self, customer: str | None, lever: str, *, visitor: str | None = None
    ) -> bool:
        """Tell whether an experiment leaves whoever looks alone.

        Args:
            customer: Customer id, None for nobody known: a period holds them too.
            lever: Lever that answers.
            visitor: Device, None when none was sent.
        """
        found = left_alone_by(
            self.trials,
            lever,
            self.day,
            customer=customer,
            visitor=visitor,
            place=None if customer is None else self.places.get(customer),
        )
        return found is not None

    def interleaving(self, lever: str) -> Trial | None:
        """Return the experiment whose arms share every list of a lever, if one runs."""
        for trial in self.trials:
            if trial.lever == lever and trial.unit == "answer":
                return trial if trial.runs_on(self.day) else None
        return None

    def option_arm(
        self, customer: str | None, lever: str, *, visitor: str | None = None
    ) -> str | None:
        """Return the arm, of an experiment with two models, that who looks is in.

        Args:
            customer: Customer id, None for nobody known.
            lever: Lever that answers.
            visitor: Device, None when none was sent.
        """
        return _option_arm(
            self.trials,
            lever,
            self.day,
            customer=customer,
            visitor=visitor,
            place=None if customer is None else self.places.get(customer),
        )


def _option_arm(
    trials: Iterable[Trial],
    lever: str,
    day: date,
    *,
    customer: str | None,
    visitor: str | None,
    place: str | None,
) -> str | None:
    for trial in trials:
        if trial.lever == lever and trial.two_models:
            return trial.arm_of(day, customer=customer, visitor=visitor, place=place)
    return None


def left_alone_by(
    trials: Iterable[Trial],
    lever: str,
    day: date,
    *,
    customer: str | None = None,
    product: str | None = None,
    visitor: str | None = None,
    place: str | None = None,
) -> str | None:
    """Return the experiment in whose control a decision falls, None for none.

    Args:
        trials: Experiments that run.
        lever: Lever that decided.
        day: Day of the decision.
        customer: Customer it is about, if any.
        product: Product it is about, if any.
        visitor: Device it is about, if any.
        place: Where the customer lives, if known.
    """
    for trial in trials:
        if trial.lever != lever or trial.two_models:
            continue  # where the lever decides in both arms nobody is left alone
        arm = trial.arm_of(
            day, customer=customer, product=product, visitor=visitor, place=place
        )
        if arm == CONTROL:
            return trial.name
    return None
