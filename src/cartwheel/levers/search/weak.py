"""Weak searches: asked for often, and nothing is found, or nothing of it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.search.match import Matches, match
from cartwheel.levers.search.options import Options
from cartwheel.levers.search.query import understand
from cartwheel.levers.search.worth import worth_of
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from cartwheel.signals.weak_searches import WEAK_SEARCHES
from cartwheel.text.packed import pack, unpack

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

MOST = 2_000
"""Queries looked at, the most frequent first."""

SELDOM = 0.5
"""Opened this much less often than the shop's searches are: weak."""

SURE = 1.64
"""Standard errors by which it must be seldom, so that luck is not told as a fault."""


_COUNTS = ("searches", "without_result", "clicks", "found", "sold_out")


def learn_weak(model: Model, data: Signals) -> dict[str, Array]:
    """Return the weak searches as arrays of the model.

    Returns:
        Queries packed as bytes and offsets, counts of shape (queries, 5), and the
        category of each as its number among the model's kinds, -1 for none.
    """
    rows = list(_weak(model, data))
    text, start = pack([row["query"] for row in rows])
    counts = [[row[name] for name in _COUNTS] for row in rows]
    kinds = {name: number for number, name in enumerate(model.meta["kinds"])}
    return {
        "weak_text": text,
        "weak_start": start,
        "weak_counts": np.array(counts, np.int64).reshape(len(rows), len(_COUNTS)),
        "weak_kind": np.array(
            [kinds.get(row["category"], -1) for row in rows], np.int64
        ),
    }


def weak_searches(model: Model) -> pa.Table:
    """Return the signal `weak_searches`; empty for a model that knows none."""
    import pyarrow as pa

    if "weak_counts" not in model.arrays:
        return WEAK_SEARCHES.empty()
    text, start = model.arrays["weak_text"], model.arrays["weak_start"]
    kinds = model.arrays["weak_kind"].tolist()
    columns: dict[str, list[Any]] = {
        "query": [unpack(text, start, at) for at in range(len(kinds))],
        "category": [
            model.meta["kinds"][kind] if kind >= 0 else None for kind in kinds
        ],
    }
    for name, counts in zip(_COUNTS, model.arrays["weak_counts"].T, strict=True):
        columns[name] = counts.tolist()
    worth = worth_of(model)
    columns["missed_minor"] = [
        None if worth is None else round(worth * count)
        for count in columns["without_result"]
    ]
    schema = WEAK_SEARCHES.schema()
    return WEAK_SEARCHES.conform(pa.Table.from_pydict(columns, schema=schema))


def _weak(model: Model, data: Signals) -> Iterator[dict[str, Any]]:
    searches = data.frame(SEARCHES)
    least = Options.of(data).weak_searches
    clicks = data.frame(SEARCH_CLICKS)
    opened = clicks.groupby("query")["clicks"].sum()
    most = clicks.sort_values(["clicks", "product_id"], ascending=[False, True])
    most = most.drop_duplicates("query")
    best = dict(zip(most["query"], most["product_id"], strict=True))
    searches = searches[searches["searches"] >= max(least, 1)]
    searches = searches.sort_values(["searches", "query"], ascending=[False, True])
    searches = searches.head(MOST)
    told = opened.reindex(searches["query"]).fillna(0).to_numpy(float)
    total = float(searches["searches"].sum())
    usual = float(np.minimum(told, searches["searches"].to_numpy(float)).sum())
    usual = usual / total if total else 0.0
    counted = opened.to_dict()
    for query, count, nothing in zip(
        searches["query"].tolist(),
        searches["searches"].tolist(),
        searches["without_result"].tolist(),
        strict=True,
    ):
        clicked = int(counted.get(query, 0))
        found = _found(model, query)
        on_sale = int((found & model.arrays["sellable"]).sum())
        missing = on_sale == 0 or 2 * nothing >= count
        if missing or _seldom(clicked, count, usual):
            yield {
                "query": query,
                "searches": count,
                "without_result": nothing,
                "clicks": clicked,
                "found": on_sale,
                "sold_out": int(found.sum()) - on_sale,
                "category": _category(model, query, best.get(query)),
            }


def _seldom(clicks: int, searches: int, usual: float) -> bool:
    """Tell whether a query's results are opened surely less often than others are."""
    if usual <= 0:
        return False
    wanted = SELDOM * usual
    spread = np.sqrt(max(wanted * (1 - min(wanted, 1.0)), 1e-9) / searches)
    return clicks / searches + SURE * float(spread) < wanted


def _matches(model: Model, query: str) -> tuple[Matches, bool]:
    asked = understand(
        model.arrays,
        model.meta["facets"],
        query,
        minor_digits=int(model.meta["minor_digits"]),
    )
    n = len(model.arrays["product_id"])
    return match(model.arrays, asked.parts, n), bool(asked.unknown)


def _found(model: Model, query: str) -> Array:
    """Return which products say every word of a query."""
    found, unknown = _matches(model, query)
    return np.asarray((found.covered > 0.999) & (not unknown))


def _category(model: Model, query: str, opened: Any) -> str | None:
    """Return the category of what was opened most, else of what matches best."""
    names, kinds = model.arrays["product_id"], model.arrays["kind"]
    at = -1
    if isinstance(opened, str) and len(names):
        place = min(int(names.searchsorted(opened)), len(names) - 1)
        at = place if names[place] == opened else -1
    if at < 0:
        found, _ = _matches(model, query)
        if not found.score.size or not found.score.max(initial=0.0) > 0:
            return None
        at = int(found.blend.argmax())
    kind = int(kinds[at])
    return model.meta["kinds"][kind] if kind >= 0 else None
