"""Customers who buy until they stop: BG/NBD for orders, Gamma-Gamma for value.

Own likelihoods on scipy, because the packages that hold them are no longer kept up.
Times are in days inside; the fit rescales them, as parameters depend on the unit.
A weak prior keeps fifty buyers from running off to the edge of the parameter space;
at a few thousand customers it is worth less than the fourth digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

PRIOR_WEIGHT = 0.5  # in customers: what a normal prior of the log parameters weighs
PRIOR_SPREAD = 2.0  # standard deviation of log parameters under the prior


class NoFit(Exception):
    """The optimiser found no finite optimum; use a simpler rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BgNbd:
    """Parameters of BG/NBD.

    Attributes:
        r: Shape of the buying rate's gamma distribution.
        alpha: Its rate, in the unit of time.
        a: First shape of the drop-out chance's beta distribution.
        b: Second shape.

    References:
        Fader, Hardie and Lee (2005), "Counting your customers" the easy way.
    """

    r: float
    alpha: float
    a: float
    b: float

    def expected(self, x: Array, t_x: Array, age: Array, ahead: float) -> Array:
        """Return expected purchases in the next `ahead`, shape (n,).

        Args:
            x: Repeat purchases.
            t_x: Time from the first to the last purchase.
            age: Time from the first purchase to now.
            ahead: Horizon, in the same unit of time.

        References:
            Equation 10 of the paper above; a at 1 is moved off its pole.
        """
        from scipy.special import hyp2f1

        a = self.a if abs(self.a - 1.0) > 1e-6 else 1.0 + 1e-6
        z = ahead / (self.alpha + age + ahead)
        hyper = hyp2f1(self.r + x, self.b + x, a + self.b + x - 1.0, z)
        decay = ((self.alpha + age) / (self.alpha + age + ahead)) ** (self.r + x)
        numerator = (a + self.b + x - 1.0) / (a - 1.0) * (1.0 - decay * hyper)
        result: Array = np.maximum(numerator / (1.0 + self._odds_gone(x, t_x, age)), 0)
        return result

    def alive(self, x: Array, t_x: Array, age: Array) -> Array:
        """Return the probability of still being active, shape (n,); 1 at x = 0."""
        result: Array = 1.0 / (1.0 + self._odds_gone(x, t_x, age))
        return result

    def none_ahead(self, x: Array, t_x: Array, age: Array, ahead: float) -> Array:
        """Return the probability of no purchase in the next `ahead`, shape (n,).

        Whoever is active buys at a rate that is gamma distributed given the past, so
        the first next purchase lies beyond the horizon with ((alpha + T) /
        (alpha + T + ahead))^(r + x).
        """
        waits = (self.alpha + age) / (self.alpha + age + ahead)
        alive = self.alive(x, t_x, age)
        result: Array = 1.0 - alive * (1.0 - waits ** (self.r + x))
        return result

    def gap_quantile(self, x: Array, age: Array, share: float) -> Array:
        """Return the time within which the next purchase falls with chance `share`.

        For an active customer: the waiting time is Lomax distributed with shape
        r + x and scale alpha + t_x; here evaluated with the history up to `age`.

        Args:
            x: Repeat purchases.
            age: Time observed while surely active, usually t_x.
            share: Chance, above 0 and below 1.
        """
        result: Array = (self.alpha + age) * ((1 - share) ** (-1 / (self.r + x)) - 1)
        return result

    def _odds_gone(self, x: Array, t_x: Array, age: Array) -> Array:
        ratio = np.minimum(
            (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x)), 600.0
        )
        odds = self.a / (self.b + np.maximum(x, 1) - 1.0) * np.exp(ratio)
        return np.where(x > 0, odds, 0.0)


def bg_nbd_log_likelihood(log_params: Array, x: Array, t_x: Array, age: Array) -> Array:
    """Return the log likelihood of every customer, shape (n,).

    Args:
        log_params: Logs of r, alpha, a and b.
        x: Repeat purchases.
        t_x: Time from the first to the last purchase.
        age: Time from the first purchase to now.
    """
    from scipy.special import betaln, gammaln

    r, alpha, a, b = np.exp(log_params)
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    active = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    gone = (
        betaln(a + 1, b + np.maximum(x, 1) - 1)
        - betaln(a, b)
        - (r + x) * np.log(alpha + t_x)
    )
    result: Array = shared + np.where(x > 0, np.logaddexp(active, gone), active)
    return result


