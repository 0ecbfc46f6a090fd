"""The steps of a turn, each safe to run again after a kill.

sense → pin → signals → levers (learn, emit, decide) → gate → publish → measure
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from cartwheel.errors import Failure, NotFound
from cartwheel.levers.base import DraftingLever, Lever, State
from cartwheel.measure.experiment.options import (
    cuts_with,
    option_trial,
    variant_of,
    with_arm,
)
from cartwheel.measure.experiment.trial import CONTROL, TREATED
from cartwheel.merchandising import excluded_everywhere, rules_in_force, today_in
from cartwheel.operations import reading, turns
from cartwheel.settings import PinnedSettings, Settings
from cartwheel.shop import Shop
from cartwheel.signals.base import When
from cartwheel.signals.drafts import DRAFTS
from cartwheel.turn.core import (
    LeverRun,
    abstained,
    context_of,
    lever_seed,
    run_lever,
    stand_in,
    view_of,
)
from cartwheel.turn.drafts import ask_service, wishes_of
from cartwheel.turn.stage import ASKED, Stage
from cartwheel.wheel import cuts_of, find_levers, order_levers

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.measure.experiment.trial import Trial

TRIALS = "trials"
"""File of a turn's gate that holds the experiments it was pinned with."""

HIDDEN = "hidden"
"""File of a turn's gate that holds what the merchant had excluded everywhere."""

