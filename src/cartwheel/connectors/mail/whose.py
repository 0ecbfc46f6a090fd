"""Whose mailbox it is: the addresses that are the shop's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cartwheel.connectors.mail.message import Mail
from cartwheel.connectors.own import read_own
from cartwheel.errors import Misuse

FILE = "mail.toml"
MOST = 0.8
"""Share of messages that the shop's address must be in to be told."""

OPEN_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "gmx.de"}
    | {"gmx.net", "web.de", "yahoo.com", "icloud.com", "me.com", "aol.com", "proton.me"}
    | {"protonmail.com", "t-online.de", "orange.fr", "wanadoo.fr", "free.fr"}
    | {"laposte.net", "libero.it", "mail.ru", "yandex.ru", "uol.com.br", "qq.com"}
)
"""Domains at which anybody may have an address, so that one says nothing of others."""


def stated_addresses(path: Path) -> tuple[str, ...]:
    """Return the shop's own addresses as `mail.toml` beside the files has them.

    Args:
        path: The file or folder that is imported.

    Raises:
        Misuse: If the file cannot be read or says something else.
    """
    return read_own(
        path,
        FILE,
        fits=lambda one: one.count("@") == 1,
        example='own = ["help@shop.example"]',
        each='An address, or a domain such as "@shop.example"',
    )


def own_addresses(mails: Iterable[Mail]) -> tuple[str, ...]:
    """Return the shop's own addresses as the messages tell them.

    It is the one address that four in five messages are from or to; where its domain is
    not one of those open to anybody, all of the domain are the shop's.

    Args:
        mails: The messages.

    Raises:
        Misuse: If no address, or more than one, stands in so many.
    """
    counts: Counter[str] = Counter()
    total = 0
    for mail in mails:
        total += 1
        counts.update({mail.sender, *mail.readers, *mail.delivered} - {""})
    common = [name for name, number in counts.items() if number >= MOST * total]
    if len(common) != 1:
        said = ", ".join(sorted(common)[:5]) or "none"
        raise Misuse(
            f"Whose mailbox this is cannot be told: expected one address in four of "
            f"five messages, found {said}.",
            f'Put a file {FILE} beside the mail: own = ["help@shop.example"].',
        )
    return (whole_of(common[0]),)


def whole_of(address: str) -> str:
    """Return the domain of an address with its @, itself where anybody has one there.

    Args:
        address: An address of the shop, lower case.
    """
    domain = address.rpartition("@")[2]
    return address if domain in OPEN_DOMAINS else f"@{domain}"


def is_own(address: str, own: Iterable[str]) -> bool:
    """Tell whether an address is the shop's.

    Args:
        address: An address, lower case.
        own: Addresses, or domains with their @ first.
    """
    return any(
        address == one or (one.startswith("@") and address.endswith(one)) for one in own
    )
