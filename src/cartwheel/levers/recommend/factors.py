"""Tastes as a few numbers a person, from what was shown, opened and wanted.

A product that nobody opened may never have been shown. So two chances are told apart,
each with its own denominator: that a product seen in a slot is opened, and that a
product looked at is put into the cart. One taste bends both,

    logit P(opened | shown)  = opened[p] + taste[u] . vector[p]
    logit P(wanted | looked) = wanted[p] + taste[u] . vector[p]

with taste[u] ~ N(0, I). Fitted by expectation and maximisation with the quadratic bound
of the logistic function (Jaakkola and Jordan, 2000, "Bayesian parameter estimation via
variational methods", equation 12), so that every step is a small linear system and
whoever did little keeps close to the average taste by the mathematics, not by a rule.
A product's vector is drawn to what its category and price level say, so a product that
is new has one too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = np.ndarray[Any, Any]

WIDTH = 8
"""Numbers in a taste. On simulated shops 5 told less apart and 12 no more."""

ROUNDS = 10
"""Rounds of the fit; 30 changed slates by less than a hundredth."""

MORE_ROUNDS = 4
"""Rounds of a fit that begins where another, on less data, ended."""

SWEEPS = 2
"""Times the bound is drawn closer when a taste is read from new rows."""

STEADY_SHOWN = 5.0
"""Slots' worth of the shop's mean in a product's first opening rate."""

STEADY_LOOKED = 10.0
"""Looks' worth of the shop's mean in a product's first wanting rate."""

HOLD_OPENED, HOLD_WANTED = 1.0, 4.0
"""Precision, on the log-odds, that draws a product's level to its expectation."""

LEAST_SPREAD = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What people did, people by products, counts; all of one shape and sorted.

    Attributes:
        shown: Slots in which a product was seen.
        opened: Of these, opened; never more than shown.
        looked: Looks at a product's page, however it was reached.
        wanted: Of these, put into the cart; never more than looked.
        chosen: Bought without being seen to look, by people who refuse measurement or
            on another device; what they passed over is not known.
    """

    shown: csr_matrix
    opened: csr_matrix
    looked: csr_matrix
    wanted: csr_matrix
    chosen: csr_matrix

    def of(self, who: Array) -> Deeds:
        """Return the deeds of some people."""
        return Deeds(
            shown=self.shown[who],
            opened=self.opened[who],
            looked=self.looked[who],
            wanted=self.wanted[who],
            chosen=self.chosen[who],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What products are to tastes; n products, k numbers.

    Attributes:
        vector: What each product is, shape (n, k).
        opened: Log-odds of being opened by an average person who sees it, (n,).
        wanted: Log-odds of being wanted by an average person who looks, (n,).
    """

    vector: Array
    opened: Array
    wanted: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is known of tastes; m people, k numbers, t = k (k + 1) / 2.

    Attributes:
        mean: Expected taste, shape (m, k).
        precision: How firmly it is known, packed upper triangle, shape (m, t); the
            identity where nothing is known.
    """

    mean: Array
    precision: Array


def learn_factors(
    deeds: Deeds, traits: Array, *, seed: int, start: Factors | None = None
) -> tuple[Factors, Beliefs]:
    """Fit products' vectors and levels, and people's tastes.

    What was chosen is left out: without what was passed over, it would teach that some
    people want everything.

    Args:
        deeds: What people did.
        traits: What is known of each product before anybody meets it, shape (n, q).
        seed: Seed of the first guess.
        start: What was learned from less of the same; it needs few rounds more.
    """
    shown, looked = _Cells.of(deeds.shown, deeds.opened), _looks(deeds)
    fit = _Fit(shown, looked, traits, seed, start)
    for _ in range(ROUNDS if start is None else MORE_ROUNDS):
        fit.learn_tastes()
        fit.learn_vectors()
        fit.learn_levels()
    fit.learn_tastes()
    factors = Factors(vector=fit.vector, opened=fit.opened, wanted=fit.wanted)
    return factors, Beliefs(mean=fit.taste, precision=fit.precision)


def read_tastes(factors: Factors, deeds: Deeds) -> Beliefs:
    """Return the tastes of people by what they did, products being as they are.

    What was chosen counts as drawn from what these people choose, each choice moved by
    the taste (a multinomial logit, to the second order in the taste).
    """
    shown, looked = _Cells.of(deeds.shown, deeds.opened), _looks(deeds)
    width = factors.vector.shape[1]
    mean = np.zeros((deeds.shown.shape[0], width))
    pairs = packed(factors.vector)
    precision = np.zeros((len(mean), pairs.shape[1]))
    levels = (factors.opened, factors.wanted)
    told = _choices(deeds.chosen, factors.vector)
    for _ in range(SWEEPS):
        precision, mean = _tastes(
            (shown, looked), levels, factors.vector, pairs, mean, told
        )
    return Beliefs(mean=mean, precision=precision)


def packed(vector: Array) -> Array:
    """Return each row's products with itself, upper triangle, shape (m, t)."""
    row, column = np.triu_indices(vector.shape[1])
    result: Array = vector[:, row] * vector[:, column]
    return result


