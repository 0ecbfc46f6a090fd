"""The small flywheel in a world: found, drawn, mended, told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cartwheel.measure.page_fixes import Score
from cartwheel.simulator.mending import play as mending
from cartwheel.simulator.mending.play import HEEDED, Mended
from cartwheel.simulator.mending.study import Study, text_study
from cartwheel.simulator.world.spec import Size


@pytest.fixture(scope="module")
def small() -> pytest.MonkeyPatch:
    patch = pytest.MonkeyPatch()
    size = Size(products=30, customers=9_000, warmup_days=20, days=180)
    patch.setattr(mending, "SIZE", size)
    patch.setattr(mending, "LOOKED_ON", 100)
    return patch


@pytest.fixture(scope="module")
def played(small: pytest.MonkeyPatch) -> Mended:
    try:
        return mending.play(2)
    finally:
        small.undo()


def test_a_confusion_is_found_and_drawn(played: Mended) -> None:
    assert played.proposed > 0
    # What is proposed for its size is cut too small.
    assert played.right == played.proposed <= played.confused
    assert played.fixed + played.held_out >= played.proposed
    assert played.score.metric == "return rate"


def test_notes_that_are_heeded_bring_fewer_returns(played: Mended) -> None:
    assert played.fixed > 0
    assert played.truth < 0


def test_only_told_pages_change(small: pytest.MonkeyPatch) -> None:
    world, category = mending.begun(2)
    goods = world.state.goods
    small_before = goods.runs_small.copy()
    assert set(np.flatnonzero(small_before)) == set(
        np.flatnonzero(goods.category == category)
    )
    told = goods.product_ids[goods.category == category][:2].tolist()
    mending.mend(world, told)
    change = world.state.goods.runs_small / np.where(small_before > 0, small_before, 1)
    at = np.isin(goods.product_ids, told)
    assert change[at] == pytest.approx(1 - HEEDED)
    assert (world.state.goods.runs_small[~at] == small_before[~at]).all()
    world.facts.close()


def test_a_study_counts_what_it_was_told(played: Mended) -> None:
    untold = replace(
        played,
        first=False,
        score=Score(metric="return rate", found=None, p_value=None, lacks="too few"),
    )
    found = Study(worlds=(played, untold))
    assert found.first == int(played.first)
    assert found.told == int(played.covered is not None)
    lines = text_study(found)
    assert "too few" in "\n".join(lines)
    assert f"of {found.told} worlds told" in lines[-1]
    assert len(found.to_json()["worlds"]) == 2
