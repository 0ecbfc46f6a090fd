"""Choose a price for every article, or say why it is left alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.earned import earned
from cartwheel.levers.options import read_options
from cartwheel.levers.price.articles import priced_variants
from cartwheel.levers.price.steps import (
    Z80,
    Article,
    Clearance,
    Endings,
    Gain,
    find_endings,
    ladder,
    weigh,
    weigh_clearance,
)
from cartwheel.signals.base import ShopContext, Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.learned import FORECAST, OUTCOMES
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.price import PRICE_HISTORY
from cartwheel.signals.stock import STOCK

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DRAWS = 400
HORIZON_DAYS = 28
CLEARANCE_DAYS = 90
MARKDOWNS = (-0.1, -0.2, -0.3, -0.4, -0.5)

LEFT_ALONE = {
    "hidden": "not shown to shoppers",
    "no_price": "no price known",
    "few_weeks": "sold in too few weeks",
    "few_prices": "price hardly ever changed",
    "loose": "reaction to price not known closely enough",
    "no_cost": "no cost known, and demand is not weak enough to do without",
    "no_forecast": "no forecast of demand",
    "no_gain": "no step gains with enough certainty",
    "dead_no_cost": "stock lies, but its cost is not known",
    "dead_no_gain": "stock lies, but no markdown above the margin floor pays",
}


Rows = Mapping[str, np.ndarray]
"""Columns of one article's variants, one entry a variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the lever, `[levers.price]` in the shop's settings.

    Attributes:
        useful_width: Widest 80 % interval of an elasticity that a price may rest on.
        least_own_share: Smallest weight of an article's own sales in its elasticity.
        least_prices: Fewest distinct prices seen.
        least_weeks: Fewest weeks with a sale.
        step: Relative change weighed; half of it is weighed too.
        certainty: Smallest probability of gain.
        tests: Most price tests proposed to learn more.
        dead_cover_days: Cover above which stock counts as dead.
        dead_days: Days without sale after which stock counts as dead.
        new_days: Days after first listing in which nothing counts as dead.
        salvage_share: Worth of a dead unit, of its cost.
        holding_share: Cost of holding a unit for a year, of its cost.
        minimum_margin: Smallest margin a markdown leaves, of the price.
        least_gain_minor: Smallest gain worth a person's attention, in minor units.
    """

    useful_width: float = 1.6
    least_own_share: float = 0.15
    least_prices: int = 3
    least_weeks: int = 8
    step: float = 0.1
    certainty: float = 0.8
    tests: int = 10
    dead_cover_days: float = 180.0
    dead_days: int = 56
    new_days: int = 90
    salvage_share: float = 0.5
    holding_share: float = 0.2
    minimum_margin: float = 0.1
    least_gain_minor: int = 300

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options; its guardrail on margins is the least floor.

        Raises:
            Misuse: If an option is unknown or no number of at least 0.
        """
        chosen = read_options(cls, data, "price")
        limits = data.context.options.get("guardrails", {})
        floor = min(limits.get("minimum_margin_bps", 0) / 10_000, 0.9999)
        return replace(chosen, minimum_margin=max(chosen.minimum_margin, floor))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """A price chosen for one article.

    Attributes:
        kind: price_change, price_test or markdown.
        why: plain, inelastic, learn, dead.
        rows: Its variants, one row each.
        article: What was known.
        gain: Gain of the chosen price.
        weighed: Every price weighed.
        metric: What `gain` counts.
    """

    kind: str
    why: str
    rows: Rows
    article: Article
    gain: Gain
    weighed: tuple[Gain, ...]
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen, and why the rest is left alone.

    Attributes:
        made: Choices, most valuable first.
        left: Code of `LEFT_ALONE` by variant.
    """

    made: tuple[Choice, ...]
    left: Mapping[str, str]


READS: tuple[Signal, ...] = (
    CATALOGUE,
    FORECAST,
    MARGIN,
    OUTCOMES,
    PRICE_HISTORY,
    STOCK,
)
"""What prices are chosen by."""

_Seen = tuple[ShopContext, tuple["pa.Table", ...]]

_LAST: deque[tuple[Model, _Seen, Choices]] = deque(maxlen=1)
"""What was chosen last: a turn asks twice, for the plan and for the decisions."""


def choose_prices(model: Model, data: Signals) -> Choices:
    """Choose for all articles; the seed is the one the model was learned with."""
    if "mean" not in model.arrays:
        return Choices(made=(), left={})
    now = data.context, tuple(data.table(signal) for signal in READS)
    for known, seen, choices in tuple(_LAST):
        if known is model and _same(seen, now):
            return choices
    _LAST.clear()
    choices = _choose_all(model, data)
    _LAST.append((model, now, choices))
    return choices


def _same(one: _Seen, other: _Seen) -> bool:
    """Tell whether both are the very same tables of the same shop and day."""
    pairs = zip(one[1], other[1], strict=True)
    return one[0] == other[0] and all(
        mine is its or not len(mine) + len(its) for mine, its in pairs
    )


def _choose_all(model: Model, data: Signals) -> Choices:
    options = Options.of(data)
    offers = _offers(model, data)
    prices = offers["price_minor"].dropna().to_numpy("int64")
    endings = find_endings(prices, data.context.minor_digits)
    rng = np.random.default_rng(int(model.meta["seed"]))
    half = rng.standard_normal((2, DRAWS // 2))
    # Antithetic: each draw with its mirror image, so medians sit still.
    normal = np.concatenate([half, -half * np.array([[1.0], [-1.0]])], axis=1)
    made: list[Choice] = []
    left: dict[str, str] = {}
    for rows in _articles(offers):
        found = _choose(rows, options, endings, normal)
        if isinstance(found, Choice):
            made.append(found)
        else:
            left.update(dict.fromkeys(rows["variant_id"], found))
    kept = _limit_tests(made, options.tests)
    here = {id(choice) for choice in kept}
    for choice in made:
        if id(choice) not in here:
            left.update(dict.fromkeys(choice.rows["variant_id"], "loose"))
    kept.sort(key=lambda c: (-c.gain.value, str(c.rows["variant_id"][0])))
    return Choices(made=tuple(kept), left=left)


def _articles(offers: pd.DataFrame) -> list[Rows]:
    """Split the offers by article into plain arrays, which are quick to read."""
    ordered = offers.sort_values(["article", "variant_id"], kind="stable")
    columns = {str(name): ordered[name].to_numpy() for name in ordered.columns}
    count = np.bincount(columns["article"].astype(np.int64))
    edges = np.concatenate([[0], np.cumsum(count)])
    return [
        {name: values[begin:end] for name, values in columns.items()}
        for begin, end in pairwise(edges)
    ]


def _limit_tests(made: list[Choice], most: int) -> list[Choice]:
    """Keep the tests that concern the most money."""
    tests = [choice for choice in made if choice.why == "learn"]
    tests.sort(
        key=lambda c: (
            -float(c.article.demand.sum()) * c.article.price,
            str(c.rows["variant_id"][0]),
        )
    )
    return [c for c in made if c.why != "learn"] + tests[:most]


def _offers(model: Model, data: Signals) -> pd.DataFrame:
    """One row a variant with everything a choice needs."""
    import pandas as pd

    frame = priced_variants(data)
    ids = frame["variant_id"].tolist()
    margin, stock = earned(data, ids), data.align(STOCK, ids)
    ahead = data.frame(FORECAST)
    ahead = ahead[ahead["horizon_days"] == HORIZON_DAYS].set_index("variant_id")
    ahead = ahead.reindex(ids)
    today = pd.Timestamp(data.context.when.as_of)
    soon = pd.to_datetime(stock["inbound_on"]) <= today + timedelta(days=HORIZON_DAYS)
    inbound = _number(stock["inbound_units"])
    spread = (_number(ahead["q90_units"]) - _number(ahead["q10_units"])) / (2 * Z80)
    mean = _number(ahead["mean_units"])
    history = data.frame(PRICE_HISTORY)
    last = history[history["units"] > 0].groupby("variant_id")["week"].max()
    learned = pd.DataFrame(
        {name: np.asarray(values) for name, values in model.arrays.items()}
    ).set_index("variant_id")
    learned = learned.reindex(ids).reset_index(drop=True)
    learned["mean"] = learned["mean"].fillna(float(model.meta["shop_mean"]))
    learned["sd"] = learned["sd"].fillna(float(model.meta["new_sd"]))
    learned["dispersion"] = learned["dispersion"].fillna(1.0)
    return frame.assign(
        price_minor=_number(frame["price_minor"]),
        cost=_number(margin["cost_minor"]),
        besides=np.nan_to_num(_number(margin["return_cost_minor"]))
        + _number(margin["sending_minor"]),
        on_hand=_number(stock["on_hand_units"]),
        inbound=np.where(soon, inbound, 0.0),
        any_inbound=inbound,
        demand=mean,
        demand_sd=np.where(np.isnan(spread), np.sqrt(np.maximum(mean, 0)), spread),
        idle_days=(today - last.reindex(ids)).dt.days.to_numpy("float64") - 6,
        age_days=(today - pd.to_datetime(frame["first_on"])).dt.days.to_numpy(
            "float64"
        ),
        active=frame["active"].fillna(True).astype(bool).to_numpy(),
        elasticity=learned["mean"].to_numpy(),
        elasticity_sd=learned["sd"].to_numpy() * _widening(data),
        own_share=learned["own_share"].fillna(0.0).to_numpy(),
        prices=learned["prices"].fillna(0).to_numpy("int64"),
        weeks=learned["weeks"].fillna(0).to_numpy("int64"),
        dispersion=learned["dispersion"].to_numpy(),
        low_seen=learned["low_minor"].to_numpy(),
        high_seen=learned["high_minor"].to_numpy(),
    )


def _number(values: pd.Series[Any]) -> np.ndarray:
    import pandas as pd

    return np.asarray(pd.to_numeric(values).to_numpy("float64", na_value=np.nan))


def _widening(data: Signals) -> float:
    """How much wider doubt must be for earlier predictions to have held.

    With at least five measured price changes, the root mean square of their errors in
    standard deviations, between 1 and 3; 1 before that.
    """
    found = past_changes(data)
    if len(found) < 5:
        return 1.0
    sd = np.maximum((found["high"] - found["low"]) / (2 * Z80), 1e-9)
    error: np.ndarray = ((found["actual"] - found["predicted"]) / sd).to_numpy(
        "float64"
    )
    return float(np.clip(np.sqrt(np.mean(error**2)), 1.0, 3.0))


def past_changes(data: Signals) -> pd.DataFrame:
    """Return the measured outcomes of this lever's price changes."""
    found = data.frame(OUTCOMES)
    found = found[(found["lever"] == "price") & (found["kind"] == "price_change")]
    return found.dropna(subset=["predicted", "low", "high", "actual"])


