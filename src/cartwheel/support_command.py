"""`cartwheel support`: try an answer, see who waits for a person, close a contact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Conflict, Misuse

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ShopOption = Annotated[
    Path,
    typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LEVER = "support"

app = typer.Typer(
    no_args_is_help=True,
    help="Answer shoppers from the shop's own texts.",
)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What a shopper writes.")],
    shop: ShopOption = Path(),
    product: Annotated[
        str | None, typer.Option("--product", help="Product whose page it is asked on.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", help="As whom, verified: tells of their orders."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try what the published turn would answer; nothing is kept or counted."""
    from cartwheel.contacts import LONGEST
    from cartwheel.shop import open_shop

    if not 1 <= len(text.strip()) <= LONGEST:
        raise Misuse(
            f"The text has {len(text.strip()):,} characters; 1 to {LONGEST:,} fit.",
            "Give one question.",
        )
    turn, about = _answered(open_shop(shop), text, product, customer)
    if as_json:
        print(json.dumps({"turn": turn, **about}, ensure_ascii=False))
        return
    for one in about["says"]:
        print(f"{one['text']}  [{one['source']}]")
    if about["notice"]:
        print(about["notice"])
    chance = about["evidence"]
    sure = "" if chance is None else f", evidence {chance:.2f}"
    print(f"({about['outcome'].replace('_', ' ')}: {about['why']}{sure}, turn {turn})")


def _answered(
    shop: Shop, text: str, product: str | None, customer: str | None
) -> tuple[int, dict[str, Any]]:
    import numpy as np

    from cartwheel.levers.base import Model, Request
    from cartwheel.levers.support import Support
    from cartwheel.turn.publish import turn_in_force

    turn = turn_in_force(shop)
    folder = shop.turn_folder(turn) / "models" / LEVER
    if not folder.is_dir():
        raise Conflict(
            f"Turn {turn} has no model that answers.", "Run cartwheel turn, then ask."
        )
    request = Request(
        placement=LEVER,
        query=text,
        context=(product,) if product else (),
        customer=customer,
    )
    answer = Support().answer(
        Model.load(folder), request, rng=np.random.default_rng(turn)
    )
    return turn, dict(answer.about)


@app.command("list")
def list_them(
    shop: ShopOption = Path(),
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those who wait for a person.")
    ] = False,
    top: Annotated[
        int, typer.Option("--top", min=1, max=100_000, help="Most contacts.")
    ] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what shoppers asked and what became of it."""
    from dataclasses import asdict

    from cartwheel.contacts import OUTCOMES, list_contacts
    from cartwheel.shop import open_shop

    found = list_contacts(
        open_shop(shop).database, waiting=True if waiting else None, limit=top
    )
    if as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    if not found:
        print("Nobody is waiting." if waiting else "Nobody has asked anything.")
    for one in found:
        state = "waiting" if one.waiting else OUTCOMES.get(one.outcome, one.outcome)
        print(f"{one.id}  {one.at[:16]}  {state} ({one.why})")
        print(f"    {' '.join(one.asked.split())[:200]}")


@app.command("close")
def close_them(
    ids: Annotated[list[str], typer.Argument(help="Ids of contacts.")],
    shop: ShopOption = Path(),
) -> None:
    """Say that a person has dealt with contacts."""
    from cartwheel.contacts import close
    from cartwheel.shop import open_shop

    database = open_shop(shop).database
    for name in ids:
        close(database, name, "cli")
        print(f"{name} is closed.")
