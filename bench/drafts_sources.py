"""Sources of drafts read again, and words of a line that none of them holds.

Nothing of the claim check or of the lever is used here: a source is looked up in the
shop's manual by its id, and a line is compared with it word by word. The comparison
sees a word or number that was put in or changed, and no change of order: that is for a
person to read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FRAME: Mapping[str, frozenset[str]] = {
    "count": frozenset({"reviews", "messages", "returns", "found"}),
    "outline": frozenset({"products", "unknown"}),
}
"""Words of the writer's own by kind of line; all other lines are the shop's words."""

PHRASES: Mapping[str, str] = {"count": "that call it too small or too large"}
"""What the writer says of all texts counted, by kind of line; left out of the count."""

LEAST_LETTERS = 4
MASKED = re.compile(r"\[(?:e-mail|phone|card|account|address|link)\]")
_TOKENS = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a draft.

    Attributes:
        text: What it says.
        sources: Ids of what it rests on; empty where it states no fact.
        kind: Key of `FRAME`, "" where the writer adds no word.
        question: Question it answers, "" for none.
    """

    text: str
    sources: tuple[str, ...] = ()
    kind: str = ""
    question: str = ""


class Manual:
    """A shop's manual, read by ids of sources.

    Args:
        held: Lists `products`, `policies` and `questions`.
    """

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._products = {row["product_id"]: row for row in held["products"]}
        self._policies = {row["policy_id"]: row for row in held["policies"]}
        self._questions = {row["question_id"]: row for row in held["questions"]}

    def text(self, product: str, sources: Sequence[str]) -> str:
        """Return what sources say of a product; "" for those that are not there."""
        return " / ".join(filter(None, (self._one(product, one) for one in sources)))

    def _one(self, product: str, source: str) -> str:
        kind, _, name = source.partition(":")
        row = self._products.get(product, {})
        if kind == "attribute":
            value = row.get("attributes", {}).get(name)
            return f"{name}: {value}" if value else ""
        if kind == "answer":
            asked = self._questions.get(name)
            ours = asked and asked["product_id"] == product
            return f"{asked['question']} {asked['answer']}" if asked and ours else ""
        if kind == "product":
            return self._beside(name)
        if kind == "price":
            return f"{row['price_minor'] / 100:.2f} {row['currency']}"
        if kind == "with":
            return self._with(*name.split("=", 1))
        if kind == "policy":
            held = self._policies.get(name, {})
            return f"{held['title']}: {held['body']}" if held else ""
        if kind == "question":
            return str(self._questions.get(name, {}).get("question", ""))
        return str(row.get(kind, ""))

    def _beside(self, name: str) -> str:
        other, _, attribute = name.partition("/attribute:")
        row = self._products.get(other, {})
        value = row.get("attributes", {}).get(attribute)
        return f"{row['title']}, {attribute}: {value}" if value else ""

    def _with(self, name: str, value: str) -> str:
        """Return how many products have a value of an attribute."""
        having = sum(
            row.get("attributes", {}).get(name) == value
            for row in self._products.values()
        )
        return f"{name}: {value}, {having} products"


def fit_text(row: Mapping[str, Any]) -> str:
    """Return a row of the signal `objections` as the source of a size note.

    More texts raise the size than say which way it is off.
    """
    small, large = row["smaller"], row["larger"]
    way = "small" if small > large else "large"
    return f"{small + large} texts say so of the size: {max(small, large)} too {way}"


def tokens(text: str) -> list[str]:
    """Return numbers, and words of at least `LEAST_LETTERS`, in any case."""
    return [
        one
        for one in _TOKENS.findall(MASKED.sub(" ", text).casefold())
        if one[0].isdigit() or len(one) >= LEAST_LETTERS
    ]


def unsupported(line: Line, source: str) -> tuple[str, ...]:
    """Return the words and numbers of a line that its source does not hold.

    A number may stand in the line as often as in the source.

    Args:
        line: The line.
        source: What its sources say.
    """
    held, frame = Counter(tokens(source)), FRAME.get(line.kind, frozenset())
    text = line.text.replace(PHRASES.get(line.kind) or "\0", "")
    said = Counter(tokens(f"{line.question} {text}"))
    return tuple(
        token
        for token, times in said.items()
        if token not in frame and held[token] < (times if token[0].isdigit() else 1)
    )


def word_for_word(line: Line, source: str) -> bool:
    """Whether question and answer each stand in the source as they are."""
    held = " ".join(source.split())
    parts = (" ".join(one.split()) for one in (line.question, line.text))
    return all(one in held or one.removesuffix(".") in held for one in parts)
