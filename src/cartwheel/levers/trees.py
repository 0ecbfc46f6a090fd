"""Boosted trees as plain arrays, read with numpy alone.

LightGBM learns in the turn; an answer may not import it. A tree is read without walking
it: every node that sends a row right rules the leaves to its left out, a leaf is a bit,
and the leftmost bit that is left is the row's leaf. So the rows of a table are read by
one look-up a feature, whatever the depth.

References:
    Lucchese et al. (2015), "QuickScorer: a fast algorithm to rank documents with
    additive ensembles of regression trees".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MOST_LEAVES = 32
"""Bits of a mask."""

EVERY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """An ensemble of t trees over f features.

    Attributes:
        threshold: Thresholds of all features one after another, each sorted, float64.
        threshold_start: Where each feature's begin, shape (f + 1,).
        mask: Leaves that are left by the number of thresholds below a value, one row
            more a feature than it has thresholds, shape (thresholds + f, t), uint32.
        leaf: Value of every leaf from left to right, shape (t, leaves), float64.
    """

    threshold: Array
    threshold_start: Array
    mask: Array
    leaf: Array

    def predict(self, rows: Array) -> Array:
        """Return the sum of the trees' leaves, shape (n,).

        Args:
            rows: Features, finite, shape (n, f).
        """
        left = np.full((len(rows), len(self.leaf)), EVERY)
        for feature in range(rows.shape[1]):
            first, last = self.threshold_start[feature : feature + 2]
            if first == last:
                continue
            below = np.searchsorted(self.threshold[first:last], rows[:, feature])
            left &= self.mask.take(first + feature + below, axis=0)
        lowest = left & (~left + np.uint32(1))
        which = np.bitwise_count(lowest - np.uint32(1))
        flat = which + np.arange(len(self.leaf)) * self.leaf.shape[1]
        result: Array = self.leaf.ravel().take(flat).sum(axis=1)
        return result

    def arrays(self, prefix: str) -> dict[str, Array]:
        """Return the arrays by name, each beginning with `prefix`."""
        return {prefix + one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def read(cls, arrays: Mapping[str, Array], prefix: str) -> Trees:
        """Return what `arrays` wrote."""
        return cls(**{one.name: arrays[prefix + one.name] for one in fields(cls)})


@dataclass(frozen=True, slots=True)
class _Node:
    feature: int
    threshold: float
    tree: int
    ruled_out: int


def from_lightgbm(booster: Any) -> Trees:
    """Return a LightGBM booster as arrays.

    Args:
        booster: `lightgbm.Booster` of numeric features without missing values.

    Raises:
        ValueError: If a tree has more than 32 leaves or splits by category.
    """
    described = booster.dump_model()
    trees = [one["tree_structure"] for one in described["tree_info"]]
    n_features = int(described["max_feature_idx"]) + 1
    nodes: list[_Node] = []
    leaves: list[list[float]] = []
    for number, root in enumerate(trees):
        found: list[float] = []
        nodes += _nodes(root, number, found)
        if len(found) > MOST_LEAVES:
            raise ValueError(f"a tree has {len(found)} leaves; at most {MOST_LEAVES}")
        leaves.append(found)
    width = max(map(len, leaves), default=1)
    leaf = np.zeros((len(leaves), width))
    for number, values in enumerate(leaves):
        leaf[number, : len(values)] = values
    return Trees(leaf=leaf, **_masks(nodes, n_features, len(trees)))


def _nodes(node: Mapping[str, Any], tree: int, leaves: list[float]) -> Iterator[_Node]:
    """Yield the inner nodes; leaves are appended from left to right."""
    if "leaf_value" in node:
        leaves.append(float(node["leaf_value"]))
        return
    if node["decision_type"] != "<=":
        raise ValueError(f"split is {node['decision_type']}; only <= can be read")
    first = len(leaves)
    yield from _nodes(node["left_child"], tree, leaves)
    bits = sum(1 << leaf for leaf in range(first, len(leaves)))
    yield _Node(int(node["split_feature"]), float(node["threshold"]), tree, bits)
    yield from _nodes(node["right_child"], tree, leaves)


def _masks(nodes: list[_Node], n_features: int, n_trees: int) -> dict[str, Array]:
    thresholds, masks = [], []
    for feature in range(n_features):
        own = [node for node in nodes if node.feature == feature]
        values = np.unique([node.threshold for node in own])
        mask = np.full((len(values) + 1, n_trees), EVERY)
        for node in own:
            at = int(np.searchsorted(values, node.threshold)) + 1
            mask[at, node.tree] &= ~np.uint32(node.ruled_out)
        # A value above a threshold is above all the lower ones too.
        masks.append(np.bitwise_and.accumulate(mask, axis=0))
        thresholds.append(values)
    return {
        "threshold": np.concatenate([*thresholds, np.zeros(0)]),
        "threshold_start": np.r_[0, np.cumsum([len(one) for one in thresholds])],
        "mask": np.concatenate([*masks, np.zeros((0, n_trees), np.uint32)]),
    }
