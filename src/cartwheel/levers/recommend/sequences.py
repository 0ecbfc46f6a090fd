"""What visitors or customers met, one after another; numpy only.

A sequence is one visit, or all purchases of one customer, oldest first. What is asked
about is a prefix of one: what was met so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """Sequences one after another, each oldest first.

    Attributes:
        item: Product numbers, shape (n,).
        step: Which step of its sequence an entry belongs to, not falling within it,
            shape (n,): clicks of a visit count up, lines of one order share a step.
        at: When it was, in days, shape (n,).
        start: Where each sequence begins and the last ends, shape (m + 1,).
        n_items: Products in the catalogue.
    """

    item: Array
    step: Array
    at: Array
    start: Array
    n_items: int

    def __len__(self) -> int:
        """Return how many sequences there are."""
        return len(self.start) - 1

    @classmethod
    def of(
        cls, item: Array, start: Array, n_items: int, *, at: Array | None = None
    ) -> Sequences:
        """Return sequences whose every entry is a step.

        Args:
            item: Product numbers, shape (n,).
            start: Where each begins and the last ends, shape (m + 1,).
            n_items: Products in the catalogue.
            at: Days, shape (n,); the number of the sequence where unknown.
        """
        start = np.asarray(start, np.int64)
        who = owners(start)
        step = np.arange(len(item)) - start[who]
        when = who.astype(float) if at is None else np.asarray(at, float)
        return cls(
            item=np.asarray(item, np.int64),
            step=step,
            at=when,
            start=start,
            n_items=n_items,
        )

    @property
    def owner(self) -> Array:
        """Which sequence each entry belongs to, shape (n,)."""
        return owners(self.start)

    @property
    def end(self) -> float:
        """The latest moment, in days; 0 of none."""
        return float(self.at.max()) if len(self.at) else 0.0

    def where(self, kept: Array) -> Sequences:
        """Return the entries kept, shape (n,) bool; emptied sequences stay, empty."""
        counts = np.bincount(self.owner[kept], minlength=len(self))
        return Sequences(
            item=self.item[kept],
            step=self.step[kept],
            at=self.at[kept],
            start=np.r_[0, np.cumsum(counts)],
            n_items=self.n_items,
        )

    def take(self, chosen: Array) -> Sequences:
        """Return some sequences, by number, in the order given."""
        begin, size = self.start[chosen], np.diff(self.start)[chosen]
        at = spread(begin, size)
        return Sequences(
            item=self.item[at],
            step=self.step[at],
            at=self.at[at],
            start=np.r_[0, np.cumsum(size)],
            n_items=self.n_items,
        )


def owners(start: Array) -> Array:
    """Return which of m segments each of n entries belongs to, shape (n,)."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def spread(begin: Array, size: Array) -> Array:
    """Return the places of segments that begin and last as given, one after another."""
    total = np.cumsum(size)
    first = begin - np.r_[0, total[:-1]] if len(size) else begin
    result: Array = np.repeat(first, size) + np.arange(total[-1] if len(size) else 0)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """What was met so far, in cases that are asked about.

    Attributes:
        item: Product numbers of all cases, oldest first within each, shape (n,).
        row: Number of the case, not falling, shape (n,).
        back: Steps before the case's latest, 0 for the latest, shape (n,).
        age: Days before the moment that is asked about, shape (n,).
        now: That moment, in days, shape (rows,).
        rows: Number of cases.
    """

    item: Array
    row: Array
    back: Array
    age: Array
    now: Array
    rows: int

    def where(self, kept: Array) -> Prefixes:
        """Return the entries kept, shape (n,) bool; cases stay, though emptied."""
        return Prefixes(
            item=self.item[kept],
            row=self.row[kept],
            back=self.back[kept],
            age=self.age[kept],
            now=self.now,
            rows=self.rows,
        )

    def latest(self, most: int) -> Prefixes:
        """Return the latest entries of each case, at most so many."""
        size = np.bincount(self.row, minlength=self.rows)
        if size.max(initial=0) <= most:
            return self
        end = np.cumsum(size)[self.row]
        return self.where(end - np.arange(len(self.row)) <= most)


def prefixes(
    data: Sequences, which: Array, until: Array, now: Array, *, most: int
) -> Prefixes:
    """Return the entries of sequences before a place, the latest `most` of them.

    Args:
        data: Sequences.
        which: Sequence of each case, shape (rows,).
        until: Place in `data.item` before which a case's prefix ends, shape (rows,).
        now: Moment asked about, in days, shape (rows,).
        most: Most entries of a prefix.
    """
    begin = np.maximum(data.start[which], until - most)
    size = until - begin
    at = spread(begin, size)
    row = np.repeat(np.arange(len(which)), size)
    last = data.step[np.maximum(until - 1, 0)] if len(data.item) else until
    return Prefixes(
        item=data.item[at],
        row=row,
        back=last[row] - data.step[at],
        age=np.maximum(now[row] - data.at[at], 0.0),
        now=np.asarray(now, float),
        rows=len(which),
    )
