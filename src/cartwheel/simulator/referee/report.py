"""The report: one HTML file without script or outside resource.

Everything from runs (names of worlds and arms, reasons of failures) is foreign text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cartwheel.settings import digits_of
from cartwheel.simulator.referee import by_lever, claims
from cartwheel.simulator.referee.by_lever import levers_together, recovered_levers
from cartwheel.simulator.referee.charts import Band, Spot, band_chart, interval_chart
from cartwheel.simulator.referee.claims import (
    PAIRS,
    Composition,
    GapLine,
    Headline,
    LinkRow,
    Trajectory,
)
from cartwheel.simulator.referee.groups import CONNECTED, ISOLATED, NO_AI, ORACLE, ORDER
from cartwheel.simulator.referee.link_shares import link_shares
from cartwheel.simulator.referee.paired import LEVEL, Paired
from cartwheel.simulator.referee.recovered import (
    HEADS,
    cells_of,
    recovered,
    said_of,
    together,
)
from cartwheel.simulator.referee.results import Run, settle
from cartwheel.simulator.referee.terminal import share_of, text_links, text_table
from cartwheel.simulator.referee.wording import (
    amount,
    between,
    cents,
    chance,
    count_of,
    figure_text,
    minor_unit,
    percent,
    place_of,
    plain,
    tick,
    unit_of,
)

__all__ = ["text_links", "text_table", "write_report"]

WIDE, NARROW = 476, 320
MOST_FAILURES = 50
LONGEST_REASON = 500
SIGNIFICANT = 1 - LEVEL
ARM_COLOURS = 8
GOAL = 0.5
"""Share of the oracle gap that was declared as success before anything was played."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Runs of one arm in one world that failed for one reason."""

    world: str
    arm: str
    reason: str
    seeds: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that connection does not pay for, or not for certain.

    Attributes:
        kind: Class of the finding.
        verdict: The finding in two or three words.
        text: What was compared and found.
    """

    kind: Literal["below", "includes", "unknown"]
    verdict: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart in two widths with its caption."""

    heading: str
    caption: str
    wide: Markup
    narrow: Markup


