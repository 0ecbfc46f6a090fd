"""A world played under simple rules, a fault seeded near its end, and its health.

The rules read the world and not the records, so damaged records change no sale. The
worlds are smaller than size `small`: 2,500 customers and 100 products for 154 days,
some 80 to 140 orders a month; that makes a world a matter of seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.health.data import RECENT_DAYS, Made, gather
from cartwheel.measure.health.drift import find_drift
from cartwheel.measure.health.spokes import find_faults
from cartwheel.simulator.arms.base import Actions, Mail, ShopView
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.faults.seeded import (
    FAULTS,
    MAIL,
    SUPPLIER,
    Fault,
    SlowSupplier,
)
from cartwheel.simulator.world.records import midnight
from cartwheel.simulator.world.spec import WORLDS, Size, load_world
from cartwheel.simulator.world.world import World

if TYPE_CHECKING:
    import duckdb

SIZE = Size(products=100, customers=2_500, warmup_days=70, days=154)
FIRST, LAST = RECENT_DAYS - 7, RECENT_DAYS + 7
"""A fault begins so many days before the world's end."""

NEAR_DAYS = 14
"""Longest promise of a supplier that is made slow."""

REVIEWED, STEP = 0.1, 0.05
"""Share of the articles that are repriced each week, and by how much at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What health said of one world.

    Attributes:
        world: Kind of world.
        seed: Its number.
        fault: Kind of fault, "" for none.
        spoke: Spoke that is broken, "" for none.
        began: Days before the end on which the fault began, 0 for none.
        named: Spokes that health calls broken, worst first.
        first: The broken spoke is named first.
        says: What health says of the first.
        drifted: Inputs that health says have drifted.
    """

    world: str
    seed: int
    fault: str
    spoke: str
    began: int
    named: tuple[str, ...]
    first: bool
    says: str
    drifted: tuple[str, ...] = ()


class Shop(Plain):
    """The shop without AI that also reviews its prices weekly, as shops do.

    Args:
        silent_from: Day from which agreed mails are not sent, or None.
        seed: Number of the world.
    """

    def __init__(self, silent_from: int | None, seed: int) -> None:
        super().__init__()
        self._silent_from, self._seed = silent_from, seed
        self.agreed: list[tuple[int, Mail]] = []

    def morning(self, shop: ShopView) -> Actions:
        """Do as without AI; keep what was agreed, and send it unless it is silent."""
        actions = super().morning(shop)
        self.agreed += [(shop.day, mail) for mail in actions.mails]
        silent = self._silent_from is not None and shop.day >= self._silent_from
        return Actions(
            prices_minor=self._review(shop) if shop.day % 7 == 3 else {},
            purchases=actions.purchases,
            mails=() if silent else actions.mails,
        )

    def _review(self, shop: ShopView) -> dict[str, int]:
        rng = np.random.default_rng([self._seed, shop.day])
        found = {}
        for article in shop.articles():
            drawn, size = rng.random(), rng.uniform(1 - STEP, 1 + STEP)
            # About its cost, so that a year of reviews does not wander off.
            if drawn < REVIEWED and article.promotion_bps == 0:
                found[article.variant_id] = max(round(article.price_minor * size), 1)
        return found


def pair_of(seed: int) -> tuple[str, Fault]:
    """Return the kind of world and the fault that go with a seed.

    Eleven kinds and four worlds have no common factor, so they meet in every way.
    """
    return WORLDS[(seed - 1) % len(WORLDS)], FAULTS[(seed - 1) % len(FAULTS)]


def play_pair(world: str, seed: int, fault: Fault) -> tuple[Told, Told]:
    """Play a world; return what health says of it healthy, and with a fault seeded.

    Damage to records is done to the very world that was healthy; a fault of the world
    itself is played anew.
    """
    rng = np.random.default_rng([seed, len(world), 7])
    began = int(rng.integers(FIRST, LAST + 1))
    played = Played(world, seed)
    healthy = played.tell()
    if fault.damage is not None:
        fault.damage(played.con, played.instant(SIZE.days - began))
    else:
        played.close()
        played = Played(world, seed, fault.kind, SIZE.days - began)
    sick = played.tell(fault, began)
    played.close()
    return healthy, sick


