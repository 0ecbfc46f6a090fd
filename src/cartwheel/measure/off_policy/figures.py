"""What another policy would have earned, as pages, files and commands show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cartwheel.measure.off_policy.value import PolicyValue

Reward = Literal["clicked", "spent_minor", "paid_minor", "orders"]

REWARDS: Mapping[Reward, str] = {
    "clicked": "slots clicked per 100 answers",
    "spent_minor": "spent per answer",
    "paid_minor": "paid per customer drawn",
    "orders": "orders per 100 customers drawn",
}
"""What is counted, in words; a figure is one row's reward times `scale_of`."""


def scale_of(reward: Reward) -> float:
    """Return what a mean reward is multiplied by to be read."""
    return 100.0 if reward in ("clicked", "orders") else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One policy by one reward.

    Attributes:
        reward: What is counted.
        unit: The same in words.
        value: Mean under the policy, in that unit; None when it cannot be said.
        low: Lower end of the 95 % interval.
        high: Upper end.
        logged: Mean of what was done, from the same rows; None without rows.
        gain: `value` less `logged`.
        gain_low: Lower end of the gain's 95 % interval.
        gain_high: Upper end.
        decided: The gain is not luck, several policies asked about being counted.
        rows: Rows.
        customers: Customers, known or not.
        effective_rows: Rows' worth of evidence for the policy.
        effective_customers: Customers' worth.
        largest_weight: Most one row counts, in rows.
        refused: Why there is no value, "" when there is one.
        sentence: The figure in one sentence.
    """

    reward: Reward
    unit: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    logged: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    decided: bool = False
    rows: int = 0
    customers: int = 0
    effective_rows: float = 0.0
    effective_customers: float = 0.0
    largest_weight: float = 0.0
    refused: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One way to decide that did not run, or the one that did.

    Attributes:
        name: Short name, such as "never-explore".
        title: What it is, in words.
        note: What the log can and cannot say of it.
        figures: By reward; empty for what cannot be asked at all.
    """

    name: str
    title: str
    note: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that is decided: what to show, whom to give offers, when to send.

    Attributes:
        about: "recommend", "lifecycle" or "send-time".
        title: What is decided.
        says: What was logged, in one or two sentences.
        policies: The policy that ran first, then the others.
        cannot: Why nothing can be said, "" when something can.
        would_need: What would change that.
        left_out: Decisions not counted, by reason.
    """

    about: str
    title: str
    says: str
    policies: tuple[Policy, ...] = ()
    cannot: str = ""
    would_need: str = ""
    left_out: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All that is asked, as of a day."""

    on: str
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def figure_of(
    reward: Reward, found: PolicyValue, *, decided: bool, ran: bool = False
) -> Figure:
    """Return a policy's value in the unit people read.

    Args:
        reward: What was counted.
        found: The value.
        decided: The gain is not luck.
        ran: It is the policy that ran, which gains nothing over itself.
    """
    by = scale_of(reward)

    def times(value: float | None) -> float | None:
        return None if value is None else value * by

    gains = (None, None, None) if ran else (found.gain, found.gain_low, found.gain_high)
    gain, gain_low, gain_high = map(times, gains)
    return Figure(
        reward=reward,
        unit=REWARDS[reward],
        value=times(found.value),
        low=times(found.low),
        high=times(found.high),
        logged=times(found.logged),
        gain=gain,
        gain_low=gain_low,
        gain_high=gain_high,
        decided=decided and not ran,
        rows=found.n_rows,
        customers=found.n_clusters,
        effective_rows=found.effective_rows,
        effective_customers=found.effective_clusters,
        largest_weight=found.largest_weight,
        refused=found.refused,
    )
