"""Check a draft against the shop's facts: every sentence has its source or is blocked.

A sentence is let through when it holds nothing that no draft may say (superlatives,
urgency, invented reviews, health and safety, orders to whoever checks), and when it can
be cut, at words that join facts, into pieces of which each is said by one fact: all its
terms, its quantities beside the same words, the same yes or no, every limit kept, the
same party paying. What a fact says word for word needs no more.

The check is made to block when in doubt: a true sentence that is blocked costs a person
a look, a false one that passes costs the shop's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product

from cartwheel.text.claims.source import Saying, Source, sayings
from cartwheel.text.claims.words import (
    LONGEST,
    Reading,
    Token,
    english,
    knowledge,
    read,
)
from cartwheel.text.language import language_of
from cartwheel.text.sentences import sentences

SCREENED = {
    "superlative": "a superlative or a comparison with others, {!r}",
    "urgency": "urgency or scarcity, {!r}",
    "review": "a review, rating or crowd that nobody can open, {!r}",
    "health": "a health or safety claim that no fact states, {!r}",
    "pressure": "a guarantee that no fact states, {!r}",
    "discount": "a price cut that no fact states, {!r}",
    "commands": "words to whoever checks, {!r}",
}
STATED = frozenset({"health", "pressure"})
"""Screens that a fact may lift by stating the very words."""

MOST_PIECES = 12
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{2,600})[\"“”„«»]")
_ONE_PERSON = re.compile(
    r"\b(?:one|a|another|1) (?:verified )?(?:customer|shopper|buyer|reviewer|owner)\b"
)
_MANY = re.compile(r"\b(?:customers|shoppers|buyers|reviewers|owners|people)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What a shop does not want to be heard saying.

    Attributes:
        forbidden: Words or phrases; any case.
    """

    forbidden: tuple[str, ...] = ()


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
        self._facts = _Facts(tuple(sources))
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
        whole = not found or len(_MARKS.findall(found[-1])) % 2 == 0
        if whole:
            found.append(one)
        else:
            found[-1] = f"{found[-1]} {one}"
    return found


_MARKS = re.compile(r"[\"“”„«»]")


class _Facts:
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


def _check(sentence: str, facts: _Facts, brand: Brand) -> Claim:
    plain = english(sentence)
    for word in brand.forbidden:
        if word.strip() and re.search(rf"\b{re.escape(english(word))}\b", plain):
            return Claim(text=sentence, blocked=f"the shop does not say {word!r}")
    if "<" in sentence or "http" in plain:
        return Claim(text=sentence, blocked="mark-up or a link")
    exact = _verbatim(plain, facts.said)
    if exact and exact.kind == "count":
        return Claim(text=sentence, sources=(exact.source,))
    unquoted, cited, fault = _without_quotes(sentence, facts)
    if fault:
        return Claim(text=sentence, blocked=fault)
    screened = _screened(english(unquoted), facts)
    if screened:
        return Claim(text=sentence, blocked=screened)
    if exact:
        return Claim(text=sentence, sources=(exact.source,))
    if len(sentence) > LONGEST:
        return Claim(text=sentence, blocked=f"longer than {LONGEST} characters")
    if language_of(sentence) not in ("en", "") and not _looks_english(plain):
        return Claim(
            text=sentence, blocked="in no language known here, and no fact's own words"
        )
    return _supported(sentence, unquoted, cited, facts)


def _looks_english(plain: str) -> bool:
    known = knowledge()
    found = re.findall(r"[a-z]+", plain)
    return sum(word in known.function for word in found) * 5 >= len(found)


def _verbatim(plain: str, said: Sequence[Saying]) -> Saying | None:
    bare = plain.strip(" .!?;:")
    for one in said:
        if one.plain.strip(" .!?;:") == bare and one.kind != "quote":
            return one if len(bare.split()) > 1 else None
    return None


