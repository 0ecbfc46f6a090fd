"""The port: what turns texts into vectors, and how one is opened by a setting."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.text.meaning.folder import PINNED, read_folder
from cartwheel.text.meaning.sentences import SentenceModel

Array = np.ndarray[Any, Any]


class Embedder(Protocol):
    """What turns texts into vectors.

    Attributes:
        dimensions: Length of a vector.
        fingerprint: Hash of everything a vector depends on; vectors of two embedders
            may be compared only when it is equal.
    """

    dimensions: int
    fingerprint: str

    def embed(self, texts: Sequence[str]) -> Array:
        """Return vectors of length 1, float32, shape (n_texts, dimensions)."""


@lru_cache(maxsize=2)
def open_embedder(where: str) -> Embedder:
    """Return the embedder that a setting names; one is kept open.

    Args:
        where: A folder with a sentence model, or the name of an installed package
            that has one in its folder `model`.

    Raises:
        Misuse: If nothing usable is there; the message says what is missing.
    """
    folder, pinned = _located(where)
    return SentenceModel(read_folder(folder, digest=pinned))


def _located(where: str) -> tuple[Path, str | None]:
    folder = Path(where).expanduser()
    if folder.is_dir():
        return folder, None
    if where.isidentifier():
        found = importlib.util.find_spec(where)
        for place in (found and found.submodule_search_locations) or ():
            if (Path(place) / "model").is_dir():
                return Path(place) / "model", PINNED.get(where)
    raise Misuse(
        f"{where!r} is neither a folder nor a package with a sentence model.",
        "Name a folder with config.json, tokenizer.json and model.safetensors, or "
        "leave the setting empty.",
    )
