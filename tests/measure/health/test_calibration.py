from __future__ import annotations

import duckdb
import pytest

from cartwheel.measure.health.calibration import (
    calibration,
    calibrations,
    chance_calibration,
    errors_by_turn,
)
from tests.measure.health.made import SINCE, empty, look


def test_coverage_by_hand() -> None:
    one = calibration("forecast", "units_28d", 60, 100)
    # Wilson (1927): (60 + 1.92) / 103.84 -+ 1.96 sqrt(24 + .96) / 103.84.
    assert one.share == 0.6
    assert one.low == pytest.approx(0.5020, abs=1e-4)
    assert one.high == pytest.approx(0.6906, abs=1e-4)
    assert one.verdict == "Too sure: its 80% intervals held 60% (50% to 69%)."


@pytest.mark.parametrize(
    ("held", "outcomes", "word"),
    [(80, 100, "Calibrated"), (96, 100, "Too unsure"), (15, 19, "Not yet")],
)
def test_verdicts(held: int, outcomes: int, word: str) -> None:
    assert calibration("l", "m", held, outcomes).verdict.startswith(word)


@pytest.mark.parametrize(
    ("happened", "word"), [(20, "Calibrated"), (5, "Too hopeful"), (60, "Too careful")]
)
def test_chances_are_held_against_how_often_it_happened(
    happened: int, word: str
) -> None:
    one = chance_calibration("recommend", "buys_30d_share", happened, 400, 0.05)
    assert one.verdict.startswith(word)
    assert f"expected 5.0%, {happened / 400:.1%} came true" in one.verdict


def test_no_interval_is_asked_to_hold_a_yes_or_no() -> None:
    con = empty()
    for i in range(100):
        con.execute(
            "INSERT INTO outcomes BY NAME SELECT ? AS decision_id, 'buys_30d_share' "
            "AS metric, 'recommend' AS lever, 'f' AS kind, 'v' AS subject, "
            "? AS measured_at, 0.04 AS predicted, 0.02 AS low, 0.06 AS high, "
            "? AS actual, ? AS known_at",
            [f"3-{i}", SINCE, float(i < 4), SINCE],
        )
    (one,) = calibrations(look(con))
    assert (one.held, one.outcomes) == (4, 100)
    assert one.aimed == pytest.approx(0.04)
    assert one.verdict.startswith("Calibrated")


def test_no_outcome_is_not_yet() -> None:
    one = calibration("l", "m", 0, 0)
    assert one.share is None
    assert one.verdict.startswith("Not yet")


@pytest.fixture
def shop() -> duckdb.DuckDBPyConnection:
    con = empty()
    for turn, i, actual in ((3, 0, 4.0), (3, 1, 12.0), (10, 2, 10.0), (10, 3, 6.0)):
        con.execute(
            "INSERT INTO outcomes BY NAME SELECT ? AS decision_id, 'units' AS metric, "
            "'forecast' AS lever, 'f' AS kind, 'v' AS subject, ? AS measured_at, "
            "8.0 AS predicted, 5.0 AS low, 12.0 AS high, ? AS actual, ? AS known_at",
            [f"{turn}-{i}", SINCE, actual, SINCE],
        )
    return con


def test_an_end_of_the_interval_is_inside(shop: duckdb.DuckDBPyConnection) -> None:
    (one,) = calibrations(look(shop))
    assert (one.lever, one.metric, one.held, one.outcomes) == (
        "forecast",
        "units",
        3,
        4,
    )


def test_errors_by_turn_by_hand(shop: duckdb.DuckDBPyConnection) -> None:
    first, second = errors_by_turn(look(shop))
    assert (first.turn, second.turn) == (3, 10)
    assert (first.predicted, first.actual) == (16.0, 16.0)
    assert first.relative == pytest.approx((4 + 4) / 16)
    assert first.bias == pytest.approx(0.0)
    assert second.relative == pytest.approx((2 + 2) / 16)


def test_an_unknown_outcome_counts_nowhere(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("UPDATE outcomes SET actual = NULL")
    assert calibrations(look(shop)) == []
    assert errors_by_turn(look(shop)) == []
