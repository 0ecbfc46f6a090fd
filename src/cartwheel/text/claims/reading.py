"""What a sentence taken apart holds: terms in order, and what turns or limits them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cartwheel.text.stem import stem


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
        side: Number of contrasts before it: but, whereas.
        un: It says the opposite by itself: unopened.
        led: The no stands right before it, and says so of it first: "and no text".
    """

    term: str
    word: str
    opens: bool
    joined: bool
    denials: int
    hedges: frozenset[str]
    limits: frozenset[str]
    clause: int
    side: int
    un: bool = False
    led: bool = False

    @property
    def is_quantity(self) -> bool:
        """It is a number or a measure."""
        return self.term[0] in "#0123456789"

    @property
    def denied(self) -> bool:
        """It is said no to: "not washed", "unwashed", but not "not unwashed"."""
        return (self.denials > 0 or "exception" in self.limits) != self.un

    @property
    def kind(self) -> str:
        """Return what a quantity measures: "#time"; a bare number itself."""
        return self.term.partition(":")[0]

    @property
    def stem(self) -> str:
        """Return the stem of the word as written."""
        return stem(self.word)

    @property
    def spoken(self) -> str:
        """Return how people are told of it."""
        if self.term[0] == "#":
            return f"this {self.term[1:].partition(':')[0]}"
        return repr(self.word)


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence taken apart.

    Attributes:
        tokens: Its content in order.
        turned: It is denied as a whole.
        after: Limits and conditions that no term follows.
        parties: Of whom it speaks: shop, customer.
        includes: Numbers of clauses that say what comes with the product.
        offers: It says what can be chosen.
        plain: The sentence in one form.
        terms: Terms of its content.
    """

    tokens: tuple[Token, ...]
    turned: bool
    after: frozenset[str]
    parties: frozenset[str]
    includes: frozenset[int] = frozenset()
    offers: bool = False
    plain: str = field(default="", compare=False)
    terms: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", frozenset(t.term for t in self.tokens))

    def denied(self) -> Reading:
        """Return the same said the other way round."""
        return replace(self, turned=not self.turned)
