"""A product's facts taken apart, each part when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from cartwheel.text.claims.source import Saying, Source, sayings
from cartwheel.text.claims.words import Token, english, read

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
        return frozenset(term for one in self.said for term in one.named.terms)

    @cached_property
    def of_attributes(self) -> frozenset[str]:
        """Terms of the attributes, of their names and of their values."""
        return frozenset(
            term
            for one in self.said
            if one.kind == "attribute"
            for term in one.said.terms | one.named.terms
        )


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
