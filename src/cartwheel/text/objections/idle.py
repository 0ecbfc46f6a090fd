"""The words of a sentence that may name a theme, without those that build it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from cartwheel.text.objections.rules import is_mood
from cartwheel.text.sentences import LONGEST
from cartwheel.text.tokens import fold, term

SHORTEST_WORD, LONGEST_WORD = 3, 30
"""Letters of a word that may name a theme."""

DENIED = "not "
"""How the term of a denied word begins; a plain one has no space."""

DENIES = 2
"""Words behind a denial among which the one that it denies is looked for."""

_WORD = re.compile(r"[^\W\d_]+(?:['’`][^\W\d_]+)*")
_MASKED = re.compile(r"\[[a-z-]{2,12}\]")
_DENIAL = re.compile(
    r"not|never|cannot|no|nao|naum|nunca|nem"
    r"|(?:is|are|was|were|do|does|did|has|have|had|ca|wo|would|could|should)nt"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence.

    Attributes:
        written: The word in lower case, as written.
        term: What it is counted under, "" for a word that names nothing.
        mood: It tells a mood, and may be the reason why a sentence is a complaint.
        denies: It denies what comes behind it.
    """

    written: str
    term: str
    mood: bool
    denies: bool


def words_of(sentence: str, language: str) -> list[Word]:
    """Return the words of a sentence in order.

    Args:
        sentence: One masked sentence.
        language: Language whose words build sentences, of `LANGUAGES`.
    """
    text = _MASKED.sub(" ", sentence[:LONGEST])
    return [_word(one, language) for one in _WORD.findall(text.lower())]


def denied_at(words: list[Word]) -> list[tuple[int, int]]:
    """Return the places of denials and of the words that they deny."""
    found = []
    for at, word in enumerate(words):
        if word.denies:
            behind = range(at + 1, min(at + 1 + DENIES, len(words)))
            told = next((place for place in behind if words[place].term), None)
            if told is not None:
                found.append((at, told))
    return found


@lru_cache(maxsize=200_000)
def _word(written: str, language: str) -> Word:
    plain = fold(written)
    written = written[:LONGEST_WORD]
    denies = _DENIAL.fullmatch(plain) is not None
    long_enough = SHORTEST_WORD <= len(plain) <= LONGEST_WORD
    if denies or not long_enough or plain in _idle()[language]:
        return Word(written, "", False, denies)
    return Word(written, _STEMS[language](plain), is_mood(plain, language), False)


def _singular(word: str) -> str:
    """Return a Portuguese word without its plural and gender, roughly."""
    word = word.removesuffix("s") if len(word) > 4 else word
    return word[:-1] if len(word) > 4 and word[-1] in "ao" else word


_STEMS: Mapping[str, Callable[[str], str]] = {"en": term, "pt": _singular}


@cache
def _idle() -> Mapping[str, frozenset[str]]:
    found = files(__package__).joinpath("idle.toml").read_text("utf-8")
    return {
        name: frozenset(told.split()) for name, told in tomllib.loads(found).items()
    }
