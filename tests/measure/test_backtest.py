"""The turn backtest: judges on made outcomes, and from a shop's own database."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import insert

from cartwheel.errors import NotFound
from cartwheel.measure import hindsight, resample
from cartwheel.measure.backtest import backtest, format_lines
from cartwheel.measure.hindsight import Past
from cartwheel.measure.judge_forecast import judge_forecast
from cartwheel.measure.judge_lapse import judge_lapse
from cartwheel.measure.judge_slates import judge_recommendations
from cartwheel.operations import decisions, turns
from cartwheel.shop import make_shop
from cartwheel.signals.customers import PURCHASES, RHYTHM
from cartwheel.signals.demand import DEMAND

AS_OF = date(2025, 3, 1)


def days_of(units: dict[str, dict[int, int]]) -> pd.DataFrame:
    """DEMAND rows; keys are variants, then days after AS_OF."""
    rows = [
        {
            "variant_id": variant,
            "day": pd.Timestamp(AS_OF + timedelta(days=day)),
            "units": count,
            "revenue_minor": count * 100,
            "orders": 1,
            "stocked_out": False,
        }
        for variant, own in units.items()
        for day, count in own.items()
    ]
    return pd.DataFrame(rows, columns=list(DEMAND.column_names))


def plan(variant: str, low: float, value: float, high: float) -> dict[str, object]:
    predicted = {"metric": "units_28d", "value": value, "low": low, "high": high}
    return {"subject": f"variant:{variant}", "predicted": predicted, "action": {}}


def past(**changes: object) -> Past:
    values: dict[str, object] = {
        "as_of": AS_OF,
        "days": 30,
        "seed": 1,
        "plans": {},
        "then": {},
        "now": {"demand": days_of({})},
        "newest": AS_OF + timedelta(days=30),
    }
    return Past(**{**values, **changes})


def test_forecast_errors_by_hand():
    # After the day a sells 10 and b 20; in the 28 days before 4 and 20.
    demand = days_of({"a": {-3: 4, 5: 6, 28: 4, 29: 99}, "b": {-10: 20, 1: 20}})
    found = judge_forecast(
        past(
            plans={"forecast_plan": [plan("a", 2, 7, 9), plan("b", 10, 20, 30)]},
            now={"demand": demand},
        )
    )
    assert found["units"] == 30
    assert found["wape"]["forecast"]["value"] == pytest.approx(3 / 30)
    assert found["wape"]["seasonal_naive"]["value"] == pytest.approx(6 / 30)
    assert found["wape_less_naive"]["value"] == pytest.approx(-3 / 30)
    assert found["wape"]["last_week"]["value"] == pytest.approx(26 / 30, abs=1e-4)
    assert found["interval_held"]["value"] == 0.5
    assert found["above"] == 0.5
    # a: 2 (.1*8 + .5*3 + .9*1) / 3; b: 2 (.1*10 + 0 + .1*10) / 3.
    wanted = 2 * (0.8 + 1.5 + 0.9) / 3 + 2 * (1 + 1) / 3
    assert found["wql"]["forecast"]["value"] == pytest.approx(wanted / 30, abs=1e-4)


def test_forecast_uses_last_year_when_there_is_one():
    demand = days_of({"a": {-400: 1, -360: 8, -5: 3, 5: 8}})
    plans = {"forecast_plan": [plan("a", 1, 3, 9)]}
    found = judge_forecast(past(plans=plans, now={"demand": demand}))
    assert "year" in found["seasonal_naive_is"]
    assert found["wape"]["seasonal_naive"]["value"] == 0


def test_not_yet_before_the_days_have_passed():
    early = past(
        plans={"forecast_plan": [plan("a", 0, 1, 2)]},
        newest=AS_OF + timedelta(days=9),
    )
    assert "about 2025-03-29" in judge_forecast(early)["not_yet"]


def slate(customer: str, products: list[str]) -> dict[str, object]:
    return {"subject": f"customer:{customer}", "action": {"products": products}}


def test_slates_fall_back_to_what_a_decision_promotes():
    one = slates_past()
    bare = [
        {**p, "action": {}, "promotes": p["action"]["products"]}
        for p in one.plans["recommendation"]
    ]
    other = past(plans={"recommendation": bare}, then=one.then, now=one.now)
    assert judge_recommendations(other) == judge_recommendations(one)


def buys(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "customer_id": c,
                "product_id": p,
                "orders": 1,
                "units": 1,
                "last_on": pd.Timestamp(AS_OF + timedelta(days=d)),
            }
            for c, p, d in rows
        ],
        columns=list(PURCHASES.column_names),
    )


def slates_past() -> Past:
    demand = days_of({f"v{i}": {-1 - i: 1} for i in range(12)})
    catalogue = pd.DataFrame(
        {
            "variant_id": [f"v{i}" for i in range(12)],
            "product_id": [f"p{i:02d}" for i in range(12)],
        }
    )
    before = [("c1", "p11", -20), ("c2", "p00", -3)]
    after = [("c1", "p11", 3), ("c2", "p10", 4), ("c2", "p00", 31), ("c9", "p01", 2)]
    return past(
        plans={
            "recommendation": [
                slate("c1", ["p11", "p05"]),
                slate("c2", ["p09", "p10"]),
                slate("c3", ["p00"]),
                {"subject": "placement:home", "action": {"products": ["p00"]}},
            ]
        },
        then={"demand": demand, "catalogue": catalogue, "purchases": buys(before)},
        now={"purchases": buys(after), "demand": demand},
    )


def test_slates_by_hand():
    found = judge_recommendations(slates_past())
    # c1 bought p11 again, c2 bought p10 for the first time; c9 had no slate.
    assert found["any"]["customers"] == 2
    assert found["any"]["hit_rate"]["recommend"]["value"] == 1.0
    # Bestsellers are p00 to p09: neither.
    assert found["any"]["hit_rate"]["decayed_popularity"]["value"] == 0.0
    assert found["new"]["customers"] == 1
    # Without p00, which c2 has, p10 moves into the ten.
    assert found["new"]["hit_rate"]["decayed_popularity"]["value"] == 1.0
    assert found["new"]["more_than"]["decayed_popularity"]["value"] == 0.0


def test_slates_without_buyers_say_not_yet():
    one = slates_past()
    quiet = past(plans=one.plans, then=one.then, now={"purchases": buys([])})
    assert "not_yet" in judge_recommendations(quiet)["any"]


def lapse_past(share: list[float], recency: list[int], back: list[bool]) -> Past:
    ids = [f"c{i}" for i in range(len(share))]
    last = [AS_OF + timedelta(days=3 if b else -40) for b in back]
    rhythm = pd.DataFrame({"customer_id": ids, "recency_days": recency})
    values = pd.DataFrame({"customer_id": ids, "lapse_share": share})
    now = pd.DataFrame({"customer_id": ids, "last_on": pd.to_datetime(last)})
    return past(then={"rhythm": rhythm, "lifetime_value": values}, now={"rhythm": now})


def test_lapse_ranking_by_hand():
    found = judge_lapse(
        lapse_past([0.1, 0.2, 0.8, 0.9], [1, 30, 2, 40], [True, True, False, False])
    )
    assert found["auc"]["lapse_share"]["value"] == 1.0
    assert found["auc"]["recency"]["value"] == 0.75
    assert found["more_than_recency"]["value"] == 0.25
    assert found["lapsed_share"] == 0.5


def test_lapse_of_all_alike_says_not_yet():
    assert "not_yet" in judge_lapse(lapse_past([0.1, 0.2], [1, 2], [True, True]))


def test_auc_counts_ties_half():
    score = np.array([1.0, 1.0, 2.0])
    assert resample.auc(score, np.array([True, False, True])) == 0.75
    with pytest.raises(ValueError, match="0 events"):
        resample.auc(score, np.zeros(3, dtype=bool))


def test_ratio_interval_holds_the_value_and_is_seeded():
    rng = np.random.default_rng(0)
    top, bottom = rng.random(200), rng.random(200) + 1
    one = resample.ratio(top, bottom, seed=4)
    assert one == resample.ratio(top, bottom, seed=4)
    assert one.low < one.value < one.high


def add_turn(shop, bodies: list[tuple[str, str, str]]) -> None:
    with shop.database.begin() as con:
        con.execute(
            insert(turns).values(
                number=1,
                as_of=AS_OF.isoformat(),
                state="published",
                seed=5,
                settings="{}",
                started_at="2025-03-02T00:00:00.000000Z",
            )
        )
        for position, (kind, state, body) in enumerate(bodies):
            con.execute(
                insert(decisions).values(
                    id=f"d{position}",
                    turn=1,
                    position=position,
                    lever="x",
                    kind=kind,
                    subject=json.loads(body)["subject"],
                    state=state,
                    body=body,
                    action="{}",
                    model="m",
                )
            )


def test_backtest_of_a_shop_reads_decisions_and_later_facts(tmp_path, monkeypatch):
    shop = make_shop(tmp_path / "shop", currency="GBP", timezone="UTC")
    add_turn(
        shop,
        [
            ("forecast_plan", "applied", json.dumps(plan("a", 2, 7, 9))),
            ("forecast_plan", "refused", json.dumps(plan("b", 0, 0, 0))),
        ],
    )
    seen = []

    def later(_shop, when, _snapshot, only):
        seen.append((when.as_of, tuple(only)))
        demand = days_of({"a": {-3: 4, 5: 6, 28: 4}})
        return {
            "demand": pa.Table.from_pandas(demand, preserve_index=False),
            "purchases": PURCHASES.empty(),
            "rhythm": RHYTHM.empty(),
        }

    monkeypatch.setattr(hindsight, "compute_for", later)
    found = backtest(shop, 1, days=20)
    assert seen == [(AS_OF + timedelta(days=28), ("demand", "purchases", "rhythm"))]
    assert found["forecast"]["variants"] == 1
    assert found["forecast"]["wape"]["forecast"]["value"] == pytest.approx(0.3)
    assert "not_yet" in found["recommendations"]
    assert "not_yet" in found["lapse"]
    lines = format_lines(json.loads(json.dumps(found)))
    assert lines[0] == "Turn 1, as of 2025-03-01, 20 days after"
    assert any("WAPE" in line and "0.300" in line for line in lines)


def test_backtest_of_an_empty_shop_says_not_yet(tmp_path):
    shop = make_shop(tmp_path / "shop", currency="GBP", timezone="UTC")
    add_turn(shop, [])
    found = backtest(shop, 1)
    assert all(
        "not_yet" in found[part] for part in ("forecast", "recommendations", "lapse")
    )
    assert all("not yet" in line for line in format_lines(found)[1:])


def test_backtest_of_an_unknown_turn_is_not_found(tmp_path):
    shop = make_shop(tmp_path / "shop", currency="GBP", timezone="UTC")
    with pytest.raises(NotFound, match="no turn 7"):
        backtest(shop, 7)


def test_format_lines_names_every_comparison():
    one = slates_past()
    result = {
        "turn": 1,
        "as_of": "2025-03-01",
        "days": 30,
        "forecast": {"not_yet": "not yet: x"},
        "recommendations": judge_recommendations(one),
        "lapse": judge_lapse(
            lapse_past([0.1, 0.2, 0.8, 0.9], [1, 30, 2, 40], [True, True, False, False])
        ),
    }
    text = "\n".join(format_lines(result))
    assert "hit rate of recommend: 1.000" in text
    assert "more than bestsellers 30 days" in text
    assert "AUC of recency      0.750" in text
