"""A log of decisions with their probabilities, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]

LEAST_PROPENSITY = 1e-9
"""Smallest probability believed; Cartwheel writes them down to nine places."""

SUMS_TO_ONE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Decisions as they were logged, and what a target policy would have done.

    Made by `make_log`, which checks it. n rows.

    Attributes:
        propensity: Probability of the logged action when it was drawn, shape (n,).
        target: Probability of the logged action under the target policy, (n,).
        reward: What happened after, (n,).
        cluster: Number of the customer, 0 to n_clusters - 1, (n,).
        n_clusters: Customers.
        expected_logged: A model's reward of the logged action, (n,), or None.
        expected_target: A model's reward of what the target policy would do, (n,), or
            None.
    """

    propensity: Array
    target: Array
    reward: Array
    cluster: Array
    n_clusters: int
    expected_logged: Array | None = None
    expected_target: Array | None = None

    @property
    def weight(self) -> Array:
        """How much more likely the target policy does what was done, (n,)."""
        result: Array = self.target / self.propensity
        return result


def make_log(
    *,
    propensity: ArrayLike,
    target: ArrayLike,
    reward: ArrayLike,
    cluster: ArrayLike | None = None,
    action: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    expected_logged: ArrayLike | None = None,
    expected_target: ArrayLike | None = None,
) -> Log:
    """Return a checked log.

    The target policy is given by the probability of each logged action, (n,), or by
    those of all K actions, (n, K), with `action`. A model of the reward is given for
    all actions, or for the logged one and for what the target policy would do.

    Args:
        propensity: Probability of the logged action under the policy that drew it.
        target: Probabilities under the target policy, (n,) or (n, K).
        reward: What happened after each decision, any unit, (n,).
        cluster: Customer of each row, any values; None when every row is another's.
        action: Number of the logged action, 0 to K - 1, (n,).
        expected: Predicted reward of every action, (n, K); needs `target` alike.
        expected_logged: Predicted reward of the logged action, (n,).
        expected_target: Predicted reward under the target policy, (n,).

    Raises:
        Misuse: If the log is empty, has rows with an impossible value, or holds
            nothing that the target policy would do; the message says how many rows.
        ValueError: If shapes do not fit.
    """
    drawn = np.asarray(propensity, float)
    n = len(drawn)
    if n == 0:
        raise Misuse(
            "The log is empty: 0 rows.",
            "Widen the days, or wait until decisions have been logged.",
        )
    wanted = np.asarray(target, float)
    happened = np.asarray(reward, float)
    _check_shape("propensity", drawn, (n,))
    _check_shape("reward", happened, (n,))
    chosen = None if action is None else np.asarray(action)
    _refuse(
        "a propensity",
        drawn,
        (drawn >= LEAST_PROPENSITY) & (drawn <= 1),
        f"{LEAST_PROPENSITY:g} to 1",
        "Log the probability with which the action was drawn.",
    )
    _refuse("a reward", happened, np.isfinite(happened), "a finite number", _MEND)
    wanted, logged, under = _target(
        wanted, chosen, expected, expected_logged, expected_target, n
    )
    if not (wanted > 0).any():
        raise Misuse(
            f"None of the {n:,} rows shows what the target policy would do.",
            "The log cannot say what that policy earns; test it on some visitors.",
        )
    numbers, count = _numbered(cluster, n)
    return Log(
        propensity=drawn,
        target=wanted,
        reward=happened,
        cluster=numbers,
        n_clusters=count,
        expected_logged=logged,
        expected_target=under,
    )


_MEND = "Mend or leave out these rows, and say which."


def _target(
    wanted: Array,
    action: Array | None,
    expected: ArrayLike | None,
    expected_logged: ArrayLike | None,
    expected_target: ArrayLike | None,
    n: int,
) -> tuple[Array, Array | None, Array | None]:
    """Return the target's probability of what was done, and the model's rewards."""
    within = (wanted >= 0) & (wanted <= 1)
    _refuse("a target probability", wanted, within, "0 to 1", _MEND)
    logged, under = _float(expected_logged), _float(expected_target)
    if wanted.ndim == 2:
        sums = wanted.sum(axis=1)
        fits = np.abs(sums - 1) <= SUMS_TO_ONE
        _refuse("target probabilities that sum to", sums, fits, "1", _MEND)
        _check_shape("target", wanted, (n, wanted.shape[1]))
        if action is None:
            raise ValueError("target is (n, K); action is needed to pick from it")
        _check_shape("action", action, (n,))
        known = (action >= 0) & (action < wanted.shape[1])
        _refuse("an action", action, known, f"0 to {wanted.shape[1] - 1}", _MEND)
        rows = np.arange(n)
        if expected is not None:
            model = np.asarray(expected, float)
            _check_shape("expected", model, wanted.shape)
            _refuse("an expected reward", model, np.isfinite(model), "finite", _MEND)
            logged, under = model[rows, action], (wanted * model).sum(axis=1)
        wanted = wanted[rows, action]
    elif expected is not None:
        raise ValueError("expected is (n, K); target must be too")
    _check_shape("target", wanted, (n,))
    for name, values in (("expected_logged", logged), ("expected_target", under)):
        if values is not None:
            _check_shape(name, values, (n,))
            _refuse("an expected reward", values, np.isfinite(values), "finite", _MEND)
    return wanted, logged, under


def _float(values: ArrayLike | None) -> Array | None:
    return None if values is None else np.asarray(values, float)


def _check_shape(name: str, values: Array, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}; expected {shape}")


def _refuse(what: str, values: Array, fine: Array, accepted: str, step: str) -> None:
    """Raise `Misuse` naming how many rows do not fit, and the first of them."""
    bad = ~np.all(fine.reshape(len(fine), -1), axis=1)
    if not bad.any():
        return
    first = int(np.flatnonzero(bad)[0])
    found = values[first] if values.ndim == 1 else values[first][~fine[first]][0]
    raise Misuse(
        f"{int(bad.sum()):,} of {len(bad):,} rows have {what} {found:.6g} or other "
        f"than accepted (the first is row {first}); expected {accepted}.",
        step,
    )


def _numbered(cluster: ArrayLike | None, n: int) -> tuple[Array, int]:
    if cluster is None:
        return np.arange(n), n
    given = np.asarray(cluster)
    _check_shape("cluster", given, (n,))
    # None and NaN are the only values that stand for nobody.
    nobody = np.array([c is None or c != c for c in given.tolist()], bool)
    if nobody.any():
        raise Misuse(
            f"{int(nobody.sum()):,} of {n:,} rows name no customer.",
            "Give rows of unknown visitors an id of their own.",
        )
    names, numbers = np.unique(given, return_inverse=True)
    return numbers, len(names)
