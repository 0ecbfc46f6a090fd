"""Letter triples of titles: likeness that survives slips and odd spellings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]


def triples(text: str) -> Array:
    """Return the triples of neighbouring letters as hashes of 16 bits."""
    said = np.frombuffer(f" {fold(text)} ".encode("utf-8", "replace"), np.uint8)
    wide = said.astype(np.uint32)
    mixed = (wide[:-2] * np.uint32(961) + wide[1:-1] * np.uint32(31) + wide[2:]) * (
        np.uint32(2654435761)
    )
    return (mixed >> np.uint32(16)).astype(np.uint16)


def title_triples(titles: Sequence[str]) -> dict[str, Array]:
    """Return the letter triples of titles, one after another."""
    found = [triples(title) for title in titles]
    start = np.zeros(len(found) + 1, np.int64)
    np.cumsum([len(one) for one in found], out=start[1:])
    flat = np.concatenate([*found, np.zeros(0, np.uint16)])
    return {"triple": flat, "triple_start": start}
