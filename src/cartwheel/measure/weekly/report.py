"""What a week's report says, gathered from what the latest turn published.

Nothing is computed here: every figure stands on a console page with its definition and
the rows behind it, so the report cannot say more than these do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from cartwheel.errors import Conflict
from cartwheel.measure.experiment.lessons import sentence_of
from cartwheel.measure.experiment.store import list_experiments
from cartwheel.measure.kpi.words import figure_text
from cartwheel.operations import decisions, pages, reading, turns
from cartwheel.shop import Shop

MOST_FAULTS = 3
MOST_EXPERIMENTS = 4
MOST_PROPOSALS = 3
PERSON = "customer:"
LONGEST_HEAD, LONGEST_TEXT = 80, 400
"""Letters kept of a head and of what is said: a line of a screen, and some."""

CHANGE_WEEKS = 4
"""Weeks back that a figure is set against: its window is four weeks long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report.

    Attributes:
        head: What it is about.
        text: What is said of it.
        aside: Interval, date or money beside it, "" for none.
    """

    head: str
    text: str
    aside: str = ""

    def __post_init__(self) -> None:
        # Names and reasons come from outside and may be of any length.
        object.__setattr__(self, "head", _short(self.head, LONGEST_HEAD))
        object.__setattr__(self, "text", _short(self.text, LONGEST_TEXT))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report; empty ones say so.

    Attributes:
        title: Heading.
        lines: What it says.
        empty: What is said when there is no line.
    """

    title: str
    lines: tuple[Line, ...]
    empty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """The report of a published turn.

    Attributes:
        shop: Name of the shop.
        as_of: Last day whose facts count, ISO.
        turn: Number of the turn.
        sections: Its parts, in order.
    """

    shop: str
    as_of: str
    turn: int
    sections: tuple[Section, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "shop": self.shop,
            "as_of": self.as_of,
            "turn": self.turn,
            "sections": [
                {
                    "title": section.title,
                    "empty": section.empty,
                    "lines": [
                        {"head": one.head, "text": one.text, "aside": one.aside}
                        for one in section.lines
                    ],
                }
                for section in self.sections
            ],
        }


def weekly(shop: Shop) -> Weekly:
    """Return the report of the turn in force.

    Args:
        shop: The shop.

    Raises:
        Conflict: If no turn was published yet.
    """
    found = _published(shop.database)
    if found is None:
        raise Conflict(
            "No turn was published yet, so there is nothing to report.",
            "Turn the wheel with: cartwheel turn",
        )
    number, as_of = found
    bodies = _bodies(shop.database, number)
    return Weekly(
        shop=shop.settings.name,
        as_of=as_of,
        turn=number,
        sections=(
            _figures(shop, bodies.get("kpis") or {}),
            _earned(bodies.get("earnings") or {}),
            _experiments(shop),
            _health(shop, bodies.get("health") or {}),
            _proposals(shop),
        ),
    )


def _published(engine: Engine) -> tuple[int, str] | None:
    query = (
        select(turns.c.number, turns.c.as_of)
        .where(turns.c.state == "published")
        .order_by(turns.c.number.desc())
        .limit(1)
    )
    with reading(engine) as con:
        row = con.execute(query).first()
    return None if row is None else (int(row.number), str(row.as_of))


def _bodies(engine: Engine, number: int) -> dict[str, dict[str, Any]]:
    names = ("kpis", "earnings", "health")
    query = select(pages.c.name, pages.c.body).where(
        pages.c.turn == number, pages.c.name.in_(names)
    )
    with reading(engine) as con:
        return {row.name: json.loads(row.body) for row in con.execute(query)}


def _figures(shop: Shop, board: Mapping[str, Any]) -> Section:
    lines = []
    for kpi in board.get("kpis", ()):
        if kpi["value"] is None:
            continue
        low, high = (_figure(shop, kpi[end], kpi["unit"]) for end in ("low", "high"))
        lines.append(
            Line(
                head=kpi["label"],
                text=_figure(shop, kpi["value"], kpi["unit"]) + _before(shop, kpi),
                aside=f"{low} to {high}",
            )
        )
    return Section(
        title="Figures of 28 days, with 95 % intervals",
        lines=tuple(lines),
        empty="No figure can be told yet.",
    )


def _before(shop: Shop, kpi: Mapping[str, Any]) -> str:
    """Return where a figure stood four weeks before, "" when it is not known."""
    series = kpi.get("series") or []
    if len(series) <= CHANGE_WEEKS:
        return ""
    was = series[-1 - CHANGE_WEEKS]["value"]
    if was is None:
        return ""
    return f", four weeks before {_figure(shop, was, kpi['unit'])}"


def _figure(shop: Shop, value: float | None, unit: str) -> str:
    settings = shop.settings
    return figure_text(
        value, unit, currency=settings.currency, minor_digits=settings.minor_digits
    )


def _earned(ledger: Mapping[str, Any]) -> Section:
    lines = []
    for entry in ledger.get("entries", ()):
        if entry["since"] is None or entry["first"] is None:
            continue  # it never acted, or nobody is left alone to compare with
        said = entry["verdict"] or entry["not_yet"]
        lines.append(Line(head=entry["title"], text=said))
    return Section(
        title="Earned more than leaving alone",
        lines=tuple(lines),
        empty="Nothing acted yet, so nothing can be compared.",
    )


def _experiments(shop: Shop) -> Section:
    lines = [
        Line(
            head=record.terms.name,
            text=sentence_of(record),
            aside=record.state,
        )
        for record in list_experiments(shop.database)[:MOST_EXPERIMENTS]
    ]
    return Section(
        title="Experiments", lines=tuple(lines), empty="No experiment was begun."
    )


def _health(shop: Shop, body: Mapping[str, Any]) -> Section:
    lines = []
    for one in body.get("faults", ())[:MOST_FAULTS]:
        stake = (one.get("stake") or {}).get("value")
        lines.append(
            Line(
                head=f"{one['spoke']} is {one['state']}",
                text=f"{one['says']} {one['next_step']}",
                aside="stake unknown"
                if stake is None
                else f"{_figure(shop, stake, 'minor')} a month",
            )
        )
    return Section(
        title="Health of the wheel",
        lines=tuple(lines),
        empty="Nothing is broken or weak."
        if body.get("faults") is not None
        else "Health was not looked at in this turn.",
    )


def _proposals(shop: Shop) -> Section:
    waiting = decisions.c.state == "proposed"
    with reading(shop.database) as con:
        count = int(
            con.execute(
                select(func.count()).select_from(decisions).where(waiting)
            ).scalar_one()
        )
        rows = con.execute(
            select(decisions.c.subject, decisions.c.worth_minor, decisions.c.body)
            .where(waiting)
            .order_by(decisions.c.worth_minor.desc().nulls_last(), decisions.c.id)
            .limit(MOST_PROPOSALS)
        ).all()
    lines = [
        Line(
            # A mail is read in many places: no customer is named in it.
            head="a customer" if row.subject.startswith(PERSON) else row.subject,
            text=str(json.loads(row.body)["reason"]),
            aside=""
            if row.worth_minor is None
            else _figure(shop, row.worth_minor, "minor"),
        )
        for row in rows
    ]
    return Section(
        title=f"Waiting for a yes or no: {count:,}",
        lines=tuple(lines),
        empty="Nothing waits.",
    )