def write_report(runs: Sequence[Run], path: Path, *, title: str) -> Path:
    """Write the report of runs as one self-contained HTML file.

    Args:
        runs: Runs of any worlds and arms; what is missing is said.
        path: The file.
        title: Its heading.

    Returns:
        The file.

    Raises:
        Failure: If it cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        between=between,
        cents=cents,
        chance=chance,
        count_of=count_of,
        figure_text=figure_text,
        minor_unit=minor_unit,
        percent=percent,
        place_of=place_of,
        plain=plain,
    )
    text = environment.get_template("report.html").render(**_content(runs, title))
    settle(path, lambda file: _write(file.write, text))
    return path


def _write(write: Callable[[bytes], object], text: str) -> None:
    write(text.encode("utf-8", "replace"))


def _content(runs: Sequence[Run], title: str) -> dict[str, Any]:
    rows = claims.headline(runs)
    links = claims.link_table(runs)
    return {
        "title": plain(title),
        "level": f"{LEVEL:.0%}".replace("%", " %"),
        "runs": len(runs),
        "worlds": len({(run.world, run.size, run.seed) for run in runs}),
        "rows": rows,
        "verdicts": [verdict_of(row) for row in rows],
        "tally": _tally(rows),
        "missing": _missing(rows),
        "by_arm": [_by_arm(row) for row in rows],
        "differences": _difference_figures(rows),
        "trajectories": _trajectory_figures(claims.trajectories(runs)),
        "parts": [
            (one, _part_figure(one)) for one in claims.compositions(runs, "parts")
        ],
        "figures": claims.compositions(runs, "figures"),
        "links": _by_world(links),
        "link_figures": _link_figures(links),
        "shares": link_shares(runs, links=sorted({row.link for row in links})),
        "share_of": share_of,
        "findings": _findings(rows, links),
        "failed": _failures(runs)[:MOST_FAILURES],
        "failures": len(_failures(runs)),
        "words": {
            "above": "above 0",
            "below": "below 0",
            "includes zero": "includes 0",
            "unknown": "not known",
        },
        "signs": {
            "above": "●",
            "below": "◆",
            "includes zero": "○",
            "unknown": "",
        },
        "orders": _range([row.orders for row in links if row.orders] or [0]),
        "isolated": ISOLATED,
        "connected": CONNECTED,
        "recovered": [cells_of(row) for row in recovered(runs)],
        "recovered_heads": HEADS,
        "recovered_says": said_of(together(runs)),
        "levers": [by_lever.cells_of(row) for row in recovered_levers(runs)],
        "levers_heads": by_lever.HEADS,
        "levers_all": [by_lever.all_cells_of(row) for row in levers_together(runs)],
        "levers_all_heads": by_lever.ALL_HEADS,
        "levers_meaning": by_lever.MEANING,
    }


def _pair(row: Headline, arm: str, base: str) -> claims.PairLine | None:
    found = [p for p in row.pairs if (p.arm, p.base) == (arm, base)]
    return found[0] if found else None


def _gap(row: Headline, arm: str, mark: str = ORACLE) -> GapLine | None:
    found = [g for g in row.gaps if (g.arm, g.mark) == (arm, mark)]
    return found[0] if found else None


def verdict_of(row: Headline) -> tuple[str, str, str]:
    """Return class, verdict and sentence on a world's declared question."""
    pair = _pair(row, CONNECTED, ISOLATED)
    if pair is None:
        return "unknown", "Not played", "Connected and isolated were not both played."
    found = pair.per_visit
    kind = found.verdict
    if kind == "unknown":
        return "unknown", "Cannot be told", f"{found.note.capitalize()}."
    verdict = {
        "above": "Connection pays",
        "below": "Connection costs",
        "includes zero": "Not told apart",
    }[kind]
    relative = (
        f" or {percent(pair.relative, signed=True)}"
        if math.isfinite(pair.relative)
        else ""
    )
    text = (
        f"Connected against isolated: {cents(found.mean)} {minor_unit(row.currency)} "
        f"a visit{relative} ({between(found.low, found.high)}; "
        f"{count_of(found.n, 'paired world')})."
    )
    gap = _gap(row, CONNECTED)
    if gap is None:
        return kind.split()[0], verdict, f"{text} The oracle was not played."
    if gap.gap.reason:
        closed = f"The share of the oracle gap closed is not told: {gap.gap.reason}."
    else:
        closed = (
            f"It closes {percent(gap.gap.share)} of the gap from no-AI to the oracle "
            f"({percent(gap.gap.low)} to {percent(gap.gap.high)})."
        )
    return kind.split()[0], verdict, f"{text} {closed}"


def _tally(rows: Sequence[Headline]) -> str:
    """Return in how many worlds each half of the declared goal is reached."""
    pairs = [p for row in rows if (p := _pair(row, CONNECTED, ISOLATED)) is not None]
    if not pairs:
        return ""
    paying = sum(pair.per_visit.verdict == "above" for pair in pairs)
    text = (
        f"Connected earns more than isolated, interval above 0, in {paying} of "
        f"{count_of(len(pairs), 'kind')} of world."
    )
    gaps = [g for row in rows if (g := _gap(row, CONNECTED)) is not None]
    if not gaps:
        return text
    half = sum(gap.gap.share >= GOAL for gap in gaps)
    return (
        f"{text} It closes at least half of the gap from no-AI to the oracle in "
        f"{half} of {len(gaps)}."
    )


def _missing(rows: Sequence[Headline]) -> list[str]:
    """Return which declared arms were never played, world by world."""
    found = []
    for row in rows:
        arms = {line.arm for line in row.arms}
        lacks = [arm for arm in (NO_AI, ISOLATED, CONNECTED, ORACLE) if arm not in arms]
        if lacks:
            found.append(f"{place_of(row)}: {', '.join(lacks)}")
    return found


