"""Price: small steps where the reaction to price is known, markdowns for dead stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import (
    Abstain,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Prediction,
    Rule,
)
from cartwheel.levers.price.articles import read_history
from cartwheel.levers.price.choice import (
    CLEARANCE_DAYS,
    HORIZON_DAYS,
    LEFT_ALONE,
    READS,
    Choice,
    choose_prices,
)
from cartwheel.levers.price.elasticity import PRIOR_MEAN, PRIOR_SD, fit_elasticities
from cartwheel.levers.price.steps import Z80, Gain
from cartwheel.signals.base import ShopContext, Signal, Signals
from cartwheel.signals.learned import PRICE_PLAN
from cartwheel.signals.price import PRICE_HISTORY

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.levers.report import Report


def _weeks_with_sale(data: Signals) -> float:
    return float(data.table(PRICE_HISTORY).num_rows)


def _changed_prices(data: Signals) -> float:
    frame = data.frame(PRICE_HISTORY)
    price = frame["list_minor"].fillna(frame["price_minor"]).dropna()
    seen = price.groupby(frame["variant_id"]).nunique()
    return float((seen > 1).sum())


class Price:
    """Proposes price changes, price tests and markdowns."""

    name = "price"
    title = "Prices"
    group = Group.PROFITABILITY
    reads = READS
    writes: tuple[Signal, ...] = (PRICE_PLAN,)
    floor = Floor(
        needs=(
            Need(
                what="weeks of a variant with a sale and a price",
                at_least=100,
                count=_weeks_with_sale,
            ),
            Need(
                what="variants that sold at two prices or more",
                at_least=3,
                count=_changed_prices,
            ),
        ),
        meanwhile="prices stay as they are",
    )
    kinds = (
        Kind(name="price_change", title="Price change", autonomy=Autonomy.SUGGEST),
        Kind(name="price_test", title="Price test", autonomy=Autonomy.SUGGEST),
        Kind(name="markdown", title="Markdown", autonomy=Autonomy.SUGGEST),
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Estimate how each article's demand reacts to its price."""
        history = read_history(data)
        if not len(history.panel.article):
            raise Abstain("No week has both a sale and a price, so nothing is known.")
        found = fit_elasticities(history.panel)
        article = history.variants["article"].to_numpy("int64")
        arrays = {
            "mean": found.mean,
            "sd": found.sd,
            "own_share": found.own_share,
            "dispersion": found.dispersion,
            "weeks": history.weeks.astype(np.int64),
            "prices": history.prices.astype(np.int64),
            "low_minor": history.low_minor,
            "high_minor": history.high_minor,
        }
        return Model(
            rule="shrunken elasticities",
            arrays={
                "variant_id": history.variants["variant_id"].to_numpy("U"),
                **{name: values[article] for name, values in arrays.items()},
            },
            meta={
                "seed": int(seed),
                "shop_mean": found.shop_mean,
                "shop_sd": found.shop_sd,
                "spread": found.spread,
                "new_sd": float(np.hypot(found.shop_sd, found.spread)),
                "prior_mean": PRIOR_MEAN,
                "prior_sd": PRIOR_SD,
                "articles": len(found.mean),
            },
        )

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return the prices proposed; tests are left out, they are short."""
        import pyarrow as pa

        tomorrow = data.context.when.as_of + timedelta(days=1)
        rows = [
            {
                "variant_id": str(variant),
                "price_minor": choice.gain.price,
                "change_share": choice.gain.price / choice.article.price - 1.0,
                "elasticity": choice.article.elasticity,
                "from_on": tomorrow,
            }
            for choice in choose_prices(model, data).made
            if choice.kind != "price_test"
            for variant in choice.rows["variant_id"]
        ]
        if not rows:
            return {PRICE_PLAN.name: PRICE_PLAN.empty()}
        table = pa.Table.from_pylist(rows, schema=PRICE_PLAN.schema())
        return {PRICE_PLAN.name: PRICE_PLAN.conform(table)}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return one decision a variant; sizes of an article move together.

        The draws use the seed the model was learned with, so that the plan written
        for other levers and the decisions are the same.

        Raises:
            Abstain: If no price is worth changing; the text says why.
        """
        choices = choose_prices(model, data)
        if not choices.made and choices.left:
            raise Abstain(f"No price is proposed: {why_left(choices.left)}.")
        found = []
        for choice in choices.made:
            for place in range(len(choice.rows["variant_id"])):
                found.append(_decision(choice, place, data.context))
        return found

    def fallback(self) -> Rule:
        """Keep prices."""
        return Rule(
            name="keep prices",
            doc="Every price stays as it is.",
            model=lambda data: Model(rule="keep prices"),
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return what is known of the reaction to price, and why prices stay."""
        from cartwheel.levers.price.page import price_report

        return price_report(model, data, self.floor.lacks(data))


def why_left(left: Mapping[str, str]) -> str:
    """Count the variants left alone by reason, most frequent first."""
    counts = sorted(Counter(left.values()).items(), key=lambda item: (-item[1], item))
    return "; ".join(
        f"{count:,} variants: {LEFT_ALONE[code]}" for code, count in counts
    )


def _decision(choice: Choice, place: int, context: ShopContext) -> Decision:
    gain, article = choice.gain, choice.article
    value, low, high = (float(v) for v in gain.by_variant[place])
    days = CLEARANCE_DAYS if choice.kind == "markdown" else HORIZON_DAYS
    action: dict[str, Any] = {
        "price_minor": gain.price,
        "from_minor": article.price,
        "change_share": round(gain.price / article.price - 1.0, 4),
        "from_on": (context.when.as_of + timedelta(days=1)).isoformat(),
    }
    if choice.kind == "price_test":
        action["days"] = HORIZON_DAYS
    return Decision(
        kind=choice.kind,
        subject=f"variant:{choice.rows['variant_id'][place]}",
        action=action,
        reason=_reason(choice, context),
        options=(_option(article.price, None), *map(_weighed, choice.weighed)),
        predicted=Prediction(
            metric=choice.metric,
            value=round(min(max(value, low), high), 2),
            low=round(low, 2),
            high=round(high, 2),
        ),
        worth_minor=round(value),
        evidence=_evidence(choice, place, days),
    )


def _option(price: int, gain: float | None) -> dict[str, Any]:
    return {"price_minor": price, "gain_minor": 0.0 if gain is None else gain}


def _weighed(gain: Gain) -> dict[str, Any]:
    return {
        **_option(gain.price, round(gain.value, 2)),
        "low_minor": round(gain.low, 2),
        "high_minor": round(gain.high, 2),
        "certainty": round(gain.certainty, 4),
    }


def _evidence(choice: Choice, place: int, days: int) -> dict[str, Any]:
    article = choice.article
    row = {name: values[place] for name, values in choice.rows.items()}
    held = float(row["on_hand"])
    return {
        "elasticity": round(article.elasticity, 3),
        "elasticity_low": round(article.elasticity - Z80 * article.elasticity_sd, 3),
        "elasticity_high": round(article.elasticity + Z80 * article.elasticity_sd, 3),
        "own_share": round(float(row["own_share"]), 3),
        "weeks": int(row["weeks"]),
        "prices_seen": int(row["prices"]),
        "demand_28d_units": round(float(article.demand[place]), 2),
        "on_hand_units": None if np.isnan(held) else int(held),
        "cost_minor": None if np.isnan(row["cost"]) else int(row["cost"]),
        "horizon_days": days,
        "variants_together": [str(v) for v in choice.rows["variant_id"]],
    }


def _reason(choice: Choice, context: ShopContext) -> str:
    article, gain = choice.article, choice.gain
    change = gain.price / article.price - 1.0
    move = (
        f"from {context.money(article.price)} to {context.money(gain.price)} "
        f"({change:+.1%})"
    )
    low = article.elasticity - Z80 * article.elasticity_sd
    high = article.elasticity + Z80 * article.elasticity_sd
    known = f"{article.elasticity:.1f} (80 %: {low:.1f} to {high:.1f})"
    span = f"{context.money(gain.low)} to {context.money(gain.high)}"
    worth = f"{context.money(gain.value)} (80 %: {span})"
    row = {name: values[0] for name, values in choice.rows.items()}
    if choice.why == "dead":
        return (
            f"{int(article.stock.sum())} units lie there and hardly sell. Marked down "
            f"{move}, selling, salvage and holding over {CLEARANCE_DAYS} days together "
            f"are worth {worth} more."
        )
    if choice.why == "inelastic":
        return (
            f"The cost is not known, but demand hardly reacts to the price: a 1 % rise "
            f"moves sales by {known} %. A rise {move} should bring {worth} more in "
            f"{HORIZON_DAYS} days with no more units sold, so it pays whatever they "
            f"cost; try it for {HORIZON_DAYS} days."
        )
    if choice.why == "learn":
        return (
            f"How sales react to the price is known too loosely: {known} % per 1 %. "
            f"{HORIZON_DAYS} days {move} would settle it; expected effect on margin "
            f"{worth}."
        )
    scarce = article.stock.sum() < article.demand.sum()
    ends = " The stock is expected to sell out before." if scarce else ""
    verb = "Raise" if change > 0 else "Lower"
    return (
        f"{verb} {move}: a 1 % rise moves sales by {known} %, learned from "
        f"{int(row['weeks'])} weeks at {int(row['prices'])} prices. Margin over "
        f"{HORIZON_DAYS} days changes by {worth}; it gains in {gain.certainty:.0%} of "
        f"cases.{ends}"
    )
