"""`cartwheel journey`: what the published turn found of where visits do not go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cartwheel.measure.journey.steps import RECENT_DAYS

HEADINGS = {
    "Fell against their own days before": "drop_offs",
    "Low beside the others of their kind, as ever": "low",
}


def journey(
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where visits do not go on, what hangs on it and what stands beside it."""
    from cartwheel.measure.journey.shop import NAME
    from cartwheel.shop import open_shop
    from cartwheel.turn.publish import page_in_force

    opened = open_shop(shop)
    number, body = page_in_force(opened, NAME)
    if as_json:
        print(json.dumps({"turn": number, **body}, ensure_ascii=False))
        return
    settings = opened.settings
    print("\n".join(to_lines(body, settings.currency, settings.minor_digits)))


def to_lines(body: Mapping[str, Any], currency: str, digits: int) -> list[str]:
    """Return the journey for people: steps, then drop-offs, most money first."""
    if body.get("failed"):
        return [f"The journey could not be told: {body['failed']}"]

    def money(minor: float) -> str:
        return f"{minor / 10**digits:,.0f}"

    lines = [str(body["says"]), "", f"Steps, last {body['recent_days']} days:"]
    lines += [f"  {_step(one)}" for one in body["steps"]]
    for heading, part in HEADINGS.items():
        if body[part]:
            lines += ["", f"{heading}:"]
        for place, one in enumerate(body[part], 1):
            lines += ["", *_drop_off(place, one, body["worth"], currency, money)]
    waiting = [one for one in body["waiting"] if one["waiting"]]
    if waiting:
        lines += ["", "Too few visits to be looked at:"]
        lines += [
            f"  {one['step_title']}, by {one['kind'].replace('_', ' ')}: "
            f"{one['waiting']:,} of {one['places']:,}; {one['needed']:,} visits in "
            f"{RECENT_DAYS} days and {one['needed_before']:,} before are needed"
            for one in waiting
        ]
    return lines


def _step(one: Mapping[str, Any]) -> str:
    if one["share_off"] is None:
        return f"{one['title']}: no visit was there"
    before = one["share_off_before"]
    usual = "" if before is None else f", {before:.1%} before"
    lacks = f": {one['lacks']}" if one["lacks"] else ""
    return (
        f"{one['title']}: {one['visits']:,} visits, {one['share_off']:.1%} do not go "
        f"on{usual} ({one['state']}{lacks})"
    )


def _drop_off(
    place: int,
    one: Mapping[str, Any],
    worth: Mapping[str, Any],
    currency: str,
    money: Callable[[float], str],
) -> Iterator[str]:
    at = "money unknown"
    if one["value_minor"] is not None:
        at = (
            f"{currency} {money(one['value_minor'])} of {worth['of']} in {RECENT_DAYS} "
            f"days ({money(one['low_minor'])} to {money(one['high_minor'])})"
        )
    yield f"{place}. {one['title']} ({one['kind_title']}, {one['step_title']}): {at}"
    yield f"   {one['says']}"
    if one["mostly"]:
        yield f"   Mostly {one['mostly']}."
    for known in one["beside"]:
        yield f"   Beside it: {known['says']}"
        if known["quote"]:
            yield f"     “{known['quote']}”"
    if not one["beside"]:
        yield "   Nothing known stands beside it."
