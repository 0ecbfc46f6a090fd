"""Slips of the keyboard in a question: "delivary", "waranty", "adress".

Only a long word that neither the words of the language nor the shop's texts know is
changed, and only into a word shops are asked about that is one slip away: a rare word
is likelier right than wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from cartwheel.text.asking.lexicon import lexicon
from cartwheel.text.spelling import corrected, distance, learn_spelling
from cartwheel.text.tokens import fold, term

SHORTEST = 6
"""Letters of the shortest word that is mended."""

ONE_SLIP, ALIKE = 1.0, 0.8
"""Slips that are mended: a letter too many or too few; two in the wrong order, or one
that sounds alike. Any other letter instead more often makes another word."""

_WORD = re.compile(r"[^\W\d_]+")


@cache
def _spelling(language: str) -> Mapping[str, np.ndarray[Any, Any]]:
    long = {word: 1.0 for word in lexicon(language).words if len(word) >= SHORTEST}
    return learn_spelling(long)


def mended(text: str, language: str, known: Callable[[str], bool]) -> str:
    """Return a question with slips mended, folded; as it is where there are none.

    Args:
        text: The question.
        language: One of `lexicon.LANGUAGES`.
        known: Tells whether the shop's texts say a term.
    """
    words = lexicon(language)

    def better(found: re.Match[str]) -> str:
        word = found.group()
        if len(word) < SHORTEST or term(word) in words.terms or known(term(word)):
            return word
        for other, _ in corrected(_spelling(language), word):
            most = ALIKE if len(other) == len(word) else ONE_SLIP
            if other[0] == word[0] and distance(word, other, 2.0) <= most:
                return other
        return word

    folded = fold(text)
    new = _WORD.sub(better, folded)
    return text if new == folded else new
