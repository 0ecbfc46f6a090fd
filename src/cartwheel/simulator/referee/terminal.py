"""The headline and the link table as plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cartwheel.simulator.referee.claims import GapLine, Headline, LinkRow
from cartwheel.simulator.referee.link_shares import LinkShare
from cartwheel.simulator.referee.paired import LEVEL, Paired
from cartwheel.simulator.referee.wording import (
    UNKNOWN,
    between,
    cents,
    chance,
    count_of,
    minor_unit,
    percent,
    place_of,
    plain,
)

INTERVAL = f"{LEVEL:.0%}".replace("%", " %") + " interval"
ARM_HEADS = (INTERVAL, "done", "failed")
PAIR_HEADS = (INTERVAL, "relative", "p", "worlds", "left out")
LINK_HEADS = ("link", "add-one", "p", "leave-one-out", "p", "Shapley", "p", "worlds")


def text_table(rows: Sequence[Headline]) -> str:
    """Return headlines as plain text for a terminal."""
    return "\n\n".join(map(_headline, rows)) or "There are no results yet."


def text_no_headline(arms: Sequence[str], results: int) -> str:
    """Return why arms that were played have no headline, and where they are told.

    Args:
        arms: Arms played, none of them one that the headline compares.
        results: Results of them.
    """
    kept = f"{count_of(results, 'result')} of {', '.join(map(plain, arms))}"
    return (
        "No headline: it compares arms such as no-ai and connected, and none of those "
        f"was played. Kept: {kept}; cartwheel simulate report shows links beside the "
        "arms they are compared with."
    )


def _headline(row: Headline) -> str:
    arms = [
        (
            plain(line.arm),
            cents(line.spread.mean, signed=False),
            between(line.spread.low, line.spread.high, signed=False),
            str(line.done),
            str(line.failed),
        )
        for line in row.arms
    ]
    pairs = [
        (
            plain(f"{pair.arm} less {pair.base}"),
            cents(pair.per_visit.mean),
            between(pair.per_visit.low, pair.per_visit.high),
            percent(pair.relative, signed=True),
            chance(pair.per_visit.p_value),
            str(pair.per_visit.n),
            str(pair.left_out),
        )
        for pair in row.pairs
    ]
    worlds, unit = count_of(row.worlds, "world"), f"{minor_unit(row.currency)} a visit"
    return "\n".join(
        [
            f"{place_of(row)}: {worlds}, {row.failed} with a failed arm",
            *columns(("arm", unit, *ARM_HEADS), arms),
            *columns(("paired difference", unit, *PAIR_HEADS), pairs),
            *map(_gap, row.gaps),
        ]
    )


def _gap(line: GapLine) -> str:
    way = f"the gap from {line.base} to {line.mark}"
    if line.gap.reason:
        return f"{plain(line.arm)}: share of {way} not told, {line.gap.reason}"
    return (
        f"{plain(line.arm)} closes {percent(line.gap.share)} of {way} "
        f"({percent(line.gap.low)} to {percent(line.gap.high)})"
    )


def text_links(rows: Sequence[LinkRow]) -> str:
    """Return the link table as plain text for a terminal."""
    if not rows:
        return "No link has been played yet."
    blocks = []
    for where in dict.fromkeys(map(place_of, rows)):
        own = [row for row in rows if place_of(row) == where]
        lines = []
        for row in own:
            cells = [plain(row.link)]
            for _, estimate, adjusted in row.forms():
                cells += (
                    [UNKNOWN, UNKNOWN]
                    if estimate is None
                    else [
                        f"{cents(estimate.mean)} "
                        f"({between(estimate.low, estimate.high)})",
                        chance(adjusted),
                    ]
                )
            lines.append((*cells, "/".join(map(str, row.counts()))))
        unit = minor_unit(own[0].currency)
        blocks.append(
            "\n".join([f"{where}, {unit} a visit", *columns(LINK_HEADS, lines)])
        )
    return "\n\n".join(blocks)


def text_shares(rows: Sequence[LinkShare]) -> str:
    """Return what links are worth over all kinds of worlds, "" for none."""
    if not rows:
        return ""
    lines = []
    for row in rows:
        cells = [plain(row.link)]
        for estimate, adjusted in zip(row.forms, row.adjusted, strict=True):
            cells += (
                [UNKNOWN, UNKNOWN]
                if estimate is None
                else [share_of(estimate), chance(adjusted)]
            )
        counts = (0 if form is None else form.n for form in row.forms)
        lines.append((*cells, "/".join(map(str, counts))))
    left = max(row.left_out for row in rows)
    head = (
        "all worlds together, share of the profit of the wheel (add-one: of isolated)"
    )
    if left:
        head += f"; {count_of(left, 'world')} without profit left out"
    return "\n".join([head, *columns(LINK_HEADS, lines)])


def share_of(estimate: Paired) -> str:
    """Return a share of profit with its interval."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return f"{percent(estimate.mean, signed=True)} (no interval)"
    low, high = (percent(end, signed=True) for end in (estimate.low, estimate.high))
    return f"{percent(estimate.mean, signed=True)} ({low} to {high})"


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of a table: the first column to the left, the others right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (heads, *rows)
    ]