def _choose(
    rows: Rows, options: Options, endings: Endings, normal: np.ndarray
) -> Choice | str:
    """Choose for one article, or return the code of why not."""
    if not rows["active"].all():
        return "hidden"
    if not rows["price_minor"][0] > 0:
        return "no_price"
    if _is_dead(rows, options):
        return _clear(rows, options, endings, normal)
    if rows["weeks"][0] < options.least_weeks:
        return "few_weeks"
    if rows["prices"][0] < options.least_prices:
        return "few_prices"
    if np.isnan(rows["demand"]).any():
        return "no_forecast"
    article = _article(rows)
    loose = 2 * Z80 * article.elasticity_sd > options.useful_width
    costless = bool(np.isnan(article.keep).any())
    if costless and loose:
        return "no_cost"
    if costless:
        return _raise_blind(rows, article, options, endings, normal)
    if loose or rows["own_share"][0] < options.least_own_share:
        return _test(rows, article, options, endings, normal)
    return _step(rows, article, options, endings, normal)


def _article(rows: Rows) -> Article:
    stock = np.maximum(rows["on_hand"], 0.0) + rows["inbound"]
    return Article(
        price=int(rows["price_minor"][0]),
        keep=rows["cost"] + rows["besides"],
        demand=np.nan_to_num(rows["demand"]),
        demand_sd=np.nan_to_num(rows["demand_sd"]),
        stock=np.where(np.isnan(stock), np.inf, stock),
        elasticity=float(rows["elasticity"][0]),
        elasticity_sd=float(rows["elasticity_sd"][0]),
    )


