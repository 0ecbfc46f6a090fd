"""A sentence taken apart for comparison: terms, quantities, polarity, limits, parties.

English is known from `en.toml`. Words of one meaning become one term, quantities
become one term in a base unit (`1.5 m` and `150 cm` alike), and what turns or limits a
sentence is told apart from what it is about.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from cartwheel.text.claims.knowledge import knowledge, term_of
from cartwheel.text.claims.quantities import with_quantities
from cartwheel.text.claims.reading import Reading, Token
from cartwheel.text.tokens import fold

LONGEST = 400
"""Characters of a sentence that are read; a longer one is not let through."""

_PREFIXED = re.compile(r"([€£$]) ?(\d[\d.,]{0,12})")
_CURRENCY = {"€": "eur", "£": "gbp", "$": "usd"}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TOKEN = re.compile(
    r"[~^][a-z]+|#[a-z]+:[\d.]+|\d+(?:\.\d+)?|[^\W\d_]+\d*[^\W_]*|[,;:()–—-]|[.!?]"
)
_FREE = re.compile(
    r"\b([a-z]{3,20})-free\b(?! of)|\bfree (?:of|from) (?:any )?(?!charge)([a-z]{3,20})"
    r"|\b(sugar|gluten|lactose|alcohol|fragrance|perfume|latex|lead|plastic|oil|fat|dairy"
    r"|nut|paraben|silicone|nickel|chrome|acid|text|frost|caffeine|pvc) free\b"
)
_FROST = re.compile(r"\bfrost-free\b|\bfree of frost\b")
_UN = re.compile(r"(?:un|non)([a-z]{2,}ed|worn|open|lit|cut|read|sewn|bound|broken)")
_DASHES = str.maketrans({"‑": "-", "‐": "-", "−": "-", "–": "-", "—": " - "})

CONNECTORS = frozenset(
    (
        *(",", ";", ":", "(", ")", "-", "and", "but", "with"),
        *("which", "while", "also", "plus", "or", "in", "for", "at", "from"),
        *("by", "as", "to", "that", "on", "when", "where", "whereas", "so"),
        *("after", "before", "per", "then", "it", "they", "this", "than", "have"),
        *("has", "is", "are", "comes", "come", "if", "provided", "once", "unless"),
        "of",
    )
)
"""Words and marks after which another fact may begin."""

JOINTS = frozenset({",", ";", "and", "or", "plus", "&"})
COPULAS = frozenset({"is", "are", "has", "have", "in"})

CONTRASTS = frozenset({"but", "whereas", "while", "although", "though", "however", ";"})
"""Words and marks after which the other is said: yes for no, one for another."""

CLAUSES = CONTRASTS | {",", ".", "!", "?", "(", ")"}
"""Words and marks after which a no, or a limit, said before counts no more."""


_ANYWHERE = (
    (
        re.compile(
            r"\bfrom (?=\d[\d.]{0,9}(?![\d.])(?: (?!to |until |and )[a-z%]{1,8})?+"
            r"(?! ?(?:to|-|until|and|;) ))"
        ),
        " ~atleast ",
    ),
    (re.compile(r"\bmax(?:imum|\.)?(?![a-z])"), " ~upto "),
    (re.compile(r"\bmin(?:imum|\.)(?![a-z])"), " ~atleast "),
    (
        re.compile(
            r"(\d[\d.]{0,9}(?: ?[°a-z%]{1,8}| ° ?c)?) (?:at (?:the )?most"
            r"|maximum|max|or less|or fewer)\b"
        ),
        r" ~upto \1",
    ),
    (
        re.compile(
            r"(\d[\d.]{0,9}(?: [a-z%]{1,8})?) (?:or (?:more|over|older|later|above)"
            r"|and (?:up|over|above|more|older)|upwards|onwards?|minimum|at least)\b"
        ),
        r" ~atleast \1",
    ),
)
"""Limits that stand after the number, or before anything."""


def english(text: str) -> str:
    """Return a text folded, its quantities in one form, for comparison."""
    plain = fold(text.translate(_DASHES)[: LONGEST * 20])
    plain = _THOUSANDS.sub("", plain)
    plain = _PREFIXED.sub(lambda m: f"{m[2]} {_CURRENCY[m[1]]}", plain)
    numbers = knowledge().numbers
    plain = numbers[0].sub(lambda m: numbers[1][m[1]], plain)
    return " ".join(plain.split())


_AND_NUMBER = re.compile(r"(?<=[a-z]) and (?=(?:for |about |up to )?\d)")


def _marked(plain: str) -> str:
    """Return a text in which limits and conditions are marks of their own."""
    plain = _AND_NUMBER.sub(" ; ", plain)
    for pattern, turned in knowledge().turns:
        plain = pattern.sub(turned, plain)
    for instead, pattern in knowledge().phrases:
        plain = pattern.sub(instead, plain)
    for pattern, mark in reversed(_ANYWHERE):
        plain = pattern.sub(mark, plain)
    for mark, pattern in knowledge().marks:
        plain = pattern.sub(mark, plain)
    return " ".join(plain.split())


@lru_cache(maxsize=2_000)
def read(text: str) -> Reading:
    """Take a sentence apart.

    Args:
        text: One sentence, or the value of an attribute.
    """
    plain = _FROST.sub("away from frost", english(text))
    plain = _FREE.sub(lambda m: f"without {m[1] or m[2] or m[3]}", plain)
    reader = _Reader()
    for word in _TOKEN.findall(with_quantities(_marked(plain).rstrip(" .!?;:"))):
        reader.hear(word)
    heard = reader.ended(offers=_OFFERS.search(plain) is not None)
    return replace(heard, plain=plain)


class _Reader:
    """What was heard of a sentence so far, word by word."""

    def __init__(self) -> None:
        self._known = knowledge()
        self._tokens: list[Token] = []
        self._parties: set[str] = set()
        self._hedges: set[str] = set()
        self._limits: set[str] = set()
        self._includes: set[int] = set()
        self._opens, self._joined = True, False
        self._denials = self._clause = self._side = 0
        self._before = ""

    def hear(self, word: str) -> None:
        """Take in the next word or mark."""
        known = self._known
        if self._ends(word):
            # "blades are excluded, ..." says it of what stands before.
            self._deny_last(self._denials, self._limits)
            self._denials, self._limits = 0, set()
        self._place(word)
        self._before = word
        if word in known.shop:
            self._parties.add("shop")
        if word in known.customer:
            self._parties.add("customer")
        if word[0] == "~":
            self._hedges.add(word[1:])
        elif word[0] == "^":
            self._limits.add(word[1:])
            self._opens = True
            self._clause += 1
        elif word in known.negators:
            self._denials += 1
            self._opens = self._opens or word == "without"
        elif not (word in known.function or word in CONNECTORS) and _SAYS.match(word):
            self._say(word)

    def ended(self, *, offers: bool) -> Reading:
        """Return the sentence, which has ended.

        Args:
            offers: It offers a choice.
        """
        tokens = self._tokens
        last = tokens[-1].clause if tokens else 0
        turned = self._denials or "exception" in self._limits
        if turned and tokens and not self._own_side():
            # "..., but are not covered": of what stands before the but.
            self._deny_last(self._denials, self._limits & {"exception"})
            self._denials, self._limits = 0, self._limits - {"exception"}
        if self._denials and self._clause and last == self._clause:
            # "a cable is included, a plug is not": the no is its clause's alone.
            self._deny_last(self._denials, set())
            self._denials = 0
        if "exception" in self._limits and self._side and self._own_side():
            # "..., but scratches are not covered" excepts nothing before the but.
            self._deny_last(0, {"exception"})
            self._limits = self._limits - {"exception"}
        return Reading(
            tokens=tuple(tokens),
            turned=self._denials > 0,
            after=frozenset(self._hedges | self._limits),
            parties=frozenset(self._parties),
            includes=frozenset(self._includes),
            offers=offers,
        )

    def _own_side(self) -> bool:
        return bool(self._tokens) and self._tokens[-1].side == self._side

    def _place(self, word: str) -> None:
        """Note where in the sentence what follows stands."""
        if word in CONNECTORS:
            self._opens = True
            self._joined = word in JOINTS or (self._joined and word not in COPULAS)
        self._clause += word in CLAUSES
        self._side += word in CONTRASTS
        comes_with = word == "with" and self._before in ("come", "comes")
        if word in _INCLUDED or comes_with:
            self._includes.add(self._clause)

    def _ends(self, word: str) -> bool:
        """Tell whether a no or a limit said just before ends with this word."""
        held = self._tokens and (self._denials or self._limits)
        if word == ";" or not held:
            return bool(held)
        turned = self._before == "^exception" or self._before in self._known.negators
        return word in JOINTS and turned

    def _deny_last(self, denials: int, limits: set[str]) -> None:
        if not self._own_side():
            # "They can be replaced, but are not covered": it is said of them.
            self._tokens.append(
                replace(
                    self._tokens[0],
                    opens=True,
                    joined=False,
                    clause=self._clause,
                    side=self._side,
                    denials=0,
                    un=False,
                    hedges=frozenset(),
                    limits=frozenset(),
                )
            )
        last = self._tokens[-1]
        self._tokens[-1] = replace(
            last, denials=last.denials + denials, limits=last.limits | limits
        )

    def _say(self, word: str) -> None:
        """Take in a word that says something."""
        un = _UN.fullmatch(word)
        if un:
            word = un[1]
        self._tokens.append(
            Token(
                term_of(word),
                word,
                self._opens,
                self._joined,
                self._denials,
                frozenset(self._hedges),
                frozenset(self._limits),
                self._clause,
                self._side,
                un is not None,
                self._denials > 0,
            )
        )
        self._opens, self._joined, self._denials = False, False, 0
        self._hedges, self._limits = set(), set()


_INCLUDED = frozenset({"included", "includes", "supplied", "enclosed"})
_OFFERS = re.compile(
    r"\b(?:choose|choice|pick|select|available in|comes? in|offered in|sold in|had in"
    r"|order it in|get it in)\b"
)


_SAYS = re.compile(r"[#\w]")
