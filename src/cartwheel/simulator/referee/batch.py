"""Plays many worlds side by side; a failure is marked, everything finished is kept.

Worlds are played in processes of their own, so that a policy that raises, dies or never
ends costs its own arm and nothing else. A process that played its world to the end goes
on with the next one, which saves seconds of getting ready, but only when every arm of
both is ours: what an outsider's policy leaves behind stays in its own world. Each
finished arm is on disk before the next one is looked at: whatever is killed, only arms
under way are lost.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from cartwheel.errors import CartwheelError, Misuse
from cartwheel.simulator.arms.links import cuts_of_arm
from cartwheel.simulator.arms.registry import OURS
from cartwheel.simulator.referee.results import Key, Run, read_runs, write_run

START_SECONDS = 120.0
"""Most time in which a process may start, and may tidy up after its last arm."""
TELL_SECONDS = 0.2
"""Least time between two messages on the day that is played."""
GARBAGE = (50_000, 20, 20)
"""Objects after which a child looks for garbage. A turn makes many and few refer to
themselves; by Python's own numbers a fortieth of an arm would go into looking."""
MADE_WITH = "made-with.json"
ONE_THREAD = {
    name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Arms to be played in one world with one seed.

    Attributes:
        world: Name of a world, or the path of its settings file.
        size: Name of a size.
        seed: Seed of all random draws.
        arms: Names of arms, in the order they are played.
    """

    world: str
    size: str
    seed: int
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """An arm under way, `day` days into `days`."""

    world: str
    seed: int
    arm: str
    day: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch is.

    Attributes:
        total: Arms asked for, over all worlds.
        done: Arms finished, earlier runs included.
        failed: Arms failed, earlier runs included.
        running: Arms under way.
        seconds_left: Estimate from the mean time of each arm; None before any ended.
    """

    total: int
    done: int
    failed: int
    running: tuple[Playing, ...]
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a batch ended.

    Attributes:
        total: Arms asked for, over all worlds.
        done: Arms finished, earlier runs included.
        kept: Arms that an earlier run had finished.
        failures: Arms that failed, earlier runs included.
        worlds: Worlds asked for, each seed counted.
        whole: Worlds of which every arm asked for is finished.
        seconds: Time taken.
    """

    total: int
    done: int
    kept: int
    failures: tuple[Run, ...]
    worlds: int
    whole: int
    seconds: float


class Play(Protocol):
    """Plays arms in one world; the shared warm-up once, then a result per arm."""

    def __call__(
        self,
        world: str,
        size: str,
        seed: int,
        arms: Sequence[str],
        *,
        on_day: Callable[[int, int], None],
    ) -> Iterator[Run]:
        """Yield the result of each arm in the order given, calling back every day."""
        ...


def play_world(
    world: str,
    size: str,
    seed: int,
    arms: Sequence[str],
    *,
    on_day: Callable[[int, int], None],
) -> Iterator[Run]:
    """Play with the referee; it is imported where it runs, in the child."""
    from cartwheel.simulator.referee.play import play

    return play(world, size, seed, arms, on_day=on_day)


def run_batch(
    jobs: Sequence[Job],
    folder: Path,
    *,
    workers: int,
    seconds: float,
    progress: Callable[[Progress], None],
    retry_failed: bool = False,
    play: Play = play_world,
) -> Summary:
    """Play every arm of every job that `folder` does not hold yet.

    Args:
        jobs: What to play.
        folder: Results, made when it does not exist; one file per arm.
        workers: Most processes at once.
        seconds: Most time for one arm; the first one's includes the warm-up.
        progress: Called whenever something changed.
        retry_failed: Also play arms again that failed before.
        play: Plays one world; a function of a module, as it crosses to a process.

    Raises:
        Misuse: If a world or size is unknown, or the folder cannot be used or holds
            results of other settings.
        Failure: If a result cannot be written, as on a full disk, or an earlier one
            cannot be read; what was finished is kept.
        ValueError: If `workers` or `seconds` is not above zero.
    """
    if workers < 1 or seconds <= 0:
        raise ValueError(f"workers {workers} and seconds {seconds} must be above zero")
    began = time.monotonic()
    named = _claim(jobs, folder)
    batch = _Batch(named, folder, workers, seconds, progress, retry_failed, play)
    kept = batch.done
    batch.run()
    return Summary(
        total=batch.total,
        done=batch.done,
        kept=kept,
        failures=tuple(batch.failures.values()),
        worlds=len(batch.worlds()),
        whole=len(batch.worlds() - batch.broken_worlds()),
        seconds=time.monotonic() - began,
    )


World = tuple[str, str, int]
"""Name, size and seed: what the arms of a pair share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A job together with the name its world's results go by."""

    name: str
    job: Job

    def wanted(self) -> list[Key]:
        job = self.job
        return [(self.name, job.size, job.seed, arm) for arm in job.arms]

    def ours(self) -> bool:
        """Tell whether no arm is an outsider's policy."""
        return all(arm in OURS or cuts_of_arm(arm) is not None for arm in self.job.arms)

    def with_arms(self, arms: Sequence[str]) -> _Named:
        return replace(self, job=replace(self.job, arms=tuple(arms)))


class _Batch:
    """The queue of jobs, the processes that play them, and what is finished."""

    def __init__(
        self,
        jobs: Sequence[_Named],
        folder: Path,
        workers: int,
        seconds: float,
        progress: Callable[[Progress], None],
        retry_failed: bool,
        play: Play,
    ) -> None:
        self.folder, self.workers, self.seconds = folder, workers, seconds
        self.progress, self.play = progress, play
        self.asked = dict.fromkeys(key for job in jobs for key in job.wanted())
        self.total = len(self.asked)
        self.known: set[Key] = set()
        self.failures: dict[Key, Run] = {}
        self.times: dict[str, list[float]] = {}
        for run in read_runs(folder):
            failed = run.state == "failed"
            if run.key in self.asked and not (retry_failed and failed):
                self._know(run)
        self.queue = deque(self._open_jobs(jobs))
        self.children: list[_Child] = []

    @property
    def done(self) -> int:
        return len(self.known) - len(self.failures)

    def worlds(self) -> set[World]:
        """Return the worlds asked for."""
        return {key[:3] for key in self.asked}

    def broken_worlds(self) -> set[World]:
        """Return those that lack an arm."""
        done = self.known - self.failures.keys()
        return {key[:3] for key in self.asked if key not in done}

    def run(self) -> None:
        try:
            self._tell()
            while self.queue or self.children:
                while self.queue and len(self.children) < self.workers:
                    self.children.append(_Child(self.queue.popleft(), self.play))
                self._listen()
                self._tell()
        finally:
            for child in self.children:
                child.end()

    def _open_jobs(self, jobs: Sequence[_Named]) -> Iterator[_Named]:
        """Yield the jobs with the arms that are still to be played, each once."""
        taken = set(self.known)
        for named in jobs:
            left = [key for key in dict.fromkeys(named.wanted()) if key not in taken]
            taken.update(left)
            if left:
                yield named.with_arms([key[-1] for key in left])

    def _listen(self) -> None:
        """Wait for news of any child or for the first deadline."""
        first = min(child.deadline for child in self.children)
        left = max(0.0, first - time.monotonic())
        ready = wait([child.pipe for child in self.children], timeout=left)
        for child in [one for one in self.children if one.pipe in ready]:
            self._hear(child)
        now = time.monotonic()
        for child in [one for one in self.children if one.deadline <= now]:
            self._drop(child, f"it ran longer than {child.allowed:g} s")

    def _hear(self, child: _Child) -> None:
        try:
            kind, value = child.pipe.recv()
        except (EOFError, OSError):  # it ended, perhaps in the middle of a message
            self._drop(child, child.why_ended())
            return
        if kind == "ready":
            child.allow(self.seconds)
        elif kind == "day":
            child.day = value
        elif kind == "run":
            self._take(child, value)
        else:
            self._fail(child, value)
            child.allow(START_SECONDS)

    def _drop(self, child: _Child, reason: str) -> None:
        """End a child; an arm that it leaves unfinished has failed."""
        child.end()
        self.children.remove(child)
        if child.arms:
            self._fail(child, reason)

    def _fail(self, child: _Child, reason: str) -> None:
        """Mark the arm under way as failed and give the others to a fresh child."""
        arm = child.arms.popleft()
        self._keep(_failed(child.named, arm, reason, child.elapsed()))
        if child.arms:
            self.queue.appendleft(child.named.with_arms(child.arms))
            child.arms.clear()

    def _go_on(self, child: _Child) -> None:
        """Hand a process that has played its world the next one, or let it end."""
        child.allow(START_SECONDS)
        if not (self.queue and child.named.ours() and self.queue[0].ours()):
            child.give(None)
            return
        named = self.queue.popleft()
        if child.give(named):
            child.allow(self.seconds)
        else:  # it died in between; another one will do
            self.queue.appendleft(named)

    def _take(self, child: _Child, run: Run) -> None:
        """Keep a result; one that cannot be stored is a failure of its arm."""
        try:
            self._keep(run)
        except (TypeError, ValueError, OverflowError) as error:
            self._drop(child, f"its result cannot be stored: {_why(error)}")
            return
        child.arms.popleft()
        if child.arms:
            child.allow(self.seconds)
        else:
            self._go_on(child)

    def _keep(self, run: Run) -> None:
        write_run(self.folder, run)
        self._know(run)

    def _know(self, run: Run) -> None:
        self.known.add(run.key)
        if run.state == "failed":
            self.failures[run.key] = run
        else:
            self.times.setdefault(run.arm, []).append(run.seconds)

    def _tell(self) -> None:
        self.progress(
            Progress(
                total=self.total,
                done=self.done,
                failed=len(self.failures),
                running=tuple(child.playing() for child in self.children if child.arms),
                seconds_left=self._seconds_left(),
            )
        )

    def _seconds_left(self) -> float | None:
        """Return the work left at the mean time of each arm, shared by the workers."""
        if not self.times:
            return None
        means = {arm: sum(spent) / len(spent) for arm, spent in self.times.items()}
        usual = sum(means.values()) / len(means)
        waiting = [means.get(arm, usual) for one in self.queue for arm in one.job.arms]
        for child in self.children:
            of_arms = [means.get(arm, usual) for arm in child.arms]
            waiting.append(max(0.0, sum(of_arms) - child.elapsed()))
        at_once = min(self.workers, len(self.queue) + len(self.children))
        return sum(waiting) / max(1, at_once)


class _Child:
    """A process that plays jobs one after the other, and how far it is."""

    def __init__(self, named: _Named, play: Play) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_play_jobs, args=(play, theirs))
        with _one_thread():
            self.process.start()
        theirs.close()
        self.give(named)
        self.allow(START_SECONDS)

    def give(self, named: _Named | None) -> bool:
        """Hand it a job, or None to end. Tell whether it could still take it."""
        try:
            self.pipe.send(named)
        except OSError:
            return False
        if named is not None:
            self.named = named
            self.arms = deque(named.job.arms)
            self.day = (0, 0)
        return True

    def allow(self, seconds: float) -> None:
        """Give it this much time from now on for what comes next."""
        self.allowed = seconds
        self.began = time.monotonic()
        self.deadline = self.began + seconds

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def playing(self) -> Playing:
        day, days = self.day
        job = self.named.job
        return Playing(
            world=self.named.name, seed=job.seed, arm=self.arms[0], day=day, days=days
        )

    def why_ended(self) -> str:
        self.process.join(10)
        code = self.process.exitcode
        if code is None:
            return "its process stopped answering"
        if code >= 0:
            return f"its process ended with exit code {code}"
        name = signal.Signals(-code).name
        memory = "; memory may have run out" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{memory}"

    def end(self) -> None:
        """Kill it when it still runs."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _play_jobs(play: Play, pipe: Connection) -> None:
    """Play jobs in this process until there are no more or one fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _silence()
    gc.set_threshold(*GARBAGE)
    pipe.send(("ready", None))
    while (named := pipe.recv()) is not None and _play_job(play, named, pipe):
        gc.collect()  # a world is large and refers to itself


