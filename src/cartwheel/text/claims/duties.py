"""Who pays for what and who does what, read from a sentence.

"Returns are on us within Germany; elsewhere you pay" holds two duties: the shop pays
for the way back, in Germany, and the customer pays for it, elsewhere. They are found by
the ways of speaking of `parties.toml`; a sentence in which none is met holds none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cartwheel.text.claims.bearers import Phrase, bearers
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.things import borne_things, directed, named_things
from cartwheel.text.claims.words import read

_OTHER = {"shop": "customer", "customer": "shop"}
_CONTRAST = re.compile(r"[;:()]|\b(?:but|while|whereas|although|though|however)\b")
_COMMA = re.compile(r",|\band\b|\bor\b|\bwhich\b|-(?= )")
_LEADS_ON = re.compile(
    r"(?:,|and|or|-)[ ,]*(?:and )?(?:from|in|within|outside|elsewhere|otherwise|for"
    r"|after|if|when|as|should|to|abroad|we|you|the customer)\b"
)
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One thing that one party pays for or does.

    Attributes:
        act: "pays", or what is done.
        thing: What is paid for; "" where the sentence does not say.
        party: Who: shop, customer, maker, carrier.
        holds: What it hangs on, as names of `parties.toml`.
        terms: Terms of the part of the sentence that says it.
        excepted: Terms that follow "outside" or "except" there.
        lead_holds: What the sentence begins with hangs on: "Within Germany, ...".
        lead_terms: Terms that the sentence begins with.
        sum: It names an amount, which may be a price.
    """

    act: str
    thing: str
    party: str
    holds: frozenset[str]
    terms: frozenset[str]
    excepted: frozenset[str]
    lead_holds: frozenset[str] = frozenset()
    lead_terms: frozenset[str] = frozenset()
    sum: bool = False


@dataclass(frozen=True, slots=True)
class _Met:
    """Where a way to say who is met."""

    start: int
    end: int
    phrase: Phrase
    denied: bool


@lru_cache(maxsize=2_000)
def duties(plain: str, about: str = "") -> tuple[Duty, ...]:
    """Return who pays for what and who does what, by a sentence.

    Args:
        plain: The sentence in the form of `words.english`.
        about: What it is about where it does not say; "" for unknown.
    """
    plain = _with_subjects(plain.strip(" .!?"))
    met = _met(plain)
    if not met:
        return ()
    things = named_things(plain)
    ends = [0, *(_cut(plain, a, b) for a, b in pairwise(met)), len(plain)]
    lead = plain[: met[0].start]
    found: list[Duty] = []
    for at, one in enumerate(met):
        # Ways to say it that nothing parts stand in one part of the sentence.
        first = max(n for n in range(at + 1) if n == 0 or ends[n] >= 0)
        last = min(n for n in range(at + 1, len(ends)) if ends[n] >= 0)
        start, end = ends[first], ends[last]
        here = [t for t in things if start <= t.start < end]
        # Else what was named last before: "return it, and you pay nothing".
        names = (
            borne_things(plain, one.start, one.end, here, active=one.phrase.active)
            or [t.name for t in things if t.start < start][-1:]
        )
        if one.phrase.act != "pays":
            names = [one.phrase.act]
        named = [directed(name, things, about) for name in names or [about]]
        found += _made(one, named, plain[start:end], lead)
    return tuple(found)


def _with_subjects(plain: str) -> str:
    """Return a sentence that says anew who pays: "we repair it and (we) pay ..."."""
    parts = bearers().unsaid.split(plain)
    found = parts[0]
    for part in parts[1:]:
        before = bearers().subjects.findall(found)
        found += f"and {before[-1]} {part}" if before else f"and {part}"
    return found


def _met(plain: str) -> list[_Met]:
    """Return where somebody is said to pay or do something, in order."""
    found: list[_Met] = []
    words = set(_WORD.findall(plain))
    for phrase in bearers().phrases:
        if phrase.cues and phrase.cues.isdisjoint(words):
            continue
        for match in phrase.pattern.finditer(plain):
            start, end = match.span()
            same = [
                one
                for one in found
                if (one.phrase.act == "pays") == (phrase.act == "pays")
                and start < one.end
                and one.start < end
            ]
            # "You pay nothing" says no to paying; its "nothing to pay" no more.
            if not same:
                found.append(_Met(start, end, phrase, _denied(plain, match, phrase)))
    return sorted(found, key=lambda one: (one.start, one.end))


def _denied(plain: str, match: re.Match[str], phrase: Phrase) -> bool:
    """Whether a no belongs to it: one of three words before, inside, two after."""
    negators = knowledge().negators
    before = re.split(r"[,;:()]", plain[: match.start()])[-1]
    words = _WORD.findall(before)[-3:]
    if not phrase.no:
        words += _WORD.findall(match[0])
    if phrase.active:
        after = re.split(r"[,;:()]|\bbut\b", plain[match.end() :])[0]
        words += _WORD.findall(after)[:2]
    return sum(word in negators for word in words) % 2 == 1


def _cut(plain: str, one: _Met, other: _Met) -> int:
    """Return where the part of one way to say it ends; -1 where nothing parts them."""
    start, end = one.end, other.start
    if start >= end:
        return -1
    between = plain[start:end]
    strong = _CONTRAST.search(between)
    if strong:
        return start + strong.start()
    marks = list(_COMMA.finditer(between))
    for mark in marks:
        if _LEADS_ON.match(plain, start + mark.start()):
            return start + mark.start()
    return start + marks[-1].start() if marks else -1


def _made(one: _Met, names: Sequence[str], part: str, lead: str) -> list[Duty]:
    party = one.phrase.party
    if one.denied:
        # Who does not pay leaves it to the other; who does not act is nobody known.
        party = _OTHER.get(party, "") if one.phrase.act == "pays" else ""
    return [
        Duty(
            act="pays" if one.phrase.act == "pays" else "does",
            thing=name,
            party=party,
            holds=_holds(part),
            terms=read(part).terms,
            excepted=_excepted(part),
            lead_holds=_holds(lead),
            lead_terms=read(lead).terms - _excepted(lead),
            sum=one.phrase.sum,
        )
        for name in names
        if party
    ]


def _holds(part: str) -> frozenset[str]:
    """Return what a part hangs on; "unless it is faulty" is no "if it is faulty"."""
    found = set()
    for name, pattern in bearers().holds.items():
        for match in pattern.finditer(part):
            before = part[: match.start()].rstrip()
            turned = name != "else" and bearers().excepts.search(before)
            found.add("else" if turned else name)
    return frozenset(found)


def _excepted(part: str) -> frozenset[str]:
    """Return terms right after "outside", "except": these places are not meant."""
    words = part.split()
    found: set[str] = set()
    for at in range(1, len(words)):
        if bearers().excepts.search(" ".join(words[max(0, at - 4) : at])):
            after = re.split(r"[,;:()]", " ".join(words[at : at + 4]))[0]
            found |= read(after).terms
    return frozenset(found)
