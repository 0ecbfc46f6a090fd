"""The words of a language that say what is asked: data, one file a language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cartwheel.text.tokens import terms

LANGUAGES = {"en": "English", "pt": "Portuguese"}
"""Languages that there are words for."""

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
"""By its first term: the terms of each phrase, and what it means; longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language's words.

    Attributes:
        stop: Terms that say nothing of what is asked.
        concepts: Phrases that mean one thing in a shop.
        specifics: Names of countries, ways to pay and the like, which count for more.
        of_product: Concepts that are told of a product, not of the whole shop.
        kinds: Expressions that tell what sort of answer is wanted.
        signs: Expressions that tell what must not be answered as a question.
    """

    stop: frozenset[str]
    concepts: Phrases
    specifics: Phrases
    of_product: frozenset[str]
    kinds: Mapping[str, re.Pattern[str]]
    signs: Mapping[str, re.Pattern[str]]


@cache
def lexicon(language: str) -> Lexicon:
    """Return a language's words.

    Args:
        language: One of `LANGUAGES`.
    """
    file = files("cartwheel.text.asking") / f"{language}.toml"
    held = tomllib.loads(file.read_text(encoding="utf-8"))
    return Lexicon(
        stop=frozenset(terms(held["stop"])) | frozenset(held["stop"].split()),
        concepts=_phrases(held["concepts"]),
        specifics=_phrases(held["specifics"]),
        of_product=frozenset(held["about"]["product"].split()),
        kinds={name: _any(rules) for name, rules in held["kinds"].items()},
        signs={name: _any(rules) for name, rules in held["signs"].items()},
    )


def matches(
    said: Sequence[str], phrases: Phrases
) -> list[tuple[int, int, frozenset[str]]]:
    """Return the phrases in a run of terms: begin, end, meanings.

    Where phrases begin at the same term the longest counts, for all it may mean.

    Args:
        said: Terms in order.
        phrases: What is looked for.
    """
    found = []
    at = 0
    while at < len(said):
        size, meant = 0, set()
        for phrase, meaning in phrases.get(said[at], ()):
            if len(phrase) < size:
                break
            if tuple(said[at : at + len(phrase)]) == phrase:
                size = len(phrase)
                meant.add(meaning)
        if size:
            found.append((at, at + size, frozenset(meant)))
        at += max(size, 1)
    return found


def _phrases(held: Mapping[str, str]) -> Phrases:
    found: dict[str, dict[tuple[tuple[str, ...], str], None]] = {}
    for meaning, listed in held.items():
        for written in listed.split(";"):
            phrase = tuple(terms(written))
            if phrase:
                found.setdefault(phrase[0], {})[(phrase, meaning)] = None
    return {
        first: tuple(sorted(group, key=lambda one: (-len(one[0]), one)))
        for first, group in found.items()
    }


def _any(rules: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule})" for rule in rules))
