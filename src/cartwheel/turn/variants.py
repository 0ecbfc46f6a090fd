"""A lever's decisions for both arms of an experiment on an option or a link.

Everybody but the arm is decided for with the control's value, or the link whole, the
arm with its own value, or the link cut.
Which of the two decisions about a subject stands is a matter of the stable hash; it is
written into the decision, so that nobody has to work it out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from cartwheel.levers.base import Decision
from cartwheel.measure.experiment.options import (
    cuts_with,
    option_trial,
    value_of,
    variant_of,
    with_arm,
)
from cartwheel.measure.experiment.trial import CONTROL, TREATED, Trial

if TYPE_CHECKING:
    import pyarrow as pa


__all__ = [
    "CONTROL",
    "TREATED",
    "Subjects",
    "Trial",
    "cuts_with",
    "option_trial",
    "picked",
    "variant_of",
    "with_arm",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What tells the arm of a decision's subject.

    Attributes:
        day: First day on which the decisions act.
        product_of: Product of each variant.
        places: Where customers live, as pinned.
    """

    day: date
    product_of: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, day: date, catalogue: pa.Table | None, places: Mapping[str, str]
    ) -> Subjects:
        """Return what tells arms, from the turn's catalogue and pinned places."""
        rows = [] if catalogue is None else catalogue.to_pylist()
        products = {row["variant_id"]: row["product_id"] for row in rows}
        return cls(day=day, product_of=products, places=places)

    def arm(self, trial: Trial, subject: str) -> str | None:
        """Return the arm a decision about a subject falls in, None for none."""
        kind, _, name = subject.partition(":")
        product = name if kind == "product" else None
        if kind == "variant":
            product = self.product_of.get(name, name)
        customer = name if kind == "customer" else None
        return trial.arm_of(
            self.day,
            customer=customer,
            product=product,
            place=None if customer is None else self.places.get(customer),
        )


def picked(
    plain: Iterable[Decision],
    arm: Iterable[Decision],
    trial: Trial,
    subjects: Subjects,
) -> list[tuple[Decision, bool]]:
    """Return the decisions that stand, with whether each is the arm's.

    Args:
        plain: Decisions with the control's value.
        arm: Decisions with the arm's value.
        trial: The experiment.
        subjects: What tells arms.
    """
    found = []
    for decisions, treated in ((plain, False), (arm, True)):
        for one in decisions:
            own = subjects.arm(trial, one.subject)
            if (own == TREATED) == treated:
                found.append((one if own is None else _told(one, trial, own), treated))
    return found


def _told(decision: Decision, trial: Trial, arm: str) -> Decision:
    """Return a decision that says which arm it is of."""
    said: dict[str, object] = {"name": trial.name, "arm": arm}
    if trial.link:
        said |= {"link": trial.link, "cut": arm == TREATED}
    else:
        said |= {"option": trial.option, "value": value_of(trial, arm)}
    return replace(decision, evidence={**decision.evidence, "experiment": said})
