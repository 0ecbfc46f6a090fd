"""What a person wrote, as it is stored: own words alone, masked.

Mail, tickets, chats and surveys come through here, so that none can forget to mask.
"""

from __future__ import annotations

import hashlib
import re

from cartwheel.text.markup import shown_text
from cartwheel.text.masking import mask
from cartwheel.text.own_words import own_words

LONGEST_TEXT = 100_000
"""Characters of a text that are read; more is nothing a person wrote."""

LONGEST_SUBJECT = 500
LONGEST_ADDRESS = 254
LONGEST_ID = 200
AUTOMATIC = "an automatic message, which is no contact"
MASKED = (
    "Kept is what the writer wrote, without quotations, signatures and attachments; "
    "e-mail addresses, telephone, card and account numbers in it are masked."
)

_REPLY = re.compile(
    r"(?:(?:re|aw|wg|fw|fwd|sv|antw|rv|r|i|tr)\s?(?:\[\d+\])?:\s*)+", re.I
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MACHINES = re.compile(
    r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+.@-]|$)", re.I
)


def clean(text: str) -> str:
    """Return text without control characters, which no table should hold."""
    return _CONTROL.sub("", text)


def written_text(text: str, *, markup: bool = False) -> str:
    """Return what the writer wrote: no quotation, no signature, masked.

    Args:
        text: Body of a message.
        markup: It is HTML; what it shows is read.
    """
    if markup:
        text = shown_text(text[: 4 * LONGEST_TEXT])
    return mask(own_words(clean(text)[:LONGEST_TEXT]))[:LONGEST_TEXT]


def written_subject(text: str) -> str:
    """Return a subject on one line, without Re: and the like, masked.

    Args:
        text: The subject as it came.
    """
    bare = _REPLY.sub("", clean(text)[:LONGEST_SUBJECT], 1)
    return mask(" ".join(bare.split()))


def address_of(text: str) -> str:
    """Return an e-mail address in lower case, "" for what is none."""
    found = clean(text).strip().lower()
    plain = 3 <= len(found) <= LONGEST_ADDRESS and found.count("@") == 1
    return found if plain and not re.search(r"\s", found) else ""


def is_machine(address: str) -> bool:
    """Tell whether an address is one that no person writes from."""
    return _MACHINES.match(address) is not None


def plain_id(text: str) -> str:
    """Return an id as it is stored: a fingerprint where it may tell of a person.

    Args:
        text: The id as it came; some tools take an address or a number for one.
    """
    found = clean(text).strip()[:LONGEST_ID]
    if mask(found) == found:
        return found
    return hashlib.sha256(found.encode()).hexdigest()[:24]
