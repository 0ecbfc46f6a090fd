"""The words of a language that say what is asked: data, one file a language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cartwheel.text.tokens import term, terms, words

LANGUAGES = {"en": "English", "pt": "Portuguese"}
"""Languages that there are words for."""

GAP = ""
"""In a phrase: up to `WIDEST` terms of any kind, as in "send _ back"."""

WIDEST = 4

NOTHING = "nothing"
"""Meaning of phrases that say nothing of what is asked."""

NAME = "@"
"""Begins a meaning that is one name: of a country, a way to pay or the like."""

ALIKE = "="
"""Begins a meaning that is the name of words for one thing, not of a topic."""

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
"""By its first term: the terms of each phrase, and what it means; longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language's words.

    Attributes:
        stop: Terms that say nothing of what is asked.
        concepts: Phrases that mean one thing in a shop, and words for one thing.
        specifics: Names of countries, ways to pay and the like, which count for more.
        within: Of a name the wider ones that hold it.
        of_product: Concepts that are told of a product, not of the whole shop.
        facets: Concepts that say what sort of answer is wanted, not of what.
        words: Words of all phrases and names, as they are written.
        terms: Their terms, and those that say nothing.
        kinds: Expressions that tell what sort of answer is wanted.
        signs: Expressions that tell what must not be answered as a question.
    """

    stop: frozenset[str]
    concepts: Phrases
    specifics: Phrases
    within: Mapping[str, frozenset[str]]
    of_product: frozenset[str]
    facets: frozenset[str]
    words: frozenset[str]
    terms: frozenset[str]
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
    stop = frozenset(terms(held["stop"])) | frozenset(held["stop"].split())
    meanings, names = _meanings(held), _names(held["specifics"])
    written = frozenset(words(" ".join([*meanings.values(), *names.values()])))
    return Lexicon(
        stop=stop,
        concepts=_phrases(meanings),
        specifics=_phrases(names),
        words=written,
        terms=stop.union(term(word) for word in written),
        within=_within(held.get("within", {})),
        of_product=frozenset(held["about"]["product"].split()),
        facets=frozenset(held["about"]["facets"].split()),
        kinds={name: _any(rules) for name, rules in held["kinds"].items()},
        signs={name: _any(rules) for name, rules in held["signs"].items()},
    )


def matches(
    said: Sequence[str], phrases: Phrases
) -> list[tuple[tuple[int, ...], frozenset[str]]]:
    """Return the phrases in a run of terms: the places of their terms, and meanings.

    Where phrases begin at the same term the longest counts, for all it may mean.

    Args:
        said: Terms in order.
        phrases: What is looked for.
    """
    found: list[tuple[tuple[int, ...], frozenset[str]]] = []
    taken: set[int] = set()
    for at, first in enumerate(said):
        if at in taken:
            continue
        met = [
            (_places(said, at, phrase), meaning)
            for phrase, meaning in phrases.get(first, ())
        ]
        free = [(here, one) for here, one in met if here and not taken & {*here}]
        if free:
            places = max((here for here, _ in free), key=len)
            size = len(places)
            meant = frozenset(one for here, one in free if len(here) == size)
            found.append((places, meant))
            taken.update(places)
    return found


def _places(said: Sequence[str], at: int, phrase: Sequence[str]) -> tuple[int, ...]:
    """Return where the terms of a phrase stand from a place on, () if not there."""
    places: list[int] = []
    wide = False
    for wanted in phrase:
        if wanted == GAP:
            wide = True
            continue
        reach = range(at + 1, at + 1 + WIDEST) if wide else (at,)
        place = next((n for n in reach if n < len(said) and said[n] == wanted), -1)
        if place < 0:
            return ()
        places.append(place)
        at, wide = place + 1, False
    return tuple(places)


def _meanings(held: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return of each meaning its phrases: topics, words for one thing, chatter."""
    alike = held.get("words", {})
    return {
        **held["concepts"],
        **{f"{ALIKE}{name}": listed for name, listed in alike.items()},
        NOTHING: held.get("nothing", {}).get("phrases", ""),
    }


def _names(held: Mapping[str, str]) -> dict[str, str]:
    """Return of each name, by its first writing, all its writings."""
    found: dict[str, str] = {}
    for listed in held.values():
        for one in listed.split(";"):
            written = [" ".join(name.split()) for name in one.split(",")]
            found[f"{NAME}{written[0]}"] = "; ".join(written)
    return found


def _within(held: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return of each name the wider ones that hold it, however far up."""
    above: dict[str, set[str]] = {}
    for wide, listed in held.items():
        for name in listed.split(";"):
            above.setdefault(f"{NAME}{name.strip()}", set()).add(f"{NAME}{wide}")
    for name in above:
        for _ in held:
            for wide in list(above[name]):
                above[name] |= above.get(wide, set())
    return {name: frozenset(wide) for name, wide in above.items()}


def _phrases(held: Mapping[str, str]) -> Phrases:
    found: dict[str, dict[tuple[tuple[str, ...], str], None]] = {}
    for meaning, listed in held.items():
        for written in listed.split(";"):
            parts = [terms(part) for part in written.split("_")]
            phrase = tuple(parts[0])
            for part in parts[1:]:
                phrase = (*phrase, GAP, *part)
            if phrase:
                found.setdefault(phrase[0], {})[(phrase, meaning)] = None
    return {
        first: tuple(sorted(group, key=lambda one: (-len(one[0]), one)))
        for first, group in found.items()
    }


def _any(rules: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule})" for rule in rules))
