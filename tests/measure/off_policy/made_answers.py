"""A shop whose own recommender answered visitors, with known chances of a click."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from cartwheel.levers.base import Model, Request
from cartwheel.levers.recommend.lever import Recommend
from cartwheel.operations import turns
from cartwheel.turn.stage import Stage
from tests.contract.tiny_lake import TinyLake
from tests.levers.made import AS_OF, for_lever, made_signals

LEVER = Recommend()
LIMIT = 4
FIRST = datetime(2025, 7, 1, 9)


@dataclass(frozen=True)
class Answered:
    """The shop, its model, and the true chance that a product is clicked."""

    lake: TinyLake
    model: Model
    appeal: dict[str, float]


def learned(explore: float = 1.0, products: int = 14, seed: int = 1) -> Model:
    options = {"recommend": {"explore": explore}}
    data = made_signals(customers=150, products=products, options=options)
    return LEVER.learn(for_lever(LEVER, data), None, seed=seed)


def publish(
    lake: TinyLake,
    number: int,
    model: Model,
    as_of: str = AS_OF.isoformat(),
    state: str = "published",
) -> None:
    stage = Stage(folder=lake.shop.turn_folder(number))
    stage.write_model("recommend", model)
    stage.write_json("runs", "recommend", {"model": model.fingerprint()})
    (stage.folder / "gate").mkdir(exist_ok=True)
    (stage.folder / "gate" / "excluded.json").write_text('["p0001"]')
    with lake.shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=as_of,
                state=state,
                seed=1,
                settings="{}",
                started_at="2025-07-01T00:00:00.000000Z",
            )
        )


def answered(
    folder: Path, *, answers: int = 3_000, explore: float = 1.0, seed: int = 3
) -> Answered:
    """Return a shop in which every other question comes from a product page.

    Two in three visitors are customers who are signed in; all named what they viewed.
    """
    lake = TinyLake(folder)
    model = learned(explore)
    publish(lake, 1, model)
    rng = np.random.default_rng(seed)
    names = model.arrays["product_id"].tolist()
    customers = model.arrays["customer_id"].tolist()
    appeal = {
        name: float(x)
        for name, x in zip(names, rng.uniform(0.1, 0.9, len(names)), strict=True)
    }
    for n in range(answers):
        at = FIRST + timedelta(minutes=3 * n)
        who = customers[n % len(customers)] if n % 3 else None
        product_page = n % 2 == 1
        context = tuple(rng.choice(names, 2, replace=False)) if product_page else ()
        for place, one in enumerate(context):
            lake.add(
                "events",
                event_id=f"v{n}-{place}",
                kind="view",
                occurred_at=str(at - timedelta(seconds=20 - place)),
                visitor_id=f"d{n}",
                product_id=one,
            )
        request = Request(
            placement="product" if product_page else "home",
            customer=who,
            visitor=f"d{n}",
            context=context,
            limit=LIMIT,
            excluded=frozenset({"p0001"}),
        )
        answer = LEVER.answer(model, request, rng=rng)
        slate = [
            {"product_id": s.product_id, "propensity": s.propensity}
            for s in answer.slots
        ]
        lake.add(
            "answers",
            decision_id=f"a{n:05d}",
            answered_at=str(at),
            lever="recommend",
            turn=1,
            placement=request.placement,
            customer_id=who,
            visitor_id=f"d{n}",
            arm="treated",
            eligible_hash=answer.eligible_hash,
            slate=json.dumps(slate),
        )
        for place, slot in enumerate(answer.slots, 1):
            if rng.random() < appeal[slot.product_id]:
                lake.add(
                    "events",
                    event_id=f"c{n}-{place}",
                    kind="click",
                    occurred_at=str(at + timedelta(seconds=9)),
                    decision_id=f"a{n:05d}",
                    product_id=slot.product_id,
                    position=place,
                )
    lake.add(
        "events",
        event_id="end",
        kind="list",
        occurred_at=str(FIRST + timedelta(minutes=3 * answers, days=13)),
    )
    lake.write()
    return Answered(lake=lake, model=model, appeal=appeal)