def _by_arm(row: Headline) -> list[dict[str, Any]]:
    return [
        {
            "line": line,
            "pair": _pair(row, line.arm, NO_AI),
            "gap": _gap(row, line.arm),
        }
        for line in row.arms
    ]


def _figure(heading: str, caption: str, draw: Callable[[int], str]) -> Figure | None:
    wide = draw(WIDE)
    if not wide:
        return None
    # Markup is safe here: charts escape every text they are given.
    return Figure(
        heading=heading,
        caption=caption,
        wide=Markup(wide),
        narrow=Markup(draw(NARROW)),
    )


def _spot(label: str, found: Paired) -> Spot:
    return Spot(
        label=plain(label),
        value=found.mean,
        low=found.low,
        high=found.high,
        verdict=found.verdict,
    )


def _intervals(
    heading: str, caption: str, spots: Sequence[Spot], unit: str
) -> Figure | None:
    said = "; ".join(
        f"{spot.label} {cents(spot.value)} ({between(spot.low, spot.high)})"
        for spot in spots
    )
    return _figure(
        heading,
        caption,
        lambda width: interval_chart(
            title=f"{heading}, {unit} a visit: {said}",
            spots=spots,
            write=tick,
            width=width,
        ),
    )


def _difference_figures(rows: Sequence[Headline]) -> list[Figure]:
    named = list(
        dict.fromkeys((pair.arm, pair.base) for row in rows for pair in row.pairs)
    )
    named.sort(key=lambda names: PAIRS.index(names) if names in PAIRS else len(PAIRS))
    found = []
    for arm, base in named:
        pairs = [(row, _pair(row, arm, base)) for row in rows]
        spots = [_spot(place_of(row), p.per_visit) for row, p in pairs if p is not None]
        heading = plain(f"{arm} less {base}")
        unit = unit_of(row.currency for row, p in pairs if p is not None)
        caption = f"Profit per visit, {unit}."
        found.append(_intervals(heading, caption, spots, unit))
    return [one for one in found if one is not None]


def _trajectory_figures(all_: Sequence[Trajectory]) -> list[Figure]:
    found = []
    for where, own in _grouped(all_, place_of):
        names = list(dict.fromkeys(one.arm for one in own))
        bands = [
            Band(
                label=plain(one.arm),
                mean=one.mean,
                low=one.low,
                high=one.high,
                place=colour_of(one.arm, names),
            )
            for one in own
        ]
        currency = own[0].currency
        write = partial(amount, digits=digits_of(currency))
        ends = "; ".join(f"{b.label} {write(float(b.mean[-1]))}" for b in bands)
        days = max(len(one.mean) for one in own)
        title = f"{where}: cumulative profit less {NO_AI} after {days} days: {ends}"
        one = _figure(
            where,
            f"Profit since warm-up less that of {NO_AI}, "
            f"{plain(currency) or 'whole currency'} a world; "
            f"{_range([t.n for t in own])} paired worlds.",
            partial(_bands, title, bands, write),
        )
        if one is not None:
            found.append(one)
    return found


def _bands(
    title: str, bands: Sequence[Band], write: Callable[[float], str], width: int
) -> str:
    return band_chart(title=title, bands=bands, write=write, width=width)


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def colour_of(arm: str, arms: Sequence[str]) -> int:
    """Return the number of an arm's colour: the known arms always have the same."""
    if arm in ORDER:
        return ORDER.index(arm)
    others = sorted(set(arms) - set(ORDER))
    spare = ARM_COLOURS - len(ORDER)
    return len(ORDER) + others.index(arm) % spare


