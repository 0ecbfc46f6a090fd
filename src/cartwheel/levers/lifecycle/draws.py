"""Draws by customer that hold for a calendar quarter."""

from __future__ import annotations

import hashlib
from datetime import date

ALL = 2**64
"""How many values a draw can take."""


def quarter_draw(customer: str, *, salt: str, purpose: str, on: date) -> int:
    """Return a customer's draw, evenly among 0 to `ALL` - 1.

    It is a stable hash: it does not depend on who else is drawn, it holds for the
    calendar quarter, so that what follows has time to be counted, and draws for
    different purposes tell nothing of each other.

    Args:
        customer: Whom the draw is for.
        salt: The shop's salt.
        purpose: What is drawn.
        on: A day of the quarter.
    """
    quarter = (on.month - 1) // 3 + 1
    text = f"{salt}|{purpose}|{on.year}Q{quarter}|{customer}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
