"""`cartwheel health`: what the published turn found of the wheel's health."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cartwheel.errors import Conflict

PAGE = "health"


def health(
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which spoke is broken or weak, with money at stake, worst first."""
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    number, body = read_health(opened)
    if as_json:
        print(json.dumps({"turn": number, **body}, ensure_ascii=False))
        return
    settings = opened.settings
    print("\n".join(to_lines(body, settings.currency, settings.minor_digits)))


def read_health(shop: Any) -> tuple[int, dict[str, Any]]:
    """Return the number of the published turn and the health it published.

    Raises:
        Conflict: If no turn is published, or it is of an earlier version.
    """
    from sqlalchemy import select

    from cartwheel.operations import pages, reading
    from cartwheel.turn.publish import turn_in_force

    number = turn_in_force(shop)
    query = select(pages.c.body).where(pages.c.turn == number, pages.c.name == PAGE)
    with reading(shop.database) as con:
        text = con.execute(query).scalar_one_or_none()
    if text is None:
        raise Conflict(
            f"Turn {number} published no health: an earlier version made it.",
            "Turn the wheel again: cartwheel turn",
        )
    return number, json.loads(text)


def to_lines(body: dict[str, Any], currency: str, digits: int) -> list[str]:
    """Return health for people: faults, then what is calibrated, drifts or rules."""
    if body.get("failed"):
        return [f"Health could not be looked at: {body['failed']}"]

    def money(minor: float) -> str:
        return f"{minor / 10**digits:,.0f}"

    lines = [body["says"]]
    for place, one in enumerate(body["faults"], 1):
        stake = one["stake"]
        at = f"at stake unknown ({stake['basis'].removeprefix('unknown: ')})"
        if stake["value"] is not None:
            at = (
                f"{currency} {money(stake['value'])} a month at stake "
                f"({money(stake['low'])} to {money(stake['high'])}; {stake['basis']})"
            )
        why = f"; follows from {one['explained_by']}" if one["explained_by"] else ""
        lines += [
            "",
            f"{place}. {one['spoke']} is {one['state']}{why}: {at}",
            f"   {one['says']}",
        ]
        if one["rows"]:
            lines.append(f"   Rows: {', '.join(one['rows'])}")
        lines.append(f"   {one['next_step']}")
    lines += ["", "Calibration of 80% intervals:"]
    lines += [
        f"  {one['lever']}, {one['metric']}: {one['verdict']}"
        for one in body["calibration"]
    ] or ["  Not yet: no prediction's horizon has passed."]
    drifting = [one for one in body["drift"] if one["alarm"]]
    lines += ["", "Drift:"]
    lines += [
        f"  {one['name']} ({one['side']}): {one['measure'].upper()} {one['value']:.2f}"
        for one in drifting
    ] or ["  Nothing moved beyond chance."]
    lines += ["", "Over-reliance:"]
    leaning = [one for one in body["reliance"] if one["over"]]
    lines += [f"  {one['says']}" for one in leaning] or ["  On no single one."]
    if body["unknown"]:
        names = ", ".join(one["check"] for one in body["unknown"])
        lines += ["", f"Not looked at, for want of data: {names}"]
    return lines
