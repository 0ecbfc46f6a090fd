"""A sentence taken apart for comparison: terms, quantities, polarity, limits, parties.

English is known from `en.toml`. Words of one meaning become one term, quantities
become one term in a base unit (`1.5 m` and `150 cm` alike), and what turns or limits a
sentence is told apart from what it is about.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.quantities import with_quantities
from cartwheel.text.claims.reading import Reading, Token
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
    r"\b([a-z]{3,20})-free\b(?! of)|\bfree (?:of|from) (?:any )?(?!charge)([a-z]{3,20})"
    r"|\b(sugar|gluten|lactose|alcohol|fragrance|perfume|latex|lead|plastic|oil|fat|dairy"
    r"|nut|paraben|silicone|nickel|chrome|acid|text|frost|caffeine|pvc) free\b"
)
_FROST = re.compile(r"\bfrost-free\b|\bfree of frost\b")
_UN = re.compile(r"(?:un|non)([a-z]{2,}ed|worn|open)")
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
            r"\bfrom (?=\d[\d.]{0,9}(?: (?!to |until |and )[a-z%]{1,8})?"
            r"(?! ?(?:to|-|until|and|;) ))"
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
    known = knowledge()
    plain = _FROST.sub("away from frost", english(text))
    plain = _FREE.sub(lambda m: f"without {m[1] or m[2] or m[3]}", plain)
    tokens: list[Token] = []
    parties: set[str] = set()
    hedges: set[str] = set()
    limits: set[str] = set()
    includes: set[int] = set()
    opens, joined, denials, clause, side, before = True, False, 0, 0, 0, ""
    for word in _TOKEN.findall(with_quantities(_marked(plain).rstrip(" .!?;:"))):
        if word in CONNECTORS:
            opens = True
            joined = word in JOINTS or (joined and word not in COPULAS)
        clause += word in CLAUSES
        side += word in CONTRASTS
        if word in _INCLUDED or (word == "with" and before in ("come", "comes")):
            includes.add(clause)
        ends = word == ";" or (
            word in JOINTS and (before == "^exception" or before in known.negators)
        )
        if ends and tokens and (denials or limits):
            # "blades are excluded, ..." says it of what stands before.
            last = tokens[-1]
            tokens[-1] = replace(
                last, denials=last.denials + denials, limits=last.limits | limits
            )
            denials, limits = 0, set()
        before = word
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
            opens = opens or word == "without"
        elif word in known.function or word in CONNECTORS or not _SAYS.match(word):
            continue
        else:
            un = _UN.fullmatch(word)
            if un:
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
                    side,
                    un is not None,
                )
            )
            opens, joined, denials = False, False, 0
            hedges, limits = set(), set()
    if denials and clause and tokens and tokens[-1].clause == clause:
        # "a cable is included, a plug is not": the no is its clause's alone.
        tokens[-1] = replace(tokens[-1], denials=tokens[-1].denials + denials)
        denials = 0
    return Reading(
        tokens=tuple(tokens),
        turned=denials > 0,
        after=frozenset(hedges | limits),
        parties=frozenset(parties),
        includes=frozenset(includes),
        offers=_OFFERS.search(plain) is not None,
    )


_INCLUDED = frozenset({"included", "includes", "supplied", "enclosed"})
_OFFERS = re.compile(
    r"\b(?:choose|choice|pick|select|available in|comes? in|offered in|sold in|had in"
    r"|order it in|get it in)\b"
)


_SAYS = re.compile(r"[#\w]")
