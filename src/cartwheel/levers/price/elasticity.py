"""How demand reacts to price: elasticities with honest intervals from weekly sales.

An article's weekly units are taken as Poisson, seen only in weeks with a sale, with
mean `exp(level + elasticity * log price + week effect) * days in stock / 7`. The
zero-truncated likelihood is the right one for weeks-with-a-sale data and says little
where counts are small, as it should. Dispersion above Poisson widens the standard
errors. Each article is then shrunk towards its category, the category towards the
shop, and the shop towards the literature.

It misleads when prices were moved because demand moved (a markdown at the end of a
season), and when bulk buyers pay less: both make demand look more elastic than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PRIOR_MEAN = -2.6
"""Mean of 1,851 published price elasticities (Bijmolt, van Heerde and Pieters 2005)."""

PRIOR_SD = 1.0
"""How far a shop's mean may lie from it: two thirds of shops within -3.6 to -1.6."""

_STEADY_SD = 3.0  # only keeps single fits finite; taken out again afterwards
_LEAST_PRECISION = 0.05  # a standard error above 4.5 is no information
_POOLED_DISPERSION = 8  # weeks that the shop's dispersion counts for
_CALM_UNITS = 20.0  # units of a category week that make half of its own effect
_TAU_ARTICLE = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 2.8)
_TAU_GROUP = (0.02, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Weekly sales of A articles, N rows (weeks with a sale).

    Attributes:
        article: Article of a row, shape (N,).
        week: Number of the week, shape (N,).
        log_price: Natural log of the price, shape (N,).
        units: Units sold, at least 1, shape (N,).
        days: Days in stock, 1 to 7, shape (N,).
        group: Category of an article, shape (A,).
    """

    article: np.ndarray
    week: np.ndarray
    log_price: np.ndarray
    units: np.ndarray
    days: np.ndarray
    group: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Elasticities:
    """What is known of A articles' elasticities.

    Attributes:
        mean: Posterior mean, shape (A,).
        sd: Posterior standard deviation, shape (A,).
        own_share: Weight of the article's own sales in the mean, shape (A,).
        dispersion: Variance of weekly units over Poisson's, shape (A,).
        shop_mean: Posterior mean of the shop's mean.
        shop_sd: Its standard deviation.
        spread: Posterior mean of the standard deviation within a category.
    """

    mean: np.ndarray
    sd: np.ndarray
    own_share: np.ndarray
    dispersion: np.ndarray
    shop_mean: float
    shop_sd: float
    spread: float


def log_log_slopes(
    log_units: np.ndarray,
    log_price: np.ndarray,
    group: np.ndarray,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Fit ln(units) on ln(price) by least squares with an intercept per group.

    Args:
        log_units: Shape (N,).
        log_price: Shape (N,).
        group: Group of a row, numbers from 0, shape (N,).
        weight: Weight of a row, shape (N,); 1 when None.

    Returns:
        The slope of each group (NaN without price variation), and the slope that all
        groups share.
    """
    weight = np.ones(len(group)) if weight is None else weight
    count = int(group.max(initial=-1)) + 1

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values, count)

    mass = np.maximum(total(weight), 1e-12)
    x = log_price - (total(weight * log_price) / mass)[group]
    y = log_units - (total(weight * log_units) / mass)[group]
    top, below = total(weight * x * y), total(weight * x * x)
    slopes = np.full(count, np.nan)
    np.divide(top, below, out=slopes, where=below > 1e-9)
    pooled = float(top.sum() / below.sum()) if below.sum() > 1e-9 else float("nan")
    return slopes, pooled


def fit_elasticities(
    panel: Panel, *, prior_mean: float = PRIOR_MEAN, prior_sd: float = PRIOR_SD
) -> Elasticities:
    """Estimate every article's elasticity.

    Args:
        panel: Weekly sales.
        prior_mean: Mean of the prior of the shop's mean elasticity.
        prior_sd: Its standard deviation.

    References:
        Zero-truncated Poisson: Cameron and Trivedi (2013), section 4.3. Shrinkage:
        normal hierarchical model, empirical Bayes; Gelman et al. (2013), chapter 5.
    """
    estimate, precision, dispersion = _fit_articles(panel, prior_mean)
    return _shrink(estimate, precision, dispersion, panel.group, prior_mean, prior_sd)