def _rungs(
    rows: Rows, article: Article, options: Options, endings: Endings
) -> list[int]:
    """Prices worth weighing: near what was seen, no cut of what sells out anyway."""
    step = options.step
    found = ladder(article.price, (-step, -step / 2, step / 2, step), endings, step)
    scarce = article.stock.sum() < article.demand.sum()
    return [
        price
        for price in found
        if (price > article.price or not scarce)
        and 0.9 * rows["low_seen"][0] <= price <= 1.1 * rows["high_seen"][0]
    ]


def _best(weighed: list[Gain], options: Options) -> Gain | None:
    least = max(options.least_gain_minor, 1)
    sure = [g for g in weighed if g.certainty >= options.certainty and g.value >= least]
    return max(sure, key=lambda g: (g.value, -g.price), default=None)


def _step(
    rows: Rows,
    article: Article,
    options: Options,
    endings: Endings,
    normal: np.ndarray,
) -> Choice | str:
    """Choose the step with the highest expected margin among those sure to gain."""
    prices = _rungs(rows, article, options, endings)
    weighed = weigh(article, prices, normal)
    best = _best(weighed, options)
    if best is None:
        return "no_gain"
    return Choice(
        kind="price_change",
        why="plain",
        rows=rows,
        article=article,
        gain=best,
        weighed=tuple(weighed),
        metric="margin_28d_minor",
    )


