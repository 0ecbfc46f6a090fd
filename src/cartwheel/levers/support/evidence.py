"""What an answer may rest on: policies, and a product's facts.

Policies are few and read at once. Of a product only what a question about it meets is
read, so a catalogue of any size costs an answer the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.masking import mask
from cartwheel.text.packed import find, hashes, pack, unpack
from cartwheel.text.sentences import sentences
from cartwheel.text.tokens import terms

Array = np.ndarray[Any, Any]

MOST_POLICIES = 500
LONGEST_BODY = 8_000
MOST_SENTENCES = 80
"""Of one text; what comes behind is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text that answers can be taken from.

    Attributes:
        source: What it is: `policy:ID`, `attribute:NAME`, `answer:ID`, `brand`,
            `price`, `variants`, `description`.
        product_id: Product it is about, "" for what holds for the whole shop.
        heading: What it is called, or the question it answers.
        sentences: What it says.
    """

    source: str
    product_id: str
    heading: str
    sentences: tuple[str, ...]

    def to_json(self) -> list[Any]:
        """Return it as JSON values, without the product."""
        return [self.source, self.heading, list(self.sentences)]

    @classmethod
    def from_json(cls, product_id: str, held: Sequence[Any]) -> Passage:
        """Read what `to_json` wrote."""
        source, heading, said, *_ = held  # an earlier version wrote a topic too
        return cls(
            source=source,
            product_id=product_id,
            heading=heading,
            sentences=tuple(said),
        )


def evidence_arrays(data: Signals) -> dict[str, Array]:
    """Return policies and products' facts as arrays.

    Args:
        data: The lever's signals.
    """
    policies = [
        json.dumps(one.to_json(), ensure_ascii=False) for one in _policies(data)
    ]
    text, start = pack(policies)
    facts = ShopFacts({s.name: data.table(s) for s in (LISTING, CATALOGUE, QUESTIONS)})
    prices = _prices(data)
    held = data.table(LISTING).select(["product_id", "title"]).to_pylist()
    names = sorted({str(row["product_id"]): row["title"] or "" for row in held}.items())
    keys = hashes([name for name, _ in names])
    order = np.argsort(keys, kind="stable")
    about = [
        json.dumps(
            [
                names[at][0],
                [
                    one.to_json()
                    for one in (
                        *prices.get(names[at][0], ()),
                        *product_passages(facts, names[at][0]),
                    )
                ],
            ],
            ensure_ascii=False,
        )
        for at in order.tolist()
    ]
    about_text, about_start = pack(about)
    name_text, name_start = pack([names[at][1] for at in order.tolist()])
    return {
        "policy_text": text,
        "policy_start": start,
        "product_hash": keys[order],
        "about_text": about_text,
        "about_start": about_start,
        "name_text": name_text,
        "name_start": name_start,
        **_named([names[at][1] for at in order.tolist()]),
    }


def _policies(data: Signals) -> Iterator[Passage]:
    rows = data.table(POLICIES).to_pylist()
    for row in sorted(rows, key=lambda r: str(r["policy_id"]))[:MOST_POLICIES]:
        title = (row["title"] or "").strip()
        topic = row["topic"] or ""
        yield Passage(
            source=f"policy:{row['policy_id']}",
            product_id="",
            heading=title or topic.capitalize(),
            sentences=_cut(row["body"] or ""),
        )


def _prices(data: Signals) -> dict[str, tuple[Passage, ...]]:
    """Return what each product costs now, from the cheapest variant to the dearest."""
    found: dict[str, list[int]] = {}
    columns = ["product_id", "price_minor", "active"]
    for row in data.table(CATALOGUE).select(columns).to_pylist():
        if row["price_minor"] is not None and row["active"]:
            found.setdefault(str(row["product_id"]), []).append(row["price_minor"])
    told: dict[str, tuple[Passage, ...]] = {}
    for name, prices in found.items():
        ends = sorted({min(prices), max(prices)})
        text = " to ".join(data.context.money(one) for one in ends)
        told[name] = (
            Passage(
                source="price",
                product_id=name,
                heading="Price",
                sentences=(f"Price: {text}",),
            ),
        )
    return told


def product_passages(facts: ShopFacts, product_id: str) -> Iterator[Passage]:
    """Yield what is known of a product: attributes, answers, description.

    Args:
        facts: The shop's facts.
        product_id: The product.
    """
    for one in facts.of_product(product_id):
        if one.kind in ("attribute", "brand", "variants"):
            yield Passage(
                source=one.id,
                product_id=product_id,
                heading=one.name,
                sentences=(f"{one.name}: {' / '.join(one.text.splitlines())}",),
            )
        elif one.kind == "answer":
            yield Passage(
                source=one.id,
                product_id=product_id,
                heading=one.name,
                sentences=_cut(one.text),
            )
    said = facts.listing(product_id).get("description") or ""
    if said.strip():
        yield Passage(
            source="description",
            product_id=product_id,
            heading="",
            sentences=_cut(mask(said)),
        )


def _cut(text: str) -> tuple[str, ...]:
    return tuple(sentences(text[:LONGEST_BODY])[:MOST_SENTENCES])


def _named(titles: Sequence[str]) -> dict[str, Array]:
    """Return which product's title holds which term, rare terms weighing more."""
    said = [sorted(set(terms(title))) for title in titles]
    product = np.repeat(np.arange(len(said)), [len(one) for one in said])
    words = np.array([word for one in said for word in one], dtype=str)
    known, number = np.unique(words, return_inverse=True)
    keys = hashes(known.tolist())
    order = np.argsort(keys, kind="stable")
    place = np.empty(len(keys), np.int64)
    place[order] = np.arange(len(keys))
    number = place[number] if len(number) else number
    by_term = np.lexsort((product, number))
    count = np.bincount(number, minlength=len(keys)) if len(keys) else np.zeros(0, int)
    weight = np.log1p(len(titles) / np.maximum(count, 1))
    total = np.bincount(
        product, weights=weight[number] if len(number) else None, minlength=len(titles)
    )
    return {
        "term_hash": keys[order],
        "term_start": np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        "term_weight": weight.astype(np.float32),
        "term_product": product[by_term].astype(np.int32),
        "title_weight": total.astype(np.float32),
    }


