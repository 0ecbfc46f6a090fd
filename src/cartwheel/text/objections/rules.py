"""Objection classes and mood of a sentence by rules: what is known before any learning.

The rules are data, one file a language; a text in another language is not
read. Every rule looks at bounded stretches of a sentence of bounded length.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.gate import Gate, letters_of
from cartwheel.text.sentences import LONGEST
from cartwheel.text.tokens import fold

MOST = 2
"""Classes of one sentence; more would be a list of everything it touches."""

_ASKED = re.compile(
    r"^\W*(what|whats|how|does|do|did|will|would|can|could|is|are|am|was|which|where"
    r"|when|who|why|has|have|should|any|please|qual|quais|como|quando|onde|tem|vem"
    r"|sera|posso|pode)\b|\?"
)
_TAKEN_OUT = "\N{BULLET}"
LANGUAGES = {"en": "English", "pt": "Portuguese"}
"""Languages that there are rules for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a sentence says.

    Attributes:
        objections: Classes of `CLASSES`, the weightier first, two at most.
        mood: -1 displeased, 0 neither, 1 pleased.
        asked: It is a question.
    """

    objections: tuple[str, ...]
    mood: int
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words of a sentence by which a rule told its class.

    Attributes:
        language: Language of the rule.
        objection: Class of `CLASSES`.
        rule: Place of the rule among those of its class, from 0.
        words: What it met, folded; places that were taken out before are left out.
    """

    language: str
    objection: str
    rule: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    says: tuple[re.Pattern[str], ...]
    asks: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    gate: Gate

    def holds(self, text: str, letters: frozenset[str], doubted: bool) -> bool:
        """Tell whether a sentence says it, or asks or complains about it."""
        return next(self._found(text, letters, doubted), None) is not None

    def met(self, text: str, doubted: bool) -> Iterator[tuple[int, str]]:
        """Yield every rule that holds by its place, with the words it met."""
        for place, match in self._found(text, letters_of(text), doubted):
            yield place, " ".join(match.group().replace(_TAKEN_OUT, " ").split())

    def _found(
        self, text: str, letters: frozenset[str], doubted: bool
    ) -> Iterator[tuple[int, re.Match[str]]]:
        rules = (*self.says, *self.asks) if doubted else self.says
        likely = [at for at in self.gate.likely(letters) if at < len(rules)]
        # Taking out is dear and few sentences are met at all, so it comes second.
        if not any(rules[at].search(text) for at in likely):
            return
        if self.unless is not None:
            text = self.unless.sub(f" {_TAKEN_OUT} ", text)
        for at in likely:
            for match in rules[at].finditer(text):
                yield at, match


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    rules: Mapping[str, _Rule]
    good: re.Pattern[str]
    bad: re.Pattern[str]
    wants: re.Pattern[str] | None


def read_sentence(
    sentence: str, languages: Iterable[str], *, blamed: bool = False
) -> Said:
    """Return what a sentence says.

    Args:
        sentence: One sentence as written; what is longer than a sentence is cut.
        languages: Whose rules it is read by, of `LANGUAGES`.
        blamed: It is the reason of a return: a complaint, though it may be one word.
    """
    text = fold(sentence[:LONGEST])
    asked = _ASKED.search(text) is not None
    known = [_language(code) for code in languages]
    good = sum(len(one.good.findall(text)) for one in known)
    bad = sum(len(one.bad.findall(text)) for one in known)
    wanted = asked or _wants(text, known)
    doubted = wanted or blamed or bad > 0
    found = _weightiest(text, known, wanted=wanted, doubted=doubted)
    mood = 0 if asked and good >= bad else (good > bad) - (bad > 0)
    return Said(objections=found, mood=mood, asked=asked)


def is_mood(word: str, language: str) -> bool:
    """Tell whether a folded word says by itself that somebody is pleased or not."""
    one = _language(language)
    return any(pattern.fullmatch(word) is not None for pattern in (one.good, one.bad))


def phrases_of(
    sentence: str, languages: Iterable[str], objection: str, *, blamed: bool = False
) -> tuple[Phrase, ...]:
    """Return every phrase by which a sentence raises an objection, each once.

    `read_sentence` stops at the first; this is for the few sentences that somebody
    corrected, and for classes of which a shop's corrections silenced a phrase.

    Args:
        sentence: One sentence as written.
        languages: Whose rules it is read by.
        objection: Class of `CLASSES`.
        blamed: It is the reason of a return.
    """
    text = fold(sentence[:LONGEST])
    asked = _ASKED.search(text) is not None
    known = {code: _language(code) for code in languages}
    doubted = (
        asked
        or blamed
        or _wants(text, known.values())
        or any(one.bad.search(text) for one in known.values())
    )
    found = (
        Phrase(language=code, objection=objection, rule=rule, words=words)
        for code, one in known.items()
        for rule, words in one.rules[objection].met(text, doubted)
    )
    return tuple(dict.fromkeys(found))


def _wants(text: str, known: Iterable[_Language]) -> bool:
    """Tell whether a sentence wants to know something, without being a question."""
    return any(one.wants is not None and one.wants.search(text) for one in known)


def _weightiest(
    text: str, known: Iterable[_Language], *, wanted: bool, doubted: bool
) -> tuple[str, ...]:
    """Return the classes a sentence raises that say more than the rest of them.

    `CLASSES` has the weightiest first, so what cannot count any more is not looked for.
    """
    letters = letters_of(text)
    found: list[str] = []
    for name in CLASSES:
        if name in NEED_DOUBT and not doubted:
            continue
        if name == "missing_information" and (found or not wanted):
            continue
        if any(one.rules[name].holds(text, letters, doubted) for one in known):
            found.append(name)
            if len(found) == MOST:
                break
    return tuple(found)


NEED_DOUBT = frozenset({"compatibility", "missing_information"})
"""Classes of which only a question or a complaint is an objection."""


@cache
def _language(code: str) -> _Language:
    found = files(__package__).joinpath(f"{code}.toml").read_text("utf-8")
    rules = tomllib.loads(found)
    mood = rules.pop("mood")
    return _Language(
        rules={
            name: _Rule(
                # One by one: joined they lose the quick look for how each begins.
                says=tuple(re.compile(one) for one in rules[name]["says"]),
                asks=tuple(re.compile(one) for one in rules[name]["asks"]),
                unless=_any_of(rules[name]["unless"]),
                gate=Gate([*rules[name]["says"], *rules[name]["asks"]]),
            )
            for name in CLASSES
        },
        good=re.compile("|".join(mood["good"])),
        bad=re.compile("|".join(mood["bad"])),
        wants=_any_of(mood.get("wants", [])),
    )


def _any_of(patterns: list[str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
