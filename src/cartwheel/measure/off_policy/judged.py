"""Values of several policies by one reward, judged together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.figures import (
    REWARDS,
    Figure,
    Policy,
    Reward,
    figure_of,
)
from cartwheel.measure.off_policy.value import LEVEL, PolicyValue

Ask = Callable[[float], PolicyValue]
"""Returns a policy's value with intervals of a level."""

P = TypeVar("P")

RAN = "as-ran"


def judged(reward: Reward, asked: Mapping[str, Ask]) -> dict[str, Figure]:
    """Return each policy's figure; what cannot be said keeps its reason.

    A gain counts as decided when it is above or below zero at a level that allows for
    the number of policies asked about (Bonferroni); the intervals shown are of 95 %.

    Args:
        reward: What is counted.
        asked: How to ask about each policy; `RAN` is the one that ran.
    """
    others = max(len(asked) - (RAN in asked), 1)
    strict = 1 - (1 - LEVEL) / others
    found = {}
    for name, ask in asked.items():
        try:
            value = ask(LEVEL)
        except Misuse as error:
            why = f"{error.message} {error.next_step}"
            found[name] = Figure(reward=reward, unit=REWARDS[reward], refused=why)
            continue
        decided = name != RAN and _off_zero(value)
        if decided and others > 1:
            decided = _off_zero(ask(strict))
        found[name] = figure_of(reward, value, decided=decided, ran=name == RAN)
    return found


def told_of(
    wanted: Mapping[str, tuple[str, str, P]],
    rewards: Sequence[Reward],
    ask: Callable[[P, Reward], Ask],
) -> tuple[Policy, ...]:
    """Return policies with their figures, those of one reward judged together.

    Args:
        wanted: Title, note and policy by name.
        rewards: What is counted.
        ask: How to ask about a policy by a reward.
    """
    found = {
        reward: judged(
            reward,
            {name: ask(policy, reward) for name, (_, _, policy) in wanted.items()},
        )
        for reward in rewards
    }
    return tuple(
        Policy(
            name=name,
            title=title,
            note=note,
            figures=tuple(found[reward][name] for reward in rewards),
        )
        for name, (title, note, _) in wanted.items()
    )


def _off_zero(value: PolicyValue) -> bool:
    low, high = value.gain_low, value.gain_high
    if low is None or high is None:
        return False
    return low > 0 or high < 0