class _Fit:
    """Newton's method on the truncated likelihood of all articles at once."""

    def __init__(self, panel: Panel, prior_mean: float) -> None:
        self.panel, self.prior_mean = panel, prior_mean
        self.articles = len(panel.group)
        self.weight = panel.days / 7.0
        self.exposure = np.log(panel.days / 7.0)
        units = np.maximum(self.sum(self.weight * panel.units), 1e-9)
        centre = self.sum(self.weight * panel.units * panel.log_price) / units
        self.x = panel.log_price - centre[panel.article]
        self.effect = np.zeros(len(panel.article))
        rows = np.maximum(self.sum(self.weight), 1e-9)
        self.level = np.log(np.maximum(units / rows, 0.1))
        slopes, pooled = log_log_slopes(
            np.log(panel.units), panel.log_price, panel.article, self.weight
        )
        pooled = prior_mean if np.isnan(pooled) else pooled
        start = np.full(self.articles, pooled)
        start[: len(slopes)] = np.where(np.isnan(slopes), pooled, slopes)
        self.slope = np.clip(start, prior_mean - 2.5, prior_mean + 2.5)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum rows by article."""
        return np.bincount(self.panel.article, values, self.articles)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each row under the truncated Poisson."""
        article = self.panel.article
        eta = self.level[article] + self.slope[article] * self.x
        rate = np.exp(np.clip(eta + self.exposure + self.effect, -12.0, 15.0))
        mean = rate / -np.expm1(-rate)
        return mean, np.maximum(mean * (1.0 + rate - mean), 1e-9)

    def curvature(self, spread: np.ndarray) -> tuple[np.ndarray, ...]:
        """Information of level, of both, of slope."""
        held = self.weight * spread
        return self.sum(held), self.sum(held * self.x), self.sum(held * self.x**2)

    def climb(self, steps: int) -> None:
        """Move levels and slopes towards the maximum."""
        steady = 1.0 / _STEADY_SD**2
        for _ in range(steps):
            mean, spread = self.moments()
            gap = self.weight * (self.panel.units - mean)
            down = self.sum(gap)
            side = self.sum(gap * self.x) - (self.slope - self.prior_mean) * steady
            h_ll, h_ls, h_ss = self.curvature(spread)
            h_ll, h_ss = h_ll + 1e-6, h_ss + steady
            det = np.maximum(h_ll * h_ss - h_ls**2, 1e-12)
            self.level += np.clip((h_ss * down - h_ls * side) / det, -1.0, 1.0)
            self.slope += np.clip((h_ll * side - h_ls * down) / det, -1.0, 1.0)

    def dispersion(self) -> np.ndarray:
        """Pearson dispersion by article, pooled towards the shop's, at least 1."""
        mean, spread = self.moments()
        square = self.sum(self.weight * (self.panel.units - mean) ** 2 / spread)
        freedom = np.maximum(self.sum(self.weight) - 2.0, 0.0)
        shop = square.sum() / max(freedom.sum(), 1.0)
        pooled = _POOLED_DISPERSION
        return np.asarray(
            np.maximum((pooled * shop + square) / (pooled + freedom), 1.0)
        )

    def learn_weeks(self, code: np.ndarray, calm: float) -> None:
        """Add what the other articles of the same block and week sold above plan.

        An article is left out of its own effect, or the effect would swallow its
        response to price.
        """
        mean, _ = self.moments()
        sold, plan = self.weight * self.panel.units, self.weight * mean
        sold_all = np.bincount(code, sold)[code]
        plan_all = np.bincount(code, plan)[code]
        ratio = (sold_all - sold + calm) / (plan_all - plan + calm)
        self.effect = self.effect + np.log(ratio)


