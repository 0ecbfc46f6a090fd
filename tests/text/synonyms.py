"""A sentence model for tests: words of one meaning lie at one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SAME = ("parcel package box", "refund money", "bill invoice", "nice lovely", "bad poor")


class Synonyms:
    """Vectors of which words of each group a text has."""

    dimensions = len(SAME)
    fingerprint = "synonyms"

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Return a vector for each text; zeros for one without such a word."""
        found = np.array(
            [
                [len(set(text.lower().split()) & set(one.split())) for one in SAME]
                for text in texts
            ],
            np.float32,
        ).reshape(len(texts), len(SAME))
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.maximum(length, 1.0)
