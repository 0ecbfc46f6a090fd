"""Prices as English pages write them, the same as a browser's `Intl` does."""

from __future__ import annotations

from cartwheel import settings

SYMBOLS = {**settings.SYMBOLS, "CAD": "CA$"}
"""As a browser's `Intl` writes them, so that its prices and ours look alike."""


def write_money(minor: int | None, currency: str) -> str:
    """Return an amount such as €1,234.50; "" for an unknown one.

    Args:
        minor: Amount in minor units.
        currency: ISO 4217 code; one without a symbol is written out.
    """
    if minor is None:
        return ""
    digits = settings.digits_of(currency)
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{symbol}{minor / 10**digits:,.{digits}f}"
