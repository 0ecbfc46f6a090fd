"""The outline of a buying guide for a category: what to write about, for a person.

It holds what the category's shoppers ask and object to, the attributes that divide its
products, and which products have which value. It is no text for a page: who writes the
guide weighs it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cartwheel.levers.content.compare import LONGEST_VALUE, Shelf
from cartwheel.levers.content.draft import OF_ALL, page_language, speaks_to
from cartwheel.signals.base import Signals
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.masking import mask
from cartwheel.text.page_table import source_of
from cartwheel.text.tokens import fold

LEAST_PRODUCTS = 5
LEAST_TEXTS = 20
LEAST_ATTRIBUTES = 2
"""Products on sale, texts that ask or object, and attributes that divide the products,
from which there is enough for a guide."""

LEAST_SHARE = 0.6
"""Share of the products that must have an attribute for it to help to choose."""

MOST_OUTLINES = 5
MOST_QUESTIONS = 10
MOST_ATTRIBUTES = 6
MOST_VALUES = 8
MOST_PRODUCTS = 5
LONGEST_QUESTION = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that shoppers of a category asked.

    Attributes:
        question: The question as it was last asked, masked.
        times: How often it was asked, in these words.
        products: Products it was asked about.
        answered: The shop has answered it at least once.
        source: Id of the newest.
    """

    question: str
    times: int
    products: int
    answered: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute that divides the products of a category.

    Attributes:
        name: Its name.
        values: Product ids by value, the value of most products first.
        without: Products whose value is not known.
    """

    name: str
    values: Mapping[str, tuple[str, ...]]
    without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a guide for a category can be written from.

    Attributes:
        category: The category.
        products: Products of it on sale.
        texts: Texts that ask or object.
        objections: Texts by class of objection, most first.
        questions: What shoppers ask.
        attributes: What divides the products.
        stake_minor: Money at stake a year, None where unknown.
        titles: What the products named are called.
    """

    category: str
    products: int
    texts: int
    objections: Mapping[str, int]
    questions: tuple[Asked, ...]
    attributes: tuple[Attribute, ...]
    stake_minor: int | None
    titles: Mapping[str, str]

    def sources(self) -> dict[str, str]:
        """Return the facts that it names, by id."""
        found = {f"question:{one.source}": one.question for one in self.questions}
        for one in self.attributes:
            for value, products in one.values.items():
                for product in products[:MOST_PRODUCTS]:
                    title = self.titles[product]
                    said = f"{title}, {one.name}: {value}"
                    found[source_of(product, one.name)] = said
        return found


def outlines(data: Signals, shop: ShopFacts) -> list[Outline]:
    """Return outlines of the categories with enough to write from, dearest first.

    Args:
        data: The lever's signals.
        shop: Facts that they hold.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in data.table(OBJECTIONS).to_pylist():
        rows.setdefault(str(row["product_id"]), []).append(row)
    shelf, found = Shelf(data, shop), []
    for category, products in sorted(shelf.categories.items()):
        if len(products) < LEAST_PRODUCTS:
            continue
        told = [row for product in products for row in rows.get(product, ())]
        one = _outline(category, products, told, shelf, shop)
        if one.texts >= LEAST_TEXTS and len(one.attributes) >= LEAST_ATTRIBUTES:
            found.append(one)
    found.sort(key=lambda one: (-(one.stake_minor or 0), -one.texts, one.category))
    return found[:MOST_OUTLINES]


def _outline(
    category: str,
    products: Sequence[str],
    told: Sequence[Mapping[str, Any]],
    shelf: Shelf,
    shop: ShopFacts,
) -> Outline:
    raised: Counter[str] = Counter()
    for row in told:
        raised[str(row["objection"])] += int(row["mentions"])
    raised = +raised
    asked = [row for product in products for row in shop.questions(product)]
    stakes = [row["stake_minor"] for row in told if row["stake_minor"] is not None]
    language = page_language(shop.listing(products[0]))
    return Outline(
        category=category,
        products=len(products),
        # A question that objects is counted among the mentions too.
        texts=max(sum(raised.values()), len(asked)),
        objections=dict(sorted(raised.items(), key=lambda one: (-one[1], one[0]))),
        questions=_questions(asked),
        attributes=_attributes(products, raised, shelf, language),
        stake_minor=sum(stakes) if stakes else None,
        titles={one: str(shop.listing(one).get("title") or one) for one in products},
    )


def _questions(rows: Iterable[Mapping[str, Any]]) -> tuple[Asked, ...]:
    """Return questions by how many products they are asked about, then how often."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        text = str(row["question"] or "").strip()
        if text:
            grouped.setdefault(" ".join(fold(text).split()).strip(" ?!."), []).append(
                row
            )
    found = []
    for same in grouped.values():
        newest = max(same, key=lambda r: (str(r["day"] or ""), str(r["question_id"])))
        found.append(
            Asked(
                question=mask(str(newest["question"]).strip())[:LONGEST_QUESTION],
                times=len(same),
                products=len({row["product_id"] for row in same}),
                answered=any((row["answer"] or "").strip() for row in same),
                source=str(newest["question_id"]),
            )
        )
    found.sort(key=lambda one: (-one.products, -one.times, one.source))
    return tuple(found[:MOST_QUESTIONS])


def _attributes(
    products: Sequence[str], raised: Iterable[str], shelf: Shelf, language: str
) -> tuple[Attribute, ...]:
    """Return attributes that divide products, those of what is objected to first.

    Among these the ones that most products have and that divide them most evenly: the
    entropy of the values, counted over all products.
    """
    held: dict[str, dict[str, list[str]]] = {}
    for product in products:
        for name, value in shelf.attributes(product).items():
            if len(value) <= LONGEST_VALUE:
                held.setdefault(name, {}).setdefault(value, []).append(product)
    classes = sorted(set(raised) - OF_ALL)
    found = []
    for name, values in sorted(held.items()):
        have = sum(map(len, values.values()))
        # One that almost every product has a value of its own of divides nothing.
        few = 2 <= len(values) <= min(MOST_VALUES, (have + 1) // 2)
        if have < LEAST_SHARE * len(products) or not few:
            continue
        speaks = any(speaks_to(name, one, language) for one in classes)
        most_first = sorted(values.items(), key=lambda one: (-len(one[1]), one[0]))
        made = Attribute(
            name=name,
            values={value: tuple(whose) for value, whose in most_first},
            without=len(products) - have,
        )
        evenness = -sum(
            len(whose) / len(products) * math.log(len(whose) / have)
            for whose in values.values()
        )
        found.append((not speaks, -round(evenness, 9), name, made))
    found.sort(key=lambda one: one[:3])
    return tuple(made for *_, made in found[:MOST_ATTRIBUTES])
