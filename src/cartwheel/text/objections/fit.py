"""Too small or too large: which way a size misses, told from a sentence by rules.

A comparison is read with what it compares: who had to order one size up says that the
article is small, and "not too small" says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cartwheel.text.sentences import LONGEST
from cartwheel.text.tokens import fold

_SMALL = {
    "en": (
        r"\b(?:too|very|so|way|bit|little|runs?|ran|fits?|cut|sizes?|much|was|is|are|were)"
        r" (?:[a-z]{1,9} ){0,2}(?:small|tight|short|narrow|snug|skimpy)\b|"
        r"\bsizes? (?:up|bigger|larger)\b|\b(?:up|next) (?:a|one|two) sizes?\b|"
        r"\bsize (?:too )?small\b|"
        r"\b(?:didnt|doesnt|wouldnt|couldnt) (?:zip|button|close)\b|"
        r"\b(?:order|ordered|go|went|buy|need|needed|exchange[d]?) "
        r"(?:[a-z]{1,9} ){0,4}(?:larger|bigger) size\b"
    ),
    "pt": (
        r"\b(?:muito|ficou|veio|e|esta|bem|pouco|mais|tamanho|ficaram)"
        r" (?:[a-z]{1,9} ){0,2}(?:pequen[oa]s?|apertad[oa]s?|curt[oa]s?|justo)\b|"
        r"\bum numero maior\b"
    ),
}
_LARGE = {
    "en": (
        r"\b(?:too|very|so|way|bit|little|runs?|ran|fits?|cut|sizes?|much|was|is|are|were)"
        r" (?:[a-z]{1,9} ){0,2}(?:large|big|loose|baggy|wide|long|huge|oversized)\b|"
        r"\bsizes? (?:down|smaller)\b|\bdown (?:a|one|two) sizes?\b|"
        r"\bsize (?:too )?(?:large|big)\b|"
        r"\b(?:order|ordered|go|went|buy|need|needed|exchange[d]?) "
        r"(?:[a-z]{1,9} ){0,4}smaller size\b"
    ),
    "pt": (
        r"\b(?:muito|ficou|veio|e|esta|bem|pouco|mais|tamanho|ficaram)"
        r" (?:[a-z]{1,9} ){0,2}(?:grandes?|larg[oa]s?|folgad[oa]s?|comprid[oa]s?)\b|"
        r"\bum numero menor\b"
    ),
}
_DENIED = re.compile(
    r"\b(?:not|isnt|wasnt|arent|never|nem|nao) (?:[a-z]{1,9} ){0,2}"
    r"(?:small|tight|short|large|big|long|loose|wide|pequen[oa]|grande|apertad[oa])\b"
)
_WAYS = {
    language: (re.compile(_SMALL[language]), re.compile(_LARGE[language]))
    for language in _SMALL
}


def fit_of(sentence: str, languages: Iterable[str]) -> int:
    """Return which way a size misses.

    Args:
        sentence: One sentence that is about size or fit.
        languages: Languages it is read in.

    Returns:
        -1 too small, 1 too large, 0 neither or both.
    """
    text = _DENIED.sub(" ", fold(sentence[:LONGEST]))
    small = large = False
    for language in languages:
        if language in _WAYS:
            narrow, wide = _WAYS[language]
            small = small or narrow.search(text) is not None
            large = large or wide.search(text) is not None
    return int(large) - int(small)
