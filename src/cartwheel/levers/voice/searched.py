"""What shoppers searched for and did not find, beside what customers say.

A search is no text of the themes: it is a wish and no complaint, one person may send it
twenty times, and shares of texts are compared over time and between products. A shop
of camping goods would be told that sizes are wrong: "tent" is a word of size and fit.
So it counts under no theme, even where its words are those of one; the page says which.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.signals.base import Signals
from cartwheel.signals.weak_searches import WEAK_SEARCHES
from cartwheel.text.masking import mask
from cartwheel.text.objections import CLASSES, LANGUAGES, Standing, read_sentence
from cartwheel.text.packed import pack, unpack

Array = np.ndarray[Any, Any]

MOST_SEARCHES = 500
"""Searches kept, those most often without a result first."""

LONGEST_QUERY = 200
COUNTS = ("searches", "without_result", "found", "sold_out")


def learn_searches(data: Signals, language: str, stands: Standing) -> dict[str, Array]:
    """Return searches that found nothing, as arrays of the voice model.

    Args:
        data: The lever's signals.
        language: Language that most texts are in.
        stands: Corrections that stand.

    Returns:
        Masked queries and categories packed, counts of shape (searches, 4), money in
        minor units, -1 where unknown, and the class that the words raise by the rules
        as its number, -1 for none.
    """
    every = data.table(WEAK_SEARCHES).to_pylist()
    rows = [row for row in every if row["without_result"] > 0]
    rows.sort(key=lambda row: (-row["without_result"], row["query"]))
    rows = rows[:MOST_SEARCHES]
    queries = [mask(row["query"])[:LONGEST_QUERY] for row in rows]
    text, start = pack(queries)
    kind, kind_start = pack([row["category"] or "" for row in rows])
    counts = [[row[name] for name in COUNTS] for row in rows]
    missed = [row["missed_minor"] for row in rows]
    return {
        "search_text": text,
        "search_start": start,
        "search_kind": kind,
        "search_kind_start": kind_start,
        "search_counts": np.array(counts, np.int64).reshape(len(rows), len(COUNTS)),
        "search_missed": np.array(
            [-1 if one is None else one for one in missed], np.int64
        ),
        "search_class": np.array(
            [_class_of(query, language, stands) for query in queries], np.int64
        ),
    }


def searches_of(model: Model) -> list[dict[str, Any]]:
    """Return searches that found nothing, the most frequent first, as JSON values.

    A model of a turn before searches were read has none.
    """
    arrays = model.arrays
    if "search_counts" not in arrays:
        return []
    names = list(CLASSES)
    found = []
    for at, counts in enumerate(arrays["search_counts"].tolist()):
        missed, kind = int(arrays["search_missed"][at]), int(arrays["search_class"][at])
        found.append(
            {
                "query": unpack(arrays["search_text"], arrays["search_start"], at),
                "category": unpack(
                    arrays["search_kind"], arrays["search_kind_start"], at
                ),
                **dict(zip(COUNTS, counts, strict=True)),
                "missed_minor": None if missed < 0 else missed,
                "objection": names[kind] if kind >= 0 else "",
            }
        )
    return found


def _class_of(query: str, language: str, stands: Standing) -> int:
    """Return the number of the class that a search's words raise, -1 for none."""
    spoken = tuple(sorted({language} & LANGUAGES.keys()))
    raised = read_sentence(query, spoken, blamed=False).objections
    if not raised:
        return -1
    return list(CLASSES).index(stands.counted_as(raised[0]))