THREADS = {
    name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """A turn as the operational database records it."""

    number: int
    as_of: str
    state: str
    step: str
    snapshot: int | None
    seed: int
    settings: Settings
    cuts: tuple[str, ...]
    previous: int | None


def read_turn(shop: Shop, number: int) -> TurnRow:
    """Return a turn's row.

    Raises:
        NotFound: If there is no such turn.
    """
    with reading(shop.database) as con:
        row = con.execute(select(turns).where(turns.c.number == number)).first()
    if row is None:
        raise NotFound(
            f"There is no turn {number}.", "List turns with: cartwheel status"
        )
    return TurnRow(
        number=row.number,
        as_of=row.as_of,
        state=row.state,
        step=row.step,
        snapshot=row.snapshot,
        seed=row.seed,
        settings=PinnedSettings(**json.loads(row.settings)),
        cuts=tuple(json.loads(row.cuts)),
        previous=row.previous,
    )


def stage_of(shop: Shop, number: int) -> Stage:
    """Return the folder of a turn."""
    return Stage(folder=shop.turn_folder(number))


def when_of(shop: Shop, row: TurnRow) -> When:
    """Return the day a pinned turn looks from."""
    from cartwheel.signals.engine import when_of as engine_when

    return engine_when(date.fromisoformat(row.as_of), row.settings.timezone)


def mark(shop: Shop, number: int, **values: Any) -> None:
    """Record progress on a turn's row."""
    with shop.database.begin() as con:
        con.execute(update(turns).where(turns.c.number == number).values(**values))


def sense(shop: Shop, number: int) -> None:
    """Drain the inbox, join outcomes to decisions, and tell what fixes' tests found."""
    from cartwheel.lake.inbox import drain_waiting
    from cartwheel.measure.credit.record import record_fix_effects
    from cartwheel.measure.outcomes import record_outcomes

    mark(shop, number, step="sense")
    shop.lake.create()  # a lake of an earlier version may lack what is read today
    drain_waiting(shop)
    row = read_turn(shop, number)
    record_outcomes(shop, row)
    record_fix_effects(shop, row)


def pin(shop: Shop, number: int) -> None:
    """Fix all this turn is a function of: lake, experiments, the merchant's rules."""
    from cartwheel.measure.experiment.store import running_trials

    row = read_turn(shop, number)
    stage = stage_of(shop, number)
    if stage.read_json("gate", TRIALS) is None:
        day = in_force_from(row)
        running = running_trials(shop.database, day)
        trials = [one.to_json() for one in running]
        body: dict[str, Any] = {"day": day.isoformat(), "trials": trials}
        if any(one.unit == "geography" for one in running):
            body["places"] = _places_now(shop, row, running)
        stage.write_json("gate", TRIALS, body)
    if stage.read_json("gate", HIDDEN) is None:
        today = today_in(row.settings.timezone)
        hidden = excluded_everywhere(rules_in_force(shop.database, today))
        stage.write_json("gate", HIDDEN, {"products": sorted(hidden)})
    if row.snapshot is None:
        mark(shop, number, step="pin", snapshot=shop.lake.snapshot())


def in_force_from(row: TurnRow) -> date:
    """Return the first day on which a turn's decisions act: the day after it looked."""
    return date.fromisoformat(row.as_of) + timedelta(days=1)


def trials_of(stage: Stage) -> tuple[Trial, ...]:
    """Return the experiments that were running when a turn was pinned."""
    from cartwheel.measure.experiment.trial import Trial

    found = stage.read_json("gate", TRIALS) or {"trials": []}
    return tuple(Trial.from_json(value) for value in found["trials"])


def hidden_of(stage: Stage) -> frozenset[str]:
    """Return the products that were excluded everywhere when a turn was pinned."""
    return frozenset((stage.read_json("gate", HIDDEN) or {"products": []})["products"])


def _places_now(shop: Shop, row: TurnRow, running: Iterable[Trial]) -> dict[str, str]:
    """Return where customers of enrolled places live, as known on the turn's day."""
    from cartwheel.measure.experiment.places import places_of
    from cartwheel.signals.days import midnight_after

    enrolled = {place for one in running for place in one.places}
    end = midnight_after(date.fromisoformat(row.as_of), row.settings.timezone)
    with shop.lake.attached(read_only=True) as con:
        lives = places_of(con, "lake", end)
    return {name: place for name, place in lives.items() if place in enrolled}


def pinned_places(stage: Stage) -> Mapping[str, str]:
    """Return where customers lived when a turn was pinned, if a test is by place."""
    found: Mapping[str, str] = (stage.read_json("gate", TRIALS) or {}).get("places", {})
    return found


def look_at_experiments(shop: Shop, number: int) -> None:
    """Look at the experiments that run, and close those whose terms demand it."""
    from cartwheel.measure.experiment.rounds import look_at_all

    look_at_all(shop, date.fromisoformat(read_turn(shop, number).as_of))


def make_signals(shop: Shop, number: int) -> None:
    """Make every signal from the pinned lake and stage it."""
    from cartwheel.signals.engine import compute_for

    row = read_turn(shop, number)
    stage = stage_of(shop, number)
    when = when_of(shop, row)
    tables = compute_for(shop, when, _snapshot(row), frozenset(row.cuts))
    for name, table in tables.items():
        stage.write_table("signals", name, table)
    for name, table in lagged_from(shop, row.previous).items():
        stage.write_table("lagged", name, table)


def lagged_from(shop: Shop, previous: int | None) -> dict[str, pa.Table]:
    """Return the lagged signals that the previous published turn wrote."""
    if previous is None:
        return {}
    names = {
        s.name for lever in find_levers().values() for s in lever.writes if s.lagged
    }
    written = stage_of(shop, previous).read_tables("signals")
    return {name: table for name, table in written.items() if name in names}


def known_signals(stage: Stage) -> dict[str, pa.Table]:
    """Return what a lever may be shown; lagged signals as the last turn wrote them."""
    names = {
        s.name for lever in find_levers().values() for s in lever.writes if s.lagged
    }
    now = {n: t for n, t in stage.read_tables("signals").items() if n not in names}
    return {**now, **stage.read_tables("lagged"), **stage.read_tables(ASKED)}


def run_staged(
    shop: Shop, number: int, name: str, *, failed: str | None = None
) -> LeverRun:
    """Run one lever on the staged signals and stage what it did.

    Args:
        shop: The shop.
        number: The turn.
        name: The lever.
        failed: Why its own model may not decide (it ran over its time), if so.
    """
    row = read_turn(shop, number)
    stage = stage_of(shop, number)
    lever = find_levers()[name]
    shops = context_of(row.settings, when_of(shop, row))
    previous = last_healthy_model(shop, row.previous, name)
    trial = option_trial(trials_of(stage), name)
    if failed is None:
        _draft(shop, row, lever, trial)
    tables = known_signals(stage)

    def ran(arm: str, *, pages: bool) -> LeverRun:
        context, cuts = with_arm(shops, trial, arm), cuts_with(row.cuts, trial, arm)
        if failed is None:
            return run_lever(
                lever,
                tables,
                context,
                cuts=cuts,
                previous=previous,
                seed=row.seed,
                pages=pages,
            )
        own_seed = lever_seed(row.seed, name, row.as_of)
        return stand_in(lever, tables, context, cuts, previous, own_seed, failed, pages)

    if trial is not None:
        # What the lever tells others is the control's; the arm is decided for alone.
        write_run(
            stage,
            replace(ran(TREATED, pages=False), lever=variant_of(name), emitted={}),
        )
    run = ran(CONTROL, pages=True)
    write_run(stage, run)
    return run


def _draft(shop: Shop, row: TurnRow, lever: Lever, trial: Trial | None) -> None:
    """Let the shop's text service draft what a lever wants, for both arms of a test."""
    if not isinstance(lever, DraftingLever):
        return
    stage = stage_of(shop, row.number)
    tables = known_signals(stage)
    shops = context_of(row.settings, when_of(shop, row))
    views = []
    for arm in (CONTROL,) if trial is None else (CONTROL, TREATED):
        cuts = cuts_with(row.cuts, trial, arm)
        if DRAFTS.name not in cuts_of(lever.name, cuts):
            views.append(view_of(lever, tables, with_arm(shops, trial, arm), cuts))
    ask_service(
        stage,
        None if row.previous is None else stage_of(shop, row.previous),
        wishes_of(lever, views),
        # The lever itself has the other half of its time.
        seconds=row.settings.turn.lever_seconds / 2,
    )


def write_run(stage: Stage, run: LeverRun) -> None:
    """Stage what a lever did; its JSON file is written last and marks it complete."""
    for name, table in run.emitted.items():
        stage.write_table("signals", name, table)
    if run.model is not None:
        stage.write_model(run.lever, run.model)
    stage.write_lines("decisions", run.lever, [d.canonical() for d in run.decisions])
    stage.write_json(
        "runs",
        run.lever,
        {
            "state": run.state.value,
            "rule": run.rule,
            "reason": run.reason,
            "decisions": len(run.decisions),
            "model": run.model.fingerprint() if run.model else "",
            "report": run.report,
        },
    )


def last_healthy_model(shop: Shop, previous: int | None, name: str) -> Any:
    """Return the lever's newest healthy model before this turn, or None."""
    number = previous
    while number is not None:
        stage = stage_of(shop, number)
        run = stage.read_json("runs", name)
        if run is not None and run["state"] == State.HEALTHY:
            return stage.read_model(name)
        number = _previous_of(shop, number)
    return None


def run_child(shop: Shop, number: int, step: str, *extra: str, seconds: int) -> None:
    """Run a step in a process of its own, so that its memory and time are bounded.

    Raises:
        TimeoutError: If it runs longer than `seconds`.
        Failure: If it ends with an error.
    """
    command = [sys.executable, "-m", "cartwheel.turn.child"]
    command += [str(shop.folder), str(number), step, *extra]
    child = subprocess.Popen(
        command,
        env={**os.environ, **THREADS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise TimeoutError(f"{step} ran longer than {seconds} s") from None
    finally:
        if child.poll() is None:
            child.kill()
    if child.returncode != 0:
        last = said.strip().splitlines()[-1:] or [f"exit code {child.returncode}"]
        raise Failure(
            f"The step {' '.join([step, *extra])} of turn {number} failed: "
            f"{last[0][:500].rstrip('.')}.",
            "The published turn stays in force. Correct the cause and turn again.",
        )


def turn_lever(shop: Shop, number: int, name: str) -> dict[str, Any]:
    """Run one lever in a child process; a stand-in decides when it fails.

    Returns:
        What was staged of the run, without its report.
    """
    stage = stage_of(shop, number)
    row = read_turn(shop, number)
    mark(shop, number, step=f"lever {name}")
    limit = row.settings.turn.lever_seconds
    done = stage.read_json("runs", name)
    if done is None:
        try:
            run_child(shop, number, "lever", name, seconds=limit)
        except (TimeoutError, Failure) as error:
            _stand_in(shop, number, name, _why_stopped(error), seconds=limit)
        done = stage.read_json("runs", name)
    if done is None:
        raise Failure(f"The lever {name} left no result.", "Turn the wheel again.")
    return {key: value for key, value in done.items() if key != "report"}


def _stand_in(shop: Shop, number: int, name: str, said: str, *, seconds: int) -> None:
    """Let the last healthy model or the rule decide; failing even then, nobody."""
    try:
        run_child(shop, number, "stand-in", name, said, seconds=seconds)
    except (TimeoutError, Failure) as error:
        said = f"{said}; its stand-in was stopped too: {_why_stopped(error)}"
        write_run(stage_of(shop, number), abstained(find_levers()[name], said))


def _why_stopped(error: TimeoutError | Failure) -> str:
    said = error.message if isinstance(error, Failure) else str(error)
    return f"it was stopped: {said.rstrip('.')}"


def lever_names() -> list[str]:
    """Return the levers in the order they run."""
    return [lever.name for lever in order_levers(find_levers())]


def oldest_kept(row: TurnRow) -> int:
    """Return the number of the oldest turn whose folder is kept."""
    return row.number - row.settings.turn.keep_turns + 1


def day_after(iso_day: str, days: int) -> str:
    """Return an ISO day some days later."""
    return (date.fromisoformat(iso_day) + timedelta(days=days)).isoformat()


def runs_of(stage: Stage) -> Mapping[str, dict[str, Any]]:
    """Return what every lever did, by name, in the order they run."""
    found = {name: stage.read_json("runs", name) for name in lever_names()}
    return {name: run for name, run in found.items() if run is not None}


def _snapshot(row: TurnRow) -> int:
    if row.snapshot is None:
        raise Failure(f"Turn {row.number} is not pinned.", "Turn the wheel again.")
    return row.snapshot


def _previous_of(shop: Shop, number: int) -> int | None:
    try:
        return read_turn(shop, number).previous
    except NotFound:
        return None
