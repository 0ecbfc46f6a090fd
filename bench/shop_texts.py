"""Texts of three real sets as a shop's: read once, by product, category, day, stars."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Skipped
from cartwheel.levers.voice.loose import Standpoint, standpoint_of
from cartwheel.levers.voice.reading import Spoken, read_texts
from cartwheel.text.objections import CLASSES, rules

Array = np.ndarray[Any, Any]

CLOTHING, QUESTIONS, OLIST = (
    "womens-clothing-reviews",
    "amazon-qa-appliances",
    "olist",
)
SETS = (CLOTHING, QUESTIONS, OLIST)
HALVES = ("development", "held-out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Texts of a shop, read by the rules.

    Attributes:
        name: The set.
        rows: What each text is known by in its set.
        sentences: The sentences of each text.
        source: review or question, of each text.
        rating: Stars of each, None where there are none.
        product: Product of each.
        category: Category of each, "" where none is known.
        days_ago: Age of each in days, 0 where the set has no dates.
    """

    name: str
    rows: list[str]
    sentences: list[list[Spoken]]
    source: list[str]
    rating: list[int | None]
    product: Array
    category: Array
    days_ago: Array

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @property
    def places(self) -> dict[str, Array]:
        """Product and category of each text."""
        return {"product": self.product, "category": self.category}

    def standpoints(self) -> list[bytes]:
        """Return what each sentence of each text is to the search for new themes."""
        return [
            bytes(
                Standpoint.OTHER
                if one.objections
                else standpoint_of(one, source, rating)
                for one in said
            )
            for said, source, rating in zip(
                self.sentences, self.source, self.rating, strict=True
            )
        ]

    def without(self, objection: str) -> Shop:
        """Return the shop as read by rules that do not know a class."""
        with _left_out(objection):
            again: dict[int, Spoken] = {}
            read = [
                [_reread(one, objection, again) for one in said]
                for said in self.sentences
            ]
        return replace(self, sentences=read)

    def chosen(self, texts: Sequence[int] | Array) -> Shop:
        """Return the shop of some of its texts."""
        at = [int(one) for one in texts]
        return replace(
            self,
            rows=[self.rows[one] for one in at],
            sentences=[self.sentences[one] for one in at],
            source=[self.source[one] for one in at],
            rating=[self.rating[one] for one in at],
            product=self.product[at],
            category=self.category[at],
            days_ago=self.days_ago[at],
        )


def read_shop(data: Path, name: str, half: str, most: int | None = None) -> Shop:
    """Return the texts of half of a set's products, read by the rules.

    Args:
        data: Folder of the sets.
        name: One of `SETS`.
        half: development or held-out.
        most: Texts at most, the first by a hash of their name.

    Raises:
        Skipped: If the set is not there.
    """
    folder = data / name
    if not folder.is_dir():
        raise Skipped(f"{name} is not in CARTWHEEL_DATA ({data})")
    rows = [row for row in _ROWS[name](folder) if half_of(row["product"]) == half]
    rows.sort(key=lambda row: _hash(row["row"]))
    rows = rows[:most]
    days = np.array([row.get("day", 0) for row in rows], np.int64)
    source = ["question" if name == QUESTIONS else "review"] * len(rows)
    return Shop(
        name=name,
        rows=[row["row"] for row in rows],
        sentences=read_texts([row["text"] for row in rows], source).sentences,
        source=source,
        rating=[row.get("rating") for row in rows],
        product=np.array([row["product"] for row in rows], str),
        category=np.array([row.get("category") or "" for row in rows], str),
        days_ago=days.max(initial=0) - days,
    )


def half_of(product: str) -> str:
    """Return the half that a product is in."""
    return HALVES[_hash(product) % 2]


def _hash(name: str) -> int:
    made = hashlib.blake2b(f"new themes {name}".encode(), digest_size=8)
    return int.from_bytes(made.digest())


@contextmanager
def _left_out(objection: str) -> Iterator[None]:
    """Let the rules know one class less."""
    rules.CLASSES = {name: CLASSES[name] for name in CLASSES if name != objection}
    try:
        yield
    finally:
        rules.CLASSES = CLASSES


def _reread(one: Spoken, objection: str, again: dict[int, Spoken]) -> Spoken:
    if objection not in one.objections:
        return one
    if id(one) not in again:
        said = rules.read_sentence(one.text, one.languages, blamed=one.blamed)
        again[id(one)] = replace(one, objections=said.objections)
    return again[id(one)]


def _clothing(folder: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for row in pq.read_table(folder / "reviews.parquet").to_pylist():
        if row["Review Text"]:
            yield {
                "row": str(row["row"]),
                "text": f"{row['Title'] or ''}\n{row['Review Text']}".strip(),
                "product": f"c{row['Clothing ID']}",
                "category": row["Class Name"],
                "rating": row["Rating"],
            }


def _questions(folder: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "qa_appliances.parquet").to_pylist()
    for at, row in enumerate(rows):
        if row["question"]:
            yield {
                "row": str(at),
                "text": row["question"],
                "product": f"q{row['asin']}",
            }


def _olist(folder: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    def table(name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = pq.read_table(
            folder / f"olist_{name}_dataset.parquet"
        ).to_pylist()
        return found

    product: dict[str, str] = {}
    for row in sorted(
        table("order_items"), key=lambda row: (row["order_id"], row["order_item_id"])
    ):
        product.setdefault(row["order_id"], row["product_id"])
    category = {
        row["product_id"]: row["product_category_name"] for row in table("products")
    }
    for row in table("order_reviews"):
        if row["review_comment_message"]:
            name = product.get(row["order_id"], row["order_id"])
            yield {
                "row": row["review_id"],
                "text": row["review_comment_message"],
                "product": name,
                "category": category.get(name),
                "rating": int(row["review_score"]),
                "day": np.datetime64(str(row["review_creation_date"])[:10]).astype(int),
            }


_ROWS = {CLOTHING: _clothing, QUESTIONS: _questions, OLIST: _olist}
