"""Whether another hour to send messages can be judged: only if hours were drawn."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from cartwheel.measure.off_policy.figures import Part
from cartwheel.operations import decisions, reading, turns

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ABOUT = "send-time"
TITLE = "When to send a message"


def ask_send_time(shop: Shop, on: date, *, message_kinds: Collection[str]) -> Part:
    """Return that no hour was drawn, and of how many messages.

    No lever chooses an hour: a message goes out when the turn's decision is carried
    out. People who were mailed early differ from others by more than the hour, so what
    they did afterwards tells nothing of another one.

    Args:
        shop: The shop.
        on: Last day whose turns count.
        message_kinds: Kinds of decision that send a message.
    """
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
        count = int(con.execute(query).scalar_one())
    sent = f"{count:,} messages were approved or carried out"
    if count == 0:
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
            "Draw the hour of a share of messages at random, and write the hour and "
            "its probability into the decision."
        ),
    )