def _play_job(play: Play, named: _Named, pipe: Connection) -> bool:
    """Play a job, send what comes of it, and tell whether all went well."""
    job, left = named.job, deque(named.job.arms)
    told = -math.inf

    def on_day(day: int, days: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            pipe.send(("day", (int(day), int(days))))

    try:
        for run in play(job.world, job.size, job.seed, job.arms, on_day=on_day):
            pipe.send(("run", _checked(run, named, left)))
            left.popleft()
        if left:
            raise ValueError(f"the world ended without a result of {left[0]}")
    except BaseException as error:  # a policy may raise anything, SystemExit too
        if left:  # after its last result nothing is lost
            pipe.send(("failed", _why(error)))
    return not left


def _end_with_parent() -> None:
    """End this process when its parent dies, also one that is busy for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _silence() -> None:
    """Send what a policy prints nowhere: results and progress are the parent's."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes started here use one thread each: worlds are the parallel part."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _checked(found: Any, named: _Named, left: Sequence[str]) -> Run:
    """Return a result under its world's name.

    Raises:
        ValueError: If it is no result, not the one that was due, or holds no numbers.
    """
    if not isinstance(found, Run):
        raise ValueError(f"a {type(found).__name__} came instead of a result")
    run, job = found, named.job
    if run.world == job.world:  # asked for by the path of its settings file
        run = replace(run, world=named.name)
    got = (run.world, run.size, run.seed, run.arm)
    due = (named.name, job.size, job.seed, left[0] if left else None)
    if got != due:
        raise ValueError(f"the result of {got} came instead of {due}")
    whole = {"visits": run.visits, "orders": run.orders, **run.parts}
    whole["profit_minor"] = run.profit_minor
    for name, value in whole.items():
        if not math.isfinite(value) or value != int(value):
            raise ValueError(f"{name} is {value}; expected a whole number")
    if not math.isfinite(run.seconds):
        raise ValueError(f"seconds is {run.seconds}; expected a number")
    return run


def _why(error: BaseException) -> str:
    """Return one line on an error: its kind, what it says and where it arose."""
    if isinstance(error, CartwheelError):
        return " ".join(str(error).split())[:500]
    said = " ".join(str(error).split())[:300]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename).name
        where = f" at {file}:{trace.tb_lineno}"
    return f"{type(error).__name__}{': ' if said else ''}{said}{where}"


