"""`cartwheel simulate`: calibrate worlds, play arms in them, print what came of it.

Heavy modules are imported inside the commands that need them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Failure, Misuse, NotFound
from cartwheel.simulator.telling import Teller, say

if TYPE_CHECKING:
    from cartwheel.simulator.referee.batch import Job, Summary
    from cartwheel.simulator.referee.calibrate import Target
    from cartwheel.simulator.referee.claims import Headline
    from cartwheel.simulator.referee.results import Run

app = typer.Typer(
    no_args_is_help=True, help="Play policies in simulated shops with known truth."
)

ARMS = ("no-ai", "isolated", "connected", "oracle")
HOSTILE = "hostile"
LAST_SEED = 10**9
LONGEST = 30 * 86_400
TARGET_HEADS = ("world", "target", "range", "value", "95 % interval", "verdict")

WorldOption = Annotated[
    list[str] | None,
    typer.Option("--world", help="World or settings file, repeat for several."),
]
SizeOption = Annotated[str, typer.Option(help="small, standard or large.")]
WorldsOption = Annotated[int, typer.Option(min=1, help="Seeds of each world.")]
SeedOption = Annotated[int, typer.Option(min=0, max=LAST_SEED, help="First seed.")]
OutOption = Annotated[Path, typer.Option(help="Folder of the results.")]
WorkersOption = Annotated[
    int, typer.Option(min=0, help="Processes at once; 0: one for each core.")
]
LimitOption = Annotated[
    float, typer.Option(min=1, max=LONGEST, help="Most seconds for one arm.")
]
RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="Play failed arms again.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OUT = Path("simulations")
ROBUSTNESS = Path("robustness")


@app.command()
def calibrate(
    world: WorldOption = None,
    size: SizeOption = "small",
    worlds: WorldsOption = 6,
    seed: SeedOption = 1,
    shapes: Annotated[
        Path | None,
        typer.Option(help="Also draw distributions beside real shops' to this file."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="CARTWHEEL_DATA",
            help="Folder with online-retail and olist, for --shapes.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare worlds under no AI with what is known of real shops."""
    names = _worlds(world, size, but=HOSTILE)
    from cartwheel.simulator.referee.calibrate import calibrate as measure
    from cartwheel.simulator.referee.terminal import columns

    if shapes is not None:
        _draw_shapes(names, size, seed, data, shapes)
    found: list[tuple[str, Target]] = []
    for name in names:
        say(f"{name} ({size}): playing {worlds} without AI")
        targets = measure(name, size, range(seed, seed + worlds))
        found += [(name, target) for target in targets]
    value = [{"world": name, **_plain(target)} for name, target in found]
    cells = [(name, *_target_cells(target)) for name, target in found]
    _show(value, as_json=as_json, lines=columns(TARGET_HEADS, cells))
    out = [f"{target.name} of {name}" for name, target in found if not target.inside]
    if out:
        raise Failure(
            f"{len(out)} of {len(found)} targets are out of range: {', '.join(out)}.",
            "Correct the world's settings before any arm with AI is played in it.",
        )


def _draw_shapes(
    names: Sequence[str], size: str, seed: int, data: Path | None, file: Path
) -> None:
    if data is None:
        raise Misuse(
            "--shapes needs real shops to compare with.",
            "Name their folder with --data or CARTWHEEL_DATA.",
        )
    from cartwheel.simulator.referee.shapes import compare_shapes, shapes_page

    compared = []
    for name in names:
        say(f"{name} ({size}): comparing shapes")
        compared.append((name, compare_shapes(name, size, seed, data)))
    try:
        file.write_text(shapes_page(compared), encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"{file} cannot be written: {error.strerror}.", "Choose another --shapes."
        ) from None
    say(f"Wrote {file}")


