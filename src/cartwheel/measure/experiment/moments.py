"""Counts, means and covariances of a group: all that a comparison of means needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tea_tasting.aggr import Aggregates

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """A group of units in numbers that can be added up.

    Attributes:
        columns: Names of the k columns.
        count: Units.
        mean: Means, shape (k,).
        cov: Covariances with n - 1 in the denominator, shape (k, k).
    """

    columns: tuple[str, ...]
    count: int
    mean: Array
    cov: Array

    @classmethod
    def of(cls, columns: Sequence[str], values: Array) -> Moments:
        """Return the moments of units.

        Args:
            columns: Names of the k columns.
            values: A row a unit, shape (n, k).

        Raises:
            ValueError: If there are fewer than two units.
        """
        if len(values) < 2:
            raise ValueError(f"{len(values)} units; a spread needs two or more")
        mean = values.mean(axis=0)
        centred = values - mean
        cov = centred.T @ centred / (len(values) - 1)
        return cls(columns=tuple(columns), count=len(values), mean=mean, cov=cov)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both groups together; Chan, Golub and LeVeque (1983).

        Raises:
            ValueError: If the columns differ.
        """
        if self.columns != other.columns:
            raise ValueError(f"columns {self.columns} and {other.columns} differ")
        n, m = self.count, other.count
        gap = other.mean - self.mean
        scatter = (
            (n - 1) * self.cov
            + (m - 1) * other.cov
            + np.outer(gap, gap) * (n * m / (n + m))
        )
        return Moments(
            columns=self.columns,
            count=n + m,
            mean=(n * self.mean + m * other.mean) / (n + m),
            cov=scatter / (n + m - 1),
        )

    def at(self, column: str) -> int:
        """Return where a column stands."""
        return self.columns.index(column)

    def with_sum(self, name: str, weights: dict[str, float]) -> Moments:
        """Return the moments with one more column, a weighted sum of others.

        Args:
            name: Name of the new column.
            weights: Weight by column.
        """
        k = len(self.columns)
        spread = np.eye(k + 1, k)
        for column, weight in weights.items():
            spread[k, self.at(column)] = weight
        return Moments(
            columns=(*self.columns, name),
            count=self.count,
            mean=spread @ self.mean,
            cov=spread @ self.cov @ spread.T,
        )

    def aggregates(self) -> Aggregates:
        """Return them as tea-tasting takes them."""
        from tea_tasting.aggr import Aggregates

        names = self.columns
        return Aggregates(
            count_=self.count,
            mean_={name: float(self.mean[i]) for i, name in enumerate(names)},
            var_={name: float(self.cov[i, i]) for i, name in enumerate(names)},
            cov_={
                (min(a, b), max(a, b)): float(self.cov[i, j])
                for i, a in enumerate(names)
                for j, b in enumerate(names)
                if i < j
            },
        )
