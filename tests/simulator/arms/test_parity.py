"""What runs in a world is what a shop runs: durable turn and HTTP API decide alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from cartwheel.api.app import create_app
from cartwheel.api.keys import make_key
from cartwheel.api.serving import draw
from cartwheel.connectors.intake import append_harvest
from cartwheel.lake.tables import TABLES, FactTable
from cartwheel.levers.base import OnlineLever, Request, State
from cartwheel.measure.assign import in_holdout
from cartwheel.operations import decisions
from cartwheel.settings import Turning
from cartwheel.shop import Shop, make_shop
from cartwheel.simulator.arms.base import Page
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.arms.wheel import Wheel
from cartwheel.simulator.sample import harvest
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.simulator.world.world import View, World
from cartwheel.turn.workflow import run_turn
from cartwheel.wheel import find_levers

SEED = Turning().seed
SIZE = Size(products=50, customers=6_000, warmup_days=84, days=86)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """The same facts, decided on in a world and in a shop."""

    wheel: Wheel
    bare: Wheel
    shop: Shop


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    world = World(load_world("apparel"), SIZE, 3)
    plain = Plain()
    while world.day < SIZE.warmup_days:
        world.play_day(plain)
    folder = tmp_path_factory.mktemp("parity") / "shop"
    costs = {"parcel_minor": world.spec.money.parcel_minor}
    # Arms have the wheel's holdout alone.
    sections = {"costs": costs, "holdout.levers": {"recommend": 0}}
    shop = make_shop(folder, currency="EUR", timezone="UTC", sections=sections)
    midnight = datetime.combine(world.state.today, time())
    for versions, seconds in ((False, 2), (True, 1)):
        at = midnight - timedelta(seconds=seconds)
        # What a shop changed later was known later: it comes with a later import.
        facts = {
            table.name: _rows(world, table, changed=versions)
            for table in TABLES
            if table.dated_by is not None or not versions
        }
        kept = {name: rows for name, rows in facts.items() if rows.num_rows}
        report = append_harvest(shop, harvest(kept), "world", Path("world"), at)
        assert report.rows_rejected == 0
    wheel = Wheel("connected", currency="EUR", cuts=frozenset(), seed=SEED, **costs)
    wheel.morning(View(world))
    bare = Wheel(
        "bare", currency="EUR", cuts=frozenset(), seed=SEED, made_ahead=False, **costs
    )
    bare.morning(View(world))
    run_turn(shop, as_of=world.state.today - timedelta(days=1))
    yield Twice(wheel=wheel, bare=bare, shop=shop)
    world.facts.close()
    shop.database.dispose()


def _rows(world: World, table: FactTable, *, changed: bool) -> pa.Table:
    """Return rows known since what dates them, or those changed after that."""
    rows = world.facts.table(table.name)
    if table.dated_by is not None:
        same = pc.equal(rows["known_at"], rows[table.dated_by])
        rows = rows.filter(pc.invert(same) if changed else same)
    return rows.select(table.column_names)


def test_a_world_gives_every_lever_enough_to_learn_from(twice: Twice) -> None:
    states = {name: run.state for name, run in twice.wheel.runs.items()}
    assert states["recommend"] is State.HEALTHY
    assert states["forecast"] is State.HEALTHY
    assert states["replenish"] is State.HEALTHY


def test_the_durable_turn_makes_the_very_same_decisions(twice: Twice) -> None:
    verdict = twice.wheel.verdict
    assert verdict is not None
    inside = {(c.lever, c.body, c.state) for c in verdict.passed}
    inside |= {(r.candidate.lever, r.candidate.body, r.state) for r in verdict.refused}
    with twice.shop.database.connect() as con:
        rows = con.execute(
            select(decisions.c.lever, decisions.c.body, decisions.c.state)
        ).all()
    durable = {(row.lever, row.body, row.state) for row in rows}
    assert len(inside) > 100
    assert durable == inside


def test_lists_made_ahead_change_nothing_in_a_world(twice: Twice) -> None:
    """Arms leave them out to save time."""
    assert twice.bare.verdict is not None
    assert twice.wheel.verdict is not None
    lists = {"recommendation"}
    made = [
        {
            (c.lever, c.body, c.state)
            for c in wheel.verdict.passed
            if c.decision.kind not in lists or c.subject_id == "home"
        }
        for wheel in (twice.wheel, twice.bare)
    ]
    assert made[0] == made[1]
    assert twice.bare.done == twice.wheel.done
    pages = [
        Page(key=n, placement="home", customer=None, visitor=v, context=(), limit=10)
        for n, v in enumerate(["d000001", "d000007", "nobody"])
    ]
    assert twice.bare.slates(pages) == twice.wheel.slates(pages)


def test_the_api_gives_the_very_same_slates(twice: Twice) -> None:
    lever = find_levers()["recommend"]
    assert isinstance(lever, OnlineLever)
    model = twice.wheel._online
    assert model is not None
    key = make_key(twice.shop.database, "storefront", ["recommendations:read"])
    customers = [str(name) for name in model.arrays["customer_id"][:20]]
    readers = [str(name) for name in model.arrays["reader"]]
    visitors = [name[2:] for name in readers if name.startswith("v:")]
    assert len(visitors) > len(customers)
    products = [str(name) for name in model.arrays["product_id"][:4]]
    gone = products[3]
    with TestClient(create_app(twice.shop, console=False)) as client:
        for number, customer in enumerate([*customers, None]):
            for placement, context in (("home", ()), ("product", (products[0],))):
                visitor = visitors[number]
                query = {"placement": placement, "limit": "8", "visitor": visitor}
                query["exclude"] = gone
                if customer:
                    query["customer"] = customer
                if context:
                    query["context"] = ",".join(context)
                told = client.get(
                    "/v1/recommendations",
                    params=query,
                    headers={"Authorization": f"Bearer {key}"},
                ).json()
                question = Request(
                    placement=placement,
                    customer=customer,
                    visitor=visitor,
                    context=context,
                    limit=8,
                    holdout=told["arm"] == "holdout",
                    excluded=twice.wheel._excluded | {gone},
                )
                answer = lever.answer(model, question, rng=draw(told["decision"]))
                shown = [item["product_id"] for item in told["items"]]
                assert shown == [slot.product_id for slot in answer.slots], number


def test_the_api_leaves_the_very_same_devices_alone(twice: Twice) -> None:
    model = twice.wheel._online
    assert model is not None
    owners = dict(
        zip(
            model.arrays["device"].tolist(),
            model.arrays["device_owner"].tolist(),
            strict=True,
        )
    )
    holdout = twice.wheel.holdout
    share = holdout.share_bps / 10_000
    left = [d for d, who in owners.items() if in_holdout(who, share, holdout.salt)]
    free = [device for device in owners if device not in set(left)]
    assert len(left) > 3
    assert len(free) > 10
    key = make_key(twice.shop.database, "devices", ["recommendations:read"])
    gone = ",".join(sorted(twice.wheel._sold_out))
    query = {"placement": "home", "limit": "8"} | ({"exclude": gone} if gone else {})
    with TestClient(create_app(twice.shop, console=False)) as client:
        for device in [*left[:4], *free[:4], "d-unknown"]:
            told = client.get(
                "/v1/recommendations",
                params={**query, "visitor": device},
                headers={"Authorization": f"Bearer {key}"},
            ).json()
            page = Page(
                key=1,
                placement="home",
                customer=None,
                visitor=device,
                context=(),
                limit=8,
            )
            assert (told["arm"] == "holdout") is (device in left), device
            assert twice.wheel.held_out(page) is (device in left), device
            if device in left:
                # Nothing is drawn for them, so the slates are the same too.
                shown = [item["product_id"] for item in told["items"]]
                assert twice.wheel.slates([page]) == [shown]


def test_a_page_asks_the_lever_as_the_api_does(twice: Twice) -> None:
    page = Page(
        key=1, placement="home", customer=None, visitor="d1", context=(), limit=8
    )
    (first,) = twice.wheel.slates([page])
    (second,) = twice.wheel.slates([replace(page, key=2)])
    assert first == second, "the draw is the visitor's and the day's, not the page's"
    assert not set(first) & twice.wheel._excluded
