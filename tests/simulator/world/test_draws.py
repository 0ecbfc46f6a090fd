"""Random numbers against the published generator, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cartwheel.simulator.world.draws import Draws, philox

COUNTERS = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 5_000), st.integers(0, 5_000)
)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        # The known answers published with Random123, philox4x32 with ten rounds.
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_answers(counter, key, expected):
    words = tuple(np.array([word], np.uint64) for word in counter)
    assert tuple(int(w) for w in philox(words, key)[:, 0]) == expected


def test_uniforms_are_uniform_and_their_four_columns_independent():
    u = Draws("w", 1).uniform("test", np.arange(20_000), 3)
    assert u.shape == (4, 20_000)
    assert u.min() > 0
    assert u.max() < 1
    for column in u:
        assert stats.kstest(column, "uniform").pvalue > 0.001
    apart = np.corrcoef(u)[np.triu_indices(4, 1)]
    assert np.abs(apart).max() < 0.03
    # Neither do neighbours in any of the counters hang together.
    assert abs(np.corrcoef(u[0][:-1], u[0][1:])[0, 1]) < 0.03
    tomorrow = Draws("w", 1).uniform("test", np.arange(20_000), 4)
    assert abs(np.corrcoef(u[0], tomorrow[0])[0, 1]) < 0.03


def test_normals_and_gumbels_follow_their_laws():
    draws, who = Draws("w", 1), np.arange(20_000)
    for column in draws.normal("n", who):
        assert stats.kstest(column, "norm").pvalue > 0.001
    for column in draws.gumbel("g", who):
        assert stats.kstest(column, "gumbel_r").pvalue > 0.001


@settings(max_examples=40)
@given(st.lists(COUNTERS, min_size=1, max_size=12), st.integers(0, 2**31), st.data())
def test_a_draw_depends_on_its_counters_alone(counters, seed, data):
    first, second, third = (np.array(c) for c in zip(*counters, strict=True))
    draws = Draws("w", seed)
    together = draws.uniform("a", first, second, third)
    other = Draws("w", seed)
    other.uniform("b", 7)  # what was drawn before does not matter
    order = data.draw(st.permutations(range(len(counters))))
    for i in order:
        alone = other.uniform("a", int(first[i]), int(second[i]), int(third[i]))
        assert np.array_equal(alone[:, 0], together[:, i])


def test_a_draw_differs_with_everything_it_depends_on():
    one = Draws("w", 1).one("a", 5, 6, 7)
    others = [
        Draws("v", 1).one("a", 5, 6, 7),
        Draws("w", 2).one("a", 5, 6, 7),
        Draws("w", 1).one("b", 5, 6, 7),
        Draws("w", 1).one("a", 6, 5, 7),
        Draws("w", 1).one("a", 5, 7, 6),
        Draws("w", 1).one("a", 4, 6, 7),
    ]
    assert len({float(one[0]), *(float(o[0]) for o in others)}) == 7


def test_a_name_and_a_seed_do_not_run_together():
    assert Draws("w1", 2).one("a", 0) != Draws("w", 12).one("a", 0)


def test_sequential_generators_differ_by_stream_and_repeat():
    one, again = (Draws("w", 1).generator("goods").random(5) for _ in range(2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, Draws("w", 1).generator("opening").random(5))
    assert not np.array_equal(one, Draws("w", 2).generator("goods").random(5))