def unpacked(triangle: Array, width: int) -> Array:
    """Return symmetric matrices of packed upper triangles, shape (m, k, k)."""
    row, column = np.triu_indices(width)
    full = np.empty((len(triangle), width, width))
    full[:, row, column] = triangle
    full[:, column, row] = triangle
    return full


def bound_weight(log_odds: Array) -> Array:
    """Return twice lambda of the bound at some log-odds: tanh(x / 2) / (2 x)."""
    x = np.maximum(np.abs(log_odds), 1e-6)
    result: Array = np.tanh(x / 2) / (2 * x)
    return result


def nobody(width: int) -> Array:
    """Return the packed precision of a taste of which nothing is known, (t,)."""
    row, column = np.triu_indices(width)
    known: Array = (row == column).astype(float)
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Binomial counts of people by products, and how to sum over either."""

    shape: tuple[int, int]
    indptr: Array
    who: Array
    item: Array
    tries: Array
    hits: Array

    @classmethod
    def of(cls, tries: csr_matrix, hits: csr_matrix) -> _Cells:
        who = np.repeat(np.arange(tries.shape[0]), np.diff(tries.indptr))
        counted = np.asarray(hits[who, tries.indices]).ravel()
        return cls(
            shape=tries.shape,
            indptr=tries.indptr,
            who=who,
            item=tries.indices,
            tries=tries.data.astype(float),
            hits=np.minimum(counted, tries.data).astype(float),
        )

    def matrix(self, values: Array) -> csr_matrix:
        from scipy.sparse import csr_matrix

        return csr_matrix((values, self.item, self.indptr), shape=self.shape)

    def by_item(self, values: Array) -> Array:
        return np.bincount(self.item, weights=values, minlength=self.shape[1])


def _looks(deeds: Deeds) -> _Cells:
    return _Cells.of(deeds.looked, deeds.wanted)


def _bounded(cells: _Cells, level: Array, bend: Array) -> tuple[csr_matrix, csr_matrix]:
    """Return weights and pulls of the quadratic bound at the present tastes."""
    at = level[cells.item]
    weight = bound_weight(at + bend) * cells.tries
    pull = cells.hits - cells.tries / 2 - weight * at
    return cells.matrix(weight), cells.matrix(pull)


def _bend(cells: _Cells, taste: Array, vector: Array) -> Array:
    result: Array = np.einsum("ij,ij->i", taste[cells.who], vector[cells.item])
    return result


def _tastes(
    cells: tuple[_Cells, ...],
    levels: tuple[Array, ...],
    vector: Array,
    pairs: Array,
    taste: Array,
    told: tuple[Array, Array] = (np.zeros(1), np.zeros(1)),
) -> tuple[Array, Array]:
    """Return precision, packed, and mean of every taste.

    Args:
        cells: Counts.
        levels: Log-odds of an average person, for each of the counts.
        vector: What products are to tastes.
        pairs: Their products with themselves, expected, packed.
        taste: Where the bound touches.
        told: Precision and pull known besides.
    """
    precision = np.zeros((len(taste), pairs.shape[1])) + nobody(vector.shape[1])
    precision += told[0]
    pull = np.zeros(taste.shape) + told[1]
    for one, level in zip(cells, levels, strict=True):
        weights, pulls = _bounded(one, level, _bend(one, taste, vector))
        precision += weights @ pairs
        pull += pulls @ vector
    full = unpacked(precision, vector.shape[1])
    return precision, np.linalg.solve(full, pull[:, :, None])[:, :, 0]


def _choices(chosen: csr_matrix, vector: Array) -> tuple[Array, Array]:
    """Return precision, packed, and pull of choices among what people choose."""
    count = np.asarray(chosen.sum(axis=1)).ravel()
    share = np.asarray(chosen.sum(axis=0)).ravel() + 1e-9
    share = share / share.sum()
    centred = vector - share @ vector
    spread = share @ packed(centred)
    return count[:, None] * spread[None, :], chosen @ centred


class _Fit:
    """Vectors, levels and tastes while they are fitted to each other."""

    def __init__(
        self,
        shown: _Cells,
        looked: _Cells,
        traits: Array,
        seed: int,
        start: Factors | None,
    ) -> None:
        self._cells = (shown, looked)
        self._traits = traits
        if start is None:
            self.opened = _first_level(shown, STEADY_SHOWN)
            self.wanted = _first_level(looked, STEADY_LOOKED)
            width = max(1, min(WIDTH, shown.shape[1] - 1))
            self.vector = _first_vectors(shown, looked, self._levels, width, seed)
        else:
            self.opened, self.wanted = start.opened, start.wanted
            self.vector = start.vector
        width = self.vector.shape[1]
        self._pairs = packed(self.vector)
        self._spread = np.full(width, 0.3)
        self._expected = np.zeros(self.vector.shape)
        self.taste = np.zeros((shown.shape[0], width))
        self.precision = np.empty((0, 0))

    def learn_tastes(self) -> None:
        self.precision, self.taste = _tastes(
            self._cells, self._levels, self.vector, self._pairs, self.taste
        )

    @property
    def _levels(self) -> tuple[Array, Array]:
        return self.opened, self.wanted

    def learn_vectors(self) -> None:
        width = self.vector.shape[1]
        row, column = np.triu_indices(width)
        doubt = np.linalg.inv(unpacked(self.precision, width))[:, row, column]
        second = packed(self.taste) + doubt
        triangle = np.zeros(self._pairs.shape) + nobody(width) / self._spread[row]
        pull = self._expected / self._spread
        for one, level in zip(self._cells, self._levels, strict=True):
            bend = _bend(one, self.taste, self.vector)
            weights, pulls = _bounded(one, level, bend)
            triangle += weights.T @ second
            pull += pulls.T @ self.taste
        doubt = np.linalg.inv(unpacked(triangle, width))
        # Tastes are held to unit spread by bending the vectors instead: the fit gets
        # there in a few rounds, not dozens (Liu, Rubin and Wu, 1998, PX-EM).
        spread = unpacked(second.mean(axis=0)[None], width)[0]
        stretch = np.linalg.cholesky(spread)
        self.vector = np.einsum("pij,pj->pi", doubt, pull) @ stretch
        doubt = stretch.T @ doubt @ stretch
        self.taste = self.taste @ np.linalg.inv(stretch).T
        self._pairs = packed(self.vector) + doubt[:, row, column]
        self._expected = self._traits @ _ridge(self._traits, self.vector)
        own = (self.vector - self._expected) ** 2
        own += np.einsum("pii->pi", doubt)
        self._spread = np.maximum(own.mean(axis=0), LEAST_SPREAD)

    def learn_levels(self) -> None:
        shown, looked = self._cells
        count = shown.by_item(shown.tries)
        usual = float(np.average(self.opened, weights=count + 1e-9))
        self.opened = _level(
            shown,
            self.opened,
            np.full(len(count), usual),
            HOLD_OPENED,
            _bend(shown, self.taste, self.vector),
        )
        # Who opens a thing often wants it often: a product with few looks is expected
        # to be wanted as others are that are opened as often.
        count = looked.by_item(looked.tries)
        design = np.column_stack([np.ones(len(count)), self.opened])
        weight = count / (count + 50.0)
        line = np.linalg.solve(
            design.T @ (weight[:, None] * design) + np.diag([1e-6, 5.0]),
            design.T @ (weight * self.wanted),
        )
        self.wanted = _level(
            looked,
            self.wanted,
            design @ line,
            HOLD_WANTED,
            _bend(looked, self.taste, self.vector),
        )


def _first_level(cells: _Cells, steady: float) -> Array:
    tries, hits = cells.by_item(cells.tries), cells.by_item(cells.hits)
    mean = np.clip(hits.sum() / max(tries.sum(), 1.0), 1e-4, 0.5)
    rate = (hits + steady * mean) / (tries + steady)
    rate = np.clip(rate, 1e-4, 0.9)
    result: Array = np.log(rate / (1 - rate))
    return result


def _first_vectors(
    shown: _Cells, looked: _Cells, levels: tuple[Array, Array], width: int, seed: int
) -> Array:
    """Return leading directions in which people differ from each product's mean."""
    left = []
    for cells, level in zip((shown, looked), levels, strict=True):
        chance = 1 / (1 + np.exp(-level[cells.item]))
        spread = np.sqrt(cells.tries * chance * (1 - chance))
        left.append(cells.matrix((cells.hits - cells.tries * chance) / spread))
    rows = left[0] + left[1]
    found = np.random.default_rng(seed).standard_normal((rows.shape[1], width))
    for _ in range(6):
        found, _ = np.linalg.qr(rows.T @ (rows @ found))
    size = np.sqrt(np.linalg.norm(rows @ found, axis=0))
    found = found * size / max(float(size.max()), 1e-9)
    result: Array = found / np.maximum(np.abs(found).max(axis=0), 1e-9)
    return result


def _ridge(traits: Array, vector: Array) -> Array:
    gram = traits.T @ traits + np.eye(traits.shape[1])
    result: Array = np.linalg.solve(gram, traits.T @ vector)
    return result


def _level(
    cells: _Cells, level: Array, expected: Array, hold: float, bend: Array
) -> Array:
    """Return levels after two Newton steps towards their most probable value."""
    for _ in range(2):
        chance = 1 / (1 + np.exp(-(level[cells.item] + bend)))
        slope = cells.by_item(cells.hits - cells.tries * chance)
        curve = cells.by_item(cells.tries * chance * (1 - chance))
        level = level + (slope - hold * (level - expected)) / (curve + hold)
    return level
