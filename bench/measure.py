"""Measuring: figures and their table, processes with their time and memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured quantity.

    Attributes:
        part: Part of the bench.
        name: What was measured.
        size: On how much data.
        unit: Unit of the values.
        values: One value a repeat.
        most: Target: the median is at most this.
        least: Target: the median is at least this.
        floor: It is what a bare tool needs for the like, not ours.
    """

    part: str
    name: str
    size: str
    unit: str
    values: Sequence[float]
    most: float | None = None
    least: float | None = None
    floor: bool = False

    @property
    def median(self) -> float:
        """Middle of the repeats."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the targets; None without one."""
        if self.most is None and self.least is None:
            return None
        under = self.most is None or self.median <= self.most
        return under and (self.least is None or self.median >= self.least)

    def cells(self) -> tuple[str, ...]:
        """Return the figure as a row of the table."""
        low, high = min(self.values), max(self.values)
        spread = f"{_text(low)} to {_text(high)}" if len(self.values) > 1 else ""
        ends = (">=", self.least), ("<=", self.most)
        target = " ".join(f"{sign} {_text(end)}" for sign, end in ends if end)
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        name = f"  floor: {self.name}" if self.floor else self.name
        value = f"{_text(self.median)} {self.unit}"
        return (self.part, name, self.size, value, spread, target, verdict)

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {**asdict(self), "median": self.median, "met": self.met}


HEADER = ("part", "figure", "size", "median", "spread", "target", "")


def table(figures: Iterable[Figure]) -> list[str]:
    """Lay figures out in columns."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _text(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run is made.

    Attributes:
        work: Folder for shops and files, removed after the run.
        data: Folder of the real data sets.
        quick: Small sizes, to try the bench itself.
    """

    work: Path
    data: Path
    quick: bool

    def repeats(self, full: int) -> int:
        """Return how often to repeat what a full run repeats `full` times."""
        return 1 if self.quick else full


class Skipped(Exception):
    """A part cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A process that ended.

    Attributes:
        seconds: From its start to its end.
        peak_mb: Most memory it and its children held together.
        stdout: What it printed.
        progress: Seconds after the start and text of each line on standard error.
    """

    seconds: float
    peak_mb: float
    stdout: str
    progress: Sequence[tuple[float, str]]


@dataclass(slots=True)
class Memory:
    """Most memory of a process tree, sampled; a page shared by n counts 1/n each."""

    peak_mb: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)

    def look(self, root: int) -> None:
        """Take one sample."""
        parts: dict[str, float] = {}
        for pid in tree(root):
            name = _name(pid)
            parts[name] = parts.get(name, 0.0) + pss_mb(pid)
        total = sum(parts.values())
        if total > self.peak_mb:
            self.peak_mb, self.parts = total, parts


@contextmanager
def watching(root: int) -> Iterator[Memory]:
    """Sample the memory of a process and its descendants meanwhile."""
    memory = Memory()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            memory.look(root)
            ended.wait(SAMPLE_SECONDS)

    thread = threading.Thread(target=watch, name="memory")
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [root]
    for pid in found:
        with suppress(OSError):  # it ended meanwhile
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    found += map(int, task.read_text().split())
    return found


def pss_mb(pid: int) -> float:
    """Return a process' proportional share of memory; 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    lines = [row for row in text.splitlines() if row.startswith("Pss:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _name(pid: int) -> str:
    """Return what a process of ours does, by its command line."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "ended"
    if "cartwheel.turn.child" in words:
        return "turn child"
    return "worker" if "cartwheel.worker" in words else "main"


def python(*arguments: str) -> list[str]:
    """Return a command that runs this Python."""
    return [sys.executable, *arguments]


def cartwheel(*arguments: str) -> list[str]:
    """Return a command of the command line."""
    return python("-m", "cartwheel.cli", *arguments)


def run(command: Sequence[str]) -> Run:
    """Run a command to its end and measure it.

    Raises:
        Skipped: If it ends with an error; the message holds its last line.
    """
    progress: list[tuple[float, str]] = []
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    errors = process.stderr
    assert errors is not None

    def follow() -> None:
        for line in errors:
            progress.append((time.perf_counter() - began, line.strip()))

    thread = threading.Thread(target=follow, name="progress")
    thread.start()
    try:
        with watching(process.pid) as memory:
            stdout = process.stdout.read()
            # Not rusage's peak: a child inherits this process' own peak in it.
            process.wait()
            seconds = time.perf_counter() - began
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        thread.join()
    if process.returncode != 0:
        said = progress[-1][1] if progress else f"exit code {process.returncode}"
        raise Skipped(f"{' '.join(command[1:5])} failed: {said}")
    return Run(
        seconds=seconds,
        peak_mb=memory.peak_mb,
        stdout=stdout,
        progress=progress,
    )


def steps(progress: Sequence[tuple[float, str]], end: float) -> dict[str, float]:
    """Return seconds by step of a turn, from the lines it printed."""
    marks = [
        (at, text.split(": ", 1)[1])
        for at, text in progress
        if text.startswith("turn ") and ": " in text
    ]
    ends = [at for at, _ in marks[1:]] + [end]
    return {name: until - at for (at, name), until in zip(marks, ends, strict=True)}
