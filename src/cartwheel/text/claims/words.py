"""A sentence taken apart for comparison: terms, quantities, polarity, limits, parties.

English is known from `en.toml`. Words of one meaning become one term, quantities
become one term in a base unit (`1.5 m` and `150 cm` alike), and what turns or limits a
sentence is told apart from what it is about.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from cartwheel.text.claims.quantities import with_quantities
from cartwheel.text.stem import stem
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
    r"\b([a-z]{3,20})[ -]free\b|\bfree (?:of|from) (?:any )?([a-z]{3,20})"
)
_UN = re.compile(r"(?:un|non)([a-z]{2,}ed|worn|open)")
_DASHES = str.maketrans({"‑": "-", "‐": "-", "−": "-", "–": "-", "—": " - "})

CONNECTORS = frozenset(
    [
        ",",
        ";",
        ":",
        "(",
        ")",
        "-",
        "and",
        "but",
        "with",
        "which",
        "while",
        "also",
        "plus",
        "or",
        "in",
        "for",
        "at",
        "from",
        "by",
        "as",
        "to",
        "that",
        "on",
        "when",
        "where",
        "whereas",
        "so",
        "after",
        "before",
        "per",
        "then",
        "it",
        "they",
        "this",
        "than",
        "have",
        "has",
        "is",
        "are",
        "comes",
        "come",
        "if",
        "provided",
        "once",
        "unless",
        "of",
    ]
)
"""Words and marks after which another fact may begin."""

JOINTS = frozenset({",", ";", "and", "or", "plus", "&"})
COPULAS = frozenset({"is", "are", "has", "have", "in"})

CLAUSES = frozenset(
    {",", ";", "(", ")", "but", "whereas", "while", "although", "though", "however"}
)
"""Words and marks after which a no, or a limit, said before counts no more."""


@dataclass(frozen=True, slots=True)
class Token:
    """One term of a sentence.

    Attributes:
        term: Term that is compared.
        word: Word as written, folded.
        opens: Another fact may begin here.
        joined: It is joined to what stands before as one of several: and, or, a comma.
        denials: Words of negation since the term before.
        hedges: Limits set before it since the term before.
        limits: Conditions and exceptions since the term before.
        clause: Number of its clause.
    """

    term: str
    word: str
    opens: bool
    joined: bool
    denials: int
    hedges: frozenset[str]
    limits: frozenset[str]
    clause: int

    @property
    def is_quantity(self) -> bool:
        """It is a number or a measure."""
        return self.term[0] in "#0123456789"

    @property
    def spoken(self) -> str:
        """Return how people are told of it."""
        if self.term[0] == "#":
            return f"this {self.term[1:].partition(':')[0]}"
        return repr(self.word)


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence taken apart.

    Attributes:
        tokens: Its content in order.
        turned: It is denied as a whole.
        after: Limits and conditions that no term follows.
        parties: Of whom it speaks: shop, customer.
    """

    tokens: tuple[Token, ...]
    turned: bool
    after: frozenset[str]
    parties: frozenset[str]

    @property
    def terms(self) -> frozenset[str]:
        """Terms of its content."""
        return frozenset(token.term for token in self.tokens)

    def denied(self) -> Reading:
        """Return the same said the other way round."""
        return replace(self, turned=not self.turned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of English."""

    function: frozenset[str]
    carrier: frozenset[str]
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


_OF_NUMBERS = frozenset({"upto", "atleast", "about"})
_BEFORE_NUMBER = r"(?= (?:of )?(?:\d|an? |half |every |~))"
_ANYWHERE = (
    (
        re.compile(
            r"\bfrom (?=\d[\d.]{0,9}(?: [a-z%]{1,8})?(?! ?(?:to|-|until|and|;) ))"
        ),
        " ~atleast ",
    ),
    (re.compile(r"\bmax(?:imum|\.)?(?![a-z])"), " ~upto "),
    (re.compile(r"\bmin(?:imum|\.)(?![a-z])"), " ~atleast "),
    (
        re.compile(
            r"(\d[\d.]{0,9}(?: [a-z%]{1,8})?) (?:at (?:the )?most|maximum|max|or less"
            r"|or fewer)\b"
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


@cache
def knowledge() -> Knowledge:
    """Return what is known of English."""
    raw: dict[str, Any] = tomllib.loads(
        files(__package__).joinpath("en.toml").read_text("utf-8")
    )
    same = {
        stem(word): stem(first)
        for first, words in raw["same"].items()
        for word in (first, *words.split())
    }

    def terms(name: str) -> frozenset[str]:
        return frozenset(same.get(stem(w), stem(w)) for w in raw[name].split())

    return Knowledge(
        function=frozenset(raw["function"].split()),
        carrier=frozenset(raw["carrier"].split()),
        editorial=frozenset(raw["editorial"].split()),
        attribution=frozenset(raw["attribution"].split()),
        negators=frozenset(raw["negators"].split()),
        shop=frozenset(raw["shop"].split()),
        customer=frozenset(raw["customer"].split()),
        paying=terms("paying"),
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
        implied={
            same.get(stem(name), stem(name)): frozenset(
                same.get(stem(w), stem(w)) for w in words.split()
            )
            for name, words in raw["implied"].items()
        },
        numbers=(
            re.compile(rf"\b({'|'.join(raw['numbers'])})\b"),
            dict(raw["numbers"]),
        ),
    )


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
    for instead, pattern in knowledge().phrases:
        plain = pattern.sub(instead, plain)
    for pattern, mark in reversed(_ANYWHERE):
        plain = pattern.sub(mark, plain)
    for mark, pattern in knowledge().marks:
        plain = pattern.sub(mark, plain)
    return " ".join(plain.split())


def read(text: str) -> Reading:
    """Take a sentence apart.

    Args:
        text: One sentence, or the value of an attribute.
    """
    known = knowledge()
    plain = _FREE.sub(lambda m: f"without {m[1] or m[2]}", english(text))
    tokens: list[Token] = []
    parties: set[str] = set()
    hedges: set[str] = set()
    limits: set[str] = set()
    opens, joined, denials, clause = True, False, 0, 0
    for word in _TOKEN.findall(with_quantities(_marked(plain))):
        if word in CONNECTORS:
            opens = True
            joined = word in JOINTS or (joined and word not in COPULAS)
        clause += word in CLAUSES
        if word in known.shop:
            parties.add("shop")
        if word in known.customer:
            parties.add("customer")
        if word[0] == "~":
            hedges.add(word[1:])
        elif word[0] == "^":
            limits.add(word[1:])
            opens = True
            clause += 1
        elif word in known.negators:
            denials += 1
        elif word in known.function or word in CONNECTORS or not _SAYS.match(word):
            continue
        else:
            un = _UN.fullmatch(word)
            if un:
                denials += 1
                word = un[1]
            term = known.same.get(stem(word), stem(word))
            tokens.append(
                Token(
                    term,
                    word,
                    opens,
                    joined,
                    denials,
                    frozenset(hedges),
                    frozenset(limits),
                    clause,
                )
            )
            opens, joined, denials = False, False, 0
            hedges, limits = set(), set()
    return Reading(
        tokens=tuple(tokens),
        turned=denials > 0,
        after=frozenset(hedges | limits),
        parties=frozenset(parties),
    )


_SAYS = re.compile(r"[#\w]")
