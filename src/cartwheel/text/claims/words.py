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

from cartwheel.text.stem import stem
from cartwheel.text.tokens import fold

LONGEST = 400
"""Characters of a sentence that are read; a longer one is not let through."""

_QUANTITIES: dict[str, tuple[str, float]] = {
    unit: (kind, factor)
    for kind, units in {
        "length": {
            "mm millimetre millimetres millimeter millimeters": 1.0,
            "cm centimetre centimetres centimeter centimeters": 10.0,
            "m metre metres meter meters": 1000.0,
            "km kilometre kilometres kilometer kilometers": 1_000_000.0,
            "in inch inches": 25.4,
            "ft foot feet": 304.8,
        },
        "mass": {
            "mg milligram milligrams": 0.001,
            "g gram grams gramme grammes": 1.0,
            "kg kilo kilos kilogram kilograms": 1000.0,
            "oz ounce ounces": 28.349523,
            "lb lbs pound pounds": 453.59237,
        },
        "volume": {
            "ml millilitre millilitres milliliter milliliters": 1.0,
            "cl": 10.0,
            "dl": 100.0,
            "l litre litres liter liters": 1000.0,
        },
        "time": {
            "second seconds sec secs s": 1.0,
            "minute minutes min mins": 60.0,
            "hour hours hr hrs h": 3600.0,
            "day days": 86_400.0,
            "week weeks": 604_800.0,
        },
        "months": {"month months": 1.0, "year years yr yrs": 12.0},
        "power": {"w watt watts": 1.0, "kw kilowatt kilowatts": 1000.0},
        "volt": {"v volt volts": 1.0},
        "share": {"% percent": 1.0},
        "degree": {
            "c celsius": 1.0,
            "degrees degree": 1.0,
        },
        "bytes": {"mb": 1.0, "gb gigabyte gigabytes": 1000.0, "tb": 1_000_000.0},
        "money": {"eur euro euros": 1.0},
        "dollar": {"usd dollar dollars": 1.0},
        "sterling": {"gbp": 1.0},
        "charge": {"mah": 1.0, "ah": 1000.0},
    }.items()
    for names, factor in units.items()
    for unit in names.split()
}

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
    if number > 1
}
_NUMBERS |= {"twice": "2", "half": "0.5", "dozen": "12", "twenty": "20"}
_NUMBERS |= {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60"}
_NUMBERS |= {"fourteen": "14", "fifteen": "15", "hundred": "100", "ninety": "90"}

_UNIT = "|".join(sorted(map(re.escape, _QUANTITIES), key=len, reverse=True))
_PREFIXED = re.compile(r"([€£$]) ?(\d[\d.,]{0,12})")
_AMOUNT = re.compile(
    rf"(?<![\w.])(\d{{1,9}}(?:\.\d{{1,4}})?)(?: ?(?:°|degrees?) ?| ?-? ?)({_UNIT})"
    r"(?![a-z0-9])"
)
_CURRENCY = {"€": "eur", "£": "gbp", "$": "usd"}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TOKEN = re.compile(
    r"[~^][a-z]+|#[a-z]+:[\d.e+-]+|\d+(?:\.\d+)?|[^\W\d_]+\d*[^\W_]*|[,;:()–—-]|[.!?]"
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
    )


def english(text: str) -> str:
    """Return a text folded, its quantities in one form, for comparison."""
    plain = fold(text.translate(_DASHES)[: LONGEST * 20])
    plain = _THOUSANDS.sub("", plain)
    plain = _PREFIXED.sub(lambda m: f"{m[2]} {_CURRENCY[m[1]]}", plain)
    plain = re.sub(
        r"\b(" + "|".join(_NUMBERS) + r")\b", lambda m: _NUMBERS[m[1]], plain
    )
    return " ".join(plain.split())


def _with_quantities(plain: str) -> str:
    """Return a text in which `95 cm` is one word, lists with their unit each."""
    plain = _AND_HALF.sub(r"\1.5 ", plain)
    plain = _AGED.sub(r"age \1\2 years", plain)
    plain = _ONE.sub(r"1 \1", _HALF.sub(r"0.5 \1", plain))
    before = ""
    while before != plain and len(plain) < 4 * LONGEST:
        before, plain = plain, _LISTED.sub(r"\1 \3 , \2 \3", plain, count=20)
    return _AMOUNT.sub(_one_quantity, plain)


_HALF = re.compile(r"\b0\.5(?: an?|-)? ?(hour|litre|liter|kilo|metre|meter|day|year)\b")
_AND_HALF = re.compile(r"(?<![\w.])(\d{1,4}) and a (?:half|0\.5) ")
_AGED = re.compile(
    r"\b(?:aged?|ages)( (?:~[a-z]+ )?)(\d{1,2})\b"
    r"(?! ?-? ?(?:month|week|day|year|to|and))"
)
_ONE = re.compile(
    r"\b(?:an?|one) (hour|litre|liter|kilo|metre|meter|day|week|month|year|minute)\b"
    r"(?=$|[.,;)]| (?:to|of|at|in|and|or|per|after|for|before|from|with|takes?)\b)"
)
_LISTED = re.compile(
    rf"(?<![\w.#:])(\d{{1,9}}(?:\.\d{{1,4}})?) ?(?:-|to|x|×|by|,|,? or|,? and|/) ?"
    rf"(\d{{1,9}}(?:\.\d{{1,4}})?) ?-?((?:° ?)?(?:{_UNIT}))(?![a-z0-9])"
)


def _one_quantity(found: re.Match[str]) -> str:
    kind, factor = _QUANTITIES[found[2]]
    return f" #{kind}:{round(float(found[1]) * factor, 4):g} "


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
    for word in _TOKEN.findall(_with_quantities(_marked(plain))):
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
