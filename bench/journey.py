"""How often the journey names what did not drop, and whether it finds what did.

Sample shops of 60 products and 4,000 customers, 140 days: prices, seasons, launches and
stock-outs go on in them as ever, and no page has a fault. In copies of each, three in
four carts or all carts of one of its ten most seen products are lost in the last 28
days. Whether what is told low is low needs a truth: made counts of products whose true
shares are known.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.measure import Figure, Plan
from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.measure.journey.data import gather
from cartwheel.measure.journey.judge import look_at
from cartwheel.measure.journey.page import journey_page
from cartwheel.measure.journey.tally import WEEKS, Tally
from cartwheel.measure.kpi.intervals import wilson
from cartwheel.signals.days import midnight_after
from cartwheel.simulator.sample import TIMEZONE, make_sample

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHOPS, QUICK_SHOPS = 200, 3
FIRST_SEED = 2_001
"""Shops it was developed on have seeds below 1,000."""

START, DAYS = date(2025, 1, 1), 140
PRODUCTS, CUSTOMERS = 60, 4_000
MOST_SEEN = 10
FAULTS = (3, 4)
"""Carts lost of four."""

TABLES = ("events", "orders", "order_lines", "consents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the journey said of one shop.

    Attributes:
        looks: Comparisons made.
        fell: Places named as fallen where nothing is wrong.
        low: Places named as low there.
        first: By carts lost of four: its product is named first in the copy.
        among: Likewise: its product is named at all.
        others: Likewise: other products are named.
    """

    looks: int
    fell: int
    low: int
    first: Mapping[int, bool]
    among: Mapping[int, bool]
    others: Mapping[int, bool]


def journey(plan: Plan) -> Iterator[Figure]:
    """Measure how often something is named in healthy shops, and a fault first."""
    shops = QUICK_SHOPS if plan.quick else SHOPS
    told = [play(FIRST_SEED + one) for one in range(shops)]
    yield _share("healthy shop: anything fell", [one.fell > 0 for one in told], 0.1)
    yield _share("healthy shop: anything low", [one.low > 0 for one in told])
    for lost in FAULTS:
        fault = f"{lost} of 4 carts lost"
        yield _share(f"{fault}: named first", [one.first[lost] for one in told])
        yield _share(f"{fault}: named at all", [one.among[lost] for one in told])
        yield _share(f"{fault}: another product", [one.others[lost] for one in told])
    yield Figure(
        part="journey",
        name="comparisons with its own days",
        size="a shop",
        unit="",
        values=[float(np.mean([one.looks for one in told]))],
    )
    named = [known_shares(FIRST_SEED + one) for one in range(shops)]
    low = sum(count for _, count in named)
    yield Figure(
        part="journey",
        name="known shares: told low and not below the usual",
        size=f"{low:,} told in {shops:,} shops",
        unit="",
        values=[float(np.mean([w / max(n, 1) for w, n in named]))],
        most=0.05,
    )


def play(seed: int) -> Told:
    """Return what the journey says of a shop, without and with a fault."""
    facts = make_sample(
        seed=seed, start=START, days=DAYS, products=PRODUCTS, customers=CUSTOMERS
    )
    healthy = tell(facts)
    product = _seen_often(facts, seed)
    first, among, others = {}, {}, {}
    for lost in FAULTS:
        events = lose_carts(facts["events"], product, lost)
        named = tell({**facts, "events": events})["drop_offs"]
        products = {one["place"] for one in named if one["kind"] == "product"}
        first[lost] = any(one["place"] == product for one in named[:1])
        among[lost] = product in products
        others[lost] = bool(products - {product})
    return Told(
        looks=healthy["looked_at"],
        fell=len(healthy["drop_offs"]),
        low=len(healthy["low"]),
        first=first,
        among=among,
        others=others,
    )


def known_shares(seed: int) -> tuple[int, int]:
    """Return how many are told low wrongly, and how many are told low, in made counts.

    Sixty products with shares around 8 %, as unlike as those of a sample shop, that
    move by a quarter from month to month; a third have exactly the usual share.
    """
    rng = np.random.default_rng(seed)
    true = np.where(np.arange(PRODUCTS) % 3 == 0, 0.08, rng.beta(4, 46, PRODUCTS))
    months = rng.gamma(16, 1 / 16, (PRODUCTS, -(-WEEKS // 4)))
    each = np.minimum(true[:, None] * np.repeat(months, 4, axis=1)[:, :WEEKS], 1.0)
    visits = rng.poisson(rng.gamma(2, 40, PRODUCTS)[:, None], each.shape)
    on = rng.binomial(visits, each)
    places = [
        Tally(step="product", kind="product", place=str(i), visits=seen, on=went)
        for i, (seen, went) in enumerate(zip(visits, on, strict=True))
    ]
    low = [
        float(true[int(one.tally.place)])
        for one in look_at(places)
        if one.named and one.against == "others"
    ]
    return sum(share >= true.mean() for share in low), len(low)


def tell(facts: dict[str, pa.Table]) -> dict[str, Any]:
    """Return the journey's page of a shop."""
    import duckdb

    on = START + timedelta(days=DAYS - 1)
    con = duckdb.connect(config={"threads": "1"})
    for name in TABLES:
        _keep(con, name, facts[name])
    listing = facts["products"].select(["product_id", "title", "category"])
    data = gather(
        con,
        schema="main",
        on=on,
        end=midnight_after(on, TIMEZONE),
        signals={"listing": listing},
    )
    page = journey_page(data)
    con.close()
    return page


def lose_carts(events: pa.Table, product: str, lost: int) -> pa.Table:
    """Return events without some in four of a product's carts of the last 28 days."""
    import pyarrow.compute as pc

    since = midnight_after(START + timedelta(days=DAYS - 29), TIMEZONE)
    hit = pc.and_(
        pc.and_(
            pc.equal(events["product_id"], product),
            pc.equal(events["kind"], "add_to_cart"),
        ),
        pc.greater_equal(events["occurred_at"], since),
    )
    drawn = [zlib.crc32(i.encode()) % 4 < lost for i in _texts(events)]
    gone = np.asarray(hit.fill_null(False).to_pylist()) & np.asarray(drawn)
    return events.filter(~gone)


def _texts(events: pa.Table) -> list[str]:
    found: list[str] = events["event_id"].to_pylist()
    return found


def _seen_often(facts: dict[str, pa.Table], seed: int) -> str:
    """Return one of the ten most seen products, another for another seed."""
    counts = facts["events"]["product_id"].drop_null().value_counts().to_pylist()
    counts.sort(key=lambda one: (-one["counts"], one["values"]))
    return str(counts[seed % MOST_SEEN]["values"])


def _keep(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Make a fact table of rows known since what dates them."""
    dated = TABLE_BY_NAME[name].dated_by
    con.register("given", rows)
    con.execute(
        f"CREATE TABLE {name} AS SELECT *, {dated} AS known_at, {dated} AS "
        "imported_at, '' AS content_hash FROM given"
    )
    con.unregister("given")


def _share(name: str, found: list[bool], most: float | None = None) -> Figure:
    low, high = wilson(sum(found), len(found))
    return Figure(
        part="journey",
        name=f"{name} (95 %: {low:.0%} to {high:.0%})",
        size=f"{len(found):,} shops",
        unit="",
        values=[sum(found) / len(found)],
        most=most,
    )
