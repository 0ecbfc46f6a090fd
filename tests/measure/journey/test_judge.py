"""Who is named: laws against their textbook form, and what must never happen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from cartwheel.measure.journey.judge import (
    ALPHA,
    Look,
    correct,
    look_at,
    tail,
    visits_needed,
)
from cartwheel.measure.journey.spread import (
    LEAST_VISITS,
    moves_of,
    precision,
    sums_of,
    usual_of_others,
)
from cartwheel.measure.journey.tally import RECENT_WEEKS, WEEKS, Tally


def place(
    name: str,
    recent: tuple[int, int],
    before: tuple[int, int],
    *,
    kind: Any = "product",
) -> Tally:
    """Return a place whose visits are spread evenly over its weeks."""

    def spread(total: int, weeks: int) -> list[int]:
        return [total // weeks + (i < total % weeks) for i in range(weeks)]

    halves = [
        np.array(
            spread(recent[i], RECENT_WEEKS) + spread(before[i], WEEKS - RECENT_WEEKS)
        )
        for i in (0, 1)
    ]
    return Tally(
        step="product",
        kind=kind,
        place=name,
        visits=halves[0],
        on=np.minimum(halves[1], halves[0]),
    )


def shop_of(rng: np.random.Generator, shares: Any, visits: int = 120) -> list[Tally]:
    """Draw weekly visits to places with known shares that never move."""
    places = []
    for i, share in enumerate(shares):
        seen = rng.poisson(visits, WEEKS)
        places.append(
            Tally(
                step="product",
                kind="product",
                place=f"P{i}",
                visits=seen,
                on=rng.binomial(seen, share),
            )
        )
    return places


def bare(p_value: float | None) -> Look:
    return Look(
        tally=place("P", (100, 10), (400, 40)),
        against="itself",
        usual=0.1,
        usual_sd=0.01,
        good=1.0,
        bad=9.0,
        needed=100,
        p_value=p_value,
    )


@pytest.mark.parametrize(
    ("on", "visits", "good", "bad"),
    [(0, 120, 3.5, 40.0), (7, 473, 10.4, 180.0), (40, 41, 0.6, 0.2), (5, 5, 2.0, 2.0)],
)
def test_tail_is_the_beta_binomial_one(
    on: int, visits: int, good: float, bad: float
) -> None:
    wanted = stats.betabinom.cdf(on, visits, good, bad)
    assert tail(on, visits, good, bad) == pytest.approx(wanted, rel=1e-9)


def test_precision_gives_back_mean_and_variance() -> None:
    weight = precision(0.2, 0.0016)
    law = stats.beta(0.2 * weight, 0.8 * weight)
    assert law.mean() == pytest.approx(0.2)
    assert law.var() == pytest.approx(0.0016)


def test_p_values_are_corrected_as_benjamini_and_hochberg_do() -> None:
    values = [0.03, 0.001, 0.5, 0.02, 0.9, 0.02]
    looks = correct([bare(None), *(bare(value) for value in values)])
    assert looks[0].adjusted is None
    found = [look.adjusted for look in looks[1:]]
    assert found == pytest.approx(list(stats.false_discovery_control(values)))


def test_a_place_that_lost_most_is_named_and_its_neighbours_are_not() -> None:
    rng = np.random.default_rng(1)
    places = shop_of(rng, [0.3] * 12)
    places[4].on[:RECENT_WEEKS] //= 8
    named = [look for look in look_at(places) if look.named]
    assert [(x.tally.place, x.against) for x in named] == [("P4", "itself")]
    assert named[0].lost > 0.6 * 0.3 * places[4].recent[0]


def test_what_is_low_as_ever_did_not_fall() -> None:
    rng = np.random.default_rng(2)
    named = [x for x in look_at(shop_of(rng, [0.3] * 11 + [0.1])) if x.named]
    assert [(x.tally.place, x.against) for x in named] == [("P11", "others")]


def test_a_fall_of_the_whole_shop_is_no_drop_off_of_each_product() -> None:
    rng = np.random.default_rng(3)
    places = shop_of(rng, [0.3] * 12)
    for one in places:
        one.on[:RECENT_WEEKS] //= 2
    assert [x for x in look_at(places) if x.named and x.against == "itself"] == []


def test_below_the_floor_nothing_is_said_and_the_need_is_told() -> None:
    few = place("P", (99, 0), (500, 250))
    (look,) = look_at([few])
    assert (look.p_value, look.named, look.needed) == (None, False, LEAST_VISITS)
    assert visits_needed(0.02) == 500
    assert look_at([place("P", (400, 10), (99, 50))]) == []


def test_few_places_or_months_make_a_shop_careful() -> None:
    rng = np.random.default_rng(4)
    many = shop_of(rng, [0.1] * 60, visits=40)
    assert moves_of(many[:1]) >= moves_of(many)
    assert moves_of(many) < 0.02
    assert usual_of_others(sums_of(many[:7]), 0.01) is None


def test_the_usual_of_others_leaves_the_place_itself_out() -> None:
    rng = np.random.default_rng(5)
    places = shop_of(rng, [0.4] + [0.1] * 12)
    without = usual_of_others(sums_of(places).without(places[0]), 0.01)
    again = usual_of_others(sums_of(places[1:]), 0.01)
    assert without is not None
    assert again is not None
    assert without.share == pytest.approx(again.share)
    assert without.spread == pytest.approx(again.spread)


@pytest.mark.parametrize(("count", "asked"), [(8, False), (9, True)])
def test_eight_others_are_needed_to_be_low_beside_them(count: int, asked: bool) -> None:
    looks = look_at(shop_of(np.random.default_rng(8), [0.2] * count))
    assert any(look.against == "others" for look in looks) is asked


def test_movement_is_taken_at_the_upper_end_of_its_interval() -> None:
    months = np.repeat([0, 100, 200, 100, 200], [4, 4, 4, 4, 2])
    own = Tally(
        step="product",
        kind="product",
        place="P",
        visits=np.full(WEEKS, 1_000),
        on=months,
    )
    visits, share = np.array([4.0, 4, 4, 2]) * 1_000, np.array([0.1, 0.2, 0.1, 0.2])
    mean = float((visits * share).sum() / visits.sum())
    squares = float((visits * (share - mean) ** 2).sum()) * 3 / stats.chi2.ppf(0.1, 3)
    excess = squares - 3 * mean * (1 - mean)
    scale = mean**2 * (14_000 - float((visits**2).sum()) / 14_000)
    assert moves_of([own]) == pytest.approx(excess / scale)


def test_healthy_shops_name_no_more_than_the_level() -> None:
    rng = np.random.default_rng(6)
    shops = [look_at(shop_of(rng, [0.12] * 30, visits=60)) for _ in range(100)]
    for against in ("itself", "others"):
        wrong = sum(any(x.named and x.against == against for x in s) for s in shops)
        assert wrong <= 100 * ALPHA


def test_where_nearly_all_go_on_one_more_does_not_raise_what_is_lost() -> None:
    before = (3_000, 3_000)
    (one,) = look_at([place("P", (100, 0), before)])
    (then,) = look_at([place("P", (101, 1), before)])
    assert then.lost <= one.lost


counts = st.tuples(st.integers(LEAST_VISITS, 3_000), st.floats(0, 1))


@settings(deadline=None, max_examples=150)
@given(
    recent=counts, before=counts, others=st.lists(counts, max_size=14), more=st.data()
)
def test_visits_that_go_on_never_raise_a_drop_off(
    recent: tuple[int, float],
    before: tuple[int, float],
    others: list[tuple[int, float]],
    more: st.DataObject,
) -> None:
    def whole(one: tuple[int, float]) -> tuple[int, int]:
        return one[0], round(one[0] * one[1])

    added = more.draw(st.integers(1, 200))
    alike = [place(f"O{i}", whole(one), whole(one)) for i, one in enumerate(others)]
    visits, on = whole(recent)

    def looks(extra: int) -> dict[str, Look]:
        own = place("P", (visits + extra, on + extra), whole(before))
        return {x.against: x for x in look_at([own, *alike]) if x.tally is own}

    first, then = looks(0), looks(added)
    assert first.keys() == then.keys()
    for against, look in first.items():
        assert 0 <= look.share <= 1
        assert then[against].share >= look.share - 1e-12
        if look.lost > 0:
            assert then[against].lost <= look.lost + 1e-9
        if look.p_value is not None:
            assume(then[against].p_value is not None)
            assert (then[against].p_value or 0) >= look.p_value - 1e-9
