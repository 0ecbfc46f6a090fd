"""What a query asks for: words with their variants, corrections and constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from cartwheel.levers.search.facets import (
    LONGEST_PHRASE,
    products_of,
    said_values,
    singular,
    value_text,
)
from cartwheel.levers.search.index import term_number
from cartwheel.levers.search.prices import Price, read_price
from cartwheel.text.packed import find
from cartwheel.text.spelling import corrected, distance, split
from cartwheel.text.tokens import STOP_WORDS, term, words
from cartwheel.text.units import UNITS, bare

Array = np.ndarray[Any, Any]

LONGEST_QUERY = 500
"""Characters of a query that are read; the rest of a longer one is left unread."""

MOST_WORDS = 32
OTHER_UNIT = 0.5
"""Weight of a number with another unit, or with none."""

CONFUSED: Mapping[str, tuple[str, ...]] = {
    "ft": ("in",),
    "in": ("ft",),
    "lb": ("oz",),
    "oz": ("floz", "lb"),
    "floz": ("oz",),
    "pc": ("pk", "ct"),
    "pk": ("pc", "ct"),
    "ct": ("pk", "pc"),
    "a": ("v",),
}
"""Units that are typed for one another: 30' for 30 inches, a set for a pack."""

GUESSES = 3
"""Corrections of one word that are looked for; the likeliest is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One word of a query as terms, each counted with a weight.

    Attributes:
        word: As typed, folded.
        said: The word it was read as; differs from `word` when corrected.
        terms: Numbers of the terms it is met by.
        weights: Weight of each, 1 for the word itself.
    """

    word: str
    said: str
    terms: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Something a query asks for besides words.

    Attributes:
        name: Facet: `price`, `category`, `brand` or an attribute.
        value: Value, as a filter writes it.
        numbers: Numbers of the facet values, () for a price.
        parts: Places of its words among the query's parts, () for a price.
        rest: The query without it.
    """

    name: str
    value: str
    numbers: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A query as it was understood.

    Attributes:
        text: As typed, spaces folded.
        parts: Its words.
        unknown: Words that no product says and nothing stands for.
        corrected: The query with its slips mended, or None.
        price: The price range it names, or None.
        constraints: What else it asks for.
    """

    text: str
    parts: tuple[Part, ...] = ()
    unknown: tuple[str, ...] = ()
    corrected: str | None = None
    price: Price | None = None
    constraints: tuple[Constraint, ...] = field(default=())

    @property
    def meaning(self) -> str:
        """The query without its slips and its price."""
        for one in self.constraints:
            if one.name == "price":
                return one.rest
        return self.corrected or self.text


def understand(
    arrays: Mapping[str, Array], names: Sequence[str], query: str, *, minor_digits: int
) -> Understood:
    """Return what a query asks for.

    Args:
        arrays: The model's arrays.
        names: Names of the facets; none looks for no constraint but the price.
        query: As typed; anything.
        minor_digits: Decimal places of the shop's currency.
    """
    text = " ".join(query[:LONGEST_QUERY].split())
    price = read_price(text, minor_digits) if len(arrays["term_hash"]) else None
    rest = text
    if price is not None:
        rest = " ".join(f"{text[: price.begin]} {text[price.end :]}".split())
    said = words(rest)[:MOST_WORDS]
    parts, unknown = _read(arrays, said)
    units = {part.word: part.said for part in parts if part.said in UNITS}
    if any(word != unit for word, unit in units.items()):
        # A unit with a slip was cut off from its number: read once more.
        mended = " ".join(units.get(word, word) for word in said)
        parts, unknown = _read(arrays, words(mended)[:MOST_WORDS])
    found = Understood(
        text=text,
        parts=tuple(parts),
        unknown=tuple(unknown),
        corrected=_mended(text, parts),
        price=price,
    )
    return replace(found, constraints=tuple(_constraints(arrays, names, found, rest)))


def _read(
    arrays: Mapping[str, Array], said: Sequence[str]
) -> tuple[list[Part], list[str]]:
    kept = [word for word in said if word not in STOP_WORDS] or list(said)
    return read_parts(arrays, list(dict.fromkeys(kept)))


def read_parts(
    arrays: Mapping[str, Array], said: Sequence[str]
) -> tuple[list[Part], list[str]]:
    """Return words as parts, and those nothing is known of.

    Neighbours that the catalogue writes as one word count as said by that word too.
    """
    parts: list[Part] = []
    unknown: list[str] = []
    joined = [term_number(arrays, term(a + b)) for a, b in pairwise(said)]
    before = -1
    for at, word in enumerate(said):
        after = joined[at] if at < len(joined) else -1
        number = term_number(arrays, term(word))
        together = [other for other in (before, after) if other >= 0]
        if number >= 0 or together:
            parts.append(
                _known(arrays, word, [n for n in (number, *together) if n >= 0])
            )
        else:
            parts.extend(_guessed(arrays, word, unknown))
        before = after
    return parts, unknown


