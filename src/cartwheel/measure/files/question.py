"""What is asked of a file: which column is what, and which arm is the control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.comparison import LEVEL
from cartwheel.measure.experiment.metric import Metric

MOST_ARMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One analysis of one file.

    Attributes:
        path: CSV or Parquet file with a row a unit.
        unit: Column that names the unit: customer, visitor, product.
        arm: Column with the arm it was assigned to.
        control: Value of that column that is the control.
        metrics: What is compared.
        shown: Column with the arm a unit was really shown, whether it was shown
            anything, or when.
        time: Column with the instant of the outcome, or of the assignment when `shown`
            holds no instants.
        shares: Share of units by arm; None for even shares.
        level: Share of intervals that hold the truth.
        planned: Units planned before the start; intervals then hold at every look.
    """

    path: Path
    unit: str
    arm: str
    control: str
    metrics: tuple[Metric, ...]
    shown: str | None = None
    time: str | None = None
    shares: Mapping[str, float] | None = None
    level: float = LEVEL
    planned: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it names, each once."""
        named = [self.unit, self.arm, self.shown, self.time]
        named += [column for metric in self.metrics for column in metric.columns]
        return tuple(dict.fromkeys(name for name in named if name is not None))


def parse_metrics(
    given: Sequence[str], covariates: Sequence[str]
) -> tuple[Metric, ...]:
    """Read metrics as typed: NAME=COL or NAME=COL/COL.

    Args:
        given: One text a metric.
        covariates: COL for every metric, or NAME=COL for the metric of that name.

    Raises:
        Misuse: If a text has another form, a name is taken twice, or a covariate is
            meant for a metric that is not there.
    """
    common = [text for text in covariates if "=" not in text]
    own: dict[str, list[str]] = {}
    for text in covariates:
        if "=" in text:
            name, _, column = text.partition("=")
            own.setdefault(name.strip(), []).append(column.strip())
    found: dict[str, Metric] = {}
    for text in given:
        name, equals, columns = (part.strip() for part in text.partition("="))
        value, slash, per = (part.strip() for part in columns.partition("/"))
        if not (name and equals and value) or (slash and not per):
            raise Misuse(
                f"--metric is {text!r}; expected NAME=COL or NAME=COL/COL.",
                "Example: --metric spend=spend, or --metric rate=orders/visits.",
            )
        if name in found:
            raise Misuse(
                f"--metric {name!r} is given twice.", "Give each metric its own name."
            )
        found[name] = Metric(
            name=name,
            value=value,
            per=per or None,
            covariates=tuple(dict.fromkeys([*common, *own.get(name, [])])),
        )
    for name in own:
        if name not in found:
            raise Misuse(
                f"--covariate is for the metric {name!r}, which is not asked for; "
                f"asked for is {', '.join(found) or 'nothing'}.",
                "Name one of them, or leave the name out for all.",
            )
    for metric in found.values():
        twice = set(metric.covariates) & set(metric.outcomes)
        if twice:
            raise Misuse(
                f"{twice.pop()!r} is both covariate and outcome of {metric.name!r}.",
                "A covariate is something known before the start.",
            )
    return tuple(found.values())


def parse_shares(given: Sequence[str]) -> dict[str, float] | None:
    """Read shares as typed: ARM=NUMBER; None when none was given.

    Raises:
        Misuse: If a text has another form or a number is not above 0.
    """
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            share = float(number)
        except ValueError:
            share = 0.0
        if not name or not 0 < share < float("inf"):
            raise Misuse(
                f"--share is {text!r}; expected ARM=NUMBER with a number above 0.",
                "Example: --share holdout=5 --share reached=95.",
            )
        found[name] = share
    return found or None