class Played:
    """A world played to its end, with the records the product sees.

    Args:
        name: Kind of world.
        seed: Its number among its like.
        kind: Fault of the world itself, "" for none.
        since: Day from which that fault is there.
    """

    def __init__(self, name: str, seed: int, kind: str = "", since: int = 0) -> None:
        self._world = world = World(load_world(name), SIZE, seed)
        self._shop = shop = Shop(since if kind == MAIL else None, seed)
        self._name, self._slow = name, -1
        orders: Counter[int] = Counter()
        while not world.over:
            if kind == SUPPLIER and world.day == since:
                self._slow = _near_supplier(world, orders)
                world._suppliers = SlowSupplier(world.suppliers, self._slow, since)
            log = world.play_day(shop)
            orders.update({line.supplier for line in log.placed})
        self.con = world.facts.connection
        # As a turn four weeks ago knew them, whatever is damaged later.
        self._costs = _costs_known(self.con, self.instant(SIZE.days - RECENT_DAYS))

    def instant(self, day: int) -> datetime:
        """Return the first instant of a day, naive UTC."""
        return _instant(self._world, day)

    def tell(self, fault: Fault | None = None, began: int = 0) -> Told:
        """Return what health says on the last day."""
        data = gather(
            self.con,
            schema="main",
            end=self.instant(SIZE.days),
            decisions=_decisions(self._world, self._shop.agreed),
            costs_before=self._costs,
            seed=self._world.seed,
        )
        broken = [one for one in find_faults(data) if one.state == "broken"]
        spoke = "" if fault is None else fault.spoke
        if fault is not None and fault.kind == SUPPLIER:
            spoke = f"supplier S{self._slow + 1}"
        named = tuple(dict.fromkeys(one.spoke for one in broken))
        return Told(
            world=self._name,
            seed=self._world.seed,
            fault="" if fault is None else fault.kind,
            spoke=spoke,
            began=began,
            named=named,
            first=bool(spoke) and named[:1] == (spoke,),
            says=broken[0].says if broken else "",
            drifted=tuple(one.name for one in find_drift(data) if one.alarm),
        )

    def close(self) -> None:
        """Let go of the records."""
        self._world.facts.close()


def _near_supplier(world: World, orders: Counter[int]) -> int:
    """Return the supplier most ordered from, of those that promise two weeks or less.

    An order that is not due before the world ends cannot show that it is late, so a
    supplier over the sea is no fair question.
    """
    terms = world.spec.supply.suppliers
    near = [i for i, one in enumerate(terms) if one.promised_days <= NEAR_DAYS]
    return max(near or range(len(terms)), key=lambda i: (orders[i], -i))


def _instant(world: World, day: int) -> datetime:
    at: datetime = midnight(world.state, day).astype(datetime)
    return at.replace(tzinfo=UTC).replace(tzinfo=None)


def _costs_known(con: duckdb.DuckDBPyConnection, at: datetime) -> frozenset[str]:
    """Return the variants whose cost a turn four weeks ago knew."""
    rows = con.execute(
        "SELECT DISTINCT variant_id FROM costs WHERE known_at < ?", [at]
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def _decisions(world: World, agreed: Sequence[tuple[int, Mail]]) -> list[Made]:
    """Return agreed mails as a shop's ledger holds them: they stand in the outbox."""
    return [
        Made(
            id=f"{day}-{mail.customer_id}",
            lever="lifecycle",
            kind="mailing",
            subject=f"customer:{mail.customer_id}",
            state="applied",
            at=_instant(world, day),
            turn=day // 7 + 1,
            message=True,
        )
        for day, mail in agreed
    ]
