"""Correction for several comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.experiment.correct import holm

SHARES = st.lists(st.floats(0, 1), max_size=20)


def test_holm_by_hand():
    # Sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .04, then none may fall.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.6]) == pytest.approx([1, 1])
    assert holm([]).size == 0


def test_holm_does_not_count_what_was_not_tested():
    found = holm([0.01, np.nan, 0.04])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


def test_holm_refuses_what_is_no_p_value():
    with pytest.raises(ValueError, match="expected 0 to 1"):
        holm([0.5, 1.5])


@given(SHARES)
def test_holm_lies_between_the_raw_value_and_bonferroni(values: list[float]):
    raw, found = np.array(values), holm(values)
    assert (found >= raw - 1e-12).all()
    assert (found <= np.minimum(raw * len(raw), 1) + 1e-12).all()
    assert (np.diff(found[np.argsort(raw, kind="stable")]) >= -1e-12).all()
