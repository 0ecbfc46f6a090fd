"""What a process started by another does first."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
BEHIND = 10
"""Niceness of what works behind the processes that shoppers wait for."""


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def step_back() -> None:
    """Let processes that answer shoppers go first where both want a processor."""
    with contextlib.suppress(AttributeError, OSError):  # no such thing, or not allowed
        os.nice(max(0, BEHIND - os.nice(0)))  # once: what it starts is as nice
