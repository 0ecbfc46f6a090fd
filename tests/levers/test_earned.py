"""What a unit earns once it is sent: the owner's parcel cost reaches every lever."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.earned import earned
from cartwheel.levers.recommend.lever import Recommend
from cartwheel.levers.recommend.shelf import margin_factor
from cartwheel.signals.margin import MARGIN
from tests.levers.made import made_signals, replace


def test_a_parcel_is_shared_by_the_units_of_an_order() -> None:
    plain, paying = made_signals(), made_signals(parcel_minor=400)
    names = plain.frame(MARGIN)["variant_id"].tolist()
    before, after = earned(plain, names), earned(paying, names)
    assert (before["sending_minor"] == 0).all()
    assert (after["sending_minor"] == 200).all()  # half a parcel a unit
    gone = (before["margin_minor"] - after["margin_minor"]).dropna()
    assert len(gone) > 0
    assert (gone == 200).all()


def test_an_unknown_margin_stays_unknown_and_a_cut_link_says_nothing() -> None:
    data = made_signals(parcel_minor=400)
    rows = data.frame(MARGIN)
    rows.loc[0, "margin_minor"] = None
    found = earned(replace(data, MARGIN, rows), [str(rows["variant_id"][0]), "nothing"])
    assert found["margin_minor"].isna().all()
    cut = earned(replace(data, MARGIN, pd.DataFrame()), ["p0001"])
    assert cut["margin_minor"].isna().all()


def test_what_is_unknown_earns_as_its_category_does() -> None:
    margin = np.array([300.0, 300.0, 100.0, 100.0, np.nan, np.nan])
    price = np.array([1000.0, 1000.0, 1000.0, 1000.0, 2000.0, 2000.0])
    category = np.array([0, 0, 1, 1, 0, 1])
    factor = margin_factor(margin, price, category)
    assert factor[4] / factor[0] == pytest.approx(2.0)
    assert factor[5] / factor[2] == pytest.approx(2.0)


@given(
    cost=st.lists(st.floats(0.2, 0.95), min_size=25, max_size=60),
    wrong=st.integers(0, 24),
)
def test_a_cost_typed_wrong_counts_for_no_more_than_the_best_of_the_rest(
    cost: list[float], wrong: int
) -> None:
    price = np.full(len(cost), 1000.0)
    margin = price * (1 - np.array(cost))
    margin[wrong] = price[wrong]  # as if it had cost nothing
    factor = margin_factor(margin, price, np.zeros(len(cost), int))
    best = np.delete(margin, wrong).max()
    assert factor[wrong] * np.median(margin) <= best + 1e-6
    assert np.isfinite(factor).all()
    assert (factor > 0).all()


def test_the_page_asks_for_what_sending_costs_until_it_is_said() -> None:
    def summary(parcel_minor: int | None, *cuts: str) -> str:
        lever = Recommend()
        made = made_signals(parcel_minor=parcel_minor)
        data = made.restricted([one.name for one in lever.reads], cuts)
        return lever.report(lever.learn(data, None, seed=1), data).summary

    assert "costs.parcel_minor" in summary(None)
    assert "costs.parcel_minor" not in summary(450)
    assert "costs.parcel_minor" not in summary(None, "margin")  # no cost is known


def test_a_shop_that_sells_nearly_all_at_a_loss_is_ranked_by_the_sale() -> None:
    margin = np.full(40, -100.0)
    margin[0] = 50.0
    factor = margin_factor(margin, np.full(40, 1000.0), np.zeros(40, int))
    assert factor.tolist() == [1.0] * 40
