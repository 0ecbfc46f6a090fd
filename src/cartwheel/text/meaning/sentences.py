"""A BERT sentence model in numpy: the mean of its last layer over a text's tokens.

References:
    Devlin and others (2019), "BERT: pre-training of deep bidirectional transformers";
    Reimers and Gurevych (2019), "Sentence-BERT".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.text.meaning.folder import NEXT, Folder

Array = np.ndarray[Any, Any]

LONGEST = 128
"""Tokens of a text that are read; the cost of more grows faster than its use."""

LONGEST_TEXT = 4_000
"""Characters that are cut into tokens."""

TOGETHER = 4_096
"""Tokens computed at once, padding included."""


class SentenceModel:
    """Vectors of texts.

    Args:
        folder: The model.

    Raises:
        Misuse: If a weight is missing or has another shape than the others ask for.
    """

    def __init__(self, folder: Folder) -> None:
        self.fingerprint = folder.fingerprint
        self._tokenizer = folder.tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(LONGEST, folder.longest))
        self._heads, self._epsilon = folder.heads, folder.epsilon
        self._weights = _Weights(folder)
        self._layers = [self._weights.layer(at) for at in range(folder.layers)]
        self.dimensions = self._weights.hidden

    def embed(self, texts: Sequence[str]) -> Array:
        """Return vectors of length 1, float32, shape (n_texts, dimensions).

        A text without a token gets zeros.
        """
        cut = [text[:LONGEST_TEXT] for text in texts]
        ids = [one.ids for one in self._tokenizer.encode_batch(cut)]
        found = np.zeros((len(ids), self.dimensions), np.float32)
        order = sorted(
            (n for n in range(len(ids)) if ids[n]), key=lambda n: len(ids[n])
        )
        while order:
            size = max(TOGETHER // len(ids[order[-1]]), 1)
            batch, order = order[-size:], order[:-size]
            found[batch] = self._batch([ids[n] for n in batch])
        return found

    def _batch(self, ids: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, ids))
        token = np.zeros((len(ids), longest), np.int64)
        real = np.zeros((len(ids), longest), bool)
        for row, mine in enumerate(ids):
            token[row, : len(mine)] = mine
            real[row, : len(mine)] = True
        state = self._weights.first(token, self._epsilon)
        hidden_from = np.where(real, 0.0, -1e9).astype(np.float32)[:, None, None, :]
        for layer in self._layers:
            state = self._through(layer, state, hidden_from)
        mean: Array = (state * real[..., None]).sum(axis=1)
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return mean

    def _through(
        self, layer: Mapping[str, Array], state: Array, hidden_from: Array
    ) -> Array:
        texts, length, hidden = state.shape
        each = hidden // self._heads
        mixed = state @ layer["qkv"] + layer["qkv_bias"]
        split = mixed.reshape(texts, length, 3, self._heads, each)
        query, key, value = split.transpose(2, 0, 3, 1, 4)
        weight = (
            query @ key.transpose(0, 1, 3, 2) * np.float32(each**-0.5) + hidden_from
        )
        weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
        weight /= weight.sum(axis=-1, keepdims=True)
        seen = (weight @ value).transpose(0, 2, 1, 3).reshape(texts, length, hidden)
        state = state + seen @ layer["out"] + layer["out_bias"]
        state = normed(state, layer["norm"], layer["norm_bias"], self._epsilon)
        wide = gelu(state @ layer["up"] + layer["up_bias"])
        state = state + wide @ layer["down"] + layer["down_bias"]
        return normed(state, layer["norm2"], layer["norm2_bias"], self._epsilon)


class _Weights:
    """The weights by what they are for, laid out as they are multiplied."""

    def __init__(self, folder: Folder) -> None:
        self._given = folder.weights
        words = self._take("embeddings.word_embeddings.weight", (-1, -1))
        self.words, self.hidden = words, words.shape[1]
        if self.hidden % folder.heads:
            raise Misuse(
                f"{self.hidden} dimensions cannot be shared by {folder.heads} heads.",
                NEXT,
            )
        h = self.hidden
        self.places = self._take("embeddings.position_embeddings.weight", (-1, h))
        self.kind = self._take("embeddings.token_type_embeddings.weight", (-1, h))[0]
        self.norm = self._norm("embeddings.LayerNorm")
        if folder.tokenizer.get_vocab_size() > len(words):
            raise Misuse(
                f"The tokenizer knows {folder.tokenizer.get_vocab_size():,} tokens, "
                f"the model {len(words):,}.",
                NEXT,
            )
        if len(self.places) < min(LONGEST, folder.longest):
            raise Misuse(
                f"The model has {len(self.places)} positions; its configuration says "
                f"{folder.longest}.",
                NEXT,
            )

    def first(self, token: Array, epsilon: float) -> Array:
        """Return the state before the first layer, shape (texts, length, hidden)."""
        state = self.words[token] + self.places[: token.shape[1]] + self.kind
        return normed(state, *self.norm, epsilon)

    def layer(self, at: int) -> dict[str, Array]:
        """Return one layer's weights."""
        h, own = self.hidden, f"encoder.layer.{at}"
        names = [f"{own}.attention.self.{name}" for name in ("query", "key", "value")]
        up = self._take(f"{own}.intermediate.dense.weight", (-1, h))
        wide = len(up)
        norm = self._norm(f"{own}.attention.output.LayerNorm")
        norm2 = self._norm(f"{own}.output.LayerNorm")

        def turned(name: str, shape: tuple[int, int]) -> Array:
            return np.ascontiguousarray(self._take(f"{name}.weight", shape).T)

        return {
            "qkv": np.concatenate([turned(name, (h, h)) for name in names], axis=1),
            "qkv_bias": np.concatenate([self._take(f"{n}.bias", (h,)) for n in names]),
            "out": turned(f"{own}.attention.output.dense", (h, h)),
            "out_bias": self._take(f"{own}.attention.output.dense.bias", (h,)),
            "norm": norm[0],
            "norm_bias": norm[1],
            "up": np.ascontiguousarray(up.T),
            "up_bias": self._take(f"{own}.intermediate.dense.bias", (wide,)),
            "down": turned(f"{own}.output.dense", (h, wide)),
            "down_bias": self._take(f"{own}.output.dense.bias", (h,)),
            "norm2": norm2[0],
            "norm2_bias": norm2[1],
        }

    def _norm(self, name: str) -> tuple[Array, Array]:
        shape = (self.hidden,)
        return self._take(f"{name}.weight", shape), self._take(f"{name}.bias", shape)

    def _take(self, name: str, shape: tuple[int, ...]) -> Array:
        array = self._given.get(name)
        if array is None:
            raise Misuse(f"The model's weights lack {name}.", NEXT)
        fits = array.ndim == len(shape) and all(
            want in (-1, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits or not array.size:
            raise Misuse(
                f"{name} has the shape {array.shape}; expected {shape}.",
                NEXT,
            )
        return array


def normed(state: Array, scale: Array, bias: Array, epsilon: float) -> Array:
    """Return each position with mean 0 and variance 1, scaled and moved."""
    state = state - state.mean(axis=-1, keepdims=True)
    variance = np.square(state).mean(axis=-1, keepdims=True)
    state /= np.sqrt(variance + np.float32(epsilon))
    return state * scale + bias


def gelu(x: Array) -> Array:
    """Return x times the normal distribution function of x, to within 2e-7 of it.

    References:
        Abramowitz and Stegun (1964), formula 7.1.26, for the error function.
    """
    z = np.abs(x) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * z)
    series: Array = np.full_like(x, 1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(term)
    tail: Array = (
        series * t * np.exp(-z * z) / 2
    )  # the smaller side of the distribution
    below: Array = np.where(x > 0, 1 - tail, tail)
    return x * below
