"""A second wave of fixes: foretold by the first one's test, and told by the truth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cartwheel.simulator.mending import play as mending
from cartwheel.simulator.mending import second
from cartwheel.simulator.mending.second import SecondWave, play_second
from cartwheel.simulator.mending.second_study import SecondStudy, text_second
from cartwheel.simulator.world.spec import Size


@pytest.fixture(scope="module")
def played() -> SecondWave:
    with pytest.MonkeyPatch.context() as patch:
        size = Size(products=30, customers=9_000, warmup_days=20, days=150)
        for module in (mending, second):
            patch.setattr(module, "SIZE", size)
            patch.setattr(module, "LOOKED_ON", 80)
        patch.setattr(second, "WATCHED_DAYS", 20)
        patch.setattr("cartwheel.measure.credit.effects.LEAST_PRODUCTS", 2)
        return play_second(2)


def test_the_first_test_foretells_the_second_wave(played: SecondWave) -> None:
    assert played.foretold is not None
    share, low, high = played.foretold
    assert low < share < high
    assert min(played.fixed, played.held_out) >= 2


def test_the_truth_is_what_mending_kept_from_coming_back(played: SecondWave) -> None:
    assert played.mended > 0
    assert played.back > 0
    assert played.truth is not None
    assert played.truth > 0
    assert played.for_size is not None
    assert played.for_size > 0
    assert played.covered is not None


def test_a_study_counts_what_was_foretold(played: SecondWave) -> None:
    wrong = replace(played, foretold=(0.0, -0.1, 0.01))
    untold = replace(played, foretold=None)
    right = replace(played, foretold=(played.truth or 0.0, 0.0, 1.0))
    found = SecondStudy(worlds=(right, wrong, untold))
    assert (found.told, found.covered) == (2, 1)
    assert found.off == pytest.approx(-(played.truth or 0.0) / 2)
    lines = text_second(found)
    assert "in 1 of 2 worlds told" in lines[-1]
    assert "not told" in lines[3]
    assert len(found.to_json()["worlds"]) == 3
    assert "on average" not in text_second(SecondStudy(worlds=(untold,)))[-1]