def _known(arrays: Mapping[str, Array], word: str, numbers: Sequence[int]) -> Part:
    terms, weights = list(numbers), [1.0] * len(numbers)
    number = bare(word)
    if number is not None:
        near = [
            number,
            *(f"{number}{unit}" for unit in CONFUSED.get(word[len(number) :], ())),
        ]
        for other in near:
            if (found := term_number(arrays, other)) >= 0:
                terms.append(found)
                weights.append(OTHER_UNIT)
    keys = arrays.get("synonym_term")
    if keys is not None and len(keys):
        first, last = np.searchsorted(keys, [numbers[0], numbers[0] + 1]).tolist()
        terms += arrays["synonym_other"][first:last].tolist()
        weights += arrays["synonym_weight"][first:last].tolist()
    return Part(word=word, said=word, terms=tuple(terms), weights=tuple(weights))


def _guessed(arrays: Mapping[str, Array], word: str, unknown: list[str]) -> list[Part]:
    """Return parts for a word no product says: split, or corrected, or nothing."""
    number = bare(word)
    if number is not None:
        near = [term_number(arrays, number)]
        near += [
            term_number(arrays, f"{number}{unit}")
            for unit in CONFUSED.get(word[len(number) :], ())
        ]
        known = tuple(dict.fromkeys(n for n in near if n >= 0))
        if known:
            weights = (OTHER_UNIT,) * len(known)
            return [Part(word=word, said=word, terms=known, weights=weights)]
    guesses = corrected(arrays, word, most=GUESSES)
    two = split(word, lambda part: _count(arrays, part)) if len(word) > 4 else None
    if two is not None and not (guesses and _likelier(arrays, word, guesses, two)):
        numbers = [term_number(arrays, term(part)) for part in two]
        return [
            Part(word=word, said=part, terms=(number,), weights=(1.0,))
            for part, number in zip(two, numbers, strict=True)
        ]
    found: dict[int, float] = {}
    for other, share in guesses:
        place = term_number(arrays, term(other))
        if place >= 0:
            found[place] = max(found.get(place, 0.0), share)
    if not found:
        unknown.append(word)
        return []
    top = max(found.values())
    return [
        Part(
            word=word,
            said=guesses[0][0],
            terms=tuple(found),
            weights=tuple(share / top for share in found.values()),
        )
    ]


def _likelier(
    arrays: Mapping[str, Array],
    word: str,
    guesses: Sequence[tuple[str, float]],
    two: tuple[str, str],
) -> bool:
    """Tell whether a slip is likelier than two words written as one."""
    best = guesses[0][0]
    slips = distance(word, best, 3.0)
    seldom = min(_count(arrays, part) for part in two)
    short = min(len(part) for part in two) < 4
    return slips <= 1.0 and (short or _count(arrays, best) * 3 > seldom)


def _count(arrays: Mapping[str, Array], word: str) -> float:
    """Return how many products say a word; short fragments count for nothing."""
    if len(word) < 3 and not word.isdecimal():
        return 0.0
    at = find(arrays["term_hash"], term(word))
    if at < 0:
        return 0.0
    begin, end = arrays["term_start"][at : at + 2].tolist()
    return float(end - begin)


def _mended(text: str, parts: Sequence[Part]) -> str | None:
    """Return the query with its corrected words in place, or None when none was."""
    instead: dict[str, list[str]] = {}
    for part in parts:
        if part.said != part.word:
            instead.setdefault(part.word, []).append(part.said)
    if not instead:
        return None
    done = []
    for chunk in text.split():
        for word in words(chunk):
            if word in instead:
                better = " ".join(instead[word])
                before, _, after = chunk.lower().partition(word)
                whole = len(before) + len(word) + len(after) == len(chunk)
                head = chunk[: len(before)] if whole else ""
                tail = chunk[len(chunk) - len(after) :] if whole and after else ""
                chunk = head + better + tail
        done.append(chunk)
    return " ".join(done)


def _constraints(
    arrays: Mapping[str, Array], names: Sequence[str], found: Understood, rest: str
) -> list[Constraint]:
    constraints = []
    if found.price is not None:
        constraints.append(Constraint(name="price", value=found.price.value, rest=rest))
    if not names:
        return constraints
    said = [singular(part.said) for part in found.parts]
    at = 0
    while at < len(said):
        for size in range(min(LONGEST_PHRASE, len(said) - at), 0, -1):
            numbers = said_values(arrays, said[at : at + size])
            if numbers:
                places = tuple(range(at, at + size))
                one = _constraint(arrays, names, found, numbers, places)
                if one is not None:
                    constraints.append(one)
                at += size
                break
        else:
            at += 1
    return constraints


def _constraint(
    arrays: Mapping[str, Array],
    names: Sequence[str],
    found: Understood,
    numbers: Sequence[int],
    places: tuple[int, ...],
) -> Constraint | None:
    best = max(numbers, key=lambda number: (len(products_of(arrays, number)), -number))
    rest = _without(found.text, [found.parts[place].word for place in places])
    if rest is None:
        return None
    return Constraint(
        name=names[int(arrays["value_facet"][best])],
        value=value_text(arrays, best),
        numbers=tuple(numbers),
        parts=places,
        rest=rest,
    )


def _without(text: str, gone: Sequence[str]) -> str | None:
    """Return the query without some words, or None where they cannot be told apart."""
    chunks = text.split()
    kept = list(chunks)
    for word in gone:
        match = next((c for c in kept if words(c) == [word]), None)
        if match is None:
            return None
        kept.remove(match)
    return " ".join(kept)
