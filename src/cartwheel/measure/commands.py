"""`cartwheel measure`: the engine inside, for a file that somebody brings."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from cartwheel.measure.files.analyse import Analysis
    from cartwheel.measure.files.question import Question

HEADS = (
    *("metric", "arm", "control", "with arm", "effect", "interval", "relative"),
    *("p", "p (all)", "method", "n"),
)


def measure(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file, a row a unit.")],
    unit: Annotated[str, typer.Option(help="Column that names the unit.")] = "",
    arm: Annotated[str, typer.Option(help="Column with the arm assigned.")] = "",
    control: Annotated[str, typer.Option(help="Value that is the control.")] = "",
    metric: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COL, or NAME=COL/COL for a ratio; repeat for several."),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(help="COL known before the start, or METRIC=COL; repeat."),
    ] = None,
    shown: Annotated[
        str, typer.Option(help="Column with what was shown: arm, yes or no, instant.")
    ] = "",
    time: Annotated[str, typer.Option(help="Column with the outcome's instant.")] = "",
    share: Annotated[
        list[str] | None,
        typer.Option(help="ARM=NUMBER, when units were not split evenly; repeat."),
    ] = None,
    level: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Level of the intervals.")
    ] = 0.95,
    planned: Annotated[
        int,
        typer.Option(
            min=0,
            help="Units planned before the start: intervals that hold at every look.",
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare arms of a test in a file: every check first, then effects."""
    from cartwheel.measure.files.analyse import analyse
    from cartwheel.measure.files.question import (
        Question,
        parse_metrics,
        parse_shares,
    )

    wanted = list(metric or ())
    if not (unit and arm and control and wanted):
        unit, arm, control, wanted = _mapping(file, unit, arm, control, wanted)
    asked = Question(
        path=file,
        unit=unit,
        arm=arm,
        control=control,
        metrics=parse_metrics(wanted, covariate or ()),
        shown=shown or None,
        time=time or None,
        shares=parse_shares(share or ()),
        level=level,
        planned=planned or None,
    )
    found = analyse(asked)
    if as_json:
        print(json.dumps(to_json(asked, found), ensure_ascii=False))
    else:
        print("\n".join(to_lines(found)))
    if found.refused:
        raise typer.Exit(1)


def to_json(asked: Question, found: Analysis) -> dict[str, Any]:
    """Return an analysis as other programs read it; what is unknown is null."""
    from cartwheel.measure.experiment.power import spread_wanted
    from cartwheel.measure.experiment.verdict import verdict
    from cartwheel.measure.plain import finite

    metrics = [
        {
            **one.to_json(),
            "p_adjusted": adjusted,
            "detectable": spread_wanted(level=one.level) * one.error,
            "verdict": verdict(one, adjusted=adjusted, rough=found.rough(one.metric)),
        }
        for one, adjusted in zip(found.comparisons, found.adjusted, strict=True)
    ]
    value = {
        "file": asked.path.name,
        "units": sum(found.units.values()),
        "arms": [
            {"arm": name, "units": number} for name, number in found.units.items()
        ],
        "control": found.control,
        "metrics": metrics,
        "checks": [check.to_json() for check in found.checks],
        "refused": found.refused,
    }
    plain: dict[str, Any] = finite(value)
    return plain


def to_lines(found: Analysis) -> list[str]:
    """Return an analysis for people: checks, a table, one sentence a comparison."""
    from cartwheel.measure.experiment.verdict import number, verdict

    lines = [
        f"{sum(found.units.values()):,} rows: "
        + ", ".join(f"{name} {units:,}" for name, units in found.units.items())
    ]
    for check in found.checks:
        about = f" [{check.metric}]" if check.metric else ""
        lines.append(f"{check.level.upper()}{about}: {check.message}")
        lines.append(f"  {check.next_step}")
    if not found.comparisons:
        lines.append("No verdict.")
        return lines
    rows = [list(HEADS)]
    for one, adjusted in zip(found.comparisons, found.adjusted, strict=True):
        share = "" if one.relative is None else f"{one.relative:+.1%}"
        rows.append(
            [
                one.metric,
                one.arm,
                number(one.control_value),
                number(one.arm_value),
                number(one.effect, sign=True),
                f"{number(one.low, sign=True)} to {number(one.high, sign=True)}",
                share,
                f"{one.p_value:.4f}",
                f"{adjusted:.4f}",
                one.method,
                f"{one.n:,}",
            ]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines += [""] + [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.append("")
    lines += [
        verdict(one, adjusted=adjusted, rough=found.rough(one.metric))
        for one, adjusted in zip(found.comparisons, found.adjusted, strict=True)
    ]
    return lines


def _mapping(
    file: Path, unit: str, arm: str, control: str, metrics: Sequence[str]
) -> tuple[str, str, str, list[str]]:
    """Ask at a terminal for what the call left out.

    Raises:
        Misuse: Elsewhere, naming what is missing and a call that would do.
    """
    from cartwheel.measure.files.ask import (
        arms_of,
        complain,
        guess_arm,
        guess_control,
        guess_unit,
    )
    from cartwheel.measure.files.reading import check_columns, connect, open_file

    con = connect()
    try:
        columns = open_file(con, file)
        likely_unit = unit or guess_unit(con, columns)
        likely_arm = arm or guess_arm(con, columns)
        arms = []
        if likely_arm:
            check_columns(columns, [likely_arm])
            arms = arms_of(con, likely_arm)
        likely_control = control or guess_control(arms)
        if not sys.stdin.isatty():
            missing = [
                name
                for name, given in (
                    ("--unit", unit),
                    ("--arm", arm),
                    ("--control", control),
                    ("--metric", metrics),
                )
                if not given
            ]
            raise complain(
                file,
                missing,
                columns,
                unit=likely_unit,
                arm=likely_arm,
                control=likely_control,
            )
        print(f"Columns: {', '.join(columns.names)}", file=sys.stderr)
        unit = unit or _prompt("Column that names the unit", likely_unit)
        arm = arm or _prompt("Column with the arm", likely_arm)
        check_columns(columns, [unit, arm])
        arms = arms_of(con, arm)
        print(f"Arms: {', '.join(arms)}", file=sys.stderr)
        control = control or _prompt("Which is the control", guess_control(arms))
        wanted = list(metrics)
        while not wanted:
            text = _prompt(
                "Outcome columns, with commas between (a/b is a ratio)", None
            )
            wanted = [f"{c.strip()}={c.strip()}" for c in text.split(",") if c.strip()]
        return unit, arm, control, wanted
    finally:
        con.close()


def _prompt(question: str, default: str | None) -> str:
    answer: str = typer.prompt(question, default=default, err=True)
    if not answer.strip():
        raise Misuse(f"{question}: nothing was said.", "Call it again.")
    return answer.strip()
