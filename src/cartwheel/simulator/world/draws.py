"""Random numbers that depend on what they are for, never on what came before.

A draw is a function of (world, stream, three counters), by Philox 4x32-10: Salmon,
Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. Two policies
in one world therefore meet the same people, tastes and lead times, and showing somebody
another product leaves everybody else's draws untouched.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ROUNDS = 10
_MULTIPLIER = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> Array:
    """Return four 32-bit words per counter, uint64, shape (4, n).

    Args:
        counter: Four words each, arrays of one shape (n,) of uint64 below 2**32.
        key: Two words.
    """
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(ROUNDS):
        left, right = c0 * _MULTIPLIER[0], c2 * _MULTIPLIER[1]
        c0, c1, c2, c3 = (
            (right >> _HALF) ^ c1 ^ np.uint64(k0),
            right & _LOW,
            (left >> _HALF) ^ c3 ^ np.uint64(k1),
            left & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


class Draws:
    """The random numbers of one world.

    Args:
        world: Name of the world.
        seed: Number of the world among its like.
    """

    def __init__(self, world: str, seed: int) -> None:
        self._name = f"{world}\x1f{seed}"
        self._keys: dict[str, tuple[int, int]] = {}

    def uniform(
        self, stream: str, first: Any, second: Any = 0, third: Any = 0
    ) -> Array:
        """Return four numbers per counter, uniform in (0, 1), shape (4, n).

        Args:
            stream: What the numbers are for.
            first: Counter, such as the person's number; integers of at least 0.
            second: Counter, such as the day.
            third: Counter, such as the product.
        """
        words = np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(c)).astype(np.uint64) & _LOW
                for c in (first, second, third)
            )
        )
        flat = [word.ravel() for word in words]
        zero = np.zeros(len(flat[0]), np.uint64)
        found = philox((flat[0], flat[1], flat[2], zero), self._key(stream))
        return (found.astype(np.float64) + 0.5) / 2.0**32

    def one(self, stream: str, first: Any, second: Any = 0, third: Any = 0) -> Array:
        """Return one uniform number per counter, shape (n,)."""
        result: Array = self.uniform(stream, first, second, third)[0]
        return result

    def gumbel(self, stream: str, first: Any, second: Any = 0, third: Any = 0) -> Array:
        """Return four standard Gumbel numbers per counter, shape (4, n)."""
        result: Array = -np.log(-np.log(self.uniform(stream, first, second, third)))
        return result

    def normal(self, stream: str, first: Any, second: Any = 0, third: Any = 0) -> Array:
        """Return two standard normal numbers per counter, shape (2, n).

        By Box and Muller (1958), two from two.
        """
        u = self.uniform(stream, first, second, third)
        radius = np.sqrt(-2.0 * np.log(u[0]))
        angle = 2.0 * np.pi * u[1]
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)])

    def generator(self, stream: str) -> np.random.Generator:
        """Return a sequential generator, for what is drawn once when a world begins."""
        digest = hashlib.blake2b(f"{self._name}\x1f{stream}".encode(), digest_size=16)
        return np.random.Generator(
            np.random.Philox(key=int.from_bytes(digest.digest(), "big"))
        )

    def _key(self, stream: str) -> tuple[int, int]:
        if stream not in self._keys:
            text = f"{self._name}\x1f{stream}".encode()
            digest = hashlib.blake2b(text, digest_size=8).digest()
            self._keys[stream] = (
                int.from_bytes(digest[:4], "big"),
                int.from_bytes(digest[4:], "big"),
            )
        return self._keys[stream]