def _without_quotes(sentence: str, facts: _Facts) -> tuple[str, tuple[str, ...], str]:
    """Return a sentence without its quotations, whose words they are, and a fault."""
    cited: list[str] = []
    for found in _QUOTED.finditer(sentence):
        said = english(found[1]).strip(" .,!?;:…")
        owner = next((i for i, text in facts.quotes if said in text), None)
        if owner is None:
            stated = next((s for s in facts.said if said and said in s.plain), None)
            owner = stated.source if stated and stated.kind != "quote" else None
        if owner is None or not said:
            return "", (), f"nobody said {found[1][:80]!r}"
        cited.append(owner)
    rest = _QUOTED.sub(" , ", sentence)
    if len(_MARKS.findall(rest)):
        return "", (), "a quotation without an end"
    plain = english(rest)
    people = [owner for owner in cited if owner in dict(facts.quotes)]
    if people and len(set(people)) < 2 and _MANY.search(plain):
        return "", (), "one customer's words put in the mouths of several"
    return rest, tuple(cited), ""


def _screened(plain: str, facts: _Facts) -> str:
    """Return why no draft may say it, "" where nothing is met."""
    for name, pattern in knowledge().screens.items():
        for found in pattern.finditer(plain):
            words = found[0].strip()
            if name in STATED and _stated(words, facts):
                continue
            if name == "discount" and any(words in one.plain for one in facts.said):
                continue
            return SCREENED[name].format(words)
    return ""


def _stated(words: str, facts: _Facts) -> bool:
    """Whether one fact holds these very words, and does not deny them."""
    wanted = read(words).terms
    return any(
        wanted and wanted <= said.said.terms | said.named.terms for said in facts.said
    )


def _supported(
    sentence: str, unquoted: str, cited: tuple[str, ...], facts: _Facts
) -> Claim:
    known = knowledge()
    plain = english(unquoted)
    lead, colon, rest = unquoted.partition(": ")
    if colon and all(t.word in known.editorial for t in read(lead).tokens):
        unquoted = rest
    claim = read(unquoted)
    one_person = bool(_ONE_PERSON.search(plain))
    quoted = bool(cited)
    content = _content(claim, facts, quoted=quoted or one_person)
    if _leads(plain, content, facts):
        return Claim(text=sentence, sources=cited)
    if all(t.word in known.editorial or t.term in facts.product for t in content):
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
    found = _cover(content, claim, reachable, facts)
    if isinstance(found, str):
        return Claim(text=sentence, blocked=found)
    return Claim(text=sentence, sources=tuple(dict.fromkeys((*cited, *found))))


_LEADS = re.compile(
    r"(?:here|a (?:short |quick |few )?(?:word|note)|a few words|let us|lets"
    r"|good to know|now for|now to|on to|some (?:answers|facts|notes)|first|next)\b"
)
_ASKS = re.compile(r"(?:what|which|where|how|who|when|wondering|unsure|not sure)\b")


def _leads(plain: str, content: Sequence[Token], facts: _Facts) -> bool:
    """Whether a sentence only leads on to others: it says nothing of the product."""
    known = knowledge()
    if any(
        (t.is_quantity and t.word not in known.editorial) or t.denials for t in content
    ):
        return False
    if _ASKS.match(plain) and plain.endswith("?"):
        return len(content) <= 8
    if not _LEADS.match(plain) or len(content) > 6:
        return False
    return all(
        t.word in known.editorial or _known_anywhere(t, facts.said, facts)
        for t in content
    )


def _combined(claim: Reading, facts: _Facts) -> str:
    """Return which options are named together that no variant has together."""
    terms = claim.terms
    variants = [one for one in facts.said if one.kind == "variants"]
    named = [
        [
            frozenset(t.term for t in one.said.tokens if t.clause == part)
            for part in range(4)
        ]
        for one in variants
    ]
    for first in range(OPTIONS):
        for second in range(first + 1, OPTIONS):
            pairs = {(v[first], v[second]) for v in named if v[first] and v[second]}
            ours = {a for a, _ in pairs if a <= terms}
            theirs = {b for _, b in pairs if b <= terms}
            for a, b in product(ours, theirs):
                if (a, b) not in pairs:
                    return f"no variant is {' '.join(sorted(a | b))}"
    return ""


