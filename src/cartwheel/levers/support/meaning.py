"""Evidence found by its meaning, where a sentence model is set.

Optional, as in search: `levers.support.model_folder` names it. The sentences of
policies are read in the turn; of a product's facts those are read that a question
meets, and remembered. A model that is not there leaves words alone to answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import structlog

from cartwheel.errors import CartwheelError
from cartwheel.levers.base import Model
from cartwheel.levers.support.evidence import Evidence, Passage
from cartwheel.levers.support.weigh import Meant, Nearness, spoken
from cartwheel.text.asking import asking_part
from cartwheel.text.meaning.port import Embedder, open_embedder
from cartwheel.text.packed import find, hashes

Array = np.ndarray[Any, Any]

KEPT = 8_192
"""Vectors of sentences and questions that a process remembers."""

MOST_READ = 60
"""Sentences read for one answer, beside those the turn has read."""

NOWHERE = Nearness(0.0, 0.0)
"""Of a text that is empty, or beyond those read for one answer."""

log = structlog.get_logger("cartwheel.support")


class _Remembered:
    """Vectors by embedder and text, the longest unused ones forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Array] = OrderedDict()

    def of(self, embedder: Embedder, texts: Iterable[str]) -> dict[str, Array]:
        """Return the vectors of texts; what is new is read."""
        wanted = list(dict.fromkeys(texts))
        with self._lock:
            found = {
                text: self._held[embedder.fingerprint, text]
                for text in wanted
                if (embedder.fingerprint, text) in self._held
            }
        new = [text for text in wanted if text not in found][:MOST_READ]
        if new:
            read = embedder.embed(new)
            found.update(zip(new, read, strict=True))
        with self._lock:
            for text, vector in found.items():
                self._held[embedder.fingerprint, text] = vector
                self._held.move_to_end((embedder.fingerprint, text))
            while len(self._held) > KEPT:
                self._held.popitem(last=False)
        return found


_REMEMBERED = _Remembered()


def meaning_arrays(arrays: Mapping[str, Array], where: str) -> dict[str, Array]:
    """Return the vectors of what holds for the whole shop; {} without a model.

    Args:
        arrays: The evidence.
        where: The embedder, as the setting names it; "" for none.

    Raises:
        Misuse: If nothing usable is there.
    """
    if not where:
        return {}
    embedder = open_embedder(where)
    evidence = Evidence(Model(rule="", arrays=arrays))
    texts = sorted({text for one in evidence.policies() for text in _texts(one)})
    vectors = np.zeros((0, embedder.dimensions), np.float16)
    if texts:
        vectors = embedder.embed(texts).astype(np.float16)
    keys = hashes(texts)
    order = np.argsort(keys, kind="stable")
    return {
        "meaning_text": keys[order],
        "meaning_of": vectors[order],
        "meaning_by": np.array([where, embedder.fingerprint]),
    }


def _texts(passage: Passage) -> Iterator[str]:
    """Yield what is compared of a source: its heading, sentences with and without."""
    if passage.heading:
        yield passage.heading
    for at, text in enumerate(passage.sentences):
        yield text
        yield spoken(passage, at)


def near_in_meaning(model: Model, asked: str) -> Meant | None:
    """Return what tells how near sentences are to a question; None without a model.

    Args:
        model: A published model.
        asked: The question.
    """
    by = model.arrays.get("meaning_by")
    if by is None or not asked.strip():
        return None
    try:
        embedder = open_embedder(str(by[0]))
    except CartwheelError as error:
        log.warning("no sentence model, words alone answer", why=str(error))
        return None
    if embedder.fingerprint != str(by[1]):
        log.warning("another sentence model than the turn's, words alone answer")
        return None
    keys, vectors = model.arrays["meaning_text"], model.arrays["meaning_of"]

    part = asking_part(asked)

    def near(texts: Sequence[str]) -> Sequence[Nearness]:
        known = {text: find(keys, text) for text in dict.fromkeys(texts) if text}
        new = [text for text, at in known.items() if at < 0]
        read = _REMEMBERED.of(embedder, [asked, part, *new])
        ways = np.stack([read[asked], read[part]], axis=1)
        held = [text for text, at in known.items() if at >= 0]
        told = dict(
            zip(held, _by(ways, vectors[[known[t] for t in held]]), strict=True)
        )
        held = [text for text in new if text in read]
        told |= dict(zip(held, _by(ways, [read[text] for text in held]), strict=True))
        return [told.get(text, NOWHERE) for text in texts]

    return near


def _by(ways: Array, vectors: Array | Sequence[Array]) -> list[Nearness]:
    """Return how near each vector is to the message and to what it asks."""
    if not len(vectors):
        return []
    told = np.asarray(vectors, np.float32) @ ways
    return [Nearness(*row) for row in told.tolist()]
