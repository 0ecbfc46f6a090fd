"""The page of clothing reviews: its interval, and themes from a handful of reviews."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.clothing import newcombe, signals, themes

from cartwheel.levers.content import Content
from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.mentions import read_mentions


def shares(hits: int, of: int) -> np.ndarray[Any, Any]:
    return np.arange(of) < hits


def test_the_interval_is_newcombes() -> None:
    # Newcombe (1998), table II, case a, method 10: 56 of 70 against 48 of 80.
    point, low, high = newcombe(shares(56, 70), shares(48, 80))
    assert point == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def review(number: int, text: str, recommended: int) -> dict[str, Any]:
    return {
        "row": number,
        "Clothing ID": number % 5,
        "Title": "",
        "Review Text": text,
        "Rating": 2 + 3 * recommended,
        "Recommended IND": recommended,
        "Class Name": "Dresses",
    }


def test_a_theme_counts_who_was_turned_away_beyond_the_usual() -> None:
    small = "The dress runs very small and is too tight in the waist for me."
    good = "A lovely dress in a lovely blue, my sister adores it too."
    rows = [review(n, small, int(n < 10)) for n in range(40)]
    rows += [review(n, good, int(n < 90)) for n in range(40, 100)]
    (found,) = themes(rows, read_mentions(signals(rows)))
    assert (found.goods, found.objection, found.texts) == ("Dresses", "size_fit", 40)
    # 30 of 40 would not recommend where 10 of 60 without the theme would not.
    assert found.turned == pytest.approx(40 * (30 / 40 - 10 / 60))
    assert found.low < found.turned < found.high
    assert found.quotes
    assert set(found.quotes) == {small}


def test_the_signals_are_all_that_its_levers_read() -> None:
    data = signals([review(1, "Runs small.", 0)])
    for one in (*Voice.reads, *Content.reads):
        assert data.table(one).schema.names == list(one.column_names)
