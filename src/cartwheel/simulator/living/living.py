"""Living: days of a world run by the shop itself, its facts, and then a turn."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.connectors.intake import append_harvest
from cartwheel.errors import Busy, Conflict, Failure, Misuse
from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.living.agreed import (
    approve_everything,
    in_force,
    mark,
    to_carry_out,
    why_not,
)
from cartwheel.simulator.living.page import measured, publish_world
from cartwheel.simulator.living.policy import InForce, TheShop
from cartwheel.simulator.living.store import (
    ALONE,
    PLAIN,
    WHEEL,
    Kept,
    Record,
    forget_facts,
    read_facts,
    read_kept,
    write_kept,
    write_record,
)
from cartwheel.simulator.sample import harvest
from cartwheel.simulator.twins.alone import NobodyReached
from cartwheel.simulator.twins.truth import cohort, earned, week_of
from cartwheel.simulator.world.world import World
from cartwheel.turn.core import describe
from cartwheel.turn.pages import publish_imports
from cartwheel.turn.publish import published_turn
from cartwheel.turn.steps import read_turn
from cartwheel.turn.workflow import run_turn

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.shop import Shop
    from cartwheel.simulator.world.spec import Size, WorldSpec

Say = Callable[[str], None]

WEEK = 7
KIND = "world"
"""Kind of source of the facts, in the list of imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What living did.

    Attributes:
        last_day: The last day lived.
        carried: Decisions carried out.
        weeks: Stretches lived with the wheel so far, each a week as a rule.
        turn: The turn in force now, or None.
    """

    last_day: date
    carried: int
    weeks: int
    turn: int | None


def begin(shop: Shop, spec: WorldSpec, size: Size, seed: int, *, until: date) -> None:
    """Make the world behind a new demo shop and live its warm-up without AI.

    The twins part here: until now they are one world.

    Args:
        shop: An empty demo shop whose days are counted in UTC.
        spec: The world; its first day is chosen to fit.
        size: How much of it; its warm-up is lived now.
        seed: Number of the world among its like.
        until: Last day of the warm-up.

    Raises:
        Misuse: If the shop is no demo shop, or has a world.
    """
    if not shop.settings.demo or shop.settings.timezone != "UTC" or shop.worlds:
        raise Misuse(f"{shop.folder} cannot be given a world.", "Make a new demo shop.")
    start = until - timedelta(days=size.warmup_days - 1)
    wheel = World(spec.model_copy(update={"start": start}), size, seed)
    plain = Plain()
    while wheel.day < size.warmup_days:
        wheel.play_day(plain)
    worlds = {WHEEL: wheel, ALONE: deepcopy(wheel), PLAIN: deepcopy(wheel)}
    for name in (ALONE, PLAIN):
        worlds[name].facts.close()
    nothing = np.zeros(size.customers)
    kept = Kept(
        worlds=worlds,
        record=Record(began=wheel.day),
        people=cohort(wheel, shop.settings),
        earned={WHEEL: nothing.copy(), ALONE: nothing.copy()},
    )
    write_kept(shop, kept, wheel.facts.take())
    _settle(shop, kept, lambda line: None)


def live(
    shop: Shop,
    *,
    days: int = WEEK,
    approve_as: str | None = None,
    request: int | None = None,
    turn: bool = True,
    say: Say = lambda line: None,
) -> Lived:
    """Live some days, then turn the wheel; first finish what was interrupted.

    Args:
        shop: A demo shop with a world.
        days: Days to live.
        approve_as: Approve every proposal first, in this person's name; None for not.
        request: Number of the request that asks for it. The same number never lives
            twice, so a request may be run again after a kill.
        turn: Turn the wheel after it.
        say: Told what happens, one line each.

    Raises:
        Misuse: If the shop has no world.
        Conflict: If the world's time is over.
        Busy: If another process makes this shop live or turn.
        Failure: If the world cannot be read or written, or the turn fails.
    """
    with _alone(shop):
        kept = open_world(shop)
        _settle(shop, kept, say)
        if request is not None and kept.record.request == request:
            return _lived(shop, kept, 0)
        _check_time(kept, days)
        if approve_as is not None:
            approve_everything(shop, actor=approve_as)
        found = to_carry_out(shop, kept.record.carried)
        first = kept.last_day + timedelta(days=1)
        say(f"living {_day(first)} to {_day(kept.last_day + timedelta(days=days))}")
        try:
            refused = _play(kept, in_force(shop, found), days)
        except Exception as error:
            raise Failure(
                f"The days could not be lived: {describe(error)}.",
                "Nothing was changed. Correct the cause and try again.",
            ) from error
        kept.record.carried += [entry.id for entry in found]
        kept.record.marks = {entry.id: why_not(entry, refused) for entry in found}
        kept.record.request, kept.record.turn_due = request, turn
        write_kept(shop, kept, kept.worlds[WHEEL].facts.take())
        _settle(shop, kept, say)
        return _lived(shop, kept, len(found))


def catch_up(shop: Shop, *, say: Say = lambda line: None) -> Kept:
    """Finish what was interrupted; return the world as it stands.

    Raises:
        Misuse: If the shop has no world.
        Busy: If another process makes this shop live or turn.
    """
    with _alone(shop):
        kept = open_world(shop)
        _settle(shop, kept, say)
        return kept


def open_world(shop: Shop) -> Kept:
    """Return the world behind a demo shop.

    Raises:
        Misuse: If there is none: the shop is real, or a demo of an earlier version.
        Failure: If it is damaged or of another version.
    """
    if not shop.settings.demo:
        raise Misuse(
            f"{shop.settings.name} is a real shop; only a demo shop can live.",
            "Make a demo shop with: cartwheel demo",
        )
    kept = read_kept(shop)
    if kept is None:
        raise Misuse(
            "This demo shop has no world behind it and cannot live.",
            "Make a new one in another folder: cartwheel demo --folder FOLDER",
        )
    return kept


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _lived(shop: Shop, kept: Kept, carried: int) -> Lived:
    return Lived(
        last_day=kept.last_day,
        carried=carried,
        weeks=len(kept.record.weeks),
        turn=published_turn(shop),
    )


def _check_time(kept: Kept, days: int) -> None:
    world = kept.worlds[WHEEL]
    if world.day + days > world.size.days:
        left = world.size.days - world.day
        raise Conflict(
            f"The world's time is over: {left} of its {world.size.days} days are left.",
            "Make a new demo shop in another folder: cartwheel demo --folder FOLDER",
        )


def _play(kept: Kept, now: InForce, days: int) -> dict[str, str]:
    """Let the wheel and its twins live the same days.

    Returns:
        Why suppliers refused an order line, by variant.
    """
    refused: dict[str, str] = {}
    start = kept.day
    first = kept.last_day + timedelta(days=1)
    shop, plain = TheShop(now), Plain()
    alone = NobodyReached(shop)
    for _ in range(days):
        # The shop goes first: its twin repeats what it did for everybody.
        for name, policy in ((WHEEL, shop), (ALONE, alone)):
            world = kept.worlds[name]
            log = world.play_day(policy)
            kept.earned[name] += earned(world.state, log)
            if name == WHEEL:
                refused.update({line.variant_id: line.reason for line in log.refused})
        kept.worlds[PLAIN].play_day(plain)
    gap = kept.earned[WHEEL] - kept.earned[ALONE]
    kept.record.weeks.append(
        {
            "from": first.isoformat(),
            "to": kept.last_day.isoformat(),
            "worlds": week_of(kept.worlds, start, kept.day),
            "true_minor": float(gap[kept.people].mean()) if len(kept.people) else None,
            "measured": None,
        }
    )
    return refused


def _settle(shop: Shop, kept: Kept, say: Say) -> None:
    """Do what follows the newest days, as far as it was not done before."""
    facts = read_facts(shop)
    if facts is not None:
        _append(shop, kept, facts)
        forget_facts(shop)
    record = kept.record
    if record.marks:
        mark(shop, record.marks, on=record.weeks[-1]["from"])
        record.marks = {}
        write_record(shop, record)
    if record.weeks and record.weeks[-1]["measured"] is None:
        since = kept.worlds[WHEEL].spec.start + timedelta(days=record.began)
        record.weeks[-1]["measured"] = measured(shop, since=since, until=kept.last_day)
        write_record(shop, record)
    publish_world(shop, kept)
    if record.turn_due:
        if _turned_on(shop) != kept.last_day:
            run_turn(shop, as_of=kept.last_day, progress=say)
        record.turn_due = False
        write_record(shop, record)


def _append(shop: Shop, kept: Kept, facts: dict[str, pa.Table]) -> None:
    """Append the newest days' facts through the ordinary intake, once."""
    path = Path(f"days until {kept.last_day}")
    with shop.lake.attached(read_only=True) as con:
        row = con.execute(
            "SELECT count(*) FROM lake.imports WHERE kind = ? AND path = ?",
            [KIND, str(path)],
        ).fetchone()
    if row is None or row[0] == 0:
        rows = {
            name: table.select(TABLE_BY_NAME[name].column_names)
            for name, table in facts.items()
            if table.num_rows
        }
        # The world's night, not the clock's: later facts are not known yet.
        night = datetime.combine(kept.last_day + timedelta(days=1), time())
        now = night - timedelta(seconds=1)
        append_harvest(shop, harvest(rows), KIND, path, now)
    publish_imports(shop)


def _turned_on(shop: Shop) -> date | None:
    number = published_turn(shop)
    if number is None:
        return None
    return date.fromisoformat(read_turn(shop, number).as_of)


@contextmanager
def _alone(shop: Shop) -> Iterator[None]:
    """Hold the right to let this shop live.

    Raises:
        Busy: If another process has it.
    """
    handle = os.open(shop.folder / "living.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "This shop is living already.", "Wait until it has lived its week."
            ) from None
        yield
    finally:
        os.close(handle)
