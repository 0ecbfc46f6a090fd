"""`cartwheel earnings`: the ledger of earnings in a terminal, as JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartwheel.errors import Misuse
from cartwheel.measure.csv_out import write_csv

if TYPE_CHECKING:
    from cartwheel.measure.earnings.figures import Entry, Ledger, Range
    from cartwheel.measure.earnings.words import Words
    from cartwheel.shop import Shop

HEADS = ("", "since", "days", "reached", "left alone", "earned", "net")


def earnings(
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
    """Show what the wheel and each lever earned more than leaving units alone."""
    from cartwheel.measure.earnings.ledger import earnings as read
    from cartwheel.measure.earnings.table import csv_rows
    from cartwheel.measure.earnings.words import Words
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    found = read(opened, asked_day(opened, on))
    if to_csv is not None:
        write_csv(to_csv, csv_rows(found))
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        print("\n".join(to_lines(found, Words.of(opened.settings))))


def asked_day(shop: Shop, text: str) -> date:
    """Return the day that was typed, the newest fact's for none.

    Raises:
        Misuse: If it is no day, or later than the newest fact.
    """
    from cartwheel.signals.engine import pin

    newest = pin(shop)[0].as_of
    if not text:
        return newest
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"--on is {text!r}; expected a day such as 2026-03-31.", "Correct it."
        ) from None
    if day > newest:
        raise Misuse(
            f"--on is {day}; the newest fact is of {newest}.",
            "Name that day or an earlier one.",
        )
    return day


def to_lines(found: Ledger, write: Words) -> list[str]:
    """Return the ledger for people: a table, then sentences by entry.

    Args:
        found: The ledger.
        write: Writes its money.
    """
    rows: list[Sequence[str]] = [HEADS]
    rows += [_cells(one, write) for one in found.entries]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    lines = [f"Earnings as of {found.on}, 95 % intervals at one look:", ""]
    lines += [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for one in found.entries:
        lines += ["", one.title]
        lines += [f"  {text}" for text in (one.verdict, one.not_yet) if text]
        lines += [f"  {text}" for text in _details(one, write)]
    return lines


def _cells(one: Entry, write: Words) -> tuple[str, ...]:
    def span(found: Range | None, missing: str) -> str:
        return missing if found is None else write.span(found)

    counted = one.first is not None
    unknown = "not counted" if one.money is not None else "–"
    return (
        one.title,
        one.since or "–",
        f"{one.days:,}" if counted else "–",
        f"{one.reached:,} {one.unit}s" if counted else "–",
        f"{one.held_out:,}" if counted else "–",
        span(one.money, "not yet"),
        span(one.net, unknown),
    )


def _details(one: Entry, write: Words) -> list[str]:
    lines = []
    if one.money_watched is not None:
        low, high = one.money_watched.low, one.money_watched.high
        lines.append(
            f"at every turn's look together: {write.money(low)} to "
            f"{write.money(high)}, which decides"
        )
    for cost in one.costs:
        amount = "not counted" if cost.minor is None else write.money(cost.minor)
        note = cost.note.removeprefix("not counted: ")
        lines.append(f"{cost.name}: {amount} ({note})")
    if one.offered_minor:
        lines.append(
            f"discounts expected: {write.money(one.offered_minor)}, taken off already"
        )
    for kind in one.kinds:
        own = "" if kind.incremental is None else f" {write.span(kind.incremental)};"
        lines.append(f"{kind.kind}: {kind.applied:,} in effect;{own} {kind.note}")
    tested = [link for link in one.links if link.experiment]
    for link in tested:
        own = "" if link.worth is None else f" {write.span(link.worth)} a {link.unit};"
        lines.append(f"{link.link}:{own} {link.note}")
    if len(one.links) > len(tested):
        others = "other links" if tested else "links read"
        lines.append(f"{len(one.links) - len(tested)} {others}: not measured")
    for pair in one.before_after:
        money = pair.name.endswith("_minor")
        tell = write.span if money else _plain
        before, after = tell(pair.before), tell(pair.after)
        name = pair.name.removesuffix("_minor")
        lines.append(
            f"{name} a day, not caused by it alone: {before} before, {after} now"
        )
    return lines


def _plain(found: Range) -> str:
    return f"{found.value:,.1f} ({found.low:,.1f} to {found.high:,.1f})"
