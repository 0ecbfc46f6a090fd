"""Interleaving: what a draft promises, who gets credit, an interval that holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.measure.experiment.interleave import LEAST_CUSTOMERS, compare_rankings
from cartwheel.measure.experiment.team_draft import Draft, draft

rankings = st.lists(st.sampled_from("abcdefghijkl"), unique=True, max_size=12)
seeds = st.integers(0, 2**32 - 1)


def drafted(control: list[str], arm: list[str], length: int, seed: int) -> Draft:
    return draft(control, arm, length=length, rng=np.random.default_rng(seed))


@given(rankings, rankings, st.integers(0, 14), seeds)
def test_a_draft_keeps_its_promises(
    control: list[str], arm: list[str], length: int, seed: int
) -> None:
    made = drafted(control, arm, length, seed)
    items = made.items
    assert len(set(items)) == len(items)
    assert len(items) == min(length, len({*control, *arm}))
    sides = {"control": control, "arm": arm}
    counts = [made.picks.count(side) for side in ("control", "arm")]
    assert abs(counts[0] - counts[1]) <= 1
    taken: set[str] = set()
    for item, pick, slot in zip(items, made.picks, made.slots, strict=True):
        assert slot.team in (pick, "")
        if pick:  # each side takes the best that is left of its own ranking
            assert item == next(x for x in sides[pick] if x not in taken)
        taken.add(item)
    for side, ranking in sides.items():
        picked = [i for i, p in zip(items, made.picks, strict=True) if p == side]
        assert picked == [i for i in ranking if i in picked]
    # Sides go on in rounds of two picks, so no prefix favours one by more than one.
    for end in range(len(items)):
        ahead = made.picks[:end].count("arm") - made.picks[:end].count("control")
        assert abs(ahead) <= 1


@given(rankings, rankings, seeds)
def test_the_same_seed_drafts_the_same_list(
    control: list[str], arm: list[str], seed: int
) -> None:
    assert drafted(control, arm, 9, seed) == drafted(control, arm, 9, seed)


@given(rankings, st.integers(0, 12), seeds)
def test_a_ranking_against_itself_is_shown_as_it_is_and_credits_nobody(
    ranking: list[str], length: int, seed: int
) -> None:
    made = drafted(ranking, ranking, length, seed)
    assert list(made.items) == ranking[:length]
    assert made.votes(ranking) == (0, 0)
    assert not any(slot.team for slot in made.slots)


class Coins:
    """Says what the coins are, in place of a generator."""

    def __init__(self, sides: tuple[float, ...]) -> None:
        self._sides = list(sides)

    def random(self) -> float:
        return self._sides.pop(0)


short = st.lists(st.sampled_from("abcdefg"), unique=True, max_size=6)


@given(short, short, st.integers(0, 8))
def test_chances_are_those_of_every_way_the_coins_can_fall(
    control: list[str], arm: list[str], length: int
) -> None:
    every = [
        draft(control, arm, length=length, rng=Coins(sides))  # type: ignore[arg-type]
        for sides in product((0.25, 0.75), repeat=4)
    ]
    for made in every:
        for at, item in enumerate(made.items):
            alike = [one for one in every if one.items[:at] == made.items[:at]]
            share = sum(one.items[at] == item for one in alike) / len(alike)
            assert made.chances[at] == pytest.approx(share)


def test_a_common_top_is_nobodys_and_what_follows_somebodys() -> None:
    teams = set()
    for seed in range(40):
        made = drafted(list("abcd"), list("abdc"), 4, seed)
        assert made.items[:2] == ("a", "b")
        teams.add(tuple(slot.team for slot in made.slots))
    assert teams == {("", "", "control", "arm"), ("", "", "arm", "control")}


def test_votes_are_clicked_slots_of_either_side() -> None:
    made = drafted(list("abcd"), list("wxyz"), 8, 1)
    owner = {slot.item: slot.team for slot in made.slots}
    assert {owner[i] for i in "abcd"} == {"control"}
    assert made.votes(["w", "x", "w", "a"]) == (2, 1)  # a second click is no vote
    assert made.votes([]) == (0, 0)
    assert made.votes(["unknown"]) == (0, 0)


def test_wrong_rankings_are_refused() -> None:
    with pytest.raises(ValueError, match="arm names an item twice"):
        drafted(["a"], ["b", "b"], 2, 1)
    with pytest.raises(ValueError, match="length is -1"):
        drafted(["a"], ["b"], -1, 1)


def visits(
    people: int, better: float, seed: int
) -> tuple[list[int], list[int], list[str]]:
    """Return votes of customers who differ in taste and in how often they come.

    Both rankings show ten products drawn at random; a click falls on the arm's slots
    with a tilt `better`, and a customer keeps a taste of their own.
    """
    rng = np.random.default_rng(seed)
    catalogue = [f"P{k}" for k in range(40)]
    arm: list[int] = []
    control: list[int] = []
    customers: list[str] = []
    for person in range(people):
        taste = rng.normal(better, 0.5)
        for _ in range(1 + rng.poisson(2)):
            made = draft(
                rng.permutation(catalogue)[:10].tolist(),
                rng.permutation(catalogue)[:10].tolist(),
                length=10,
                rng=rng,
            )
            lean = {"arm": 1, "control": -1, "": 0}
            chance = [0.2 * np.exp(taste * lean[s.team]) for s in made.slots]
            won, lost = made.votes(
                s.item for s, c in zip(made.slots, chance, strict=True)
                if rng.random() < c
            )  # fmt: skip
            arm.append(won)
            control.append(lost)
            customers.append(f"C{person}")
    return arm, control, customers


def test_alike_rankings_are_not_preferred() -> None:
    told = []
    for seed in range(150):
        found = compare_rankings(*visits(30, 0.0, seed))
        told.append((found.decided, found.effect))
    # 5 % of 150 is 7.5 with a standard deviation of 2.7.
    assert sum(decided for decided, _ in told) <= 16
    assert abs(np.mean([effect for _, effect in told])) < 0.015


def test_a_better_ranking_is_preferred() -> None:
    found = compare_rankings(*visits(120, 0.5, 1))
    assert found.low > 0
    assert found.arm_value == pytest.approx(0.5 + found.effect)
    assert found.relative == pytest.approx(2 * found.effect)
    assert (found.metric, found.method) == ("preference", "interleave")


def test_visits_of_a_customer_go_together() -> None:
    arm = np.random.default_rng(2).integers(0, 2, 60)
    once = compare_rankings(arm, 1 - arm, np.arange(60).astype(str))
    often = compare_rankings(
        np.repeat(arm, 9), np.repeat(1 - arm, 9), np.repeat(np.arange(60), 9)
    )
    assert often.error == pytest.approx(once.error)
    assert (once.n, often.n) == (60, 540)


def test_one_click_each_is_a_t_test_on_votes() -> None:
    from scipy.stats import ttest_1samp

    arm = np.random.default_rng(3).integers(0, 2, 50).astype(float)
    theirs = ttest_1samp(arm - 0.5, 0)
    found = compare_rankings(arm, 1 - arm, np.arange(50))
    assert found.p_value == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_who_clicks_everything_moves_nothing() -> None:
    arm = np.random.default_rng(4).integers(0, 2, 80)
    plain = compare_rankings(arm, 1 - arm, np.arange(80))
    mad = compare_rankings(
        [*arm, 500], [*(1 - arm), 500], [*map(str, range(80)), "everything"]
    )
    assert abs(mad.effect) < abs(plain.effect) or plain.effect == 0
    assert mad.error < plain.error


def test_too_little_is_refused() -> None:
    few = LEAST_CUSTOMERS - 1
    with pytest.raises(Misuse, match=f"{few} customers clicked"):
        compare_rankings(np.ones(few), np.zeros(few), np.arange(few))
    with pytest.raises(Misuse, match="0 customers"):
        compare_rankings([], [], [])
    with pytest.raises(Misuse, match="0 customers"):
        compare_rankings(np.zeros(50), np.zeros(50), np.arange(50))
    with pytest.raises(Misuse, match="all 50 clicks voted alike"):
        compare_rankings(np.ones(50), np.zeros(50), np.arange(50))
