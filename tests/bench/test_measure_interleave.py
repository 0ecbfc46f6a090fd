"""The bench of interleaving tells the better ranking, and alike ones apart rarely."""

from __future__ import annotations

import numpy as np
from bench.__main__ import main
from bench.measure_interleave import one_test


def test_quick_run_prints_both_designs(capsys) -> None:
    assert main(["measure-interleave", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "interleaved: names the better" in printed
    assert "split by customer: names one" in printed


def test_a_much_better_ranking_is_told_by_a_shared_list() -> None:
    told = np.array([one_test((600,), 3.0, [1, number]) for number in range(3)])
    assert told[:, 0, 0].all()
