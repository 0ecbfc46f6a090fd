"""The journey as rows of a CSV file: what fell, is low, or chance may explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    *("rank", "state", "step", "kind", "place", "title", "against", "visits"),
    *("went_on", "share_off", "usual_share_off", "visits_before", "share_off_before"),
    *("lost", "lost_low", "lost_high", "value_minor", "low_minor", "high_minor"),
    *("p_value", "adjusted", "mostly", "beside"),
)
MINOR = ("value_minor", "low_minor", "high_minor")
DECIMALS = {
    "lost": 1,
    "lost_low": 1,
    "lost_high": 1,
    "share_off": 4,
    "usual_share_off": 4,
    "share_off_before": 4,
}


def csv_rows(page: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Yield the heading and a row for each place, amounts in minor units.

    Args:
        page: What a turn published.
    """
    yield list(COLUMNS)
    for rank, one in enumerate(page.get("drop_offs") or [], 1):
        yield _row({**one, "rank": rank, "state": "fell"})
    for rank, one in enumerate(page.get("low") or [], 1):
        yield _row({**one, "rank": rank, "state": "low"})
    for one in page.get("near") or []:
        yield _row({**one, "state": "not told from chance"})


def _row(one: Mapping[str, Any]) -> list[Any]:
    flat = {**one, "beside": " ".join(x["says"] for x in one.get("beside") or [])}
    for name in MINOR:
        value = flat.get(name)
        flat[name] = None if value is None else round(value)
    for name, digits in DECIMALS.items():
        value = flat.get(name)
        flat[name] = None if value is None else round(value, digits)
    return [flat.get(name) for name in COLUMNS]