def _content(claim: Reading, facts: _Facts, *, quoted: bool) -> list[Token]:
    """Return the tokens that say something; what stood before others goes to them."""
    found: list[Token] = []
    denials, opens = 0, False
    hedges: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()
    before = ""
    for token in claim.tokens:
        named, before = (before, token.term) in facts.numbered, token.term
        if named:  # the number of a model's name
            continue
        denials += token.denials
        opens = opens or token.opens
        hedges, limits = hedges | token.hedges, limits | token.limits
        if _empty(token, facts, quoted=quoted):
            continue
        found.append(
            replace(token, denials=denials, opens=opens, hedges=hedges, limits=limits)
        )
        denials, opens = 0, False
        hedges, limits = frozenset(), frozenset()
    if denials and found:  # "blades are not included": the no stands last
        found[-1] = replace(found[-1], denials=found[-1].denials + denials)
    return found


def _empty(token: Token, facts: _Facts, *, quoted: bool) -> bool:
    known = knowledge()
    if token.word in known.carrier and not _named_by(token, facts):
        return token.term not in DIMENSIONS
    return quoted and token.word in known.attribution


def _named_by(token: Token, facts: _Facts) -> bool:
    return any(
        token.term in one.named.terms or token.term in one.said.terms
        for one in facts.said
        if one.kind == "attribute"
    )


def _cover(
    content: Sequence[Token], claim: Reading, said: Sequence[Saying], facts: _Facts
) -> list[str] | str:
    """Return the sources that cover the terms piece by piece, or what none says.

    The fewest pieces are sought, by dynamic programming over their ends.
    """
    count = len(content)
    best: list[tuple[int, list[str]] | None] = [None] * (count + 1)
    best[0] = (0, [])
    fault = ""
    free = _stacked(content, facts)
    named = _names(content, facts)
    for start in range(count):
        here = best[start]
        if here is None:
            continue
        if start and not (content[start].opens or start in free or start in named):
            continue
        for end in range(start + 1, count + 1):
            piece = content[start:end]
            source, why = _one_fact(piece, claim, said, facts)
            fault = why or fault
            if source is None:
                continue
            pieces, cited = here
            there = best[end]
            if there is None or pieces + 1 < there[0]:
                best[end] = (pieces + 1, [*cited, *([source] if source else [])])
    done = best[count]
    if done is not None and done[0] <= MOST_PIECES:
        return done[1]
    unknown = [t.word for t in content if not _known_anywhere(t, said, facts)]
    if unknown:
        return f"no fact says {unknown[0]!r}"
    return fault or "its words stand in facts, but no fact says them together"


def _names(content: Sequence[Token], facts: _Facts) -> frozenset[int]:
    """Return places of names of attributes: another fact may begin with its name."""
    names = {t for one in facts.said for t in one.named.terms}
    return frozenset(at for at, token in enumerate(content) if token.term in names)


def _known_anywhere(token: Token, said: Sequence[Saying], facts: _Facts) -> bool:
    return token.term in facts.product or any(
        token.term in one.said.terms or token.term in one.named.terms for one in said
    )


def _stacked(content: Sequence[Token], facts: _Facts) -> frozenset[int]:
    """Return places before which another fact may begin: "a blue linen dress".

    Values of attributes may stand one after the other right before what the product is
    called.
    """
    values = {
        term
        for one in facts.said
        if one.kind in ("attribute", "variants")
        for term in one.said.terms
    }
    found: set[int] = set()
    end = len(content)
    for at in range(len(content) - 1, -1, -1):
        token = content[at]
        if token.term in facts.product:
            end = at
        elif token.term not in values or (token.opens and at + 1 > end):
            end = -1
        if end > at >= 0 and token.term in values:
            found.update((at, at + 1))
        if token.opens and token.term not in values:
            end = -1 if token.term not in facts.product else end
    return frozenset(found)


