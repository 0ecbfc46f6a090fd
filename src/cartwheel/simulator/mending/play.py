"""A world with a size confusion in one category: is it found, mended, and told right?

Every article of the largest category is cut too small and no page says so. After some
months the levers `voice` and `content` look at the shop's records, as in a turn; what
they propose passes the gate, where a hash leaves half of the products alone; the owner
says yes to the rest. From then on shoppers of a mended page take heed: the logit of a
return for size shrinks by a share. The same world is played a second time without any
fix, so that what the fixes truly did is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.gate.base import Candidate
from cartwheel.gate.context import make_context
from cartwheel.gate.order import pass_gate
from cartwheel.levers.content import Content
from cartwheel.levers.voice import Voice
from cartwheel.measure.experiment.trial import Trial
from cartwheel.measure.page_fixes import Score, score_fixes
from cartwheel.settings import Holdout, PinnedSettings
from cartwheel.signals.base import beside
from cartwheel.signals.engine import when_of
from cartwheel.signals.fix_effects import FIX_EFFECTS
from cartwheel.signals.prepared import PreparedSignals
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.wheel import ZONE
from cartwheel.simulator.world.records import midnight
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.simulator.world.world import World
from cartwheel.turn.core import context_of, turn_core
from cartwheel.wheel import find_kinds

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from cartwheel.levers.base import Lever

WORLD = "apparel"
SIZE = Size(products=200, customers=40_000, warmup_days=60, days=330)
LOOKED_ON = 200
"""Day on which the records are looked at and pages are mended."""

RETURN_DAYS = 30
"""Days at the end whose sales are left out: they may still come back."""

HEEDED = 0.7
"""Share by which a note takes the logit of a return for size away."""

MOST = 200
"""Fixes a turn may propose here, so that one turn makes one test."""

SIZE_FIT = "size_fit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What became of one world.

    Attributes:
        seed: Its number.
        confused: Products of the category that is cut too small, on sale that day.
        proposed: Size notes proposed.
        right: Of these, on products of that category.
        first: The costliest proposal is a size note on one of them.
        fixed: Products mended.
        held_out: Products left alone.
        score: The measured effect on the return rate.
        truth: What the fixes did to the return rate of the mended products.
    """

    seed: int
    confused: int
    proposed: int
    right: int
    first: bool
    fixed: int
    held_out: int
    score: Score
    truth: float

    @property
    def covered(self) -> bool | None:
        """The measured interval holds the truth; None without one."""
        found = self.score.found
        return None if found is None else found.low <= self.truth <= found.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the levers proposed on a day, and what the gate made of it.

    Attributes:
        candidates: Page fixes, in the order in which they were proposed.
        drawn: Those that passed, and whether each page is mended or left alone.
        effects: What tests of fixes had told by that day: the signal `fix_effects`.
    """

    candidates: tuple[Candidate, ...]
    drawn: tuple[tuple[Candidate, bool], ...]
    effects: pa.Table

    @property
    def assigned(self) -> dict[str, bool]:
        """Whether each product with a page fix is mended."""
        return {one.subject_id: fixed for one, fixed in self.drawn}

    @property
    def sizes(self) -> dict[str, bool]:
        """The same of size notes."""
        return {
            one.subject_id: fixed
            for one, fixed in self.drawn
            if one.decision.action["objection"] == SIZE_FIT
        }


def play(seed: int) -> Mended:
    """Play a world with fixes and without, and compare what was told with the truth."""
    world, category = begun(seed)
    days(world, LOOKED_ON)
    looked = look(world, seed, trials=[trial_of(world, seed)])
    assigned, sizes = looked.assigned, looked.sizes
    mend(world, [name for name, fixed in sizes.items() if fixed])
    days(world, SIZE.days)
    start, until = instant(world, LOOKED_ON), instant(world, SIZE.days - RETURN_DAYS)
    known = instant(world, SIZE.days)
    con = world.facts.connection
    card = score_fixes(
        con,
        assigned,
        schema="main",
        before=instant(world, 0),
        start=start,
        until=until,
        known=known,
    )
    mended = sorted(name for name, fixed in assigned.items() if fixed)
    with_fixes = _return_rate(con, mended, start, until, known)
    goods = world.state.goods
    mine = goods.category == category
    confused = set(goods.product_ids[mine & (goods.launched < LOOKED_ON)].tolist())
    ranked = _ranked(world, looked)
    world.facts.close()
    other, _ = begun(seed)
    days(other, SIZE.days)
    without = _return_rate(other.facts.connection, mended, start, until, known)
    other.facts.close()
    return Mended(
        seed=seed,
        confused=len(confused),
        proposed=len(sizes),
        right=len(confused & sizes.keys()),
        first=bool(ranked) and ranked[0] == (SIZE_FIT, True),
        fixed=sum(assigned.values()),
        held_out=len(assigned) - sum(assigned.values()),
        score=card.scores[0],
        truth=with_fixes - without,
    )


def begun(seed: int, *, last_day: int | None = None) -> tuple[World, int]:
    """Return a world at its beginning, and the category that is cut too small.

    Args:
        seed: Its number.
        last_day: Days it lasts, `SIZE` without it.
    """
    size = SIZE if last_day is None else replace(SIZE, days=last_day)
    world = World(load_world(WORLD), size, seed)
    goods = world.state.goods
    sized = [i for i, c in enumerate(world.spec.goods.categories) if c.sizes]
    category = max(sized, key=lambda i: (int((goods.category == i).sum()), -i))
    small = (goods.category == category).astype(float)
    world.state.goods = replace(goods, runs_small=small)
    return world, category


def days(world: World, until: int) -> None:
    """Play a world until a day."""
    policy = Plain()
    while world.day < until and not world.over:
        world.play_day(policy)


def look(world: World, seed: int, *, trials: Sequence[Trial] = ()) -> Looked:
    """Let the levers look at the records of a world, and the gate draw.

    Args:
        world: The world; last night is the day looked from.
        seed: Seed of the turn.
        trials: Tests that run.
    """
    settings = PinnedSettings(
        currency=world.spec.money.currency,
        timezone=ZONE,
        holdout=Holdout(levers={}),
        levers={"content": {"most_a_turn": MOST}},
    )
    levers: dict[str, Lever] = {"voice": Voice(), "content": Content()}
    when = when_of(day_of(world, world.day - 1), ZONE)
    signals = PreparedSignals(world.facts.connection, ZONE)
    with signals.day(when) as made:
        runs = turn_core(
            list(levers.values()),
            made,
            context_of(settings, when),
            cuts=(),
            previous={},
            seed=seed,
            pages=False,
        )
        candidates = tuple(
            Candidate(lever="content", decision=one, body=one.canonical())
            for one in runs["content"].decisions
            if one.kind == "page_fix"
        )
        tables = beside(runs["voice"].emitted, made)
        context = make_context(
            settings,
            find_kinds(levers),
            tables,
            {},
            day=when.as_of + timedelta(days=1),
            trials=list(trials),
        )
        verdict = pass_gate(candidates, context)
        effects = made[FIX_EFFECTS.name]
    held = [one.candidate for one in verdict.refused if one.state == "held_out"]
    return Looked(
        candidates=candidates,
        drawn=(
            *((one, True) for one in verdict.passed),
            *((one, False) for one in held),
        ),
        effects=effects,
    )


def _ranked(world: World, looked: Looked) -> list[tuple[str, bool]]:
    """Return the objection of each proposal, and whether its article is cut small."""
    goods = world.state.goods
    small = dict(
        zip(goods.product_ids.tolist(), (goods.runs_small > 0).tolist(), strict=True)
    )
    return [
        (str(one.decision.action["objection"]), small[one.subject_id])
        for one in looked.candidates
    ]


def trial_of(world: World, seed: int) -> Trial:
    """Return the test of the first fixes: half of the products keep their pages."""
    as_of = day_of(world, LOOKED_ON - 1)
    return Trial(
        name="mending",
        lever="content",
        unit="product",
        salt=f"experiment/mending-{seed}",
        control_share=0.5,
        starts_on=as_of,
        ends_on=as_of + timedelta(days=SIZE.days),
    )


def mend(world: World, products: Sequence[str]) -> None:
    """Let shoppers of some pages know that an article is cut small."""
    goods = world.state.goods
    told = np.isin(goods.product_ids, list(products))
    heeded = np.where(told, 1.0 - HEEDED, 1.0)
    world.state.goods = replace(goods, runs_small=goods.runs_small * heeded)


def _return_rate(
    con: duckdb.DuckDBPyConnection,
    products: Sequence[str],
    start: datetime,
    until: datetime,
    known: datetime,
) -> float:
    """Return which share of units came back, over some products."""
    row = con.execute(
        "SELECT sum(coalesce(back.units, 0)) / sum(line.quantity_units) "
        "FROM order_lines line LEFT JOIN (SELECT order_id, line_id, "
        "sum(quantity_units) AS units FROM returns WHERE known_at < ? "
        "GROUP BY ALL) back USING (order_id, line_id) WHERE line.kind = 'product' "
        "AND line.placed_at >= ? AND line.placed_at < ? "
        "AND list_contains(?, line.product_id)",
        [known, start, until, list(products)],
    ).fetchone()
    return float(row[0]) if row is not None and row[0] is not None else 0.0


def day_of(world: World, day: int) -> date:
    """Return the date of a day of a world."""
    return instant(world, day).date()


def instant(world: World, day: int) -> datetime:
    """Return the first instant of a day of a world, naive UTC."""
    at: datetime = midnight(world.state, day).astype(datetime)
    return at
