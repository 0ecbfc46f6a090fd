"""Metrics of ranked lists by hand, and peers on a set that can be seen through."""

from __future__ import annotations

import numpy as np
import pytest
from bench.measure import Plan, Skipped
from bench.next_item import next_item
from bench.next_item_peers import (
    COVISITS,
    IN_ORDER,
    OWN,
    POPULAR,
    PREFIX,
    STAN,
    blended,
    lists_of,
    popularity,
    tuned,
)
from bench.ranking import Lists, figures, interval, top_lists
from bench.shopping import starts_of, upto

from cartwheel.levers.recommend.ranker import every_step
from cartwheel.levers.recommend.sequences import Sequences

N = 30


def visits(count, seed=1):
    """Visits whose next product is one higher, nearly always."""
    rng = np.random.default_rng(seed)
    item = []
    for _ in range(count):
        at = int(rng.integers(N))
        for _ in range(4):
            item.append(at)
            at = (at + 1) % N if rng.random() < 0.9 else int(rng.integers(N))
    return Sequences.of(np.array(item), np.arange(0, 4 * count + 1, 4), N)


def test_metrics_by_hand():
    data = Sequences.of(np.array([0, 1, 2]), np.array([0, 3]), N)
    cases = every_step(data)
    top = np.full((2, 20), 29)
    top[0, 1] = 1  # second place
    metrics = Lists(top=top).metrics(cases)
    assert metrics["HR@20"].tolist() == [1, 0]
    assert metrics["MRR@20"].tolist() == [0.5, 0]
    assert metrics["NDCG@10"] == pytest.approx([1 / np.log2(3), 0])
    top[0, :] = 29
    top[0, 14] = 1  # within twenty, not within ten
    metrics = Lists(top=top).metrics(cases)
    assert metrics["HR@20"].tolist() == [1, 0]
    assert metrics["HR@10"].tolist() == [0, 0]
    assert metrics["NDCG@10"].tolist() == [0, 0]


def test_ties_go_to_the_popular_and_short_lists_are_filled():
    popular = np.arange(N, 0, -1.0)
    top = top_lists(np.zeros(2, int), np.array([9, 5]), np.ones(2), popular, 2)
    assert top[0, :4].tolist() == [5, 9, 0, 1]
    assert top[1].tolist() == list(range(20))
    seen = np.array([0, 0]), np.array([5, 0])
    top = top_lists(np.zeros(2, int), np.array([9, 5]), np.ones(2), popular, 2, seen)
    assert top[0, :3].tolist() == [9, 1, 2]
    assert len(set(top[0].tolist())) == 20


def test_interval_holds_the_mean():
    low, mean, high = interval(np.array([0.0, 1.0] * 50))
    assert low < mean == 0.5 < high


@pytest.mark.parametrize("peer", [STAN, COVISITS, IN_ORDER])
def test_peers_find_the_next_product(peer):
    data = visits(300)
    cases = every_step(visits(40, seed=2))
    _, scorer = tuned(peer, data, data.take(np.arange(250)), cases, metric="MRR@20")
    found = lists_of(scorer, cases, popularity(data)).metrics(cases)
    assert found["HR@10"].mean() > 0.8


def test_simple_peers_say_what_they_say():
    data, cases = visits(50), every_step(visits(5, seed=2))
    popular = popularity(data)
    own = lists_of(PREFIX.learn(data, 0.5), cases, popular).top
    before = cases.data.item[cases.until - 1]
    assert own[:, 0].tolist() == before.tolist()
    most = lists_of(POPULAR.learn(data, 1e9), cases, popular).top
    assert (most[:, 0] == np.argmax(popular)).all()
    unseen = lists_of(OWN.learn(data, 1.0), cases, popular, seen=False).top
    assert not (unseen == before[:, None]).any()
    both = blended([PREFIX.learn(data, 0.5), POPULAR.learn(data, 1e9)], N)
    assert (lists_of(both, cases, popular).top[:, 0] == before).all()


def test_lead_is_paired_and_printed_with_the_target():
    data = visits(50)
    cases = every_step(data)
    right = np.full((len(cases), 20), 0)
    right[:, 0] = cases.target
    found = {"ours": Lists(top=right), "peer": Lists(top=np.zeros_like(right))}
    rows = {
        row.name: row
        for row in figures(
            "p",
            "s",
            cases,
            found,
            ours="ours",
            metrics=("HR@20",),
            targets={"HR@20": 0.9},
            groups={"first": cases.until % 4 == 1},
        )
    }
    assert rows["ours, HR@20"].met
    assert rows["peer, HR@20"].floor
    assert rows["lead over peer, HR@20"].median > 0.9
    assert "ours, HR@20, first" in rows


def test_histories_lose_their_last_entries():
    data = Sequences.of(np.array([1, 2, 3, 4]), np.array([0, 3, 4]), 5)
    assert upto(data, 1).item.tolist() == [1, 2]
    assert starts_of(np.array([7, 7, 9])).tolist() == [0, 2, 3]


def test_absent_sets_are_skipped(tmp_path):
    plan = Plan(work=tmp_path, data=tmp_path, quick=True)
    with pytest.raises(Skipped, match="retailrocket-sessions is not in"):
        list(next_item(plan))
