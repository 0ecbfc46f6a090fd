"""A world played under simple rules, a fault seeded near its end, and its health.

The rules read the world and not the records, so damaged records change no sale. The
worlds are smaller than size `small`: 2,500 customers and 100 products for 154 days,
some 200 to 350 orders a month; that makes a world a matter of seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.measure.health.data import RECENT_DAYS, Made, gather
from cartwheel.measure.health.finding import Finding
from cartwheel.measure.health.spokes import faults_of, find_faults
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
    """

    world: str
    seed: int
    fault: str
    spoke: str
    began: int
    named: tuple[str, ...]
    first: bool
    says: str


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


def play_fault(world: str, seed: int, fault: Fault | None) -> Told:
    """Play a world, seed a fault or none, and tell what health says on the last day."""
    rng = np.random.default_rng([seed, len(world), 7])
    began = int(rng.integers(FIRST, LAST + 1))
    findings, slow = play_health(world, seed, fault, began)
    spoke = "" if fault is None else fault.spoke
    if fault is not None and fault.kind == SUPPLIER:
        spoke = f"supplier S{slow + 1}"
    broken = [one for one in faults_of(findings) if one.state == "broken"]
    named = tuple(dict.fromkeys(one.spoke for one in broken))
    return Told(
        world=world,
        seed=seed,
        fault="" if fault is None else fault.kind,
        spoke=spoke,
        began=0 if fault is None else began,
        named=named,
        first=bool(spoke) and named[:1] == (spoke,),
        says=broken[0].says if broken else "",
    )


def play_health(
    name: str, seed: int, fault: Fault | None, began: int
) -> tuple[list[Finding], int]:
    """Return a world's findings and the index of its slow supplier, -1 for none."""
    world = World(load_world(name), SIZE, seed)
    since = SIZE.days - began
    kind = "" if fault is None else fault.kind
    shop = Shop(since if kind == MAIL else None, seed)
    slow, orders = -1, Counter[int]()
    while not world.over:
        if kind == SUPPLIER and world.day == since:
            slow = _near_supplier(world, orders)
            world._suppliers = SlowSupplier(world.suppliers, slow, since)
        log = world.play_day(shop)
        orders.update({line.supplier: 1 for line in log.placed})
    con = world.facts.connection
    end = _instant(world, SIZE.days)
    known = _costs_known(con, end - timedelta(days=RECENT_DAYS))
    if fault is not None and fault.damage is not None:
        fault.damage(con, _instant(world, since))
    data = gather(
        con,
        schema="main",
        end=end,
        decisions=_decisions(world, shop.agreed),
        costs_before=known,
        seed=seed,
    )
    findings = find_faults(data)
    world.facts.close()
    return findings, slow


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
