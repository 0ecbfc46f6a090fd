"""Tastes learned from what was opened of what was shown: found again, and honest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from cartwheel.levers.recommend.factors import (
    Beliefs,
    Deeds,
    Factors,
    bound_weight,
    learn_factors,
    nobody,
    packed,
    read_tastes,
    unpacked,
)
from cartwheel.levers.recommend.taste import after_visit, joined

PEOPLE, PRODUCTS, KINDS = 1500, 60, 6


@dataclass(frozen=True)
class Made:
    """People with tastes, and what they did with what was shown."""

    liking: np.ndarray
    level: np.ndarray
    kind: np.ndarray
    deeds: Deeds


@pytest.fixture(scope="module")
def made() -> Made:
    rng = np.random.default_rng(5)
    kind = np.arange(PRODUCTS) % KINDS
    centre = rng.normal(0, 0.7, (KINDS, 3))
    product = centre[kind] + rng.normal(0, 0.5, (PRODUCTS, 3))
    liking = rng.normal(size=(PEOPLE, 3)) @ product.T
    level = rng.normal(-1.5, 0.6, PRODUCTS)
    # A tenth of the products is shown to nobody; the rest unevenly.
    pull = np.where(np.arange(PRODUCTS) % 10 == 9, 0.0, rng.random(PRODUCTS))
    shown = rng.poisson(pull, (PEOPLE, PRODUCTS))
    opened = rng.binomial(shown, 1 / (1 + np.exp(-level - liking)))
    looked = opened + rng.binomial(1, 0.03, shown.shape)
    wanted = rng.binomial(looked, 1 / (1 + np.exp(3.5 - liking)))
    names = ("shown", "opened", "looked", "wanted")
    counts = zip(names, (shown, opened, looked, wanted), strict=True)
    parts = {name: csr_matrix(part.astype(float)) for name, part in counts}
    deeds = Deeds(**parts, chosen=csr_matrix(shown.shape))
    return Made(liking=liking, level=level, kind=kind, deeds=deeds)


@pytest.fixture(scope="module")
def learned(made: Made) -> tuple[Factors, Beliefs]:
    return learn_factors(made.deeds, np.eye(KINDS)[made.kind], seed=1)


def test_tastes_are_found_again_and_not_overstated(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    factors, beliefs = learned
    said = beliefs.mean @ factors.vector.T
    shown = np.arange(PRODUCTS) % 10 != 9
    true, told = made.liking[:, shown].ravel(), said[:, shown].ravel()
    assert np.corrcoef(true, told)[0, 1] > 0.6
    # The bound holds tastes a little closer to the average than they are; the chance
    # of being wanted has a slope for that.
    slope = (true @ told) / (told @ told)
    assert 0.9 < slope < 1.6


def test_level_is_of_the_product_not_of_who_was_shown_it(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    """Shown to those who like it only, a product is opened often, and is no better."""
    shown = made.deeds.shown.toarray()
    fans = made.liking[:, 0] > np.quantile(made.liking[:, 0], 0.7)
    keep = {name: getattr(made.deeds, name).toarray() for name in ("shown", "opened")}
    for values in keep.values():
        values[~fans, 0] = 0
    biased = Deeds(
        shown=csr_matrix(keep["shown"]),
        opened=csr_matrix(keep["opened"]),
        looked=made.deeds.looked,
        wanted=made.deeds.wanted,
        chosen=made.deeds.chosen,
    )
    factors, _ = learn_factors(biased, np.eye(KINDS)[made.kind], seed=1)
    rate = keep["opened"][:, 0].sum() / keep["shown"][:, 0].sum()
    naive = np.log(rate / (1 - rate))
    fair = learned[0].opened[0]
    assert shown[:, 0].sum() > 100
    assert abs(factors.opened[0] - fair) < 0.7 * abs(naive - fair)


def test_a_product_nobody_met_is_taken_for_its_kind(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    factors, beliefs = learned
    unmet = np.flatnonzero(np.arange(PRODUCTS) % 10 == 9)
    said = beliefs.mean @ factors.vector[unmet].T
    found = np.corrcoef(said.ravel(), made.liking[:, unmet].ravel())[0, 1]
    assert found > 0.35


def test_who_did_nothing_has_no_taste(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    nothing = csr_matrix((1, PRODUCTS))
    deeds = Deeds(
        shown=nothing, opened=nothing, looked=nothing, wanted=nothing, chosen=nothing
    )
    found = read_tastes(learned[0], deeds)
    width = learned[0].vector.shape[1]
    assert not found.mean.any()
    assert np.array_equal(found.precision[0], nobody(width))


def test_a_purchase_nobody_saw_coming_says_what_is_liked(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    """People of whom only purchases are known: their taste is told, and no more."""
    factors = learned[0]
    rng = np.random.default_rng(3)
    chance = np.exp(made.liking + made.level)
    chance /= chance.sum(axis=1, keepdims=True)
    bought = np.array([rng.multinomial(2, row) for row in chance]).astype(float)
    none = csr_matrix(bought.shape)
    deeds = Deeds(
        shown=none, opened=none, looked=none, wanted=none, chosen=csr_matrix(bought)
    )
    said = read_tastes(factors, deeds).mean @ factors.vector.T
    own = [np.corrcoef(a, b)[0, 1] for a, b in zip(said, made.liking, strict=True)]
    assert np.nanmean(own) > 0.2
    # Whoever bought is not taken to want everything.
    assert abs(said.mean()) < 0.1


def test_more_data_of_the_same_needs_no_fresh_start(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    half = made.deeds.of(np.arange(0, PEOPLE, 2))
    traits = np.eye(KINDS)[made.kind]
    start, _ = learn_factors(half, traits, seed=1)
    factors, beliefs = learn_factors(made.deeds, traits, seed=1, start=start)
    said = (beliefs.mean @ factors.vector.T).ravel()
    fresh = (learned[1].mean @ learned[0].vector.T).ravel()
    assert np.corrcoef(said, fresh)[0, 1] > 0.95


def test_same_deeds_same_bytes(made: Made, learned: tuple[Factors, Beliefs]) -> None:
    again, beliefs = learn_factors(made.deeds, np.eye(KINDS)[made.kind], seed=1)
    assert again.vector.tobytes() == learned[0].vector.tobytes()
    assert beliefs.mean.tobytes() == learned[1].mean.tobytes()


@given(seen=st.lists(st.integers(0, PRODUCTS - 1), min_size=1, max_size=12))
def test_a_visit_reads_as_slots_that_were_opened(
    learned: tuple[Factors, Beliefs], seen: list[int]
) -> None:
    factors = learned[0]
    count = np.bincount(seen, minlength=PRODUCTS).astype(float)[None]
    row, none = csr_matrix(count), csr_matrix((1, PRODUCTS))
    deeds = Deeds(shown=row, opened=row, looked=none, wanted=none, chosen=none)
    batch = read_tastes(factors, deeds)
    nothing = np.zeros(0, np.float32)
    visit = after_visit(
        nothing, nothing, factors.vector, factors.opened, np.array(seen)
    )
    np.testing.assert_allclose(visit, batch.mean[0], rtol=1e-4, atol=1e-5)
    # The same pages after a known past add to it, and do not replace it.
    past = Beliefs(mean=batch.mean, precision=batch.precision)
    more = after_visit(
        past.mean[0], past.precision[0], factors.vector, factors.opened, np.array(seen)
    )
    own = factors.vector[seen].sum(axis=0)
    assert own @ more >= own @ visit - 1e-5


@given(x=st.floats(-50, 50), width=st.integers(1, 5), seed=st.integers(0, 99))
def test_bound_and_packing(x: float, width: int, seed: int) -> None:
    weight = float(bound_weight(np.array(x)))
    assert 0 < weight <= 0.25 + 1e-9
    rows = np.random.default_rng(seed).normal(size=(3, width))
    full = unpacked(packed(rows), width)
    np.testing.assert_allclose(full, np.einsum("ij,ik->ijk", rows, rows))


def test_two_devices_joined_say_what_they_would_as_one(
    made: Made, learned: tuple[Factors, Beliefs]
) -> None:
    """What was shown on one device, what was looked at on another, is one history."""
    factors, deeds = learned[0], made.deeds
    none = csr_matrix(deeds.shown.shape)
    whole = read_tastes(factors, deeds)
    seen = replace(deeds, looked=none, wanted=none)
    looked = replace(deeds, shown=none, opened=none)
    halves = [read_tastes(factors, half) for half in (seen, looked)]
    found = np.array(
        [
            joined(
                np.stack([half.mean[one] for half in halves]),
                np.stack([half.precision[one] for half in halves]),
            )[0]
            for one in range(100)
        ]
    )
    apart = np.abs(found - whole.mean[:100]).mean()
    assert apart < 0.05
    assert apart < 0.2 * np.abs(halves[1].mean[:100] - whole.mean[:100]).mean()
    # A device of which nothing is known adds nothing.
    alone = nobody(found.shape[1])
    same, firm = joined(
        np.stack([whole.mean[3], np.zeros(found.shape[1])]),
        np.stack([whole.precision[3], alone]),
    )
    np.testing.assert_allclose(same, whole.mean[3], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(firm, whole.precision[3], rtol=1e-5)
