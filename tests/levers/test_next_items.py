"""What comes next: sequences, sources, candidates and the ranker over them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.recommend.content import content_neighbours, traits_of
from cartwheel.levers.recommend.covisits import follows, scaled, strongest_of
from cartwheel.levers.recommend.embedding import closest, embed
from cartwheel.levers.recommend.nearest import Nearness, heard, keep_sessions
from cartwheel.levers.recommend.next_items import (
    learn_last,
    learn_visits,
    learn_windows,
    window_cases,
)
from cartwheel.levers.recommend.pool import (
    FEATURES,
    IN_VISIT,
    NEW_IN_HISTORY,
    make_pool,
)
from cartwheel.levers.recommend.ranker import Ranker, every_step
from cartwheel.levers.recommend.sequences import Prefixes, Sequences, prefixes
from cartwheel.levers.recommend.sources import Sources, learn_sources


def sequences(*lists, n_items=None, at=None):
    item = np.array([one for each in lists for one in each], np.int64)
    start = np.r_[0, np.cumsum([len(each) for each in lists])]
    count = int(item.max(initial=-1)) + 1 if n_items is None else n_items
    return Sequences.of(item, start, count, at=at)


def asked(*lists):
    data = sequences(*lists)
    rows = len(data)
    return prefixes(
        data, np.arange(rows), data.start[1:], np.full(rows, data.end), most=300
    )


def chains(seed, visits=1500, n_items=60):
    """Visits that go on to the next product or back to the first, as by a rule."""
    rng = np.random.default_rng(seed)
    lists = []
    for _ in range(visits):
        seen = [int(rng.integers(n_items))]
        for _ in range(int(rng.integers(1, 6))):
            ahead = (seen[-1] + 1) % n_items
            draw = rng.random()
            other = int(rng.integers(n_items))
            seen.append(ahead if draw < 0.5 else seen[0] if draw < 0.8 else other)
        lists.append(seen)
    return sequences(*lists, n_items=n_items)


def summed(found, n_items):
    row, item, weight = found
    total = np.zeros((int(row.max(initial=-1)) + 1, n_items))
    np.add.at(total, (row, item), weight)
    return total


def test_prefix_is_cut_and_counted_back():
    data = sequences([3, 1, 2], [4, 4], at=[0.0, 1, 2, 5, 6])
    found = prefixes(
        data, np.array([0, 1]), np.array([2, 5]), np.array([4.0, 7.0]), most=2
    )
    assert found.item.tolist() == [3, 1, 4, 4]
    assert found.row.tolist() == [0, 0, 1, 1]
    assert found.back.tolist() == [1, 0, 1, 0]
    assert found.age.tolist() == [4, 3, 2, 1]


def test_latest_entries_of_each_case():
    found = asked([1, 2, 3], [4], [5, 6]).latest(2)
    assert found.item.tolist() == [2, 3, 4, 5, 6]
    assert found.rows == 3


def test_follows_counts_in_order_and_decays():
    counts = follows(sequences([0, 1, 2], n_items=3), decay=0.5, steps=2).toarray()
    assert counts.tolist() == [[0, 1, 0.5], [0, 0, 1], [0, 0, 0]]
    both = follows(
        sequences([0, 1], n_items=2), decay=0.5, steps=2, backward=0.25
    ).toarray()
    assert both.tolist() == [[0, 1], [0.25, 0]]


def test_follows_forgets():
    data = sequences([0, 1], [0, 1], at=[0.0, 0.0, 10.0, 10.0])
    counts = follows(data, decay=1.0, steps=1, half_life_days=10.0).toarray()
    assert counts[0, 1] == pytest.approx(1.5)


def test_lines_of_one_order_go_both_ways():
    data = Sequences(
        item=np.array([0, 1, 2]),
        step=np.array([0, 0, 1]),
        at=np.zeros(3),
        start=np.array([0, 3]),
        n_items=3,
    )
    counts = follows(data, decay=1.0, steps=1).toarray()
    assert counts.tolist() == [[0, 1, 1], [1, 0, 1], [0, 0, 0]]


def test_strongest_are_kept_in_order_and_rows_scale_to_one():
    counts = follows(sequences([0, 1], [0, 2], [0, 2], n_items=3), decay=1.0, steps=1)
    lists = strongest_of(scaled(counts, by_row=1.0, by_column=0.0), 2)
    assert lists.index[0].tolist() == [2, 1]
    assert lists.weight[0] == pytest.approx([2 / 3, 1 / 3])
    assert lists.weight[1].tolist() == [0, 0]


def plain_nearest(data, prefix, how):
    """Score as the words say, one session after another."""
    total = np.zeros(data.n_items)
    near = []
    for one in range(len(data)):
        first, last = data.start[one : one + 2]
        items = data.item[first:last].tolist()
        shared = [place for place, item in enumerate(prefix) if item in items]
        if not shared:
            continue
        like = sum(np.exp(-(len(prefix) - 1 - p) / how.by_step) for p in shared)
        like *= np.exp(-(data.end - data.at[last - 1]) / how.by_age)
        met = len(items) - 1 - items[::-1].index(prefix[shared[-1]])
        near.append((like / len(items) ** how.size_power, items, met))
    for like, items, met in near:
        for place, item in enumerate(items):
            total[item] += like * np.exp(-abs(place - met) / how.by_distance)
    return total


@settings(deadline=None, max_examples=60)
@given(
    lists=st.lists(
        st.lists(st.integers(0, 7), min_size=1, max_size=6), min_size=1, max_size=12
    ),
    prefix=st.lists(st.integers(0, 7), min_size=1, max_size=5),
)
def test_nearest_sessions_are_what_the_words_say(lists, prefix):
    data = sequences(*lists, n_items=8)
    question = prefixes(
        sequences(prefix, n_items=8),
        np.array([0]),
        np.array([len(prefix)]),
        np.array([data.end]),
        most=50,
    )
    how = Nearness()
    found = heard(keep_sessions(data, per_item=100), question, how)
    total = np.zeros(8)
    np.add.at(total, found[1], found[2])
    assert total == pytest.approx(plain_nearest(data, prefix, how))


def test_nearest_sessions_keep_the_latest_of_a_product():
    data = sequences([0, 1], [0, 2], n_items=3)
    found = heard(keep_sessions(data, per_item=1), asked([0]), Nearness(by_age=1e9))
    assert set(found[1].tolist()) == {0, 2}


def test_content_is_alike_by_rare_traits():
    traits = traits_of([["a", "x"], ["a", "y"], ["b", "y"], ["b"], [], ["c"]])
    lists = content_neighbours(traits, 3)
    assert lists.index[0, 0] == 1
    assert lists.weight[4].tolist() == [0] * lists.weight.shape[1]
    assert content_neighbours(traits_of([]), 3).index.shape == (0, 1)


def test_points_of_what_is_met_together_are_close():
    data = sequences(*[[0, 1, 2]] * 9, *[[3, 4, 5]] * 9, n_items=7)
    counts = follows(data, decay=1.0, steps=2, backward=1.0)
    points = embed(counts, 4)
    assert points[0] @ points[1] > points[0] @ points[3] + 0.5
    assert np.array_equal(points, embed(counts, 4))
    assert points[6].tolist() == [0] * 4
    assert set(closest(points, 2).index[0].tolist()) == {1, 2}


@pytest.mark.parametrize("n_items", [1, 2, 3])
def test_tiny_catalogues_have_sources(n_items):
    data = sequences([0] * 3, n_items=n_items)
    sources = learn_sources(data)
    pool = make_pool(sources, asked([0]), IN_VISIT)
    assert np.isfinite(pool.features).all()


@settings(deadline=None, max_examples=40)
@given(
    lists=st.lists(
        st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1, max_size=15
    ),
    questions=st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=1, max_size=4),
    repeats=st.booleans(),
    most=st.integers(1, 9),
)
def test_candidates_are_finite_distinct_and_alike_alone(
    lists, questions, repeats, most
):
    sources = learn_sources(sequences(*lists, n_items=10))
    choosing = replace(IN_VISIT, most=most, repeats=repeats)
    data = sequences(*questions, n_items=10)
    every = np.arange(len(data))
    now = np.full(len(data), 20.0)
    together = make_pool(
        sources, prefixes(data, every, data.start[1:], now, most=50), choosing
    )
    assert together.features.shape == (len(together.row), len(FEATURES))
    assert np.isfinite(together.features).all()
    cells = together.row * 10 + together.item
    assert len(np.unique(cells)) == len(cells)
    for one in every.tolist():
        alone = make_pool(
            sources,
            prefixes(data, every[one : one + 1], data.start[[one + 1]], now, most=50),
            choosing,
        )
        mine = together.row == one
        assert alone.item.tolist() == together.item[mine].tolist()
        assert alone.features == pytest.approx(together.features[mine], abs=1e-5)
        assert len(alone.item) <= most
        if not repeats:
            assert not set(alone.item.tolist()) & set(questions[one])


def test_what_was_taken_leaves_its_place_to_others():
    lists = [[one, (one + step) % 9] for one in range(9) for step in range(1, 9)]
    sources = learn_sources(sequences(*lists, n_items=9))
    choosing = replace(NEW_IN_HISTORY, most=5, popular=9)
    pool = make_pool(sources, asked([0, 1, 2, 3]), choosing)
    assert len(pool.item) == 5
    assert not set(pool.item.tolist()) & {0, 1, 2, 3}


def test_bestsellers_are_candidates_of_every_case():
    lists = [[0, 1]] * 5 + [[7, 8]] * 50
    sources = learn_sources(sequences(*lists, n_items=9))
    few = make_pool(sources, asked([0]), replace(IN_VISIT, popular=0))
    some = make_pool(sources, asked([0]), replace(IN_VISIT, popular=2))
    assert 8 not in few.item.tolist()
    assert {7, 8} <= set(some.item.tolist())
    ahead = some.blend[some.item == 1]
    assert (some.blend[np.isin(some.item, [7, 8])] < ahead).all()


def test_onward_tells_what_comes_after_never_before():
    sources = learn_sources(sequences(*[[0, 1, 2]] * 5))
    found = summed(dict(sources.scored(asked([1])))["onward"], 3)
    assert found[0, 2] > 0
    assert found[0, 0] == 0


def test_sources_are_read_back_from_arrays():
    data = chains(1, visits=100)
    sources = learn_sources(data)
    again = Sources.read(sources.arrays("next_"), "next_")
    one, other = (make_pool(s, asked([1, 2]), IN_VISIT) for s in (sources, again))
    assert np.array_equal(one.features, other.features)


def test_ranker_learns_what_the_blend_does_not_know():
    model = learn_visits(chains(1), seed=1)
    assert model.ranker.trees is not None
    assert model.test["ndcg_gain"][0] > 0
    question = asked([7, 30])
    _, item, _ = model.ranker.rank(model.sources, question)
    # The next product is likeliest, then the first of the visit.
    assert item[:2].tolist() == [31, 7]


def test_same_visits_and_seed_teach_the_same():
    one, other = (learn_visits(chains(2, visits=600), seed=3) for _ in range(2))
    _, first, score = one.ranker.rank(one.sources, asked([4, 5]))
    _, second, again = other.ranker.rank(other.sources, asked([4, 5]))
    assert first.tolist() == second.tolist()
    assert score.tolist() == again.tolist()


def test_few_visits_keep_the_blend():
    model = learn_visits(chains(1, visits=30), seed=1)
    assert model.ranker.trees is None
    assert model.test == {}


def test_noise_keeps_the_blend():
    rng = np.random.default_rng(1)
    lists = [rng.integers(50, size=4).tolist() for _ in range(500)]
    model = learn_visits(sequences(*lists, n_items=50), seed=1)
    assert model.test["cases"] > 50
    assert model.ranker.trees is None


def test_no_visits_at_all_still_answer():
    nothing = sequences(n_items=5)
    model = learn_visits(nothing, seed=1)
    row, item, _ = model.ranker.rank(model.sources, asked([1]))
    assert set(row.tolist()) <= {0}
    assert len(set(item.tolist())) == len(item)


def test_heavier_answers_pull_the_order():
    data = sequences(*[[0, 1], [0, 1], [0, 2]] * 1000, n_items=3)
    plain = learn_visits(data, seed=1)
    weight = np.where(data.item == 2, 8.0, 1.0)
    model = learn_visits(data, seed=1, weight=weight)
    _, usual, _ = plain.ranker.rank(plain.sources, asked([0]))
    _, item, _ = model.ranker.rank(model.sources, asked([0]))
    assert usual[0] == 1
    assert item[0] == 2


def test_last_items_of_histories_are_learned_without_what_was_had():
    rng = np.random.default_rng(1)
    lists = [
        [(first + step * 2) % 40 for step in range(5)]
        for first in rng.integers(40, size=600).tolist()
    ]
    model = learn_last(sequences(*lists, n_items=40), seed=1)
    _, item, _ = model.ranker.rank(model.sources, asked([0, 2, 4]))
    assert item[0] == 6
    assert not {0, 2, 4} & set(item.tolist())


def test_window_cases_hold_what_followed():
    data = sequences(
        [0, 1, 0, 2], [3], [4, 4], n_items=5, at=[0.0, 5, 12, 13, 11, 3, 30]
    )
    every = window_cases(data, 10.0, 10.0)
    assert every.which.tolist() == [0]  # the second is new, the third took nothing
    assert sorted(every.target.tolist()) == [0, 2]
    new = window_cases(data, 10.0, 10.0, repeats=False)
    assert new.target.tolist() == [2]


def test_windows_need_days_before_them():
    data = sequences(*[[0, 1]] * 5, n_items=2, at=np.arange(10.0))
    model = learn_windows(data, days=30.0, windows=3, repeats=True, seed=1)
    assert model.test == {}
    assert isinstance(model.ranker, Ranker)


def test_every_click_after_the_first_is_a_case():
    cases = every_step(sequences([1, 2, 3], [4], [5, 5], n_items=6))
    assert cases.target.tolist() == [2, 3, 5]
    kept = cases.take(np.array([0, 2]))
    assert kept.target.tolist() == [2, 5]
    assert kept.row.tolist() == [0, 1]


def test_a_prefix_of_nothing_has_the_popular():
    sources = learn_sources(sequences([0, 0], [0, 1], n_items=4))
    nothing = Prefixes(
        item=np.zeros(0, np.int64),
        row=np.zeros(0, np.int64),
        back=np.zeros(0, np.int64),
        age=np.zeros(0),
        now=np.array([5.0]),
        rows=1,
    )
    ranker = Ranker(trees=None, choosing=IN_VISIT)
    _, item, _ = ranker.rank(sources, nothing)
    assert item[0] == 0