NAMED_FROM = 0.4
"""Share of a title's weight that a question has to say to mean the product."""
AHEAD = 0.15
"""How much more of its title than of any other's."""
LEAST_WORDS = 2
"""Words of a title that mean the product too, if one is in no other title."""


class Evidence:
    """Evidence of a published model.

    Args:
        model: The model.
    """

    def __init__(self, model: Model) -> None:
        self._arrays = model.arrays

    def policies(self) -> list[Passage]:
        """Return what holds for the whole shop."""
        text, start = self._arrays["policy_text"], self._arrays["policy_start"]
        return [
            Passage.from_json("", json.loads(unpack(text, start, at)))
            for at in range(len(start) - 1)
        ]

    def place(self, product_id: str) -> int:
        """Return a product's place, -1 for one nobody knows."""
        return find(self._arrays["product_hash"], product_id)

    def product(self, place: int) -> list[Passage]:
        """Return what is known of the product at a place."""
        held = unpack(self._arrays["about_text"], self._arrays["about_start"], place)
        product_id, passages = json.loads(held)
        return [Passage.from_json(product_id, one) for one in passages]

    def title(self, place: int) -> str:
        """Return the title of the product at a place."""
        return unpack(self._arrays["name_text"], self._arrays["name_start"], place)

    def named(self, said: Iterable[str]) -> int:
        """Return the place of the product that a text names, -1 for none or several.

        Args:
            said: The text's terms.
        """
        arrays = self._arrays
        total = arrays["title_weight"]
        if not len(total):
            return -1
        heard = np.zeros(len(total))
        terms_heard = np.zeros(len(total), np.int64)
        own_heard = np.zeros(len(total), np.int64)
        for word in set(said):
            at = find(arrays["term_hash"], word)
            if at >= 0:
                begin, end = arrays["term_start"][at : at + 2].tolist()
                products = arrays["term_product"][begin:end]
                heard[products] += arrays["term_weight"][at]
                terms_heard[products] += 1
                own_heard[products] += end - begin == 1
        share = heard / np.maximum(total, 1e-9)
        first = int(np.argmax(share))
        best, others = float(share[first]), np.delete(share, first)
        if best >= NAMED_FROM and float(others.max(initial=0.0)) <= best - AHEAD:
            return first
        # Two words of a title, one of them only there: "the Pebble kettle".
        named = np.flatnonzero((terms_heard >= LEAST_WORDS) & (own_heard > 0))
        return int(named[0]) if len(named) == 1 else -1


def policies_known(model: Model) -> int:
    """Return how many policies a model holds."""
    return len(model.arrays["policy_start"]) - 1


def knows_anything(model: Model) -> bool:
    """Tell whether a model holds a policy or a product."""
    return policies_known(model) > 0 or len(model.arrays["product_hash"]) > 0