@app.command()
def run(
    world: WorldOption = None,
    size: SizeOption = "small",
    arm: Annotated[
        list[str] | None,
        typer.Option("--arm", help="Arm to play, repeat for several."),
    ] = None,
    worlds: WorldsOption = 8,
    seed: SeedOption = 1,
    out: OutOption = OUT,
    workers: WorkersOption = 0,
    limit: LimitOption = 3600,
    retry_failed: RetryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Play arms in the same worlds and compare their profit per visit."""
    from cartwheel.simulator.arms.registry import check_arm
    from cartwheel.wheel import ARROW

    arms = [name.replace("->", ARROW) for name in arm or ARMS]
    for name in arms:
        check_arm(name)
    jobs = _jobs(_worlds(world, size), size, range(seed, seed + worlds), arms)
    summary = _play(jobs, out, workers=workers, limit=limit, retry_failed=retry_failed)
    from cartwheel.simulator.referee.claims import headline
    from cartwheel.simulator.referee.results import read_runs

    runs = read_runs(out)
    rows = headline(runs)
    value = {**_ended(summary, out), "headline": _plain(rows)}
    _show(value, as_json=as_json, lines=_told(rows, runs))
    _judge(summary)


@app.command()
def links(
    world: WorldOption = None,
    size: SizeOption = "small",
    worlds: WorldsOption = 8,
    seed: SeedOption = 1,
    shapley: Annotated[
        int,
        typer.Option(min=0, help="Orders for the Shapley form, even; 0: leave it out."),
    ] = 0,
    out: OutOption = OUT,
    workers: WorkersOption = 0,
    limit: LimitOption = 3600,
    retry_failed: RetryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Play with single links cut and restored, and print what each is worth."""
    if shapley % 2:
        raise Misuse(
            f"--shapley is {shapley}; expected 0 or an even number.",
            "Each order is played with its reverse; 24 will do.",
        )
    kinds = _worlds(world, size)
    from cartwheel.simulator.arms.registry import links as known_links
    from cartwheel.simulator.referee.link_shares import link_shares
    from cartwheel.simulator.referee.link_table import SHAPLEY_SEED, link_table
    from cartwheel.simulator.referee.paired import orders_of
    from cartwheel.simulator.referee.results import read_runs
    from cartwheel.simulator.referee.terminal import text_links, text_shares

    names = known_links()
    orders = orders_of(names, shapley, seed=SHAPLEY_SEED) if shapley else None
    jobs = _jobs(
        kinds, size, range(seed, seed + worlds), _link_arms(names, orders or ())
    )
    summary = _play(jobs, out, workers=workers, limit=limit, retry_failed=retry_failed)
    runs = read_runs(out)
    rows = link_table(runs, links=names, orders=orders)
    shares = link_shares(runs, links=names, orders=orders)
    value = {
        **_ended(summary, out),
        "links": _plain(rows),
        "shares": _plain(shares),
    }
    _show(value, as_json=as_json, lines=[text_links(rows), "", text_shares(shares)])
    _judge(summary)


@app.command()
def robustness(
    world: WorldOption = None,
    size: SizeOption = "small",
    worlds: WorldsOption = 8,
    seed: SeedOption = 1,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = ROBUSTNESS,
    workers: WorkersOption = 0,
    limit: LimitOption = 3600,
    retry_failed: RetryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change six parameters one at a time, and print where connection still pays."""
    kinds = _worlds(world, size)
    from cartwheel.simulator.referee.results import read_runs
    from cartwheel.simulator.referee.robustness import (
        ARMS,
        robustness,
        text_robustness,
    )
    from cartwheel.simulator.world.variants import variant_names

    asked = [one for name in kinds for one in (name, *variant_names(name))]
    jobs = _jobs(asked, size, range(seed, seed + worlds), ARMS)
    summary = _play(jobs, out, workers=workers, limit=limit, retry_failed=retry_failed)
    rows = robustness(read_runs(out))
    value = {**_ended(summary, out), "robustness": _plain(rows)}
    _show(value, as_json=as_json, lines=[text_robustness(rows)])
    _judge(summary)


@app.command()
def coverage(
    world: WorldOption = None,
    size: SizeOption = "small",
    worlds: WorldsOption = 8,
    seed: SeedOption = 1,
    out: OutOption = OUT,
    workers: WorkersOption = 0,
    limit: LimitOption = 3600,
    retry_failed: RetryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure wheel and levers by their holdouts; print how often that was true."""
    kinds = _worlds(world, size)
    from cartwheel.simulator.referee.by_lever import (
        levers_together,
        recovered_levers,
        text_levers,
    )
    from cartwheel.simulator.referee.groups import MEASURED
    from cartwheel.simulator.referee.recovered import (
        recovered,
        said_of,
        text_recovered,
        together,
    )
    from cartwheel.simulator.referee.results import read_runs

    jobs = _jobs(kinds, size, range(seed, seed + worlds), (MEASURED,))
    summary = _play(jobs, out, workers=workers, limit=limit, retry_failed=retry_failed)
    runs = read_runs(out)
    rows, all_ = recovered(runs), together(runs)
    levers, each = recovered_levers(runs), levers_together(runs)
    value = {
        **_ended(summary, out),
        "coverage": _plain(rows),
        "together": {**_plain(all_), "bias": None, "says": said_of(all_)},
        "levers": _plain(levers),
        "levers_together": _plain(each),
    }
    lines = [text_recovered(rows, all_)]
    if levers:
        lines += ["", text_levers(levers, each)]
    _show(value, as_json=as_json, lines=lines)
    _judge(summary)


@app.command()
def learning(
    world: WorldOption = None,
    size: SizeOption = "small",
    worlds: WorldsOption = 8,
    seed: SeedOption = 1,
    out: OutOption = OUT,
    workers: WorkersOption = 0,
    limit: LimitOption = 3600,
    retry_failed: RetryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Play the wheel and one that learns once, and print what learning is worth."""
    kinds = _worlds(world, size)
    from cartwheel.simulator.referee.learning import ARMS, text_learning
    from cartwheel.simulator.referee.learning import learning as what_it_is_worth
    from cartwheel.simulator.referee.results import read_runs

    jobs = _jobs(kinds, size, range(seed, seed + worlds), ARMS)
    summary = _play(jobs, out, workers=workers, limit=limit, retry_failed=retry_failed)
    rows = what_it_is_worth(read_runs(out))
    value = {**_ended(summary, out), "learning": _plain(rows)}
    _show(value, as_json=as_json, lines=[text_learning(rows)])
    _judge(summary)


@app.command()
def mending(
    worlds: Annotated[int, typer.Option(min=1, help="Worlds to play.")] = 20,
    seed: SeedOption = 1,
    second_wave: Annotated[
        bool,
        typer.Option(
            "--second-wave", help="Go on: is the effect of the next fixes foretold?"
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Seed a size confusion; print whether it is found, mended, and told right."""
    if second_wave:
        from cartwheel.simulator.mending.second_study import second_study, text_second

        waves = second_study(range(seed, seed + worlds), say=say)
        _show(waves.to_json(), as_json=as_json, lines=text_second(waves))
        return
    from cartwheel.simulator.mending.study import study, text_study

    found = study(range(seed, seed + worlds), say=say)
    _show(found.to_json(), as_json=as_json, lines=text_study(found))


@app.command()
def faults(
    worlds: Annotated[int, typer.Option(min=1, help="Pairs of world and fault.")] = 20,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Seed a fault in each of some worlds; print whether health names it first."""
    from cartwheel.simulator.faults.study import study, text_study

    found = study(range(seed, seed + worlds), say=say)
    _show(_plain(found), as_json=as_json, lines=text_study(found))


@app.command()
def report(
    out: OutOption = OUT,
    file: Annotated[
        Path | None, typer.Option(help="Report to write; OUT/report.html without it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the results of a folder as one HTML page and one Parquet file."""
    from cartwheel.simulator.referee.by_lever import recovered_levers
    from cartwheel.simulator.referee.claims import headline
    from cartwheel.simulator.referee.link_table import link_table
    from cartwheel.simulator.referee.recovered import recovered
    from cartwheel.simulator.referee.report import write_report
    from cartwheel.simulator.referee.results import read_runs, write_table

    runs = read_runs(out)
    if not runs:
        raise NotFound(
            f"{out} holds no results.",
            f"Play some worlds first: cartwheel simulate run --out {out}",
        )
    page = file or out / "report.html"
    write_report(runs, page, title="Simulated shops: what connection is worth")
    table = write_table(out, runs)
    rows = headline(runs)
    value = {
        "report": str(page),
        "results": str(table),
        "runs": len(runs),
        "failed": sum(one.state == "failed" for one in runs),
        "headline": _plain(rows),
        "links": _plain(link_table(runs)),
        "coverage": _plain(recovered(runs)),
        "levers": _plain(recovered_levers(runs)),
    }
    wrote = f"Wrote {page} and {table} ({len(runs):,} runs)."
    _show(value, as_json=as_json, lines=[*_told(rows, runs), wrote])


def _told(rows: Sequence[Headline], runs: Sequence[Run]) -> list[str]:
    """Return what a folder's runs tell on a terminal: headline and measurement."""
    from cartwheel.simulator.referee.by_lever import (
        levers_together,
        recovered_levers,
        text_levers,
    )
    from cartwheel.simulator.referee.groups import MEASURED
    from cartwheel.simulator.referee.recovered import (
        recovered,
        text_recovered,
        together,
    )
    from cartwheel.simulator.referee.terminal import text_no_headline, text_table

    others = [run.arm for run in runs if run.arm != MEASURED]
    lines = [text_table(rows)] if rows else []
    if others and not rows:
        lines.append(text_no_headline(sorted(set(others)), len(others)))
    if len(others) < len(runs):
        lines.append(text_recovered(recovered(runs), together(runs)))
        levers = recovered_levers(runs)
        if levers:
            lines += ["", text_levers(levers, levers_together(runs))]
    return lines


def _worlds(given: Sequence[str] | None, size: str, *, but: str = "") -> list[str]:
    """Return the worlds asked for, each once, all of them when none was named.

    Raises:
        Misuse: If a world or the size is unknown, or a parameter is impossible.
    """
    from cartwheel.simulator.world.spec import WORLDS, load_world, size_of

    size_of(size)
    names = given or [name for name in WORLDS if name != but]
    for name in names:
        load_world(name)
    return list(dict.fromkeys(names))


def _jobs(
    worlds: Sequence[str], size: str, seeds: Iterable[int], arms: Sequence[str]
) -> list[Job]:
    """Return a job a world and seed; seeds outermost, so that a part is balanced."""
    from cartwheel.simulator.referee.batch import Job

    return [
        Job(world=world, size=size, seed=seed, arms=tuple(arms))
        for seed in seeds
        for world in worlds
    ]


def _link_arms(links: Sequence[str], orders: Sequence[Sequence[str]]) -> list[str]:
    """Return every arm that the link table is made of."""
    from cartwheel.simulator.referee.groups import CONNECTED, ISOLATED, MINUS, PLUS
    from cartwheel.simulator.referee.link_table import arm_of
    from cartwheel.simulator.referee.paired import coalitions_of

    arms = [CONNECTED, ISOLATED]
    arms += [MINUS + link for link in links] + [PLUS + link for link in links]
    arms += sorted(arm_of(one, links) for one in coalitions_of(orders))
    return list(dict.fromkeys(arms))


def _play(
    jobs: Sequence[Job], out: Path, *, workers: int, limit: float, retry_failed: bool
) -> Summary:
    from cartwheel.simulator.referee import batch

    teller = Teller()
    try:
        summary = batch.run_batch(
            jobs,
            out,
            workers=workers or _cores(),
            seconds=limit,
            progress=teller,
            retry_failed=retry_failed,
        )
    finally:
        teller.close()
    for one in summary.failures[:5]:
        say(f"failed: {one.world} {one.seed} {one.arm}: {one.reason}")
    if len(summary.failures) > 5:
        say(f"and {len(summary.failures) - 5} more failed")
    return summary


def _ended(summary: Summary, out: Path) -> dict[str, Any]:
    """Return what a batch did, for JSON."""
    return {
        "out": str(out),
        "arms": summary.total,
        "done": summary.done,
        "kept": summary.kept,
        "worlds": summary.worlds,
        "whole": summary.whole,
        "seconds": round(summary.seconds, 1),
        "failures": [_failure(one) for one in summary.failures],
    }


def _failure(run: Run) -> dict[str, Any]:
    names = ("world", "size", "seed", "arm", "reason")
    return {name: getattr(run, name) for name in names}


def _judge(summary: Summary) -> None:
    """Raise Failure when no world has all its arms."""
    if summary.whole:
        return
    first = summary.failures[0]
    raise Failure(
        f"Every world failed in at least one arm; the first was {first.arm} in "
        f"{first.world} {first.seed}: {first.reason.rstrip('.')}.",
        "Correct the cause and play them again with --retry-failed.",
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _target_cells(target: Target) -> tuple[str, ...]:
    ends = f"{target.low_ci:.4g} to {target.high_ci:.4g}"
    return (
        target.name,
        f"{target.low:.4g} to {target.high:.4g}",
        f"{target.value:.4g}",
        ends if math.isfinite(target.low_ci) else "no interval",
        "in" if target.inside else "OUT",
    )


def _plain(value: Any) -> Any:
    """Return records as JSON knows them; a number that is none becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _show(value: Any, *, as_json: bool, lines: Iterable[str]) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False, allow_nan=False, default=float))
    else:
        for line in lines:
            print(line)
