"""Personal data in free text, replaced by what it was: `[e-mail]`, `[phone]`, ...

What can be checked is checked (card numbers by Luhn, account numbers by their check
digits), so that order numbers and sizes stay readable. Expressions are linear in the
text: it comes from strangers.
"""

from __future__ import annotations

import re
from collections.abc import Callable

E_MAIL, PHONE, CARD, ACCOUNT = "[e-mail]", "[phone]", "[card]", "[account]"
ADDRESS, LINK = "[address]", "[link]"

_MAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}")
_URL = re.compile(r"\bhttps?://[^\s<>\"']{1,2000}", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_CARD = re.compile(
    r"(?<![\w.,#-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|\d{4}([ -]?)\d{6}\2\d{5})"
    r"(?![\w-])"
)
"""Groups that cards are written in; found first, as other numbers may stand beside."""

_DIGITS = re.compile(r"(?<![\w.,#-])\+?\(?\d(?:[ ./()-]{0,2}\d){6,24}(?![\w-])")
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_LEAST_PHONE, _MOST_PHONE = 7, 15
_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})")


def mask(text: str) -> str:
    """Return a text with personal data replaced by what it was.

    Masked are e-mail addresses, telephone numbers, card and account numbers, internet
    addresses of devices, and what links carry behind the page's address. Names and
    postal addresses are not told from other words and stay.

    Args:
        text: Any text.
    """
    steps: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        (_URL, _link),
        (_MAIL, lambda _: E_MAIL),
        (_IBAN, _account),
        (_IP, _device),
        (_CARD, _card),
        (_DIGITS, _number),
    )
    for pattern, written in steps:
        text = pattern.sub(written, text)
    return text


def _link(found: re.Match[str]) -> str:
    """Keep a link's page; what comes behind it may name the reader."""
    page = re.split(r"[?#]", found.group(), maxsplit=1)[0]
    return page if page == found.group() and "@" not in page else LINK


def _account(found: re.Match[str]) -> str:
    plain = found.group().replace(" ", "")
    # The tail may be the next words; the longest valid part is the number.
    for end in range(len(plain), 14, -1):
        if _is_iban(plain[:end]):
            rest, left = found.group(), end
            for at, letter in enumerate(rest):
                left -= letter != " "
                if left == 0:
                    return ACCOUNT + rest[at + 1 :]
    return found.group()


def _is_iban(plain: str) -> bool:
    """Tell whether the check digits hold (ISO 13616: modulo 97 is 1)."""
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _device(found: re.Match[str]) -> str:
    parts = [int(part) for part in found.group().split(".")]
    return ADDRESS if all(part < 256 for part in parts) else found.group()


def _card(found: re.Match[str]) -> str:
    return CARD if _is_card(re.sub(r"\D", "", found.group())) else found.group()


def _number(found: re.Match[str]) -> str:
    """Replace a card or a telephone number; other numbers stay."""
    said = found.group()
    digits = re.sub(r"\D", "", said)
    if 13 <= len(digits) <= 19 and _is_card(digits):
        return CARD
    if _DATE.match(said):
        return said
    grouped = said.startswith(("+", "(", "00")) or bool(
        re.search(r"\d[ ./()-]+\d", said)
    )
    looks = said.startswith(("+", "0", "(")) or (grouped and len(digits) >= 9)
    if looks and _LEAST_PHONE <= len(digits) <= _MOST_PHONE:
        return PHONE
    return said


def _is_card(digits: str) -> bool:
    """Tell whether the last digit is right (Luhn, ISO/IEC 7812)."""
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
