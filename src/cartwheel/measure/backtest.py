"""A turn judged by the days after it: forecast, recommendations, lapse ranking.

Reads what the turn published and staged, and the facts after its as-of day. Every
part stands beside a simple method on the same cases; differences are paired. A part
whose data is missing says "not yet" and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cartwheel.measure.hindsight import read_past
from cartwheel.measure.judge_forecast import judge_forecast
from cartwheel.measure.judge_lapse import judge_lapse
from cartwheel.measure.judge_slates import judge_recommendations
from cartwheel.shop import Shop


def backtest(shop: Shop, turn_number: int, days: int = 30) -> dict[str, Any]:
    """Return the backtest of a turn as JSON values.

    Args:
        shop: The shop.
        turn_number: Number of a published turn.
        days: Days after the as-of day to look at; the forecast is always judged on
            28.

    Raises:
        NotFound: If there is no such turn.
    """
    past = read_past(shop, turn_number, days)
    return {
        "turn": turn_number,
        "as_of": past.as_of.isoformat(),
        "days": days,
        "facts_until": past.newest.isoformat() if past.newest else None,
        "forecast": judge_forecast(past),
        "recommendations": judge_recommendations(past),
        "lapse": judge_lapse(past),
    }


def format_lines(result: Mapping[str, Any]) -> list[str]:
    """Return the backtest as lines for people."""
    head = (
        f"Turn {result['turn']}, as of {result['as_of']}, {result['days']} days after"
    )
    return [
        head,
        *_forecast_lines(result["forecast"]),
        *_recommendation_lines(result["recommendations"]),
        *_lapse_lines(result["lapse"]),
    ]


def _said(estimate: Mapping[str, float], *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    value, low, high = (estimate[k] for k in ("value", "low", "high"))
    return f"{value:{sign}.3f} [{low:{sign}.3f} to {high:{sign}.3f}]"


def _forecast_lines(part: Mapping[str, Any]) -> list[str]:
    if "not_yet" in part:
        return [f"Forecast: {part['not_yet']}"]
    wape, wql = part["wape"], part["wql"]
    return [
        f"Forecast, 28-day totals of {part['variants']:,} variants, "
        f"{part['units']:,.0f} units sold; 95 % intervals",
        f"  WAPE            {_said(wape['forecast'])}",
        f"  seasonal naive  {_said(wape['seasonal_naive'])}  "
        f"({part['seasonal_naive_is']})",
        f"  last week x 4   {_said(wape['last_week'])}",
        f"  last 28 days    {_said(wape['last_28_days'])}",
        f"  less naive      {_said(part['wape_less_naive'], signed=True)}",
        f"  wQL             {_said(wql['forecast'])}",
        f"  seasonal naive  {_said(wql['seasonal_naive'])}",
        f"  less naive      {_said(part['wql_less_naive'], signed=True)}",
        f"  80 % interval held {_said(part['interval_held'])}, "
        f"{part['below']:.3f} below, {part['above']:.3f} above",
    ]


def _recommendation_lines(part: Mapping[str, Any]) -> list[str]:
    if "not_yet" in part:
        return [f"Recommendations: {part['not_yet']}"]
    lines = [f"Recommendations, {part['slates']:,} slates of {part['slots']}"]
    for kind, title in (("any", "any product"), ("new", "products new to them")):
        own = part[kind]
        if "not_yet" in own:
            lines.append(f"  {title}: {own['not_yet']}")
            continue
        lines.append(f"  {title}, {own['customers']:,} customers who bought")
        lines += [
            f"    hit rate of {name.replace('_', ' ')}: {_said(value)}"
            for name, value in own["hit_rate"].items()
        ]
        lines += [
            f"    more than {name.replace('_', ' ')}: {_said(value, signed=True)}"
            for name, value in own["more_than"].items()
        ]
    return lines


def _lapse_lines(part: Mapping[str, Any]) -> list[str]:
    if "not_yet" in part:
        return [f"Lapse: {part['not_yet']}"]
    return [
        f"Lapse, {part['customers']:,} customers, "
        f"{part['lapsed_share']:.1%} did not buy",
        f"  AUC of lapse chance {_said(part['auc']['lapse_share'])}",
        f"  AUC of recency      {_said(part['auc']['recency'])}",
        f"  more than recency   {_said(part['more_than_recency'], signed=True)}",
    ]
