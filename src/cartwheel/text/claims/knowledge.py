"""What is known of English, read once from the tables beside this file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cartwheel.text.stem import stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of English.

    Attributes:
        function: Words that say nothing by themselves.
        carrier: Words of a page that carry a fact without being one.
        light: Stems of more of them, for no attribute's value.
        acting: Carriers that say something where they are denied.
        editorial: Words about the page itself.
        attribution: Words that tell who is speaking.
        negators: Words that say no.
        shop: Words for the shop.
        customer: Words for the customer.
        paying: Terms about paying.
        marks: Limits and conditions, with the mark that stands for them.
        screens: What no draft says, by name.
        same: Term by stem, where words share a meaning.
        phrases: Word that stands for a phrase.
        implied: Terms that the name of an attribute lets a claim say.
        numbers: Numbers in words.
        turns: Frames and what stands instead.
        materials: Terms of what things are made of.
        no_deed: Stems before "-able" that are no deed.
        by_kind: Terms that a measure lets a claim say, by what it measures.
        by_value: Terms that a value lets a claim say.
        wider: Narrower terms by wider term.
        kinds: Names that products of a kind are called by.
    """

    function: frozenset[str]
    carrier: frozenset[str]
    light: frozenset[str]
    acting: frozenset[str]
    editorial: frozenset[str]
    attribution: frozenset[str]
    negators: frozenset[str]
    shop: frozenset[str]
    customer: frozenset[str]
    paying: frozenset[str]
    marks: tuple[tuple[str, re.Pattern[str]], ...]
    screens: dict[str, re.Pattern[str]]
    same: dict[str, str]
    phrases: tuple[tuple[str, re.Pattern[str]], ...]
    implied: dict[str, frozenset[str]]
    numbers: tuple[re.Pattern[str], dict[str, str]]
    turns: tuple[tuple[re.Pattern[str], str], ...]
    wider: dict[str, frozenset[str]]
    materials: frozenset[str]
    no_deed: frozenset[str]
    by_kind: dict[str, frozenset[str]]
    by_value: dict[str, frozenset[str]]
    kinds: tuple[frozenset[str], ...]


_OF_NUMBERS = frozenset({"upto", "atleast", "about"})
_BEFORE_NUMBER = (
    r"(?= (?:of )?(?:\d|an? |half |every |~|about |around |approximately |roughly ))"
)


@cache
def knowledge() -> Knowledge:
    """Return what is known of English."""
    raw, more = _table("en.toml"), _table("paraphrases.toml")
    trades = _table("paraphrases_trades.toml")
    same = _same_terms(trades["same"], more["same"], raw["same"])

    def term(word: str) -> str:
        return same.get(stem(word), stem(word))

    def terms(words: str) -> frozenset[str]:
        return frozenset(map(term, words.split()))

    def gathered(*tables: Mapping[str, str]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for table in tables:
            for name, words in table.items():
                found[term(name)] = found.get(term(name), frozenset()) | terms(words)
        return found

    return Knowledge(
        function=frozenset(raw["function"].split()),
        carrier=frozenset(raw["carrier"].split()),
        light=frozenset(map(stem, (more["light"] + trades["light"]).split())),
        acting=frozenset(more["acting"].split()),
        editorial=frozenset(raw["editorial"].split()),
        attribution=frozenset(raw["attribution"].split()),
        negators=frozenset(raw["negators"].split()),
        shop=frozenset(raw["shop"].split()),
        customer=frozenset(raw["customer"].split()),
        paying=terms(raw["paying"]),
        marks=tuple(
            (f" {sign}{name} ", re.compile(rf"\b(?:{'|'.join(words)})\b(?!-){before}"))
            for part, sign in (("hedges", "~"), ("limits", "^"))
            for name, words in raw[part].items()
            for before in (_BEFORE_NUMBER if name in _OF_NUMBERS else "",)
        ),
        screens={
            name: re.compile("|".join(f"(?:{one})" for one in patterns))
            for name, patterns in raw["screens"].items()
        },
        same=same,
        phrases=tuple(
            (f" {instead} ", re.compile(rf"\b(?:{'|'.join(patterns)})\b"))
            for instead, patterns in raw["phrases"].items()
        ),
        implied=gathered(raw["implied"], more["implied"], trades["implied"]),
        numbers=(
            re.compile(rf"\b({'|'.join(raw['numbers'])})\b"),
            dict(raw["numbers"]),
        ),
        turns=tuple(
            (re.compile(one["said"]), one["instead"])
            for name in ("turns_shop.toml", "turns.toml")
            for one in _table(name)["turns"]
        ),
        wider=gathered(more["wider"], trades["wider"]),
        materials=terms(trades["materials"]),
        no_deed=frozenset(trades["no_deed"].split()),
        by_kind={f"#{n}": terms(words) for n, words in trades["by_kind"].items()},
        by_value={term(n): terms(words) for n, words in trades["by_value"].items()},
        kinds=tuple(frozenset(words.split()) for words in more["kinds"].values()),
    )


def _same_terms(*tables: Mapping[str, str]) -> dict[str, str]:
    """Return the term of each stem that shares a meaning; later tables go first."""
    same = {
        stem(word): stem(first)
        for table in tables
        for first, words in table.items()
        for word in (first, *words.split())
    }
    for word, first in same.items():
        same[word] = same.get(first, first)
    return same


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))


@cache
def term_of(word: str) -> str:
    """Return the term that a folded word is compared under.

    "Stackable" is "stack": that it can be done, and that it is, are told apart by what
    stands around them no more than "can be stacked" and "stacked" are.
    """
    same = knowledge().same
    own = stem(word)
    if own in same or not word.endswith("able") or len(word) < 7:
        return same.get(own, own)
    deed = word[:-4]
    if deed[-1] == deed[-2] and deed[-1] not in "ls":
        deed = deed[:-1]
    base = stem(deed)
    return own if base in knowledge().no_deed else same.get(base, base)


def is_light(word: str) -> bool:
    """Whether a word carries a fact without being one."""
    known = knowledge()
    if word in known.function or word in known.carrier:
        return True
    return stem(word) in known.light