def _failed(named: _Named, arm: str, reason: str, seconds: float) -> Run:
    return Run(
        world=named.name,
        size=named.job.size,
        seed=named.job.seed,
        arm=arm,
        state="failed",
        reason=reason,
        seconds=seconds,
    )


def _claim(jobs: Sequence[Job], folder: Path) -> list[_Named]:
    """Mark the folder with what is played into it, and name the jobs' worlds."""
    from cartwheel.simulator.world.spec import load_world, size_of

    names: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for job in dict.fromkeys(replace(job, seed=0, arms=()) for job in jobs):
        spec = load_world(job.world)
        size = asdict(size_of(job.size))
        text = json.dumps([spec.model_dump(mode="json"), size], sort_keys=True)
        mark = hashlib.sha256(text.encode()).hexdigest()[:12]
        origin = f"{job.size}, settings {mark}, version {version('cartwheel')}"
        if wanted.setdefault(spec.name, origin) != origin:
            raise Misuse(
                f"Two worlds are called {spec.name!r}: {wanted[spec.name]} and "
                f"{origin}.",
                "Give them different names, or play them apart.",
            )
        names[job.world] = spec.name
    before = _read_claim(folder)
    for name, origin in wanted.items():
        if before.get(name, origin) != origin:
            raise Misuse(
                f"{folder} holds results of {name} ({before[name]}), which cannot be "
                f"mixed with {name} ({origin}).",
                "Choose another folder with --out, or remove this one.",
            )
    _write_claim(folder, {**before, **wanted})
    return [_Named(name=names[job.world], job=job) for job in jobs]


def _read_claim(folder: Path) -> Mapping[str, str]:
    """Return what a folder's results were made with, by world."""
    path = folder / MADE_WITH
    try:
        if not path.is_file():
            # A kill while the mark was written leaves a part of it and nothing else.
            there = folder.iterdir() if folder.exists() else ()
            if any(one.suffix != ".part" for one in there):
                raise Misuse(
                    f"{folder} holds something other than results of simulations.",
                    "Choose a new or empty folder with --out.",
                )
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(origin) for name, origin in found.items()}
    except OSError as error:
        raise _unusable(folder, error) from error
    except (ValueError, AttributeError) as error:
        raise Misuse(
            f"{path} is damaged ({error}).",
            "Choose another folder with --out, or remove this one.",
        ) from error


def _write_claim(folder: Path, claim: Mapping[str, str]) -> None:
    path = folder / MADE_WITH
    beside = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(claim, indent=1, sort_keys=True)
        beside.write_text(f"{text}\n", encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> Misuse:
    return Misuse(
        f"The folder {folder} cannot be used: {error.strerror or error}.",
        "Choose one that can be written with --out.",
    )
