"""Small shops with a record of turns, acts and sales, worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from cartwheel.connectors.intake import append_harvest
from cartwheel.operations import decisions, pages, transitions, turns
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.simulator.sample import harvest

TURNED = date(2026, 3, 1)
"""Day that the first turn looks from; it acts from the next."""
ON = date(2026, 3, 31)
IMPORTED = datetime(2026, 12, 1)
PLAIN = {"propensity": None, "action": {}}
"""Body of a decision that nothing was drawn for."""


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def sales(
    rows: Iterable[tuple[str | None, date, int]], product: str = "P", first: int = 0
) -> dict[str, list[dict[str, Any]]]:
    """Return orders of one product each: who, when, and the price in minor units."""
    orders, lines = [], []
    for number, (who, day, price) in enumerate(rows, first):
        shared = {"order_id": f"O{number}", "customer_id": who, "placed_at": noon(day)}
        orders.append(
            {
                **shared,
                "updated_at": noon(day),
                "status": "paid",
                "currency": "EUR",
            }
        )
        lines.append(
            {
                **shared,
                "line_id": "1",
                "kind": "product",
                "product_id": product,
                "variant_id": product,
                "quantity_units": 1,
                "unit_price_minor": price,
                "discount_minor": 0,
            }
        )
    return {"orders": orders, "order_lines": lines}


def shop_with(
    folder: Path,
    *parts: Mapping[str, list[dict[str, Any]]],
    people: Sequence[str] = (),
    sections: Mapping[str, Mapping[str, Any]] | None = None,
    levers: Mapping[str, int] | None = None,
) -> Shop:
    """Make a shop that knew `people` since the start of the year before.

    Args:
        folder: New folder.
        parts: Facts by table.
        people: Customers without an order.
        sections: Settings by section.
        levers: Holdouts of levers in basis points, by lever.
    """
    shop = make_shop(folder, currency="EUR", sections=sections)
    if levers is not None:
        lines = "\n".join(f"{name} = {share}" for name, share in levers.items())
        with (folder / FILE_NAME).open("a", encoding="utf-8") as file:
            file.write(f"\n[holdout.levers]\n{lines}\n")
        shop = open_shop(folder)
    add_facts(
        shop,
        {"customers": [{"customer_id": x, "created_at": KNOWN} for x in people]},
        {"costs": [{"variant_id": "P", "valid_from_at": KNOWN, "cost_minor": 0}]},
        *parts,
    )
    return shop


KNOWN = datetime(2025, 1, 1)


def add_facts(shop: Shop, *parts: Mapping[str, list[dict[str, Any]]]) -> None:
    facts: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for name, rows in part.items():
            facts.setdefault(name, []).extend(rows)
    made = {name: pa.Table.from_pylist(rows) for name, rows in facts.items() if rows}
    report = append_harvest(shop, harvest(made), "test", Path("t"), IMPORTED)
    assert report.rows_rejected == 0


def add_turn(
    shop: Shop,
    number: int = 1,
    as_of: date = TURNED,
    *,
    states: Mapping[str, str] | None = None,
    holdout: Mapping[str, Any] | None = None,
    cuts: Sequence[str] = (),
) -> None:
    """Record a turn published on the morning after the day it looked from."""
    held = shop.settings.holdout.model_dump(mode="json")
    ran = {"lifecycle": "healthy"} if states is None else states
    at = f"{as_of + timedelta(days=1)}T06:00:00.000000Z"
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=number,
                as_of=as_of.isoformat(),
                state="published",
                seed=1,
                settings=json.dumps({"holdout": {**held, **(holdout or {})}}),
                levers=json.dumps({name: {"state": x} for name, x in ran.items()}),
                cuts=json.dumps(list(cuts)),
                started_at=at,
                published_at=at,
            )
        )


def add_overview(shop: Shop, number: int = 1) -> None:
    """Publish an overview that names one lever and two links."""
    body = {
        "levers": [{"name": "lifecycle", "title": "Customers", "state": "healthy"}],
        "links": [
            {"name": "stock→lifecycle", "to": "lifecycle"},
            {"name": "stock→price", "to": "price"},
        ],
    }
    with shop.database.begin() as con:
        row = {"turn": number, "name": "overview", "body": json.dumps(body)}
        con.execute(pages.insert().values(**row))


def add_decisions(
    shop: Shop,
    subjects: Sequence[str],
    *,
    lever: str = "lifecycle",
    kind: str = "leave_alone",
    turn: int = 1,
    path: Sequence[tuple[str, str]] = (("applied", "turn 1"),),
    on: date = TURNED + timedelta(days=1),
    worth: int | None = 100,
    cost: int | None = None,
    bodies: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Record decisions that went through states, each with who moved them there."""
    with shop.database.begin() as con:
        for place, subject in enumerate(subjects):
            name = f"{turn}-{lever}-{kind}-{subject}"
            con.execute(
                decisions.insert().values(
                    id=name,
                    turn=turn,
                    position=place,
                    lever=lever,
                    kind=kind,
                    subject=subject,
                    state=path[-1][0],
                    worth_minor=worth,
                    cost_minor=cost,
                    body=json.dumps(PLAIN if bodies is None else bodies[place]),
                    action="{}",
                    model="m",
                )
            )
            before = ""
            for hour, (state, actor) in enumerate(path):
                con.execute(
                    transitions.insert().values(
                        decision_id=name,
                        from_state=before,
                        to_state=state,
                        actor=actor,
                        at=f"{on}T{6 + hour:02d}:30:00.000000Z",
                    )
                )
                before = state
