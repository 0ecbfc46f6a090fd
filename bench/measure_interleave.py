"""How many visits tell two rankings apart: a shared list against a split by customer.

Protocol. In a first one all clicked alike and a visit had one vote: sharing won
nothing. Then uneven eagerness came in, a clicked slot became a vote because it told
more on other seeds, and this was fixed before these seeds were played:

- 300 products, 12 traits. A customer's wish for a product is taste times traits plus
  what all agree on. One ranking knows wishes with an error of standard deviation .8,
  the other with `gap` more; errors are drawn anew for each visit.
- A list has 10 slots. A visitor looks at slot k, counted from 0, with chance
  1 / (1 + .15 k), and clicks what they look at with chance .35 sigmoid(2 wish - 1).
  Each visit is one of 2,000 customers at random. Eagerness multiplies all chances of a
  customer: 1 for everybody (even), or log-normal with mean 1 and sigma 1 (uneven).
- Interleaved: both rankings share every list (`team_draft`, `compare_rankings`).
  Split: a customer sees one ranking, drawn half and half; clicks a visit are compared
  as a ratio over customers (the delta method).
- The same test is read after each number of visits. 200 tests; told is how often the
  95 % interval lies on the side of the better ranking, or leaves zero out where both
  are alike (gap 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from bench.measure import Figure, Plan
from cartwheel.errors import Misuse
from cartwheel.measure.experiment.effect import compare
from cartwheel.measure.experiment.interleave import compare_rankings
from cartwheel.measure.experiment.metric import Metric
from cartwheel.measure.experiment.moments import Moments
from cartwheel.measure.experiment.team_draft import draft
from cartwheel.measure.kpi.intervals import wilson

Array = np.ndarray[Any, Any]

SEED = 20_261_130
TESTS, QUICK_TESTS = 200, 5
PRODUCTS, TRAITS, SLOTS, CUSTOMERS = 300, 12, 10, 2_000
ERROR = 0.8
GAPS = (0.0, 0.6)
EAGER = {"even": 0.0, "uneven": 1.0}
VISITS = (250, 500, 1_000, 2_000, 4_000)
QUICK_VISITS = (250, 500)
LOOKED = 1 / (1 + 0.15 * np.arange(SLOTS))
CLICKS = Metric(name="clicks", value="clicks", per="visits")


def measure_interleave(plan: Plan) -> Iterator[Figure]:
    """Measure the share of tests that name the better ranking, by design and visits."""
    tests = QUICK_TESTS if plan.quick else TESTS
    visits = QUICK_VISITS if plan.quick else VISITS
    for (eager, sigma), gap in product(EAGER.items(), GAPS):
        seed = [SEED, round(100 * gap), round(sigma)]
        told = np.array(
            [one_test(visits, gap, [*seed, n], sigma=sigma) for n in range(tests)]
        )
        what = "names one" if gap == 0 else "names the better"
        for at, number in enumerate(visits):
            for column, design in enumerate(("interleaved", "split by customer")):
                count = int(told[:, at, column].sum())
                yield Figure(
                    part="measure-interleave",
                    name=f"{eager}, {ERROR} and {ERROR + gap:g}, {design}: {what}",
                    size=f"{number:,} visits",
                    unit="",
                    values=[*wilson(count, tests), count / tests],
                )


def one_test(
    visits: tuple[int, ...], gap: float, seed: list[int], *, sigma: float = 0.0
) -> Array:
    """Return whether each design tells after each number of visits, (visits, 2)."""
    rng = np.random.default_rng(seed)
    traits = rng.standard_normal((PRODUCTS, TRAITS))
    agreed = rng.standard_normal(PRODUCTS)
    tastes = rng.standard_normal((CUSTOMERS, TRAITS)) / np.sqrt(TRAITS)
    eager = np.exp(sigma * rng.standard_normal(CUSTOMERS) - sigma**2 / 2)
    split = rng.random(CUSTOMERS) < 0.5
    who = rng.integers(0, CUSTOMERS, max(visits))
    votes, clicks = np.zeros((len(who), 2)), np.zeros(len(who))
    for visit, person in enumerate(who):
        wish = traits @ tastes[person] + agreed
        rankings = [
            np.argsort(-(wish + error * rng.standard_normal(PRODUCTS)))[:SLOTS].tolist()
            for error in (ERROR + gap, ERROR)
        ]
        mixed = draft(*rankings, length=SLOTS, rng=rng)
        votes[visit] = mixed.votes(
            _clicked(wish, list(mixed.items), eager[person], rng)
        )
        shown = rankings[int(split[person])]
        clicks[visit] = len(_clicked(wish, shown, eager[person], rng))
    return np.array(
        [
            (
                _interleaved(votes[:n], who[:n], gap),
                _split(clicks[:n], who[:n], split, gap),
            )
            for n in visits
        ]
    )


def _clicked(
    wish: Array, shown: list[Any], eager: float, rng: np.random.Generator
) -> set[Any]:
    chance = LOOKED * 0.35 * eager / (1 + np.exp(1 - 2 * wish[shown]))
    return {shown[at] for at in np.flatnonzero(rng.random(SLOTS) < chance)}


def _told(low: float, high: float, gap: float) -> bool:
    return low > 0 or (gap == 0 and high < 0)


def _interleaved(votes: Array, who: Array, gap: float) -> bool:
    try:
        found = compare_rankings(votes[:, 0], votes[:, 1], who)
    except Misuse:
        return False
    return _told(found.low, found.high, gap)


def _split(clicks: Array, who: Array, better: Array, gap: float) -> bool:
    """Compare clicks a visit of customers who see one ranking each."""
    came = np.bincount(who, minlength=CUSTOMERS)
    did = np.bincount(who, weights=clicks, minlength=CUSTOMERS)
    rows = np.column_stack([did, came])
    groups = [
        Moments.of(("clicks", "visits"), rows[(came > 0) & (better == side)])
        for side in (False, True)
    ]
    found = compare(CLICKS, *groups)
    return _told(found.low, found.high, gap)
