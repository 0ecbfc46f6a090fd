"""The rival: its prices are sticky, keep to their level, and follow ours a little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cartwheel.simulator.world.state import State

Array = np.ndarray[Any, Any]

WOBBLE = 0.04
"""Log spread of the rival's prices around their level when they move."""


def move_rival(state: State, changed_log: Array) -> None:
    """Let the rival set its prices for today.

    Args:
        state: The world this morning; its rival prices are changed in place.
        changed_log: Log change of our list price since yesterday, shape (P,).
    """
    rival = state.spec.rival
    who = np.arange(len(state.rival_minor))
    u = state.draws.uniform("rival", who, state.day)
    z = state.draws.normal("rival", who, state.day, 1)[0]
    # It follows our move at once, and goes back to its level when it next sets prices.
    follows = np.where(u[1] < rival.react, 0.5 * changed_log, 0.0)
    price = state.rival_minor * np.exp(follows)
    resets = u[0] >= rival.sticky
    price = np.where(resets, state.rival_anchor * np.exp(WOBBLE * z), price)
    state.rival_minor = np.maximum(np.rint(price), 1)
