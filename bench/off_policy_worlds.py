"""Logs of a made shop whose policies' values are known, for coverage of intervals.

A customer comes several times, mostly in the same mood (the context), and buys more or
less than others whatever is shown: rows of one customer are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.measure.off_policy.log import Log, make_log
from cartwheel.measure.off_policy.reward_model import cross_fit

Array = np.ndarray[Any, Any]

CONTEXTS, ACTIONS = 6, 8
LOGS_STREAM = 2
"""Keeps what is drawn in a log apart from a model's folds of the same seed."""

LEAST_SHARE = 0.05
"""Share of the logging policy that is drawn evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What is true; K actions, X contexts.

    Attributes:
        chance: Chance of a reward, shape (X, K).
        visits: Share of each context, (X,).
        logging: The policy that drew the log, (X, K).
        targets: Target policies by name, each (X, K).
        spend: Rewards are money with a long tail, mean 1; else 0 or 1.
    """

    chance: Array
    visits: Array
    logging: Array
    targets: dict[str, Array]
    spend: bool

    def truth(self, policy: Array) -> float:
        """Return the value of a policy."""
        return float(self.visits @ (policy * self.chance).sum(axis=1))


def make_shop(seed: int = 1, *, rate: float = 0.2, spend: bool = False) -> Shop:
    """Return a shop; `rate` is the mean chance of a reward, at most 0.3."""
    rng = np.random.default_rng(seed)
    shape = (CONTEXTS, ACTIONS)
    chance = np.clip(rate * rng.gamma(3.0, 1 / 3.0, shape), 0.0, 0.6)
    believed = chance / rate + rng.normal(0, 0.4, shape)
    even = np.full(shape, 1 / ACTIONS)
    logging = (1 - LEAST_SHARE) * _soft(believed, 1.5) + LEAST_SHARE * even
    best = np.eye(ACTIONS)[chance.argmax(axis=1)]
    return Shop(
        chance=chance,
        visits=rng.dirichlet(np.full(CONTEXTS, 5.0)),
        logging=logging,
        targets={
            "near": _soft(believed, 2.5),
            "even": even,
            "best": best,
            "contrary": 0.5 * _soft(-np.log(logging), 3.0) + 0.5 * even,
        },
        spend=spend,
    )


def _soft(score: Array, slope: float) -> Array:
    odds = np.exp(slope * (score - score.max(axis=1, keepdims=True)))
    result: Array = odds / odds.sum(axis=1, keepdims=True)
    return result


def draw_log(
    shop: Shop,
    target: Array,
    *,
    customers: int,
    seed: int,
    times: float = 4.0,
    model: bool = True,
) -> Log:
    """Return a log of a shop with a target policy, cross-fitted model included.

    Args:
        shop: What is true.
        target: The target policy, (X, K).
        customers: Customers.
        seed: Seed of everything drawn.
        times: Rows of a customer in the mean; some have many more.
        model: Fit expected rewards too.
    """
    rng = np.random.default_rng([LOGS_STREAM, seed])
    rows = np.minimum(rng.geometric(1 / times, customers), round(10 * times))
    who = np.repeat(np.arange(customers), rows)
    mood = rng.choice(CONTEXTS, customers, p=shop.visits)
    other = rng.choice(CONTEXTS, len(who), p=shop.visits)
    context = np.where(rng.random(len(who)) < 0.6, mood[who], other)
    action = _pick(rng, shop.logging[context])
    eager = np.where(rng.random(customers) < 0.5, 0.4, 1.6)[who]
    reward = (rng.random(len(who)) < shop.chance[context, action] * eager).astype(float)
    if shop.spend:
        reward *= rng.lognormal(-0.5, 1.0, len(who))
    expected = None
    if model:
        expected = cross_fit(
            action=action,
            reward=reward,
            cluster=who,
            group=context,
            n_actions=ACTIONS,
            seed=seed,
        )
    return make_log(
        propensity=shop.logging[context, action],
        target=target[context],
        action=action,
        reward=reward,
        cluster=who,
        expected=expected,
    )


def _pick(rng: np.random.Generator, chances: Array) -> Array:
    below = chances.cumsum(axis=1) < rng.random((len(chances), 1))
    result: Array = np.minimum(below.sum(axis=1), chances.shape[1] - 1)
    return result
