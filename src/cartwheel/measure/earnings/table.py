"""The ledger as rows, for a spreadsheet and a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.measure.earnings.figures import Entry, Ledger, LinkEarned, Range

HEADER = (
    *("entry", "title", "since", "first_day", "last_day", "days", "unit", "basis"),
    *("reached", "held_out", "moved", "effect_minor", "effect_low_minor"),
    *("effect_high_minor", "money_minor", "money_low_minor", "money_high_minor"),
    *("tools_minor", "labour_minor", "net_minor", "net_low_minor", "net_high_minor"),
    *("offered_minor", "verdict", "not_yet", "detectable_minor", "units_missing", "by"),
    *("watched_low_minor", "watched_high_minor"),
)

Cell = str | int | float | None


def csv_rows(ledger: Ledger) -> list[list[Cell]]:
    """Return a heading and a row an entry or link tested; what is unknown is empty."""
    rows = [_row(one, ledger.on) for one in ledger.entries]
    links = (link for one in ledger.entries for link in one.links if link.experiment)
    return [list(HEADER), *rows, *(_link_row(link) for link in links)]


def _link_row(link: LinkEarned) -> list[Cell]:
    known: dict[str, Cell] = {
        "entry": link.link,
        "title": link.experiment,
        "unit": link.unit,
        "verdict": "" if link.worth is None else link.note,
        "not_yet": link.note if link.worth is None else "",
    }
    for name, found in (("effect", link.worth), ("money", link.money)):
        columns = (f"{name}_minor", f"{name}_low_minor", f"{name}_high_minor")
        known |= dict(zip(columns, _cells(found), strict=True))
    return [known.get(column) for column in HEADER]


def _row(entry: Entry, on: str) -> list[Cell]:
    costs = {cost.name: cost.minor for cost in entry.costs}
    needed = entry.needed
    return [
        entry.lever,
        entry.title,
        entry.since,
        entry.first,
        on if entry.first else None,
        entry.days,
        entry.unit,
        entry.basis,
        entry.reached,
        entry.held_out,
        entry.moved,
        *_cells(entry.effect),
        *_cells(entry.money),
        _whole(costs.get("tools")),
        _whole(costs.get("labour")),
        *_cells(entry.net),
        _whole(entry.offered_minor),
        entry.verdict,
        entry.not_yet,
        None if needed is None else _whole(needed.detectable),
        None if needed is None else needed.units_missing,
        None if needed is None else needed.by,
        *_cells(entry.money_watched)[1:],
    ]


def _cells(found: Range | None) -> Sequence[Cell]:
    if found is None:
        return (None, None, None)
    return tuple(_whole(value) for value in (found.value, found.low, found.high))


def _whole(value: float | None) -> Cell:
    """Return minor units to a hundredth: effects per unit are small."""
    return None if value is None else round(value, 2)