def _raise_blind(
    rows: Rows,
    article: Article,
    options: Options,
    endings: Endings,
    normal: np.ndarray,
) -> Choice | str:
    """Without a cost, only a rise against weak demand can be judged.

    It brings more revenue and never more units, so it earns more whatever a unit
    costs. Nothing can be said of a cut.
    """
    draws = article.elasticity + article.elasticity_sd * normal[0]
    weak = float((draws > -1.0).mean()) >= options.certainty
    if not weak or rows["own_share"][0] < options.least_own_share:
        return "no_cost"
    revenue = replace(article, keep=np.zeros_like(article.keep))
    prices = _rungs(rows, article, options, endings)
    weighed = weigh(revenue, [p for p in prices if p > article.price], normal)
    best = _best(weighed, options)
    if best is None:
        return "no_cost"
    return Choice(
        kind="price_test",
        why="inelastic",
        rows=rows,
        article=revenue,
        gain=best,
        weighed=tuple(weighed),
        metric="revenue_28d_minor",
    )


def _test(
    rows: Rows,
    article: Article,
    options: Options,
    endings: Endings,
    normal: np.ndarray,
) -> Choice | str:
    """Propose a test where 28 days of it would settle the elasticity."""
    dispersion = float(rows["dispersion"][0])
    units = float(np.minimum(article.demand, article.stock).sum())
    enough = []
    for price in _rungs(rows, article, options, endings):
        told = units * np.log(price / article.price) ** 2 / dispersion
        width = 2 * Z80 / np.sqrt(1 / article.elasticity_sd**2 + told)
        own = told / (told + 1 / article.elasticity_sd**2)
        if width <= options.useful_width and own >= options.least_own_share:
            enough.append(price)
    if not enough:
        return "loose"
    weighed = weigh(article, enough, normal)
    return Choice(
        kind="price_test",
        why="learn",
        rows=rows,
        article=article,
        gain=max(weighed, key=lambda g: (g.value, -g.price)),
        weighed=tuple(weighed),
        metric="margin_28d_minor",
    )


def _is_dead(rows: Rows, options: Options) -> bool:
    """Stock that lies: known, not new, nothing inbound, far above demand or unsold."""
    held = rows["on_hand"]
    if np.isnan(held).any() or held.sum() <= 0 or rows["any_inbound"].sum() > 0:
        return False
    if not (rows["age_days"] >= options.new_days).all():
        return False
    # Every size must have lain; one that never sold has no day of its last sale.
    idle = np.where(np.isnan(rows["idle_days"]), np.inf, rows["idle_days"])
    if idle.min() >= options.dead_days:
        return True
    if np.isnan(rows["demand"]).any():
        return False
    pace = float(rows["demand"].sum()) / HORIZON_DAYS
    return float(held.sum()) > options.dead_cover_days * pace


def _clear(
    rows: Rows, options: Options, endings: Endings, normal: np.ndarray
) -> Choice | str:
    """Choose the markdown that recovers most, above the margin floor."""
    if np.isnan(rows["cost"]).any():
        return "dead_no_cost"
    article = _article(rows)
    # Something that never sells may still sell once: half a sale in the time it lay.
    never = np.isnan(rows["idle_days"])
    lain = np.maximum(np.where(never, rows["age_days"], rows["idle_days"]), 1.0)
    least = 0.5 * HORIZON_DAYS / lain / len(lain)
    article = replace(
        article,
        keep=rows["cost"],
        demand=np.maximum(article.demand, least),
        demand_sd=np.maximum(article.demand_sd, least),
        stock=np.maximum(rows["on_hand"], 0.0),
    )
    floor = float(rows["cost"].max()) / (1 - options.minimum_margin)
    terms = Clearance(
        days=CLEARANCE_DAYS,
        salvage_share=options.salvage_share,
        holding_share=options.holding_share,
    )
    prices = ladder(article.price, MARKDOWNS, endings, 0.5)
    weighed = weigh_clearance(article, [p for p in prices if p >= floor], normal, terms)
    best = _best(weighed, options)
    if best is None:
        return "dead_no_gain"
    return Choice(
        kind="markdown",
        why="dead",
        rows=rows,
        article=article,
        gain=best,
        weighed=tuple(weighed),
        metric="value_90d_minor",
    )
