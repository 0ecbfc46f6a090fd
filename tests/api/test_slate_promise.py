"""No slate holds what must not be shown: 10,000 mixed requests to a learned model.

What must not be shown is told here from the signals alone, not by the gate's rules.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cartwheel.api.serving import Published, ask, find_lever, load_published
from cartwheel.channels.storefront import make_cards
from cartwheel.gate.context import excluded_products, make_context
from cartwheel.levers.base import PLACEMENTS, Model, Request
from cartwheel.levers.recommend import Recommend
from cartwheel.merchandising import ShopRule
from cartwheel.settings import Guardrails, Settings
from cartwheel.signals.base import Signals
from cartwheel.turn.core import context_of
from cartwheel.turn.stage import Stage
from tests.turned import SECOND_DAY, turned_in

REQUESTS = 10_000
FLOOR_BPS = 1_000
SEED = 5


def changed(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=table.schema)


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, dict[str, Any]]:
    """A model learned from a shop with much that must not be shown."""
    made = turned_in(tmp_path_factory.getbasetemp())
    tables = Stage(folder=made.shop.turn_folder(2)).read_tables("signals")
    rng = random.Random(SEED)
    variants = tables["catalogue"].to_pylist()
    products = sorted({row["product_id"] for row in variants})
    rng.shuffle(products)
    sold_out, loses, off, blocked = (set(products[at : at + 4]) for at in (0, 4, 8, 12))
    of = {row["variant_id"]: row["product_id"] for row in variants}
    tables["stock"] = changed(
        tables["stock"],
        [
            {**row, "on_hand_units": 0, "inbound_units": 0, "cover_days": 0.0}
            if of.get(row["variant_id"]) in sold_out
            else {**row, "cover_days": None}
            for row in tables["stock"].to_pylist()
        ],
    )
    tables["margin"] = changed(
        tables["margin"],
        [
            {**row, "cost_minor": row["price_minor"], "margin_minor": 0}
            if of.get(row["variant_id"]) in loses
            else row
            for row in tables["margin"].to_pylist()
        ],
    )
    tables["catalogue"] = changed(
        tables["catalogue"],
        [{**row, "active": row["product_id"] not in off} for row in variants],
    )
    consent = tables["consent"].to_pylist()
    objecting = {r["customer_id"] for r in consent if r["personalisation"] is False}
    bought = [r for r in tables["purchases"].to_pylist() if r["last_on"] is not None]
    customers = sorted({row["customer_id"] for row in bought})
    returned = [
        {"customer_id": who, "product_id": what, "since_on": SECOND_DAY}
        for who, what in {
            row["customer_id"]: row["product_id"] for row in bought
        }.items()
        # Nothing of who objects to personalisation is looked at, returns included.
        if who not in objecting and rng.random() < 0.5
    ]
    tables["open_returns"] = changed(tables["open_returns"], returned)
    settings = Settings(
        currency="EUR",
        guardrails=Guardrails(
            blocked_products=tuple(sorted(blocked)), minimum_margin_bps=FLOOR_BPS
        ),
    )
    return publish(tables, settings, tmp_path_factory.mktemp("hard")), {
        "never": sold_out | off | blocked | below_floor(tables, of),
        "returned": {(row["customer_id"], row["product_id"]) for row in returned},
        "products": products,
        "customers": customers,
    }


def below_floor(tables: Mapping[str, pa.Table], of: Mapping[str, str]) -> set[str]:
    return {
        of[row["variant_id"]]
        for row in tables["margin"].to_pylist()
        if row["cost_minor"] is not None
        and row["price_minor"] is not None
        and row["price_minor"] - row["cost_minor"]
        < row["price_minor"] * FLOOR_BPS / 10_000 - 1
    }


def publish(
    tables: Mapping[str, pa.Table], settings: Settings, folder: Path
) -> Published:
    lever = Recommend()
    when = _when()
    names = {signal.name for signal in lever.reads}
    data = Signals(tables, context_of(settings, when)).restricted(names, frozenset())
    stage = Stage(folder=folder)
    stage.write_model("recommend", lever.learn(data, None, seed=SEED))
    context = make_context(settings, {}, tables, {})
    stage.write_json("gate", "excluded", excluded_products(context))
    stage.write_cards(make_cards(tables))
    return load_published(1, folder / "models" / "recommend", find_lever())


def _when() -> Any:
    from cartwheel.signals.engine import when_of

    day: date = SECOND_DAY
    return when_of(day, "Europe/Berlin")


def test_no_slate_holds_what_must_not_be_shown(
    hard: tuple[Published, dict[str, Any]],
) -> None:
    published, truth = hard
    rng = random.Random(SEED + 1)
    filled = 0
    for number in range(REQUESTS):
        request, rules = mixed(rng, truth)
        served = ask(published, request, f"request {number}", rules)
        shown = [slot.product_id for slot in served.answer.slots]
        assert len(shown) == len(set(shown)) <= request.limit
        assert not truth["never"] & set(shown), request
        assert not request.excluded & set(shown), request
        hidden = {r.product_id for r in rules if r.kind == "exclude"}
        assert not hidden & set(shown), request
        for name in shown:
            assert (request.customer, name) not in truth["returned"], request
        assert all(0 < slot.propensity <= 1 for slot in served.answer.slots)
        filled += bool(shown)
    assert filled > 0.9 * REQUESTS


def mixed(
    rng: random.Random, truth: Mapping[str, Any]
) -> tuple[Request, tuple[ShopRule, ...]]:
    """A request as shoppers, strangers and the hostile send them, and rules."""
    products, customers = truth["products"], truth["customers"]
    odd = ["nobody", "", "P\N{SNOWMAN}", "'; DROP TABLE products"]
    request = Request(
        placement=rng.choice(PLACEMENTS),
        customer=rng.choice([None, rng.choice(customers), rng.choice(odd)]),
        visitor=rng.choice([None, "d1", rng.choice(odd)]),
        context=tuple(rng.choice([*products, *odd]) for _ in range(rng.randrange(5))),
        limit=rng.choice([1, 2, 5, 10, 24]),
        holdout=rng.random() < 0.2,
        excluded=frozenset(rng.sample(products, rng.randrange(4))),
        category=rng.choice([None, None, "Kitchen", "no such"]),
    )
    rules = [
        ShopRule(
            kind=rng.choice(["pin", "exclude", "boost"]),
            product_id=rng.choice(products),
            position=rng.randrange(1, 5),
            factor=rng.choice([0.5, 3.0]),
        )
        for _ in range(rng.randrange(3))
    ]
    return request, tuple(rules)


def test_the_test_sees_a_gate_that_lets_everything_through(
    hard: tuple[Published, dict[str, Any]],
) -> None:
    published, truth = hard
    open_gate = replace(
        published,
        excluded=frozenset(),
        model=Model(
            rule=published.model.rule,
            arrays={
                **published.model.arrays,
                "eligible": published.model.arrays["eligible"] | True,
            },
            meta=published.model.meta,
        ),
    )
    request = Request(placement="home", limit=50)
    served = ask(open_gate, request, "open")
    assert truth["never"] & {slot.product_id for slot in served.answer.slots}
