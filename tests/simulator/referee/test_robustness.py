"""Connection under changed parameters: the table, and what it marks."""

from __future__ import annotations

import pytest

from cartwheel.errors import Misuse
from cartwheel.simulator.referee.robustness import robustness, text_robustness
from cartwheel.simulator.world.variants import variant_names
from tests.simulator.referee.made import played

PAYS = {"isolated": 2.0, "connected": 6.0, "oracle": 30.0}
HARMS = {"isolated": 6.0, "connected": 2.0}
NOTHING = {"isolated": 2.0, "connected": 2.0}


def test_each_variant_is_told_where_connection_pays() -> None:
    low, high = variant_names("apparel")[:2]
    runs = (
        played(PAYS) + played(HARMS, world=low) + played(NOTHING, world=high, worlds=5)
    )
    as_is, less, more = robustness(runs)
    assert [row.factor for row in (as_is, less, more)] == [1.0, 0.5, 1.5]
    assert {row.world for row in (as_is, less, more)} == {"apparel"}
    assert as_is.difference.mean == pytest.approx(4, abs=0.5)
    assert as_is.connected_minor - as_is.isolated_minor == pytest.approx(
        as_is.difference.mean
    )
    assert (as_is.says, less.says) == ("", "does not pay")
    assert more.says == "not shown to pay"
    text = text_robustness([as_is, less, more])
    assert "connection pays in 1 of 3" in text
    assert "oracle" not in text
    (marked,) = [line for line in text.splitlines() if "does not pay" in line]
    assert "pull of taste" in marked
    assert "x 0.5" in marked


def test_a_world_with_one_arm_only_is_left_out() -> None:
    runs = [
        one for one in played(PAYS, worlds=5) if (one.arm, one.seed) != ("isolated", 2)
    ]
    (row,) = robustness(runs)
    assert (row.difference.n, row.left_out) == (4, 1)
    (none,) = robustness([one for one in runs if one.arm == "connected"])
    assert (none.difference.n, none.says) == (0, "not known")
    assert text_robustness([none])


def test_nothing_played_is_said() -> None:
    assert text_robustness(robustness([])) == "There are no results yet."


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(Misuse, match="no variant"):
        robustness(played(PAYS, world="apparel--moon-low"))