def _one_fact(
    piece: Sequence[Token], claim: Reading, said: Sequence[Saying], facts: _Facts
) -> tuple[str | None, str]:
    """Return the source of the fact that says a piece, and why the nearest does not.

    A piece of words that only name the product is said by no fact and needs none.
    """
    rest = [t for t in piece if t.term not in facts.product]
    if not rest:
        return "", ""
    why = ""
    for one in said:
        if one.kind == "count":  # said in its own words or not at all
            continue
        terms = one.said.terms | one.named.terms | _implied(one)
        held = [t for t in rest if t.term in terms]
        if not held or not all(
            t.term in terms or _goes_without_saying(t, one) for t in rest
        ):
            continue
        wrong = _differs(rest, piece, claim, one)
        if not wrong:
            return one.source, ""
        why = wrong
    return None, why


EXCEPTION = "exception"
"""What is excepted is said no to: "batteries are excluded", "not covered"."""

HEDGES = frozenset({"upto", "atleast", "about", "maybe"})

OPTIONS = 4
"""Options of a variant, such as size and colour, that are compared."""

DIMENSIONS = frozenset(
    [
        "length",
        "width",
        "height",
        "depth",
        "weight",
        "capac",
        "thick",
        "diamet",
        "price",
        "size",
    ]
)


def _implied(one: Saying) -> frozenset[str]:
    known = knowledge()
    return frozenset().union(*(known.implied.get(t, ()) for t in one.named.terms))


def _goes_without_saying(token: Token, one: Saying) -> bool:
    """Whether a word such as "long" adds nothing to a fact that names no dimension."""
    if token.term == "size":
        return True
    own = one.named.terms | one.said.terms
    alone = sum(t.is_quantity for t in one.said.tokens) == 1
    return token.term in DIMENSIONS and alone and not own & DIMENSIONS


def _differs(
    piece: Sequence[Token], whole: Sequence[Token], claim: Reading, one: Saying
) -> str:
    """Return how a piece differs from the fact that has all its words.

    Args:
        piece: Its terms but for those that name the product.
        whole: All its terms.
        claim: The sentence it is cut from.
        one: What the fact says.
    """
    known = knowledge()
    if not any(t.term in one.said.terms for t in whole):
        return f"it names {one.source} without saying what it is"
    last = piece[-1]
    carried = last.joined and last.term not in one.said.terms and len(whole) > 1
    if carried and one.kind == "attribute":
        return f"it names {one.source} after another fact"
    if len(piece) == 1 and piece[0].term.isdigit():
        return "a bare number"
    for at, token in enumerate(whole):
        if token.is_quantity and not _beside(whole, at, one):
            return f"{token.word!r} stands beside other words in {one.source}"
    there = _clauses(piece, one)
    denies = any(t.denials or EXCEPTION in t.limits for t in piece)
    denies = denies or EXCEPTION in claim.after
    theirs_denies = any(t.denials or EXCEPTION in t.limits for t in there)
    theirs_denies = theirs_denies or EXCEPTION in one.said.after
    if denies != (one.said.turned != theirs_denies):
        return f"it turns round what {one.source} says"
    hedges = frozenset().union(claim.after, *(t.hedges for t in piece))
    named = frozenset().union(one.named.after, *(t.hedges for t in one.named.tokens))
    theirs = frozenset().union(one.said.after, *(t.hedges for t in there))
    theirs = (theirs & HEDGES) | (named & {"upto", "atleast"})
    if "atleast" in hedges - theirs:
        return f"{one.source} gives no lower limit"
    lost = theirs - hedges
    if one.kind == "policy" and any(t.term.startswith("#time") for t in piece):
        lost -= {"upto"}  # "within 14 days" is "14 days" to do it
    if lost:
        return f"it drops a limit of {one.source}"
    if one.kind in ("policy", "answer"):
        limits = frozenset().union(claim.after, *(t.limits for t in claim.tokens))
        bound = frozenset().union(one.said.after, *(t.limits for t in one.said.tokens))
        if bound - HEDGES - limits:
            return f"it leaves out a condition of {one.source}"
    if any(t.term in known.paying for t in piece):
        paying, ours = one.said.parties, claim.parties
        if paying and ours and not ours & paying:
            return f"{one.source} has another party pay"
    return ""


