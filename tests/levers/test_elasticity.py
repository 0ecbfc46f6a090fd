"""Elasticities: known answers are recovered, and doubt is stated honestly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cartwheel.levers.price.elasticity import (
    PRIOR_MEAN,
    Elasticities,
    Panel,
    fit_elasticities,
    log_log_slopes,
)


def made_panel(
    *,
    seed: int,
    articles: int = 150,
    weeks: int = 52,
    level: float = 2.0,
    mean: float = -2.0,
    spread: float = 0.5,
    noise: float = 0.3,
    out_of_stock: float = 0.0,
) -> tuple[Panel, np.ndarray]:
    """Return weeks with a sale from known elasticities, seasonal and overdispersed."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(mean, spread, articles)
    moves = rng.random((articles, weeks)) < 0.25
    price = rng.choice([-0.16, -0.1, -0.05, 0.0, 0.05, 0.1], (articles, weeks))
    held = np.maximum.accumulate(np.where(moves, np.arange(weeks), 0), axis=1)
    x = np.log1p(np.take_along_axis(price, held, axis=1))
    season = 0.5 * np.sin(2 * np.pi * np.arange(weeks) / 52)
    shape = 1 / noise**2
    extra = rng.gamma(shape, 1 / shape, (articles, weeks))
    days = np.where(
        rng.random((articles, weeks)) < out_of_stock,
        rng.integers(1, 7, (articles, weeks)),
        7,
    )
    base = rng.normal(level, 0.7, articles)[:, None]
    rate = np.exp(base + truth[:, None] * x + season) * extra * days / 7
    units = rng.poisson(rate)
    row, week = np.nonzero(units)
    return (
        Panel(
            article=row,
            week=week,
            log_price=x[row, week] + 3.0,
            units=units[row, week].astype(float),
            days=days[row, week].astype(float),
            group=np.arange(articles) % 5,
        ),
        truth,
    )


def covered(found: Elasticities, truth: np.ndarray) -> float:
    return float((np.abs(found.mean - truth) <= 1.2816 * found.sd).mean())


def test_slopes_worked_by_hand() -> None:
    # Group 0: y = 1 - 2 x exactly. Group 1 has one price only.
    x = np.array([0.0, 1.0, 2.0, 5.0, 5.0])
    y = np.array([1.0, -1.0, -3.0, 4.0, 6.0])
    slopes, pooled = log_log_slopes(y, x, np.array([0, 0, 0, 1, 1]))
    assert slopes[0] == pytest.approx(-2.0)
    assert np.isnan(slopes[1])
    assert pooled == pytest.approx(-2.0)


def test_slopes_respect_weights() -> None:
    x, y = np.array([0.0, 1.0, 1.0]), np.array([0.0, -1.0, -3.0])
    slopes, _ = log_log_slopes(y, x, np.zeros(3, int), np.array([1.0, 3.0, 1.0]))
    assert slopes[0] == pytest.approx(-1.5)


@pytest.mark.data
def test_slopes_reproduce_the_orange_juice_table(
    data_folder: Callable[[str], Path],
) -> None:
    import pandas as pd

    frame = pd.read_parquet(data_folder("dominicks-oj") / "oj_yx.parquet")
    brands = {10: 0, 5: 1, 1: 2}  # Dominick's, Minute Maid, Tropicana, 64 ounces
    frame = frame[frame["brand"].isin(brands)]
    assert len(frame) == 28_947
    price = sum(
        frame[f"price{brand}"].where(frame["brand"] == brand, 0.0) for brand in brands
    )
    slopes, pooled = log_log_slopes(
        frame["logmove"].to_numpy(),
        np.log(np.asarray(price)),
        frame["brand"].map(brands).to_numpy(),
    )
    assert pooled == pytest.approx(-3.1387, abs=1e-4)
    assert slopes == pytest.approx([-3.378, -3.321, -2.712], abs=1e-3)


@pytest.mark.parametrize("mean", [-2.0, -0.6])
def test_fit_recovers_known_elasticities(mean: float) -> None:
    panel, truth = made_panel(seed=1, mean=mean)
    found = fit_elasticities(panel)
    assert abs(found.shop_mean - truth.mean()) < 0.2
    assert np.corrcoef(found.mean, truth)[0, 1] > 0.4
    assert np.sqrt(np.mean((found.mean - truth) ** 2)) < 0.45


@pytest.mark.parametrize("level", [0.0, 2.5])
def test_fit_intervals_hold_their_share(level: float) -> None:
    shares = [
        covered(fit_elasticities(panel), truth)
        for panel, truth in (made_panel(seed=s, level=level) for s in range(6))
    ]
    assert 0.7 < np.mean(shares) < 0.9


def test_fit_is_not_fooled_by_weeks_without_sale() -> None:
    # Half of the weeks have no sale; least squares on the rest is badly flattened.
    panel, truth = made_panel(seed=3, level=-0.3, articles=800, noise=0.05)
    _, pooled = log_log_slopes(np.log(panel.units), panel.log_price, panel.article)
    found = fit_elasticities(panel)
    assert abs(found.shop_mean - truth.mean()) < 0.5 * abs(pooled - truth.mean())


def test_fit_uses_days_in_stock() -> None:
    panel, truth = made_panel(seed=4, out_of_stock=0.3)
    blind = Panel(
        article=panel.article,
        week=panel.week,
        log_price=panel.log_price,
        units=panel.units,
        days=np.full_like(panel.days, 7.0),
        group=panel.group,
    )
    told, untold = fit_elasticities(panel), fit_elasticities(blind)
    assert np.mean((told.mean - truth) ** 2) < np.mean((untold.mean - truth) ** 2)
    assert told.dispersion.mean() < untold.dispersion.mean()


def test_fit_doubts_more_when_sales_are_wilder() -> None:
    calm, _ = made_panel(seed=5, noise=0.1)
    wild, _ = made_panel(seed=5, noise=1.2)
    assert fit_elasticities(wild).sd.mean() > 1.3 * fit_elasticities(calm).sd.mean()


def test_fit_gives_an_article_without_price_changes_its_categorys_value() -> None:
    panel, _ = made_panel(seed=6)
    still = panel.article == 0
    fixed = Panel(
        article=panel.article,
        week=panel.week,
        log_price=np.where(still, 3.0, panel.log_price),
        units=panel.units,
        days=panel.days,
        group=panel.group,
    )
    found = fit_elasticities(fixed)
    assert found.own_share[0] == 0.0
    assert found.sd[0] > np.median(found.sd)
    assert abs(found.mean[0] - found.mean[panel.group == 0].mean()) < 0.5


def test_fit_without_rows_is_the_prior() -> None:
    nothing = np.empty(0)
    found = fit_elasticities(
        Panel(
            article=nothing.astype(int),
            week=nothing.astype(int),
            log_price=nothing,
            units=nothing,
            days=nothing,
            group=np.zeros(2, int),
        )
    )
    assert found.mean == pytest.approx([PRIOR_MEAN, PRIOR_MEAN])
    assert (found.sd > 1.0).all()
    assert (found.own_share == 0).all()


def test_fit_is_repeatable() -> None:
    panel, _ = made_panel(seed=7, articles=40)
    one, two = fit_elasticities(panel), fit_elasticities(panel)
    assert one.mean.tobytes() == two.mean.tobytes()
    assert one.sd.tobytes() == two.sd.tobytes()
