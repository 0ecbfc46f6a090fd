"""What other ways to fill slates would have earned, from the slates that were shown.

A target policy says how likely it would have shown the product of each slot, given the
slots before it. An answer then counts by the product of its slots' ratios, so all that
a policy changes must have had a chance: Cartwheel draws an answer's last slot only, and
what would have come of other products in the slots before, its log cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.off_policy.estimators import Estimator
from cartwheel.measure.off_policy.log import Log, make_log
from cartwheel.measure.off_policy.slates import SlateLog
from cartwheel.measure.off_policy.value import LEVEL, PolicyValue, evaluate

Array = np.ndarray[Any, Any]

SlatePolicy = Callable[[SlateLog], Array]
"""Returns the probability of each slot's product given the slots before, (S,)."""

Reward = Literal["clicked", "drawn slot clicked", "bought", "spent_minor"]
MAJORITY = 0.5


def evaluate_slates(
    log: SlateLog,
    policy: SlatePolicy,
    *,
    reward: Reward = "clicked",
    placement: str | None = None,
    estimator: Estimator = "snips",
    level: float = LEVEL,
    seed: int = 0,
) -> PolicyValue:
    """Return what a policy would have earned per answer.

    Args:
        log: What was answered, from `read_slates`.
        policy: The target policy.
        reward: "clicked": slots opened; "drawn slot clicked": those drawn at random;
            "bought": shown products bought by known customers in the days after, which
            they might have bought anyway; "spent_minor": all they paid in these days,
            whatever was shown: noisy, and the only one that tells what was earned.
        placement: Only answers there; None for all.
        estimator: "snips" or "ips"; others need a model of products never shown.
        level: Share of intervals that should hold the truth.
        seed: Seed of the bootstrap.

    Raises:
        Misuse: If no answer is left, a propensity is impossible, or no answer shows
            what the policy would.
        ValueError: If the policy returns another shape.

    References:
        Slates by products of slots' ratios: Precup, Sutton and Singh (2000),
        "Eligibility traces for off-policy policy evaluation", per-trajectory form.
    """
    made = slate_rows(log, policy, reward=reward, placement=placement)
    return evaluate(made, estimator, level=level, seed=seed)


def slate_rows(
    log: SlateLog,
    policy: SlatePolicy,
    *,
    reward: Reward = "clicked",
    placement: str | None = None,
) -> Log:
    """Return one row an answer: products of its slots' probabilities, and its reward.

    Args:
        log: What was answered.
        policy: The target policy.
        reward: See `evaluate_slates`.
        placement: Only answers there; None for all.

    Raises:
        Misuse: As `evaluate_slates`.
        ValueError: If the policy returns another shape.
    """
    wanted = np.asarray(policy(log), float)
    if wanted.shape != log.propensity.shape:
        raise ValueError(
            f"the policy returned shape {wanted.shape}; expected {log.propensity.shape}"
        )
    _check("propensity", log.propensity, (log.propensity > 0) & (log.propensity <= 1))
    _check("target probability", wanted, (wanted >= 0) & (wanted <= 1))
    n = len(log.decision_id)
    kept = np.ones(n, bool)
    if placement is not None:
        kept &= log.placement == placement
    if reward in ("bought", "spent_minor"):
        kept &= log.customer_known
    return make_log(
        propensity=_multiplied(log.propensity, log.answer, n)[kept],
        target=_multiplied(wanted, log.answer, n)[kept],
        reward=_rewards(log, reward)[kept],
        cluster=log.cluster[kept],
    )


def as_logged(log: SlateLog) -> Array:
    """Return the policy that drew the log."""
    return log.propensity


def greedy(log: SlateLog) -> Array:
    """Return the policy that always shows the most likely product: no exploration.

    A product shown with more than half the probability was the most likely one, and
    one shown with less was not, if any other had more than half. Where none had, the
    log does not say which it was; such answers pull the mean weight below 1, and the
    evaluation refuses.
    """
    return (log.propensity > MAJORITY).astype(float)


def draw_from(chances: Mapping[str, float]) -> SlatePolicy:
    """Return the policy that fills drawn slots by a table, and keeps the others.

    Args:
        chances: Probability by product; in proportion over those not shown in the
            slots before.

    Raises:
        Misuse: If a probability is negative or not finite, or all are 0.
    """
    values = np.array(list(chances.values()), float)
    fine = np.isfinite(values) & (values >= 0)
    if not fine.all() or values.sum() <= 0:
        raise Misuse(
            f"{int((~fine).sum())} of {len(values)} products have an impossible "
            f"probability, and they add up to {values[fine].sum():g}; expected 0 or "
            "more each, and more than 0 together.",
            "Give each product its share of the drawn slot.",
        )

    def policy(log: SlateLog) -> Array:
        own = np.array([chances.get(p, 0.0) for p in log.product.tolist()], float)
        before = np.cumsum(own) - own
        left = values.sum() - (before - before[log.first][log.answer])
        share = np.divide(own, left, out=np.zeros(len(own)), where=own > 0)
        return np.where(log.drawn, np.clip(share, 0.0, 1.0), log.propensity)

    return policy


def bestsellers(
    ranking: Sequence[str], *, slots: Literal["drawn", "all"] = "drawn"
) -> SlatePolicy:
    """Return the policy that shows the best seller not shown in the slots before.

    Args:
        ranking: Products, best sellers first.
        slots: "drawn" fills the slots so that are drawn at random and keeps the
            others; "all" fills every slot so, which only a log can say in which every
            slot is drawn.
    """

    def policy(log: SlateLog) -> Array:
        names = log.product.tolist()
        ends = [*log.first.tolist(), len(names)]
        chance = np.zeros(len(names))
        for start, end in pairwise(ends):
            shown: set[str] = set()
            for at in range(start, end):
                best = next((p for p in ranking if p not in shown), None)
                chance[at] = float(names[at] == best)
                shown.add(names[at])
        return chance if slots == "all" else np.where(log.drawn, chance, log.propensity)

    return policy


def _multiplied(values: Array, answer: Array, n: int) -> Array:
    result = np.ones(n)
    np.multiply.at(result, answer, values)
    return result


def _rewards(log: SlateLog, reward: Reward) -> Array:
    """Return the reward of each answer, (A,)."""
    n = len(log.decision_id)
    if reward == "spent_minor":
        return log.spent_minor
    if reward == "bought":
        return np.bincount(log.answer, weights=log.bought, minlength=n)
    if reward == "clicked":
        return np.bincount(log.answer, weights=log.clicked, minlength=n)
    if reward == "drawn slot clicked":
        return np.bincount(log.answer, weights=log.clicked & log.drawn, minlength=n)
    raise ValueError(f"reward is {reward!r}; expected a name listed in `Reward`")


def _check(what: str, values: Array, fine: Array) -> None:
    if not fine.all():
        bad = int((~fine).sum())
        raise Misuse(
            f"{bad:,} of {len(values):,} slots have an impossible {what} (the first: "
            f"{values[~fine][0]:.6g}); expected 0 to 1, and a propensity above 0.",
            "Find what wrote them, and ask about answers without them.",
        )
