"""Check a draft against the shop's facts: every sentence has its source or is blocked.

A sentence is let through when it holds nothing that no draft may say (superlatives,
urgency, invented reviews, health and safety, orders to whoever checks), and when it can
be cut, at words that join facts, into pieces of which each is said by one fact: all its
terms, its quantities beside the same words, the same yes or no, every limit kept. Then
nobody else may pay, act or answer for a thing than the facts say (`parties`). What a
fact says word for word needs no more.

The check is made to block when in doubt: a true sentence that is blocked costs a person
a look, a false one that passes costs the shop's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import product

from cartwheel.text.claims.counts import spelled
from cartwheel.text.claims.duties import duties
from cartwheel.text.claims.knowledge import knowledge
from cartwheel.text.claims.known import OPTIONS, KnownFacts
from cartwheel.text.claims.leads import leads_on
from cartwheel.text.claims.parties import misassigned
from cartwheel.text.claims.pieces import content_of, cover
from cartwheel.text.claims.reading import Reading
from cartwheel.text.claims.screens import MARKS, screened, without_quotes
from cartwheel.text.claims.source import Saying, Source
from cartwheel.text.claims.words import LONGEST, english, read
from cartwheel.text.language import language_of
from cartwheel.text.sentences import sentences

_ONE_PERSON = re.compile(
    r"\b(?:one|a|another|1) (?:verified )?(?:customer|shopper|buyer|reviewer|owner)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What a shop does not want to be heard saying.

    Attributes:
        forbidden: Words or phrases; any case.
        quoted_terms: What a policy says is said word for word or not at all: it binds
            the shop, and other words for a condition are another condition.
    """

    forbidden: tuple[str, ...] = ()
    quoted_terms: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of a draft with its verdict.

    Attributes:
        text: The sentence.
        sources: Ids of the facts it rests on, in order; empty where it claims nothing.
        blocked: Why it may not be said; "" where it may.
    """

    text: str
    sources: tuple[str, ...] = ()
    blocked: str = ""


class Checker:
    """Checks drafts against one set of facts, which it takes apart once.

    Args:
        sources: Facts about the product and the shop.
        brand: What the shop does not say.
    """

    def __init__(self, sources: Iterable[Source], brand: Brand | None = None) -> None:
        self._facts = KnownFacts(tuple(sources))
        self._brand = brand or Brand()

    def check(self, draft: str) -> tuple[Claim, ...]:
        """Return every sentence of a draft with its sources, or why it is blocked.

        Args:
            draft: Plain text; mark-up is not read, and is blocked.
        """
        return tuple(_check(one, self._facts, self._brand) for one in _sentences(draft))


def check_draft(
    draft: str, sources: Iterable[Source], brand: Brand | None = None
) -> tuple[Claim, ...]:
    """Return every sentence of a draft with its sources, or why it is blocked.

    Args:
        draft: Plain text; mark-up is not read, and is blocked.
        sources: Facts about the product and the shop.
        brand: What the shop does not say.
    """
    return Checker(sources, brand).check(draft)


def _sentences(draft: str) -> list[str]:
    """Return sentences; one ended within a quotation goes on with what follows."""
    found: list[str] = []
    for one in sentences(draft):
        whole = not found or len(MARKS.findall(found[-1])) % 2 == 0
        if whole:
            found.append(one)
        else:
            found[-1] = f"{found[-1]} {one}"
    return found


def _check(sentence: str, facts: KnownFacts, brand: Brand) -> Claim:
    plain = english(sentence)
    for word in brand.forbidden:
        if word.strip() and re.search(rf"\b{re.escape(english(word))}\b", plain):
            return Claim(text=sentence, blocked=f"the shop does not say {word!r}")
    if "<" in sentence or "http" in plain:
        return Claim(text=sentence, blocked="mark-up or a link")
    exact = _verbatim(plain, facts.said)
    # What binds the shop is said as it stands: without "no more than two" it is wrong.
    if exact and exact.kind in ("count", "policy"):
        return Claim(text=sentence, sources=(exact.source,))
    unquoted, cited, fault = without_quotes(sentence, facts)
    if fault:
        return Claim(text=sentence, blocked=fault)
    met = screened(english(unquoted), facts)
    if met:
        return Claim(text=sentence, blocked=met)
    if exact:
        return Claim(text=sentence, sources=(exact.source,))
    if len(sentence) > LONGEST:
        return Claim(text=sentence, blocked=f"longer than {LONGEST} characters")
    if language_of(sentence) not in ("en", "") and not _looks_english(plain):
        return Claim(
            text=sentence, blocked="in no language known here, and no fact's own words"
        )
    found = _supported(sentence, unquoted, cited, facts)
    if brand.quoted_terms and facts.terms & set(found.sources):
        return Claim(text=sentence, blocked="it says terms in other than their words")
    told = () if found.blocked else duties(english(unquoted))
    fault = misassigned(told, found.sources, facts.borne) if told else ""
    return Claim(text=sentence, blocked=fault) if fault else found


def _looks_english(plain: str) -> bool:
    known = knowledge()
    found = re.findall(r"[a-z]+", plain)
    return sum(word in known.function for word in found) * 5 >= len(found)


def _verbatim(plain: str, said: Sequence[Saying]) -> Saying | None:
    bare = plain.strip(" .!?;:")
    for one in said:
        if one.plain.strip(" .!?;:") == bare:
            return one if len(bare.split()) > 1 else None
    return None


def _supported(
    sentence: str, unquoted: str, cited: tuple[str, ...], facts: KnownFacts
) -> Claim:
    known = knowledge()
    plain = english(unquoted)
    lead, colon, rest = unquoted.partition(": ")
    if colon and all(t.word in known.editorial for t in read(lead).tokens):
        unquoted = rest
    if facts.called:
        unquoted = facts.called.sub(r"\1 item", unquoted)
    unquoted = _COMES_WITH.sub(lambda m: _included(m, facts), unquoted)
    unquoted = spelled(unquoted, (one for of in facts.choices for one in of))
    claim = read(unquoted)
    one_person = bool(_ONE_PERSON.search(plain))
    quoted = bool(cited)
    content = content_of(claim, facts, quoted=quoted or one_person)
    if leads_on(plain, content, facts):
        return Claim(text=sentence, sources=cited)
    light = [t.word in known.editorial or t.term in facts.product for t in content]
    if all(light) and not (content and all(t.is_quantity for t in content)):
        if quoted and any(owner in dict(facts.quotes) for owner in cited):
            return Claim(text=sentence, sources=cited)
        if not content or all(t.word in known.editorial for t in content):
            return Claim(text=sentence, sources=cited)
    clash = _combined(claim, facts)
    if clash:
        return Claim(text=sentence, blocked=clash)
    reachable = facts.said
    if one_person and not quoted:
        reachable = facts.said + facts.opinions
    found = cover(content, claim, reachable, facts)
    if isinstance(found, str):
        return Claim(text=sentence, blocked=found)
    return Claim(text=sentence, sources=tuple(dict.fromkeys((*cited, *found))))


_COMES_WITH = re.compile(
    r"\bcomes? with (?:the|this|your|every|each) ([A-Za-z]+)(?=[ .,;:]|$)"
)


def _included(found: re.Match[str], facts: KnownFacts) -> str:
    """Return "is included" for "comes with the puzzle", where that is the product."""
    named = read(found[1]).terms
    return "is included" if named and named <= facts.product else found[0]


def _combined(claim: Reading, facts: KnownFacts) -> str:
    """Return which options are named together that no variant has together."""
    for first in range(OPTIONS):
        for second in range(first + 1, OPTIONS):
            pairs = {
                (v[first], v[second])
                for v in facts.variants
                if len(v) > second and v[first] and v[second]
            }
            for terms in _parts(claim, pairs):
                ours = {a for a, _ in pairs if a <= terms}
                theirs = {b for _, b in pairs if b <= terms}
                for a, b in product(ours, theirs):
                    if (a, b) not in pairs:
                        return f"no variant is {' '.join(sorted(a | b))}"
    return ""


def _parts(
    claim: Reading, pairs: Set[tuple[frozenset[str], frozenset[str]]]
) -> list[frozenset[str]]:
    """Return the terms of the parts that name two options each, else all as one.

    "Navy in S and M, rust in M": what one part says of navy it does not say of rust. A
    part goes on until an option of the first or the second kind is named anew.
    """
    kinds = [frozenset().union(*(p[n] for p in pairs)) for n in (0, 1)]
    parts: list[list[set[str]]] = []
    order: list[int] = []
    for token in claim.tokens:
        of = next((n for n in (0, 1) if token.term in kinds[n]), None)
        if of is None or token.term in kinds[1 - of]:
            continue
        if not order:
            order = [of]
        if not parts or (of == order[0] and parts[-1][1 - of]):
            parts.append([set(), set()])
        parts[-1][of].add(token.term)
    if len(parts) < 2 or not all(a and b for a, b in parts):
        return [claim.terms]
    return [frozenset(a | b) for a, b in parts]