def fit_bg_nbd(
    x: Array, t_x: Array, age: Array, *, weight: Array | None = None
) -> BgNbd:
    """Fit BG/NBD by penalised maximum likelihood.

    Customers with equal histories are counted once with a weight, so a large shop
    costs little more than a small one.

    Args:
        x: Repeat purchases, shape (n,).
        t_x: Time from the first to the last purchase.
        age: Time from the first purchase to now.
        weight: How many customers each row stands for; None for one each.

    Raises:
        ValueError: If there is no customer.
        NoFit: If the optimiser fails.
    """
    if len(x) == 0:
        raise ValueError("no customers; expected at least one")
    rows = np.column_stack([x, t_x, age]).astype(float)
    unit = max(float(rows[:, 2].max()) / 40.0, 1e-9)  # about 40 units of history
    rows[:, 1:] /= unit
    counts = np.ones(len(rows)) if weight is None else np.asarray(weight, float)
    rows, place = np.unique(rows, axis=0, return_inverse=True)
    counts = np.bincount(place.ravel(), weights=counts)
    start = np.log([0.5, 5.0, 1.0, 2.5])

    def loss(params: Array) -> float:
        total = counts @ bg_nbd_log_likelihood(
            params, rows[:, 0], rows[:, 1], rows[:, 2]
        )
        return float(-total / counts.sum() + _penalty(params, start, counts.sum()))

    r, alpha, a, b = np.exp(_minimise(loss, start))
    return BgNbd(r=float(r), alpha=float(alpha * unit), a=float(a), b=float(b))


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma:
    """Parameters of the Gamma-Gamma model of mean order value.

    Attributes:
        p: Shape of order values within a customer.
        q: Shape of the spread between customers.
        v: Scale, in money of the input.

    References:
        Fader and Hardie (2013), The gamma-gamma model of monetary value.
    """

    p: float
    q: float
    v: float

    def expected(self, x: Array, mean: Array) -> Array:
        """Return the expected value of a customer's next order, shape (n,).

        Args:
            x: Orders the mean rests on; 0 gives the shop's mean.
            mean: Their mean value.
        """
        q = max(self.q, 1.0 + 1e-6)
        prior = self.p * self.v / (q - 1.0)
        share = self.p * x / (self.p * x + q - 1.0)
        result: Array = (1.0 - share) * prior + share * np.where(x > 0, mean, 0.0)
        return result


def gamma_gamma_log_likelihood(log_params: Array, x: Array, mean: Array) -> Array:
    """Return the log likelihood of every customer, shape (n,); equation 1a."""
    from scipy.special import gammaln

    p, q, v = np.exp(log_params)
    result: Array = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(v)
        + (p * x - 1.0) * np.log(mean)
        + p * x * np.log(x)
        - (p * x + q) * np.log(x * mean + v)
    )
    return result


def fit_gamma_gamma(x: Array, mean: Array) -> GammaGamma:
    """Fit Gamma-Gamma to customers with orders of positive value.

    Args:
        x: Orders each mean rests on, at least 1, shape (n,).
        mean: Mean order value, above 0.

    Raises:
        ValueError: If there is no customer or a value is not positive.
        NoFit: If the optimiser fails.
    """
    if len(x) == 0 or np.min(x) < 1 or np.min(mean) <= 0:
        raise ValueError("expected customers with orders of positive value")
    unit = float(np.median(mean))
    scaled = mean / unit
    start = np.log([3.0, 3.0, 1.0])

    def loss(params: Array) -> float:
        total = gamma_gamma_log_likelihood(params, x, scaled).sum()
        return float(-total / len(x) + _penalty(params, start, len(x)))

    p, q, v = np.exp(_minimise(loss, start))
    return GammaGamma(p=float(p), q=float(q), v=float(v * unit))


def _penalty(params: Array, centre: Array, customers: float) -> float:
    spread = (params - centre) / PRIOR_SPREAD
    return float(0.5 * PRIOR_WEIGHT * (spread @ spread) / customers)


def _minimise(loss: Any, start: Array) -> Array:
    from scipy.optimize import minimize

    found = minimize(loss, start, method="L-BFGS-B", bounds=[(-9.0, 9.0)] * len(start))
    better = minimize(
        loss,
        found.x,
        method="Nelder-Mead",
        options={"maxiter": 2000, "xatol": 1e-7, "fatol": 1e-12},
    )
    result: Array = better.x if better.fun <= found.fun else found.x
    if not np.isfinite(loss(result)):
        raise NoFit("no finite optimum")
    return result
