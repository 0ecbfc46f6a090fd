"""From when a lever's earnings count, and by which shares units were left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cartwheel.measure.earnings.figures import Unit
from cartwheel.measure.earnings.record import Record, Turn

MOST_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days counted.

    Attributes:
        since: Day on which the lever first acted while some were left alone. Earnings
            before it foretell those after, and no lever has touched them.
        first: First day counted; later than `since` after `MOST_DAYS`.
        last: Last day counted.
        salt: Salt of the holdouts throughout.
        turns: Turns in force in the window.
    """

    since: date
    first: date
    last: date
    salt: str
    turns: tuple[Turn, ...]

    @property
    def days(self) -> int:
        """Days counted."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """First and last day of the equally long stretch before the lever acted."""
        return self.since - timedelta(days=self.days), self.since - timedelta(days=1)

    def shares(self, lever: str | None) -> tuple[float, float]:
        """Return the smallest and largest share left alone; None: by the wheel."""
        found = [share_of(turn, lever) for turn in self.turns]
        return min(found), max(found)


def share_of(turn: Turn, lever: str | None) -> float:
    """Return the share a turn left alone, by the wheel (None) or by a lever."""
    return turn.share if lever is None else turn.lever_shares.get(lever, 0.0)


def first_acts(
    record: Record, answers: Iterable[tuple[str, int, date]]
) -> Mapping[str, date]:
    """Return the day on which each lever first acted with its own healthy model.

    Args:
        record: What is on record.
        answers: Lever, turn and first day of the answers it gave online.
    """
    healthy = {
        (turn.number, lever)
        for turn in record.turns
        for lever, state in turn.states.items()
        if state == "healthy"
    }
    given = [(act.lever, act.turn, act.day) for act in record.acts]
    found: dict[str, date] = {}
    for lever, turn, day in (*given, *answers):
        if (turn, lever) in healthy:
            found[lever] = min(found.get(lever, day), day)
    return found


def unit_of(record: Record, lever: str, answering: Collection[str]) -> Unit:
    """Return what a lever's holdout draws: products where it decides of them only.

    Args:
        record: What is on record.
        lever: Name of the lever.
        answering: Levers that answer whoever looks at a page; they reach customers,
            whatever their turns decide beside.
    """
    acts = [act for act in record.acts if act.lever == lever]
    if lever in answering or any(act.customers for act in acts):
        return "customer"
    return "product" if acts else "customer"


def acted_on(
    record: Record,
    acted: Mapping[str, date],
    lever: str | None,
    answering: Collection[str],
) -> date | None:
    """Return the day on which a lever first acted; None where it never did.

    Args:
        record: What is on record.
        acted: That day by lever, as of `first_acts`.
        lever: Name of the lever; None for the wheel, which first acts when any lever
            reaches a customer.
        answering: Levers that answer whoever looks at a page.
    """
    if lever is not None:
        return acted.get(lever)
    people = [
        day for x, day in acted.items() if unit_of(record, x, answering) == "customer"
    ]
    return min(people, default=None)


def window_of(
    record: Record, acted: date, on: date, lever: str | None
) -> Window | None:
    """Return the days that count, None when nobody was left alone in them.

    Units are compared by who was left alone all the time, so the window begins where
    the salt last changed, or the share last rose from nothing.

    Args:
        record: What is on record.
        acted: Day on which it first acted.
        on: Last day.
        lever: Lever whose own holdout is meant; None for the wheel's.
    """
    made = sorted(record.turns, key=lambda turn: (turn.as_of, turn.number))
    made = [turn for turn in made if turn.from_day <= on]
    if not made:
        return None
    salt = made[-1].salt
    kept: list[Turn] = []
    for turn in reversed(made):
        if turn.salt != salt or share_of(turn, lever) <= 0:
            break
        kept.insert(0, turn)
    if not kept:
        return None
    since = max(acted, kept[0].from_day)
    if since > on:
        return None
    first = max(since, on - timedelta(days=MOST_DAYS - 1))
    later = [turn for turn in kept if turn.from_day > first]
    started = [turn for turn in kept if turn.from_day <= first]
    return Window(
        since=since,
        first=first,
        last=on,
        salt=salt,
        turns=(*started[-1:], *later),
    )
