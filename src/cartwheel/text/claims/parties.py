"""A draft has nobody else pay, send or answer for something than the facts do.

A hard rule beside the comparison of words: whoever a sentence says pays for a thing or
does it, some fact says so of the same thing, with the place and the condition it holds
for; and no fact that holds there too says it of somebody else. It can only block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cartwheel.text.claims.bearers import bearers
from cartwheel.text.claims.duties import Duty, duties
from cartwheel.text.claims.source import Source
from cartwheel.text.claims.things import named_things
from cartwheel.text.claims.words import english, read
from cartwheel.text.sentences import sentences

_CAPITAL = re.compile(
    r"\b(?:[Ww]ithin|[Ii]n|[Ff]rom|[Tt]o|of|and|or|for|the|[Ii]nside|[Oo]utside"
    r"|mainland|,) ([A-Z][A-Za-z]{1,20})"
)
_MONEY = frozenset({"EUR", "GBP", "USD", "CHF"})
SAID_BY = ("answer", "policy", "attribute", "text")
"""Kinds of facts that may say who pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """A duty that a fact tells.

    Attributes:
        duty: Who pays for or does what.
        source: Id of the fact.
        places: Terms of the places it holds for; empty where it names none.
    """

    duty: Duty
    source: str
    places: frozenset[str]


def borne_by(sources: Iterable[Source]) -> tuple[Borne, ...]:
    """Return who pays for what and who does what by the facts.

    Args:
        sources: Facts about the product and the shop.
    """
    found: list[Borne] = []
    for source in sources:
        if source.kind not in SAID_BY:
            continue
        about = _about(source)
        for one in sentences(source.text):
            plain = english(one)
            places = frozenset(
                term
                for word in _CAPITAL.findall(one)
                if word not in _MONEY
                for term in read(word).terms
            )
            for duty in duties(plain, about):
                holds, terms = _limits(duty)
                found.append(
                    Borne(
                        duty=replace(duty, holds=holds),
                        source=source.id,
                        places=places & terms,
                    )
                )
            named = [t.name for t in named_things(plain)]
            about = named[-1] if named else about
    return tuple(found)


def _about(source: Source) -> str:
    topic = bearers().topics.get(source.id.partition(":")[2], "")
    asked = [t.name for t in named_things(english(source.name))]
    return topic or (asked[-1] if asked else "")


def misassigned(
    told: Iterable[Duty], cited: Sequence[str], facts: Sequence[Borne]
) -> str:
    """Return why a sentence has another party pay or act, "" where it does not.

    Args:
        told: Who pays for what and who does what by the sentence.
        cited: Ids of the facts that say its words.
        facts: Who pays for what and who does what by the facts.
    """
    for duty in told:
        for thing in _meant(duty, facts):
            fault = _fault(duty, thing, cited, facts)
            if fault:
                return fault
    return ""


def _meant(duty: Duty, facts: Sequence[Borne]) -> tuple[str, ...]:
    """Return of which things a duty is; of all that it may mean, where it is vague."""
    wide = bearers().wide.get(duty.thing)
    if wide is None:
        return (duty.thing,)
    if duty.thing == "both":
        return wide
    told = {one.duty.thing for one in facts if one.duty.act == duty.act}
    some = tuple(thing for thing in wide if thing in told)
    if duty.thing == "shipping" and some[:1] == ("there",):
        return some[:1]
    return some or (duty.thing,)


def _fault(duty: Duty, thing: str, cited: Sequence[str], facts: Sequence[Borne]) -> str:
    about = [
        one
        for one in facts
        if one.duty.act == duty.act
        and (_same(thing, one.duty.thing) if thing else one.source in cited)
    ]
    price = duty.sum or (not thing and duty.party == "customer")
    if not about:
        theirs = duty.act == "does" and duty.party == "shop"
        if price or (theirs and thing in bearers().unnamed):
            return ""  # "you pay 59 EUR" is the price
        return f"no fact says who {duty.act} it"
    others = [one for one in about if one.duty.party != duty.party]
    ours = [one for one in about if one.duty.party == duty.party]
    if not ours:
        return f"{others[0].source} has another party"
    promised = duty.act == "pays" or thing not in bearers().unnamed
    split = bool(others) or (duty.party == "shop" and promised)
    kept = [one for one in ours if not split or _kept(one, duty)]
    if not kept:
        return f"it leaves out where {ours[0].source} holds"
    against = [one for one in others if _limited(one) and _kept(one, duty)]
    if against and not any(_limited(one) and _kept(one, duty) for one in ours):
        return f"{against[0].source} has another party there"
    if against and thing and duty.holds & {"else"} and not duty.excepted:
        return f"{against[0].source} has another party there"
    return ""


def _same(thing: str, told: str) -> bool:
    return thing == told or thing in bearers().wide.get(told, ())


def _limited(one: Borne) -> bool:
    return bool(one.places or one.duty.holds)


def _kept(one: Borne, duty: Duty) -> bool:
    """Whether a duty keeps the places and conditions of a fact, or narrower ones."""
    holds, terms = _limits(duty)
    return one.duty.holds <= holds and (not one.places or bool(one.places & terms))


def _limits(duty: Duty) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a duty hangs on and the terms of the places it may hold for.

    What a sentence begins with holds for all its parts that say nothing of their own.
    """
    if duty.holds:
        return duty.holds, duty.terms - duty.excepted
    return duty.lead_holds, duty.terms - duty.excepted | duty.lead_terms
