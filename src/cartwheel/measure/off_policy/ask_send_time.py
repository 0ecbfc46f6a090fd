"""What other hours to send offers at would have earned, or why it cannot be told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.figures import Part, Policy, Reward
from cartwheel.measure.off_policy.judged import RAN, Ask, told_of
from cartwheel.measure.off_policy.send_hour_policies import (
    HourPolicy,
    always_at,
    evaluate_send_hours,
    hours_as_drawn,
    usual_hour,
)
from cartwheel.measure.off_policy.send_hours import DAYS, SendHourLog, read_send_hours
from cartwheel.measure.off_policy.value import PolicyValue
from cartwheel.operations import decisions, reading, turns

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ABOUT = "send-time"
KIND = "winback"
TITLE = "When to send a message"
REWARDS: tuple[Reward, ...] = ("paid_minor", "orders")


def ask_send_time(shop: Shop, on: date, *, message_kinds: Collection[str]) -> Part:
    """Return what other hours would have earned.

    Only hours drawn at random tell: people who were mailed early differ from others by
    more than the hour.

    Args:
        shop: The shop.
        on: Last day whose facts count.
        message_kinds: Kinds of decision that send a message.
    """
    try:
        log = read_send_hours(shop, kind=KIND, on=on)
    except Misuse:
        return _nothing_drawn(_sent(shop, on, message_kinds))
    drawn = len(log.customer)
    if drawn == 0:
        return Part(
            about=ABOUT,
            title=TITLE,
            says="",
            cannot=(
                f"Not yet: the hour of {log.left_out['too recent']:,} offers was "
                f"drawn, and for none of them are the {DAYS} days over in which orders "
                "count."
            ),
            would_need=f"Wait until {DAYS} days have passed since the first draw.",
            left_out=log.left_out,
        )
    if not log.applied.any():
        return Part(
            about=ABOUT,
            title=TITLE,
            says="",
            cannot=(
                f"Not known: the hour of {drawn:,} offers was drawn, and none of them "
                "was carried out, so nobody got a message at any hour."
            ),
            would_need=f"Approve some offers, and wait {DAYS} days.",
            left_out=log.left_out,
        )
    return Part(
        about=ABOUT,
        title=TITLE,
        says=_says(log),
        policies=_policies(log),
        left_out=log.left_out,
    )


def _says(log: SendHourLog) -> str:
    drawn, moved = len(log.customer), int((log.hour != log.usual).sum())
    return (
        f"{drawn:,} offers whose hour was drawn, {moved:,} of them to another hour "
        f"than the customer's usual one; {int(log.applied.sum()):,} were carried out. "
        "Hours can only differ where messages went out at the hour that offers.csv "
        f"says. Counted are the {DAYS} days after; discounts are taken off what was "
        "paid, the cost of the goods is not."
    )


def _policies(log: SendHourLog) -> tuple[Policy, ...]:
    return told_of(_wanted(log), REWARDS, partial(_ask, log))


def _wanted(log: SendHourLog) -> dict[str, tuple[str, str, HourPolicy]]:
    """Return title, note and policy by name."""
    found: dict[str, tuple[str, str, HourPolicy]] = {
        RAN: ("What ran", "Usual hours and others as they were drawn.", hours_as_drawn),
        "usual-hour": ("Each customer's usual hour", "", usual_hour),
    }
    for hour in np.union1d(log.hour, log.usual).tolist():
        drawn, usual = int((log.hour == hour).sum()), int((log.usual == hour).sum())
        found[f"at-{hour}"] = (
            f"Every offer at {hour}:00",
            f"{drawn:,} of the draws came out so; it is the usual hour of {usual:,}.",
            always_at(hour),
        )
    return found


def _ask(log: SendHourLog, policy: HourPolicy, reward: Reward) -> Ask:
    def ask(level: float) -> PolicyValue:
        return evaluate_send_hours(log, policy, reward=reward, level=level)  # type: ignore[arg-type]

    return ask


def _nothing_drawn(messages: int) -> Part:
    sent = f"{messages:,} messages were approved or carried out"
    if messages == 0:
        sent = "no message was approved or carried out yet"
    return Part(
        about=ABOUT,
        title=TITLE,
        says="",
        cannot=(
            f"Not known: {sent}, and for none was the hour drawn at random, so what "
            "another hour would have earned cannot be told from the log."
        ),
        would_need=(
            "Draw the hour of a share of offers at random "
            "(levers.lifecycle.draw_hour_share), and approve them."
        ),
    )


def _sent(shop: Shop, on: date, message_kinds: Collection[str]) -> int:
    """Return how many messages were approved or carried out up to a day."""
    query = (
        select(func.count())
        .select_from(decisions)
        .join(turns, turns.c.number == decisions.c.turn)
        .where(
            turns.c.state == "published",
            turns.c.as_of <= on.isoformat(),
            decisions.c.kind.in_(sorted(message_kinds)),
            decisions.c.state.in_(["approved", "applied"]),
        )
    )
    with reading(shop.database) as con:
        return int(con.execute(query).scalar_one())
