"""Where the sentences of a text begin and end.

Shoppers write "ok!!!", lists, and whole reviews without a full stop, so a line break
ends a sentence as well, and a very long stretch is cut at its commas and at last at a
space. Every rule looks at a few characters: a text of any make is split in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 320
"""Characters after which a sentence without an end is cut: some sixty words."""

_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|\n+|[。！？]+|;\s")
_ABBREVIATED = re.compile(
    r"mr|mrs|ms|dr|st|no|nr|vs|etc|e\.g|i\.e|approx|in|ft|oz|lbs?|inc|co|art|abb|ca"
    r"|z\.b|d\.h|bzw|usw|sra?|ex|obs|aprox",
    re.IGNORECASE,
)
"""Words whose full stop ends no sentence where a small letter or a digit follows."""


def spans(text: str) -> list[tuple[int, int]]:
    """Return the sentences as ``(start, end)`` of characters, without space around.

    Args:
        text: What a person wrote.

    Returns:
        Half-open ranges in order, none empty, none with letters or digits left out.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if _goes_on(text, match.start(), match.end()):
            continue
        found.extend(_short(text, start, match.end()))
        start = match.end()
    found.extend(_short(text, start, len(text)))
    return found


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order."""
    return [text[start:end] for start, end in spans(text)]


def _goes_on(text: str, stop: int, end: int) -> bool:
    """Whether this full stop belongs to an abbreviation or to a number in a list."""
    if text[stop:end] != ".":
        return False
    after = text[end : end + 4].lstrip()
    if not after or after[0].isupper():
        return False
    begin = stop
    while begin > 0 and stop - begin < 7 and not text[begin - 1].isspace():
        begin -= 1
    return _ABBREVIATED.fullmatch(text, begin, stop) is not None


def _short(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Trim a sentence, cut a long one, leave out what has no letter or digit."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > LONGEST:
        cut = max(text.rfind(", ", start + 40, start + LONGEST) + 1, 0)
        if not cut:
            cut = text.rfind(" ", start + 40, start + LONGEST)
        if cut <= start:
            cut = start + LONGEST
        yield from _short(text, start, cut)
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if any(char.isalnum() for char in text[start:end]):
        yield start, end
