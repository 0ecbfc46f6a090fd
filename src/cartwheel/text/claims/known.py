"""A product's facts taken apart, each part when it is first asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from cartwheel.text.claims.counts import lengths
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.parties import Borne, borne_by
from cartwheel.text.claims.reading import Token
from cartwheel.text.claims.source import Saying, Source, sayings
from cartwheel.text.claims.words import english, read

OPTIONS = 4
"""Options of a variant, such as size and colour, that are compared."""


class KnownFacts:
    """Facts taken apart, each part when it is first asked for."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @cached_property
    def said(self) -> tuple[Saying, ...]:
        """What the facts say, but for customers' words."""
        return tuple(sayings(self._sources))

    @cached_property
    def terms(self) -> frozenset[str]:
        """Ids of the shop's policies."""
        return frozenset(s.id for s in self._sources if s.kind == "policy")

    @cached_property
    def borne(self) -> tuple[Borne, ...]:
        """Who pays for what and who does what."""
        return borne_by(self._sources)

    @cached_property
    def quotes(self) -> tuple[tuple[str, str], ...]:
        """Customers' words by id, in one form."""
        return tuple((s.id, english(s.text)) for s in self._sources if _is_quote(s))

    @cached_property
    def opinions(self) -> tuple[Saying, ...]:
        """What customers' words say, for what is told as one customer's."""
        told = [
            Source(id=s.id, kind="text", text=s.text)
            for s in self._sources
            if _is_quote(s)
        ]
        return tuple(sayings(told))

    @cached_property
    def product(self) -> frozenset[str]:
        """Terms by which the product may be called."""
        return _product_terms(self._sources)

    @cached_property
    def variants(self) -> tuple[tuple[frozenset[str], ...], ...]:
        """Terms of each option, by variant."""
        return tuple(
            tuple(read(option).terms for option in one.split("/")[:OPTIONS])
            for s in self._sources
            if s.kind == "variants"
            for one in s.text.split("\n")
        )

    @cached_property
    def listed(self) -> frozenset[tuple[str, str]]:
        """What the facts list, each name with how many its list has."""
        return lengths(self._sources)

    @cached_property
    def sorts(self) -> frozenset[str]:
        """Terms of what tells which kind of thing it is: "paperback"."""
        return frozenset(
            term
            for one in self.said
            if one.kind == "attribute" and one.named.terms & _SORTS
            for term in one.said.terms
        )

    @cached_property
    def undone(self) -> frozenset[str]:
        """Terms of what goods must not be: "used", of unused ones."""
        return frozenset(t.term for s in self.said for t in s.said.tokens if t.un)

    @cached_property
    def refused(self) -> frozenset[str]:
        """Terms of what was asked and answered with a no."""
        return frozenset(t for one in self.said if one.said.turned for t in one.terms)

    @cached_property
    def choices(self) -> tuple[frozenset[frozenset[str]], ...]:
        """Options by their place: sizes, colours."""
        return tuple(
            frozenset(v[n] for v in self.variants if len(v) > n and v[n])
            for n in range(OPTIONS)
        )

    @cached_property
    def called(self) -> re.Pattern[str] | None:
        """Other names for the product: "the rucksack" for a backpack."""
        own = {
            word
            for s in self._sources
            if s.kind in ("title", "category")
            for word in re.findall("[a-z]+", english(s.text))
        }
        own |= {word.removesuffix("s") for word in own}
        names = frozenset().union(*(k for k in knowledge().kinds if k & own)) - own
        known = frozenset().union(*(one.said.terms for one in self.said))
        names |= _CALLED_ALWAYS
        others = sorted(n for n in names if not known & read(n).terms)
        if not others:
            return None
        return re.compile(
            r"\b(the|this|these|your|our|each|both|every)"
            rf" (?:{'|'.join(others)})(?:e?s)?\b",
            re.IGNORECASE,
        )

    @cached_property
    def options(self) -> frozenset[str]:
        """Terms of the options of all variants."""
        return frozenset().union(*(terms for one in self.variants for terms in one))

    @cached_property
    def numbered(self) -> frozenset[tuple[str, str]]:
        """Words of the title with the number that follows them."""
        return frozenset(
            (a.term, b.term)
            for s in self._sources
            if s.kind == "title"
            for a, b in pairwise(read(s.text).tokens)
            if b.is_quantity
        )

    @cached_property
    def valued(self) -> frozenset[str]:
        """Terms of the values of attributes and variants."""
        return frozenset(
            term
            for one in self.said
            if one.kind in ("attribute", "variants")
            for term in one.said.terms
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """Terms of the names of attributes, and of questions."""
        return frozenset(
            term
            for one in self.said
            if one.kind != "policy"
            for term in one.named.terms
        )

    @cached_property
    def amounts(self) -> dict[str, set[str]]:
        """Kinds of quantities that each source tells."""
        found: dict[str, set[str]] = {}
        for one in self.said:
            kinds = {t.kind for t in one.said.tokens if t.is_quantity}
            found.setdefault(one.source, set()).update(kinds)
        return found

    @cached_property
    def of_attributes(self) -> frozenset[str]:
        """Terms of the attributes, of their names and of their values."""
        return frozenset(
            term
            for one in self.said
            if one.kind == "attribute"
            for term in one.said.terms | one.named.terms
        )


_CALLED_ALWAYS = frozenset(
    ("device", "appliance", "gadget", "unit", "garment", "tool", "machine", "accessory")
)
"""What anything may be called that is no such thing by its title."""
_SORTS = frozenset({"format", "type", "form", "edit", "bind", "style"})


def holds(token: Token, facts: KnownFacts, said: Sequence[Saying]) -> bool:
    """Whether some fact, or what the product is called, has a term."""
    return token.term in facts.product or any(
        token.term in one.said.terms or token.term in one.named.terms for one in said
    )


def _is_quote(source: Source) -> bool:
    return source.kind == "quote"


def _product_terms(facts: Sequence[Source]) -> frozenset[str]:
    """Return terms by which the product may be called."""
    named = [s.text for s in facts if s.kind in ("title", "category", "brand")]
    return frozenset(
        token.term
        for text in named
        for token in read(text).tokens
        if not token.is_quantity
    )
