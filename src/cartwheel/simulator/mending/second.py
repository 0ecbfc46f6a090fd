"""A second wave of fixes after the first one's test: was its effect foretold right?

The world of `play` goes on. On the day on which the first test is read, what it found
becomes a fact, `content` looks again, and the owner mends the pages that are not yet
mended. How many returns that truly keeps away is told by the same world without any
fix, over the same products and days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cartwheel.measure.credit.counts import Counts, count, texts_raising
from cartwheel.measure.credit.enrol import Enrolled
from cartwheel.measure.credit.estimate import estimates
from cartwheel.measure.credit.record import TABLE, append, effects_of_test, rows_of
from cartwheel.settings import PinnedSettings
from cartwheel.signals.base import Signals
from cartwheel.signals.engine import when_of
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.prepared import PreparedSignals
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.simulator.arms.wheel import ZONE
from cartwheel.simulator.mending.play import (
    LOOKED_ON,
    RETURN_DAYS,
    SIZE,
    SIZE_FIT,
    Looked,
    begun,
    day_of,
    days,
    instant,
    look,
    mend,
    trial_of,
)
from cartwheel.turn.core import context_of

if TYPE_CHECKING:
    from cartwheel.simulator.world.world import World

WATCHED_DAYS = 100
"""Days of sales of the second wave that are looked at."""

FORM = "size note"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondWave:
    """What became of the second wave in one world.

    Attributes:
        seed: Its number.
        fixed: Products mended in the first wave.
        held_out: Products left alone in it.
        foretold: Share of what is at stake that a size note takes back, as the first
            test told, with its 95 % interval; None where it could not tell.
        mended: Products mended in the second wave.
        back: Units of these that came back for size without any fix.
        truth: Share of what was at stake that the fixes took back: units that did not
            come back, for any reason, over `back`; None without any.
        for_size: The same of those that did not come back for size; some of these come
            back for another reason.
    """

    seed: int
    fixed: int
    held_out: int
    foretold: tuple[float, float, float] | None
    mended: int
    back: int
    truth: float | None
    for_size: float | None

    @property
    def covered(self) -> bool | None:
        """The interval foretold holds the truth; None without either."""
        if self.foretold is None or self.truth is None:
            return None
        return self.foretold[1] <= self.truth <= self.foretold[2]


def play_second(seed: int) -> SecondWave:
    """Play a world with two waves of fixes, and without any."""
    end = SIZE.days + WATCHED_DAYS + RETURN_DAYS
    world, _ = begun(seed, last_day=end)
    days(world, LOOKED_ON)
    first = look(world, seed, trials=[trial_of(world, seed)])
    mend(world, [name for name, fixed in first.sizes.items() if fixed])
    days(world, SIZE.days)
    _record(world, _enrolled(world, first))
    second = look(world, seed)
    mended = {name for name, fixed in first.assigned.items() if fixed}
    wave = sorted(second.sizes.keys() - mended)
    mend(world, wave)
    days(world, end)
    with_fixes = _counted(world, wave)
    world.facts.close()
    other, _ = begun(seed, last_day=end)
    days(other, end)
    without = _counted(other, wave)
    other.facts.close()
    back = int(without.returned.sum())
    kept = float((without.came_back - with_fixes.came_back).sum())
    for_size = float((without.returned - with_fixes.returned).sum())
    return SecondWave(
        seed=seed,
        fixed=len(mended),
        held_out=len(first.assigned) - len(mended),
        foretold=_foretold(second),
        mended=len(wave),
        back=back,
        truth=kept / back if back else None,
        for_size=for_size / back if back else None,
    )


def _enrolled(world: World, looked: Looked) -> list[Enrolled]:
    return [
        Enrolled(
            product_id=one.subject_id,
            objection=str(one.decision.action["objection"]),
            form=str(one.decision.action["form"]),
            fixed=fixed,
            since=instant(world, LOOKED_ON),
        )
        for one, fixed in looked.drawn
    ]


def _record(world: World, products: Sequence[Enrolled]) -> None:
    """Let what the first test found become a fact, as the beginning of a turn does."""
    on = day_of(world, world.day - 1)
    found = effects_of_test(
        world.facts.connection,
        texts_raising(_texts(world), [one.product_id for one in products]),
        products,
        experiment="mending",
        schema="main",
        timezone=ZONE,
        last=on - timedelta(days=RETURN_DAYS),
        on=on,
    )
    rows = rows_of(estimates(found), on=on, timezone=ZONE, batch=0)
    if rows:
        append(world.facts.connection, f"main.{TABLE}", rows)


def _texts(world: World) -> Signals:
    """Return what customers said up to last night."""
    settings = PinnedSettings(currency=world.spec.money.currency, timezone=ZONE)
    when = when_of(day_of(world, world.day - 1), ZONE)
    only = [FEEDBACK.name, THEME_CORRECTIONS.name]
    signals = PreparedSignals(world.facts.connection, ZONE, only=only)
    return Signals(signals.compute(when), context_of(settings, when))


def _foretold(looked: Looked) -> tuple[float, float, float] | None:
    for row in looked.effects.to_pylist():
        if (row["objection"], row["form"]) == (SIZE_FIT, FORM):
            return row["share"], row["share_low"], row["share_high"]
    return None


def _counted(world: World, wave: Sequence[str]) -> Counts:
    """Return the sums of the second wave's products."""
    products = [
        Enrolled(
            product_id=name,
            objection=SIZE_FIT,
            form=FORM,
            fixed=True,
            since=instant(world, SIZE.days),
        )
        for name in wave
    ]
    return count(
        world.facts.connection,
        products,
        SIZE_FIT,
        texts_raising(_texts(world), wave),
        schema="main",
        until=instant(world, SIZE.days + WATCHED_DAYS),
        known=instant(world, world.day),
    )
