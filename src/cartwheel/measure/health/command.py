"""`cartwheel health`: what the published turn found of the wheel's health."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

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
    from cartwheel.turn.publish import page_in_force

    opened = open_shop(shop)
    number, body = page_in_force(opened, PAGE)
    if as_json:
        print(json.dumps({"turn": number, **body}, ensure_ascii=False))
        return
    settings = opened.settings
    print("\n".join(to_lines(body, settings.currency, settings.minor_digits)))


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
