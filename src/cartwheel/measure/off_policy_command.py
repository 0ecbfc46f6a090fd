"""`cartwheel off-policy`: what another policy would have earned, from the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartwheel.measure.csv_out import write_csv

if TYPE_CHECKING:
    from cartwheel.measure.off_policy.figures import Figure, Part, WhatIf


def off_policy(
    about: Annotated[
        str,
        typer.Argument(
            metavar="LEVER", help="recommend, lifecycle or send-time; all without it."
        ),
    ] = "",
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    on: Annotated[
        str, typer.Option(help="Last day that counts; the newest fact's without it.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    to_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write a CSV file as well.")
    ] = None,
) -> None:
    """Show what policies that did not run would have earned, from the shop's log."""
    from cartwheel.measure.earnings.command import asked_day
    from cartwheel.measure.off_policy.table import csv_rows
    from cartwheel.measure.off_policy.what_if import ABOUTS, what_if
    from cartwheel.measure.plain import finite
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    found = what_if(opened, asked_day(opened, on), [about] if about else ABOUTS)
    if to_csv is not None:
        write_csv(to_csv, csv_rows(found))
    if as_json:
        print(json.dumps(finite(found.to_json()), ensure_ascii=False))
    else:
        print("\n".join(to_lines(found)))


def to_lines(found: WhatIf) -> list[str]:
    """Return what was found for people, a sentence a figure."""
    lines = [
        f"What other policies would have earned, as of {found.on}; 95 % intervals:"
    ]
    for part in found.parts:
        lines += ["", part.title]
        lines += [f"  {text}" for text in (part.says, part.cannot) if text]
        if part.would_need:
            lines.append(f"  What would change that: {part.would_need}")
        for policy in part.policies:
            lines += ["", f"  {policy.title}"]
            lines += [f"    {policy.note}"] if policy.note else []
            for one in policy.figures:
                lines += [f"    {one.sentence}", f"      {evidence(one)}"]
        lines += _left_out(part)
    return lines


def evidence(one: Figure) -> str:
    """Return how much a figure rests on, in one line."""
    if one.rows == 0:
        return "0 rows."
    return (
        f"{one.rows:,} rows of {one.customers:,} customers, worth "
        f"{one.effective_rows:,.0f} and {one.effective_customers:,.0f}; the largest "
        f"weight is {one.largest_weight:,.1f}."
    )


def _left_out(part: Part) -> list[str]:
    told = [f"{n:,} {name}" for name, n in (part.left_out or {}).items() if n]
    return ["", f"  Not counted: {', '.join(told)}."] if told else []
