"""The tables of what intervals hold run at toy size and can miss."""

from __future__ import annotations

import numpy as np
import pytest
from bench.__main__ import main
from bench.measure import Figure
from bench.measure_past import NAME
from bench.measure_truth import Answer, answers, by_customer, customer_interval
from bench.small_shops import customer_shop, product_shop, turn_shop


def test_quick_run_prints_each_design_at_each_size(capsys, monkeypatch) -> None:
    monkeypatch.setattr("bench.measure_truth.QUICK_SHOPS", 2)
    assert main(["measure-truth", "--quick"]) == 0
    printed = capsys.readouterr().out
    for design in ("customer, half", "customer, holdout 5 %", "switchback", "product"):
        assert f"{design}" in printed
    for size in ("100 orders", "300 orders", "1,000 orders"):
        assert size in printed
    for figure in ("held by 95 %", "false positives", "mean width"):
        assert figure in printed


def test_past_experiments_without_data_are_skipped(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CARTWHEEL_DATA", str(tmp_path))
    assert main(["measure-past", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert f"not measured: {NAME} is not in" in printed


@pytest.mark.parametrize(("value", "met"), [(0.92, False), (0.95, True), (0.98, False)])
def test_a_figure_with_two_ends_must_lie_between(value: float, met: bool) -> None:
    figure = Figure(
        part="p", name="n", size="", unit="", values=[value], least=0.93, most=0.97
    )
    assert figure.met is met
    assert ">= 0.93 <= 0.97" in figure.cells()


def test_the_same_seeds_draw_the_same_shops() -> None:
    play = by_customer(0.5, customer_interval)
    one, two = (answers(play, 100, lift=0.1, shops=3, seeds=[1, 2]) for _ in range(2))
    assert one == two
    assert isinstance(one[0], Answer)


@pytest.mark.parametrize("lift", [0.0, 0.5])
def test_shops_sell_what_they_are_said_to(lift: float) -> None:
    rng = np.random.default_rng(1)
    people = [customer_shop(1_000, rng, lift=lift) for _ in range(60)]
    orders = np.mean([shop.usual * len(shop.values) / 60 / 2 for shop in people])
    assert orders == pytest.approx(1_000, rel=0.05)
    gaps = [s.values[s.treated].mean() - s.values[~s.treated].mean() for s in people]
    usual = np.mean([shop.usual for shop in people])
    assert np.mean(gaps) / usual == pytest.approx(lift, abs=0.06)
    assert all((shop.values == 0).mean() > 0.6 for shop in people)
    days = [turn_shop(1_000, rng, lift=lift) for _ in range(60)]
    assert np.mean([shop.usual for shop in days]) == pytest.approx(
        60 * 1_000 / 30.4 * np.exp(0.002 * 42), rel=0.05
    )
    weeks = [product_shop(1_000, rng, lift=lift) for _ in range(60)]
    gaps = [
        s.values[s.design.schedule()].mean() - s.values[~s.design.schedule()].mean()
        for s in weeks
    ]
    usual = np.mean([shop.usual for shop in weeks])
    assert np.mean(gaps) / usual == pytest.approx(lift, abs=0.06)
