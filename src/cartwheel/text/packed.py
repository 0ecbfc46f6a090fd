"""Many texts as two arrays, and texts found by their hash: no dictionary, no objects.

Arrays can be mapped into memory by any number of processes and cost nothing to open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def pack(texts: Sequence[str]) -> tuple[Array, Array]:
    """Return texts as one run of UTF-8 bytes and where each begins, shape (n + 1,)."""
    said = [text.encode("utf-8", "replace") for text in texts]
    start = np.zeros(len(said) + 1, np.int64)
    np.cumsum([len(text) for text in said], out=start[1:])
    return np.frombuffer(b"".join(said), np.uint8), start


def unpack(text: Array, start: Array, at: int) -> str:
    """Return one text of a packed run."""
    begin, end = int(start[at]), int(start[at + 1])
    return text[begin:end].tobytes().decode("utf-8", "replace")


def hashed(text: str) -> int:
    """Return a text's hash of 64 bits, equal on every machine."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def hashes(texts: Iterable[str]) -> Array:
    """Return the hashes of texts, uint64."""
    return np.array([hashed(text) for text in texts], np.uint64)


def find(sorted_hashes: Array, text: str) -> int:
    """Return where a text's hash stands among sorted ones, or -1.

    Two of a million texts share a hash of 64 bits once in thirty million catalogues.
    """
    wanted = np.uint64(hashed(text))
    at = int(sorted_hashes.searchsorted(wanted))
    return at if at < len(sorted_hashes) and sorted_hashes[at] == wanted else -1
