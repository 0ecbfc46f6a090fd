"""What a lever's console page shows, as data. The console draws it for any lever."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its definition.

    Attributes:
        label: What it is called.
        value: The number, or None when it cannot be said yet.
        unit: "minor" (money), "share" (0 to 1), "units", "days" or "".
        definition: How it is computed, one sentence.
        low: Lower end of its interval.
        high: Upper end of its interval.
        not_yet: Sentence shown when `value` is None.
    """

    label: str
    value: float | None
    unit: str
    definition: str
    low: float | None = None
    high: float | None = None
    not_yet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line chart over days: history, forecast and an interval band.

    Attributes:
        title: Heading.
        subject: Subject shown (`variant:ID`), so a decision can link to its chart.
        unit: Unit of the values.
        x: ISO days, one per point.
        actual: History; None where unknown.
        predicted: Prediction; None where there is none.
        low: Lower end of the band.
        high: Upper end of the band.
        note: One sentence under the chart.
    """

    title: str
    subject: str
    unit: str
    x: tuple[str, ...]
    actual: tuple[float | None, ...]
    predicted: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A bar chart: one number per label."""

    title: str
    unit: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of values. `units` gives the unit of each column, "" for text."""

    title: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The page of one lever.

    Attributes:
        summary: One or two sentences: what it did this turn and how sure it is.
        figures: Numbers at the top; backtest figures belong here.
        lines: Line charts, most important first.
        bars: Bar charts.
        grids: Tables.
    """

    summary: str
    figures: tuple[Figure, ...] = ()
    lines: tuple[Line, ...] = ()
    bars: tuple[Bars, ...] = ()
    grids: tuple[Grid, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
