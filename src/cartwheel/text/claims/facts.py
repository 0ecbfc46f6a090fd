"""The facts a shop holds about a product, from the signals: what claims may rest on.

Used by whoever writes a page and by the gate, so that a draft is checked against the
same facts whoever wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cartwheel.text.claims.source import Source
from cartwheel.text.masking import mask

if TYPE_CHECKING:
    import pyarrow as pa

READ = ("listing", "catalogue", "questions", "policies", "feedback", "objections")
"""Signals that facts are read from."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "catalogue": ("product_id", "title"),
    "feedback": ("product_id", "source", "feedback_id", "day", "text"),
    "objections": ("product_id", "objection", "smaller", "larger"),
}
"""Columns that are read of signals with many; of others all are."""

MOST_QUOTES = 200
MOST_ANSWERS = 200
LONGEST_VALUE = 500
MOST_ATTRIBUTES = 100
MOST_VARIANTS = 200

COUNTED = {
    "en": "Of {told} reviews, messages and returns that call it too small or too "
    "large, {many} found it too {way}.",
    "pt": "De {told} avaliações, mensagens e devoluções que o chamam pequeno ou "
    "grande, {many} acharam {way}.",
}
WAYS = {
    "en": {"smaller": "small", "larger": "large"},
    "pt": {"smaller": "pequeno", "larger": "grande"},
}


class ShopFacts:
    """Facts by product, made when they are asked for.

    Args:
        tables: Arrow table by signal name; a missing one holds nothing.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables
        self._rows: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def of(self, product_id: str) -> tuple[Source, ...]:
        """Return every fact about a product, and what the shop promises."""
        return (*self.own(product_id), *self.quotes(product_id))

    def own(self, product_id: str) -> tuple[Source, ...]:
        """Return the facts but for customers' words, which are many."""
        return (
            *self.of_product(product_id),
            *self._policies(),
            *self._counts(product_id),
        )

    def of_product(self, product_id: str) -> tuple[Source, ...]:
        """Return what its page, its variants and answered questions say."""
        return (
            *self._named(product_id),
            *self._attributes(product_id),
            *self._variants(product_id),
            *self._answers(product_id),
        )

    def listing(self, product_id: str) -> dict[str, Any]:
        """Return what the product's page says; empty for one nobody knows."""
        rows = self._by("listing", "product_id").get(product_id, [])
        return rows[0] if rows else {}

    def questions(self, product_id: str) -> list[dict[str, Any]]:
        """Return what was asked about a product, newest first."""
        rows = self._by("questions", "product_id").get(product_id, [])
        ordered = sorted(rows, key=lambda r: str(r["question_id"]))
        return sorted(ordered, key=lambda r: str(r["day"] or ""), reverse=True)

    def _by(self, signal: str, key: str) -> dict[str, list[dict[str, Any]]]:
        if signal not in self._rows:
            table = self._tables.get(signal)
            grouped: dict[str, list[dict[str, Any]]] = {}
            if table is not None and signal in COLUMNS:
                table = table.select(list(COLUMNS[signal]))
            for row in [] if table is None else table.to_pylist():
                grouped.setdefault(str(row[key]), []).append(row)
            self._rows[signal] = grouped
        return self._rows[signal]

    def _named(self, product_id: str) -> list[Source]:
        page = self.listing(product_id)
        found = [
            Source(id="title", kind="title", text=page.get("title") or ""),
            Source(id="category", kind="category", text=page.get("category") or ""),
            Source(
                id="brand", kind="brand", text=page.get("brand") or "", name="Brand"
            ),
        ]
        return [one for one in found if one.text.strip()]

    def _attributes(self, product_id: str) -> list[Source]:
        return [
            Source(id=f"attribute:{name}", kind="attribute", text=value, name=name)
            for name, value in attributes_of(self.listing(product_id))
        ]

    def _variants(self, product_id: str) -> list[Source]:
        rows = self._by("catalogue", "product_id").get(product_id, [])
        title = self.listing(product_id).get("title") or ""
        options = [
            str(r["title"]).removeprefix(f"{title}, ") for r in rows if r["title"]
        ]
        told = sorted({one for one in options if one != title})
        if not told:
            return []
        text = "\n".join(told[:MOST_VARIANTS])
        return [Source(id="variants", kind="variants", text=text, name="Variants")]

    def _answers(self, product_id: str) -> list[Source]:
        return [
            Source(
                id=f"answer:{row['question_id']}",
                kind="answer",
                text=mask(row["answer"]),
                name=mask(row["question"]),
            )
            for row in self.questions(product_id)[:MOST_ANSWERS]
            if (row["answer"] or "").strip()
        ]

    def _policies(self) -> list[Source]:
        rows = self._by("policies", "policy_id")
        return [
            Source(id=f"policy:{name}", kind="policy", text=row["body"] or "")
            for name in sorted(rows)
            for row in rows[name]
        ]

    def quotes(self, product_id: str) -> list[Source]:
        """Return what customers wrote in reviews of a product, newest first, masked."""
        rows = self._by("feedback", "product_id").get(product_id, [])
        reviews = [r for r in rows if r["source"] == "review" and r["text"]]
        reviews.sort(key=lambda r: (str(r["day"]), str(r["feedback_id"])), reverse=True)
        return [
            Source(id=f"review:{r['feedback_id']}", kind="quote", text=mask(r["text"]))
            for r in reviews[:MOST_QUOTES]
        ]

    def _counts(self, product_id: str) -> list[Source]:
        rows = self._by("objections", "product_id").get(product_id, [])
        return [
            Source(id=f"count:size_fit:{language}", kind="count", text=text)
            for row in rows
            if row["objection"] == "size_fit"
            for language in COUNTED
            if (text := fit_sentence(row, language))
        ]


def attributes_of(page: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a page's attributes as pairs of name and value, lists joined."""
    try:
        held = json.loads(page.get("attributes") or "{}")
    except ValueError:
        return []
    if not isinstance(held, dict):
        return []
    found = []
    for name, value in sorted(held.items())[:MOST_ATTRIBUTES]:
        values = value if isinstance(value, list) else [value]
        text = ", ".join(
            " ".join(str(one).split()) for one in values if one is not None
        )
        if text and str(name).strip():
            found.append((" ".join(str(name).split()), text[:LONGEST_VALUE]))
    return found


SURE = 0.025
"""Chance below which one way is told: six of six texts, nine of ten."""


def fit_sentence(row: Mapping[str, Any], language: str) -> str:
    """Return what customers found of a size, "" where it is not told from chance.

    Args:
        row: Row of the signal `objections` about size and fit.
        language: Language of the sentence.
    """
    small, large = int(row["smaller"] or 0), int(row["larger"] or 0)
    told, many = small + large, max(small, large)
    if at_least(many, told) >= SURE or language not in COUNTED:
        return ""
    way = WAYS[language]["smaller" if small > large else "larger"]
    return COUNTED[language].format(told=told, many=many, way=way)


def at_least(many: int, told: int) -> float:
    """Return the chance of at least so many of one kind where both are as likely."""
    from math import comb

    return float(sum(comb(told, k) for k in range(many, told + 1)) / 2**told)