def _fit_articles(
    panel: Panel, prior_mean: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each article's own estimate, its precision, and its dispersion."""
    fit = _Fit(panel, prior_mean)
    weeks = int(panel.week.max(initial=-1)) + 1
    by_group = panel.group[panel.article] * weeks + panel.week
    fit.climb(12)
    calm = _CALM_UNITS * float(np.median(fit.dispersion())) if weeks else 1.0
    for code in (panel.week, by_group, panel.week):
        fit.learn_weeks(code, calm)
        fit.climb(6)
    fit.climb(8)
    dispersion = fit.dispersion()
    _, spread = fit.moments()
    h_ll, h_ls, h_ss = fit.curvature(spread)
    information = h_ss - h_ls**2 / np.maximum(h_ll, 1e-9)
    pull = (fit.slope - prior_mean) / _STEADY_SD**2
    known = information / dispersion >= _LEAST_PRECISION
    safe = np.where(known, information, 1.0)
    estimate = np.where(known, fit.slope + pull / safe, prior_mean)
    return estimate, np.where(known, information / dispersion, 0.0), dispersion


def _shrink(
    estimate: np.ndarray,
    precision: np.ndarray,
    dispersion: np.ndarray,
    group: np.ndarray,
    prior_mean: float,
    prior_sd: float,
) -> Elasticities:
    """Shrink articles to categories, categories to the shop, the shop to the prior.

    The two spreads are averaged over, not picked: with thin data the likeliest spread
    is often zero, and intervals built on it would be far too narrow.
    """
    level = _Levels(estimate, precision, group, prior_mean, prior_sd)
    grid = [(a, g) for a in _TAU_ARTICLE for g in _TAU_GROUP]
    width = np.outer(np.gradient(_TAU_ARTICLE), np.gradient(_TAU_GROUP)).ravel()
    evidence = np.array([level.evidence(a, g) for a, g in grid])
    share = np.exp(evidence - evidence.max()) * width
    share /= share.sum()
    found = [level.posterior(a, g) for a, g in grid]
    mean, variance, own, top = (
        np.stack([values[i] for values in found]) for i in range(4)
    )
    centre = share @ mean
    shop = float(share @ top[:, 0])
    doubt = float(share @ (top[:, 1] + (top[:, 0] - shop) ** 2))
    return Elasticities(
        mean=centre,
        sd=np.sqrt(share @ (variance + (mean - centre) ** 2)),
        own_share=share @ own,
        dispersion=dispersion,
        shop_mean=shop,
        shop_sd=float(np.sqrt(doubt)),
        spread=float(share @ np.array([a for a, _ in grid])),
    )


class _Levels:
    """The normal model of articles in categories in a shop, for given spreads."""

    def __init__(
        self,
        estimate: np.ndarray,
        precision: np.ndarray,
        group: np.ndarray,
        prior_mean: float,
        prior_sd: float,
    ) -> None:
        self.estimate, self.group = estimate, group
        self.known = precision > 0
        self.variance = 1.0 / np.where(self.known, precision, 1.0)
        self.groups = int(group.max(initial=-1)) + 1
        self.prior_mean, self.prior_variance = prior_mean, prior_sd**2

    def _means(self, spread: float) -> tuple[np.ndarray, np.ndarray]:
        """Precision and precision-weighted mean of each category's articles."""
        inverse = np.where(self.known, 1.0 / (spread**2 + self.variance), 0.0)
        mass = np.bincount(self.group, inverse, self.groups)
        total = np.bincount(self.group, inverse * self.estimate, self.groups)
        return mass, np.where(mass > 0, total / np.maximum(mass, 1e-12), 0.0)

    def evidence(self, spread: float, between: float) -> float:
        """Log marginal likelihood of the two spreads plus their log prior.

        The prior of the articles' spread vanishes at zero (Chung et al. 2013).
        """
        prior = np.log(spread) - 0.5 * ((spread / 0.8) ** 2 + (between / 0.5) ** 2)
        mass, mean = self._means(spread)
        there = mass > 0
        if not there.any():
            return float(prior)
        inverse = 1.0 / (spread**2 + self.variance[self.known])
        gap = (self.estimate - mean[self.group])[self.known]
        inside = np.sum(np.log(inverse) - inverse * gap**2)
        inside -= np.sum(np.log(mass[there]))
        among = 1.0 / (between**2 + 1.0 / mass[there])
        shop = (among * mean[there]).sum() / among.sum()
        outside = np.sum(np.log(among) - among * (mean[there] - shop) ** 2)
        outside -= np.log(among.sum())
        total = self.prior_variance + 1.0 / among.sum()
        top = -np.log(total) - (shop - self.prior_mean) ** 2 / total
        return float(0.5 * (inside + outside + top) + prior)

    def posterior(
        self, spread: float, between: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean, variance and own share by article; mean and variance of the shop."""
        mass, mean = self._means(spread)
        among = np.where(
            mass > 0, 1.0 / (between**2 + 1.0 / np.maximum(mass, 1e-12)), 0
        )
        shop_variance = 1.0 / (1.0 / self.prior_variance + among.sum())
        shop = self.prior_mean / self.prior_variance + (among * mean).sum()
        shop_mean = shop * shop_variance
        weight = mass / (mass + 1.0 / between**2)
        centre = weight * mean + (1.0 - weight) * shop_mean
        doubt = (1.0 - weight) * between**2 + (1.0 - weight) ** 2 * shop_variance
        own = np.where(self.known, spread**2 / (spread**2 + self.variance), 0.0)
        inner = np.where(self.known, own * self.variance, spread**2)
        return (
            own * self.estimate + (1.0 - own) * centre[self.group],
            inner + (1.0 - own) ** 2 * doubt[self.group],
            own,
            np.array([shop_mean, shop_variance]),
        )
