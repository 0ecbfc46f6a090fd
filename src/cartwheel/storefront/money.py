"""Prices as English pages write them, the same as a browser's `Intl` does."""

from __future__ import annotations

from cartwheel.settings import digits_of

SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "USD": "$",
    "VND": "₫",
}


def write_money(minor: int | None, currency: str) -> str:
    """Return an amount such as €1,234.50; "" for an unknown one.

    Args:
        minor: Amount in minor units.
        currency: ISO 4217 code; one without a symbol is written out.
    """
    if minor is None:
        return ""
    digits = digits_of(currency)
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{symbol}{minor / 10**digits:,.{digits}f}"