def _part_figure(one: Composition) -> Figure | None:
    if not one.differences:
        return None
    unit = minor_unit(one.currency)
    spots = [_spot(name.replace("_", " "), one.differences[name]) for name in one.names]
    return _intervals(
        f"{place_of(one)}: {CONNECTED} less {ISOLATED}, by part",
        f"Profit per visit, {unit}; costs are negative, so a cost saved lies above 0.",
        spots,
        unit,
    )


def _link_figures(rows: Sequence[LinkRow]) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for where, own in _grouped(rows, place_of):
        for i, form in enumerate(("add-one", "leave-one-out", "Shapley")):
            spots = [
                _spot(row.link, estimate)
                for row in own
                if (estimate := row.forms()[i][1]) is not None
            ]
            unit = minor_unit(own[0].currency)
            caption = f"Profit per visit, {unit}."
            one = _intervals(f"{where}: {form}", caption, spots, unit)
            if one is not None:
                found.setdefault(where, []).append(one)
    return found


def _by_world(rows: Sequence[LinkRow]) -> list[tuple[str, list[LinkRow]]]:
    return _grouped(rows, place_of)


def _grouped(rows: Iterable[T], name: Callable[[T], str]) -> list[tuple[str, list[T]]]:
    found: dict[str, list[T]] = {}
    for row in rows:
        found.setdefault(name(row), []).append(row)
    return list(found.items())


def _findings(
    rows: Sequence[Headline], links: Sequence[LinkRow]
) -> list[tuple[str, list[Finding]]]:
    """Return by world what connection does not pay for; worst first."""
    found: dict[str, list[Finding]] = {}
    for row in rows:
        for base in (ISOLATED, NO_AI):
            pair = _pair(row, CONNECTED, base)
            if pair is not None:
                what, unit = f"{CONNECTED} less {base}", minor_unit(row.currency)
                one = _finding(what, pair.per_visit, None, unit)
                found.setdefault(place_of(row), []).extend(one)
    for link in links:
        for form, estimate, adjusted in link.forms():
            if estimate is not None:
                what, unit = (
                    f"link {plain(link.link)}, {form}",
                    minor_unit(link.currency),
                )
                one = _finding(what, estimate, adjusted, unit)
                found.setdefault(place_of(link), []).extend(one)
    worst = ("below", "includes", "unknown")
    return [
        (where, sorted(own, key=lambda one: worst.index(one.kind)))
        for where, own in found.items()
        if own
    ]


def _finding(
    what: str, found: Paired, adjusted: float | None, unit: str
) -> list[Finding]:
    text = (
        f"{what}: {cents(found.mean)} {unit} a visit "
        f"({between(found.low, found.high)}; {count_of(found.n, 'world')})"
    )
    if found.verdict == "below":
        return [Finding(kind="below", verdict="Does harm", text=text)]
    if found.verdict == "includes zero":
        verdict = "No effect" if found.low == found.high == 0 else "Nothing shown"
        return [Finding(kind="includes", verdict=verdict, text=text)]
    if found.verdict == "unknown":
        return [Finding(kind="unknown", verdict="Cannot be told", text=text)]
    if adjusted is not None and adjusted >= SIGNIFICANT:
        text = f"{text}, adjusted p {chance(adjusted)}"
        return [Finding(kind="includes", verdict="Not after Holm", text=text)]
    return []


def _failures(runs: Sequence[Run]) -> list[Failed]:
    """Return failed runs, those of one arm and reason as one row."""
    failed = sorted((run for run in runs if run.state == "failed"), key=lambda r: r.key)
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for run in failed:
        reason = plain(run.reason).strip() or "no reason given"
        if len(reason) > LONGEST_REASON:
            reason = reason[:LONGEST_REASON] + "…"
        grouped.setdefault((place_of(run), run.arm, reason), []).append(run.seed)
    return [
        Failed(
            world=where,
            arm=plain(arm),
            reason=reason,
            seeds=", ".join(map(str, seeds[:5])) + (" …" if len(seeds) > 5 else ""),
            count=len(seeds),
        )
        for (where, arm, reason), seeds in grouped.items()
    ]
