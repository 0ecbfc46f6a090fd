"""How far a batch of simulations is, told on the terminal beside the results."""

from __future__ import annotations

import math
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cartwheel.simulator.referee.batch import Progress

BAR = 24
"""Width of the bar."""


class Teller:
    """Draws a bar on a terminal; elsewhere prints a line whenever an arm ended."""

    def __init__(self) -> None:
        self._draws = sys.stderr.isatty()
        self._told: object = None

    def __call__(self, progress: Progress) -> None:
        """Tell how far the batch is, unless that was told already."""
        if self._draws:
            width = shutil.get_terminal_size().columns - 1
            line = f"{_bar(progress)} {_how_far(progress)}{_running(progress)}"
            if line != self._told:
                self._told = line
                print(f"\r{line[:width].ljust(width)}", end="", file=sys.stderr)
                sys.stderr.flush()
        elif (progress.done, progress.failed) != self._told:
            self._told = (progress.done, progress.failed)
            say(_how_far(progress))

    def close(self) -> None:
        """Leave the bar's line."""
        if self._draws and self._told is not None:
            say("")


def _bar(progress: Progress) -> str:
    ended = progress.done + progress.failed
    full = BAR * ended // progress.total if progress.total else BAR
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def _how_far(progress: Progress) -> str:
    said = f"{progress.done:,} of {progress.total:,} arms done"
    if progress.failed:
        said += f", {progress.failed:,} failed"
    open_ = progress.done + progress.failed < progress.total
    if open_ and progress.seconds_left is not None:
        said += f", about {_duration(progress.seconds_left)} left"
    return said


def _running(progress: Progress) -> str:
    said = [
        f"{one.world} {one.seed} {one.arm}"
        + (f" {one.day}/{one.days}" if one.days else "")
        for one in progress.running
    ]
    return f": {'; '.join(said)}" if said else ""


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def say(line: str) -> None:
    """Print progress where it does not disturb results."""
    print(line, file=sys.stderr, flush=True)
