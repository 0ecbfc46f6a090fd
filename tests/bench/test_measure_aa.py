"""The A/A tables run at toy size; what they count can go wrong."""

from __future__ import annotations

import numpy as np
from bench.__main__ import main
from bench.measure_aa import _peeked, shoppers


def test_quick_run_prints_every_figure(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("bench.measure_aa.QUICK_RUNS", 3)
    monkeypatch.setenv("CARTWHEEL_DATA", str(tmp_path))
    assert main(["measure-aa", "--quick"]) == 0
    printed = capsys.readouterr().out
    for name in ("Welch", "CUPED", "ratio", "always-valid ever finds", "imbalance"):
        assert name in printed


def test_shoppers_have_a_past_that_tells_and_spend_that_is_mostly_nothing() -> None:
    rows = shoppers(1)
    assert (rows[:, 0] == 0).mean() > 0.4
    assert np.corrcoef(rows[:, 0], rows[:, 3])[0, 1] > 0.2
    assert (rows[:, 2] >= 1).all()


def test_a_naive_reader_finds_more_often_than_the_one_who_may_look() -> None:
    found = np.array([_peeked(seed) for seed in range(60)])
    assert found[:, 0].mean() <= 0.05
    assert found[:, 1].mean() > 0.15