def _clauses(piece: Sequence[Token], one: Saying) -> list[Token]:
    """Return the terms of the fact's clause that the piece repeats most of."""
    wanted = {t.term for t in piece}
    held: dict[int, int] = {}
    for token in one.said.tokens:
        held[token.clause] = held.get(token.clause, 0) + (token.term in wanted)
    most = max(held.values(), default=0)
    best = {clause for clause, count in held.items() if count == most}
    return [t for t in one.said.tokens if t.clause in best]


def _beside(piece: Sequence[Token], at: int, one: Saying) -> bool:
    """Whether a quantity stands beside the same words as in the fact.

    Where a fact holds several quantities of one kind, each in a clause of its own, all
    that its clause says of it must be said again: "5 years on the frame, 2 on parts" is
    no promise of 5 years.
    """
    wanted = piece[at].term
    places = [t for t in one.said.tokens if t.term == wanted]
    if not places:
        return False
    kind = wanted.partition(":")[0]
    alike = {
        t.clause
        for t in one.said.tokens
        if t.is_quantity and t.term.partition(":")[0][:1] == kind[:1]
    }
    said = {t.term for t in piece}
    for place in places:
        if len(alike) < 2:
            near = {t.term for t in one.said.tokens if not t.is_quantity}
            own = {piece[n].term for n in (at - 1, at + 1) if 0 <= n < len(piece)}
            own &= near
            if not own or own & _near(place, one):
                return True
            continue
        about = _about(place, one)
        others = {
            t.term
            for t in one.said.tokens
            if t.clause != place.clause and not t.is_quantity
        }
        others -= about | SHARED
        told = {t.clause for t in one.said.tokens if t.is_quantity and t.term in said}
        if not about <= said | SHARED:
            continue
        if len(told) < 2 and said & others:
            continue
        if len(told) > 1 and not _own_clause(piece, at, about, others):
            continue
        return True
    return False


SHARED = frozenset(("guarante", "postag", "pay", "price", "return", "cost"))
"""What a fact says once for several quantities: a guarantee of 2 years, 1 on parts."""


def _about(place: Token, one: Saying) -> set[str]:
    """Return what the clause of a quantity says of it, other measures included."""
    kind = place.term.partition(":")[0]
    return {
        t.term
        for t in one.said.tokens
        if t.clause == place.clause
        and t is not place
        and not _light(t)
        and (not t.is_quantity or t.term.partition(":")[0] != kind)
    }


def _own_clause(
    piece: Sequence[Token], at: int, about: set[str], others: set[str]
) -> bool:
    """Whether the words nearest a quantity are those that the fact says of it."""
    if not about:
        return True
    here = [n for n, t in enumerate(piece) if t.clause == piece[at].clause]
    for places in (here, range(len(piece))):
        named = [n for n in places if piece[n].term in about | others]
        if named:
            nearest = min(named, key=lambda n: abs(n - at))
            return piece[nearest].term in about
    return True


def _light(token: Token) -> bool:
    known = knowledge()
    return token.word in known.carrier or token.word in known.function


def _near(place: Token, one: Saying) -> set[str]:
    """Return the terms that stand within two words of a quantity."""
    order = list(one.said.tokens)
    at = next(n for n, token in enumerate(order) if token is place)
    return {t.term for t in order[max(at - 2, 0) : at + 3] if t is not place}
