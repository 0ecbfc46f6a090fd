"""A shop with a test of size notes: half of its products return for size as before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cartwheel.measure.experiment.store import create
from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.experiment.trial import CONTROL
from cartwheel.operations import turns
from cartwheel.settings import PinnedSettings
from cartwheel.shop import Shop
from cartwheel.turn.steps import TurnRow
from tests.contract.tiny_lake import TinyLake
from tests.page_fixes import fix, put

LOOKED = date(2026, 1, 5)
STARTS, ENDS = LOOKED + timedelta(days=1), date(2026, 3, 31)
NAME = "size-notes"
PRODUCTS = tuple(f"P{n:02d}" for n in range(24))
SOLD = 12


def terms_of(name: str = NAME, starts: date = STARTS, ends: date = ENDS) -> Terms:
    """Return terms of a test of page fixes by product."""
    return Terms(
        name=name,
        question="Do size notes pay?",
        lever="content",
        unit="product",
        metric="margin",
        wanted=0.1,
        stop="fixed",
        starts_on=starts,
        ends_on=ends,
        mode="production",
    )


def row_of(number: int, on: date) -> TurnRow:
    """Return a turn that begins."""
    return TurnRow(
        number=number,
        as_of=on.isoformat(),
        state="running",
        step="sense",
        snapshot=None,
        seed=1,
        settings=PinnedSettings(currency="EUR", timezone="UTC"),
        cuts=(),
        previous=None,
    )


def add_turn(shop: Shop, number: int, on: date) -> None:
    """Put a published turn on record."""
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=on.isoformat(),
                state="published",
                step="published",
                seed=1,
                settings="{}",
                cuts="[]",
                levers="{}",
                started_at=f"{on}T00:00:00.000000Z",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeShop:
    """The shop.

    Attributes:
        lake: Its facts.
        fixed: Products whose page was to be mended.
        alone: Products left alone.
    """

    lake: TinyLake
    fixed: tuple[str, ...]
    alone: tuple[str, ...]

    @property
    def shop(self) -> Shop:
        return self.lake.shop


def shop_with_test(folder: Path) -> MadeShop:
    """Return a shop whose fixes were drawn by the turn of `LOOKED`."""
    lake = TinyLake(folder)
    terms = terms_of()
    create(lake.shop.database, terms, actor="owner")
    add_turn(lake.shop, 1, LOOKED)
    arms = {name: terms.trial().arm_of(STARTS, product=name) for name in PRODUCTS}
    for name, arm in arms.items():
        state = "held_out" if arm == CONTROL else "applied"
        put(lake.shop, fix(name), turn=1, state=state)
    return MadeShop(
        lake=lake,
        fixed=tuple(n for n, arm in arms.items() if arm != CONTROL),
        alone=tuple(n for n, arm in arms.items() if arm == CONTROL),
    )


def sell(
    made: MadeShop,
    products: Iterable[str],
    back: int,
    *,
    on: date = date(2026, 1, 12),
    reason: str = "too small",
    mark: str = "a",
) -> None:
    """Sell each product `SOLD` times on a day; some come back ten days later."""
    later = (on + timedelta(days=10)).isoformat()
    for name in products:
        for n in range(SOLD):
            order = f"{mark}-{name}-{n}"
            made.lake.sale(order, name, f"{on} 12:00")
            line = str(made.lake._charges)
            if n < back:
                made.lake.add(
                    "returns",
                    return_id=f"r-{order}",
                    line_id=line,
                    order_id=order,
                    product_id=name,
                    variant_id=name,
                    returned_at=f"{later} 12:00",
                    quantity_units=1,
                    reason=reason,
                )
            made.lake.add(
                "events",
                event_id=f"v-{order}",
                kind="view",
                occurred_at=f"{on} 11:00",
                product_id=name,
            )
