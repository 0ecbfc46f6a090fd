"""What a claim may rest on: one fact of the shop, taken apart for comparison.

A fact is cut into sayings: an attribute is one, an answer or a policy has one for each
sentence. A saying knows its terms in order, its numbers, whether it says no, how sure
it is and of whom it speaks; a claim is compared with one saying at a time, so that
words of two facts never add up to a third.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.questions import opening, place, subject
from cartwheel.text.claims.reading import Reading
from cartwheel.text.claims.words import english, read
from cartwheel.text.sentences import sentences

SourceKind = Literal[
    "title",
    "brand",
    "category",
    "attribute",
    "variants",
    "price",
    "answer",
    "policy",
    "quote",
    "count",
    "text",
]

_YES = re.compile(r"^\W*(?:yes|yep|sure|correct|of course|it does|it is|true)\b[,.! ]*")
_HELD = re.compile(
    r"(?:suitable|possible|allowed|available|compatible|supported|fitted|present)\b\W*"
)
"""Values that say of a name what a yes does."""
_TOLD = re.compile(r"(yes|no|none)[,;:] ")
_NO = re.compile(
    r"^\W*(?:no(?! [a-z]|-)|no(?= (?:it|they|this|these|there|you|we|i|the)\b)|nope"
    r"|none|false|not? (?:available|included)|n/a)\b[,.! ]*"
)
"""What is not "No harness can be guaranteed": that no is part of what is said."""
_FORMS = re.compile(
    r"^\W*(?:is|are|does|do|can|could|will|would|has|have|did|was|were|should|may)"
    r"\b\s*(?:it|they|this|these|the|that|i|you|we)?\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One fact of the shop.

    Attributes:
        id: Where it stands, such as "attribute:Material" or "answer:q17".
        kind: What kind of fact it is.
        text: What it says; for an attribute the value, for an answer the answer.
        name: Name of the attribute, or the question that is answered.
    """

    id: str
    kind: SourceKind
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing a fact says.

    Attributes:
        source: Id of the fact.
        kind: Kind of the fact.
        said: Terms, numbers, polarity and hedges of what is said.
        named: Terms of the name or question, which a claim may use.
        plain: The text itself in one form, for verbatim comparison.
        terms: Terms that a claim may say of it: its own and its name's.
    """

    source: str
    kind: SourceKind
    said: Reading
    named: Reading
    plain: str = field(compare=False, default="")
    terms: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        implied, by_value = knowledge().implied, knowledge().by_value
        own = self.said.terms | self.named.terms
        more = (implied[t] for t in self.named.terms if t in implied)
        also = (by_value[t] for t in self.said.terms if t in by_value)
        by_kind = knowledge().by_kind
        measured = (by_kind[t.kind] for t in self.said.tokens if t.kind in by_kind)
        object.__setattr__(self, "terms", own.union(*more, *also, *measured))


def sayings(sources: Iterable[Source]) -> list[Saying]:
    """Return what the facts say, one by one."""
    found: list[Saying] = []
    for source in sources:
        if source.kind == "answer":
            found.extend(_of_answer(source))
        elif source.kind in ("policy", "text", "count"):
            found.extend(_of_policy(source))
        elif source.kind == "attribute":
            found.extend(_of_attribute(source))
        elif source.kind == "variants":
            found.extend(
                _saying(source, one.replace("/", " , "), source.name)
                for one in source.text.split("\n")
            )
        elif source.kind != "quote":  # a customer's words are no fact of the shop
            found.append(_saying(source, source.text, source.name))
    return found


_PRONOUN = re.compile(r"(?:it|they|this|these) ")


def _of_policy(source: Source) -> list[Saying]:
    """Return what a policy says; an "it" at the start is what stood there before.

    "Delivery within Austria takes 2 days. It costs 4 EUR": this delivery does.
    """
    found: list[Saying] = []
    told_of = ""
    for one in sentences(source.text):
        plain = english(one)
        goes_on = bool(_PRONOUN.match(plain)) and source.kind == "policy"
        saying = _about(source, _saying(source, one, ""))
        if goes_on and told_of and not saying.named.tokens:
            saying = replace(saying, named=read(told_of))
        if not goes_on:
            told_of = opening(plain)
        found.append(saying)
    return found


_IFS = frozenset({"condition", "unless", "exception"})
"""What a yes is bound to: "Yes, as long as it is under water"."""


def _bound(said: Reading) -> frozenset[str]:
    return said.after.union(*(t.limits for t in said.tokens))


_GUARANTEES = frozenset({"guarantee", "warranty"})
_PROMISES = frozenset({"returns", "exchange"})


def _about(source: Source, one: Saying) -> Saying:
    """Return what a policy says with what it is about, where that goes without saying.

    "Cut rolls are excluded" says so of returns; "report faults within 2 days" does not.
    """
    topic = source.id.partition(":")[2]
    excludes = topic in _PROMISES and "exception" in _bound(one.said)
    if topic in _GUARANTEES or excludes:
        return replace(one, named=read(topic))
    return one


def _saying(source: Source, text: str, name: str) -> Saying:
    return Saying(
        source=source.id,
        kind=source.kind,
        said=read(text),
        named=read(name),
        plain=english(text),
    )


def _of_attribute(source: Source) -> list[Saying]:
    """Return an attribute; "Dishwasher safe: no" says that it is not."""
    if _AGE.search(source.name):
        source = replace(source, text=_BARE.sub(r"\1 years", source.text))
    value, plain = english(source.text), english(f"{source.name}: {source.text}")
    named = read(source.name)
    if any(p.fullmatch(value) for p in (_YES, _HELD, _NO)):
        said = named.denied() if _NO.fullmatch(value) else named
        return [Saying(source.id, source.kind, said, read(""), plain)]
    told = _TOLD.match(value)
    if told:  # "Pile: none, flat weave", "Waterproof: yes, IPX7"
        said = named if told[1] == "yes" else named.denied()
        rest = read(value[told.end() :])
        return [
            Saying(source.id, source.kind, said, read(""), plain),
            Saying(source.id, source.kind, rest, named, plain)
            if told[1] == "yes"
            else Saying(source.id, source.kind, rest, read(""), plain),
        ]
    found = [Saying(source.id, source.kind, read(source.text), named, plain)]
    sides = _sides(source)
    if sides:
        found[0] = Saying(source.id, source.kind, found[0].said, read("size"), plain)
    found += [
        Saying(source.id, source.kind, read(size), read(side), "")
        for side, size in sides
    ]
    return found


_AGE = re.compile(r"\bages?\b", re.IGNORECASE)
_BARE = re.compile(r"(\d{1,2}\+?)(?=\s*$)")
_SIDE_NAMES = {"l": "length", "w": "width", "h": "height", "d": "depth"}
_SIDED = re.compile(
    r"\b([lwhd])[a-z]{0,6} ?[x×/] ?([lwhd])[a-z]{0,6}(?: ?[x×/] ?([lwhd]))?"
)


def _sides(source: Source) -> list[tuple[str, str]]:
    """Return the sides of a size that is given as L × W × H, by name."""
    letters = _SIDED.search(english(f"{source.name} {source.text}"))
    if letters is None:
        return []
    sizes = [t for t in read(source.text).tokens if t.term.startswith("#length:")]
    named = [one for one in letters.groups() if one]
    if len(sizes) != len(named):
        return []
    found = []
    for one, size in zip(named, sizes, strict=True):
        found.append((_SIDE_NAMES[one], f"{float(size.term[8:]):g} mm"))
    return found


_ORDERS = re.compile(
    r"(?:please|empty|store|keep|use|wash|wipe|take|bring|remove|let|put|dry|clean)\b"
)


def _of_answer(source: Source) -> list[Saying]:
    """Return what an answer says; a bare yes or no says the question."""
    found: list[Saying] = []
    question, first = english(source.name), english(source.text)
    # After a no only the answer's own words say more.
    refused = _NO.match(first) if _FORMS.match(question) else None
    named = source.name
    if refused:
        rest = first[refused.end() :]
        denies = any(t.denials for t in read(rest).tokens)
        named = place(question) if denies or _ORDERS.match(rest) else ""
        named = f"{subject(question, rest)} {named}"
    for at, one in enumerate(sentences(source.text)):
        said = english(one)
        no = _NO.match(said)
        told = _YES.match(said) or no
        if at == 0 and told and _FORMS.match(question):
            asked = read(_FORMS.sub("", question))
            if _bound(read(said)) & _IFS:
                asked = replace(asked, after=asked.after | {"condition"})
            found.append(
                Saying(
                    source.id,
                    source.kind,
                    asked.denied() if no else asked,
                    read(""),
                    _FORMS.sub("", question),
                )
            )
            rest = said[told.end() :]
            if rest.strip(" .,!"):
                # Compared without its yes or no, and word for word with it.
                more = _saying(source, rest, named)
                found.append(replace(more, plain=said))
            continue
        found.append(_saying(source, one, named))
    return found
