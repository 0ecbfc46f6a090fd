"""What is known of who pays and who does what, read once from `parties.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_NO_NOUN = r"(?<!the )(?<!a )(?<!for )(?<!of )(?<!your )(?<!this )(?<!any )(?<!each )"
"""Before what is done: "pays for the repair" repairs nothing."""
_NO_CUES = frozenset({"the", "its", "own", "who", "that"})
_EUR = r"\d[\d.]{0,9} (?:eur|euros?|gbp|pounds?|usd|dollars?|chf)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A way to say that a party pays or does something.

    Attributes:
        act: "pays", or the thing that is done.
        party: Who.
        pattern: How it is said; on the text as `words.english` gives it.
        cues: Words of which one stands in it; empty where that is not known.
        active: The party comes first, and what it pays for after it.
        sum: It names an amount, which may be a price.
        no: It says no already, so that only a no before it counts.
    """

    act: str
    party: str
    pattern: re.Pattern[str]
    cues: frozenset[str] = frozenset()
    active: bool = False
    sum: bool = False
    no: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearers:
    """What is known of who pays and who does what.

    Attributes:
        phrases: Ways to say who.
        things: What somebody pays for, each with its pattern, the first wins.
        wide: What a thing without direction may be.
        unnamed: Things that the shop does where a fact names nobody.
        topics: What a policy is about, by its id.
        holds: What a promise hangs on, by name.
        excepts: What takes out what follows.
        subjects: The parties as those who do something.
        unsaid: Where paying is joined to what the same party does.
    """

    phrases: tuple[Phrase, ...]
    things: tuple[tuple[str, re.Pattern[str]], ...]
    wide: dict[str, tuple[str, ...]]
    unnamed: frozenset[str]
    topics: dict[str, str]
    holds: dict[str, re.Pattern[str]]
    excepts: re.Pattern[str]
    subjects: re.Pattern[str]
    unsaid: re.Pattern[str]


@cache
def bearers() -> Bearers:
    """Return what is known of who pays and who does what."""
    raw = tomllib.loads(files(__package__).joinpath("parties.toml").read_text("utf-8"))
    return Bearers(
        phrases=(*_paying(raw), *_doing(raw)),
        things=tuple((name, _whole(said)) for name, said in raw["things"].items()),
        wide={name: tuple(of.split()) for name, of in raw["wide"].items()},
        unnamed=frozenset(raw["unnamed"]["shop"].split()),
        topics=dict(raw["topics"]),
        holds={name: _whole(said) for name, said in raw["holds"].items()},
        excepts=re.compile(rf"\b(?:{raw['excepts']['words']})$"),
        subjects=_whole(_anyone(raw)),
        unsaid=re.compile(rf"\band (?=(?:{raw['pays']['verbs']})\b)"),
    )


def _whole(said: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{said.replace('{eur}', _EUR)})(?![a-z])")


def _cues(called: dict[str, str]) -> frozenset[str]:
    """Return the words that name a party, each with and without an s."""
    words = {w for said in called.values() for w in re.findall("[a-z]{2,}", said)}
    return frozenset(
        form for w in words - _NO_CUES for form in (w, f"{w}s", w.removesuffix("s"))
    )


def _anyone(raw: dict[str, Any]) -> str:
    return "|".join(one["does"] for one in raw["parties"].values())


def _active(raw: dict[str, Any], party: str, verbs: str) -> re.Pattern[str]:
    """A party and what it does, with no other party named between them."""
    gap = rf"(?: (?!(?:{_anyone(raw)}|have it|get it|let)\b)[a-z]{{1,20}}){{0,6}}?"
    return _whole(rf"(?:{raw['parties'][party]['does']}){gap} (?:{verbs})")


def _paying(raw: dict[str, Any]) -> list[Phrase]:
    pays, found = raw["pays"], []
    for party, called in raw["parties"].items():
        by, own = called["by"], called["own"]
        found.append(
            Phrase(
                act="pays",
                party=party,
                pattern=_active(raw, party, pays["verbs"]),
                cues=_cues(called),
                active=True,
            )
        )
        passive = "|".join(pays["said"])
        for mark, words in (("by", by), ("own", own)):
            passive = passive.replace(f"{{{mark}}}", f"(?:{words})")
        for mark in ("past", "owned"):
            passive = passive.replace(f"{{{mark}}}", f"(?:{pays[mark]})")
        found.append(
            Phrase(act="pays", party=party, pattern=_whole(passive), cues=_cues(called))
        )
    free, owed = "|".join(pays["free"]), "|".join(pays["owed"])
    found.append(Phrase(act="pays", party="shop", pattern=_whole(free), no=True))
    found.append(Phrase(act="pays", party="customer", pattern=_whole(owed), sum=True))
    return found


def _doing(raw: dict[str, Any]) -> list[Phrase]:
    found = []
    for thing, said in raw["does"].items():
        for party, called in raw["parties"].items():
            # Whose product is replaced or guaranteed does neither.
            if party == "customer" and thing in ("exchange", "guarantee"):
                continue
            passive = rf"(?:{said['past']})(?: [a-z]{{1,20}}){{0,4}} (?:by|from)"
            patterns = [
                (_active(raw, party, f"{_NO_NOUN}(?:{said['verbs']})"), True),
                (_whole(rf"{passive} (?:{called['by']})"), False),
            ]
            if thing == "guarantee":
                whose = rf"(?:{called['own']})(?: [a-z0-9-]{{1,12}}){{0,2}}"
                patterns.append((_whole(rf"{whose} (?:guarantee|warranty)"), False))
            found += [
                Phrase(
                    act=thing,
                    party=party,
                    pattern=pattern,
                    cues=_cues(called),
                    active=active,
                )
                for pattern, active in patterns
            ]
    return found
