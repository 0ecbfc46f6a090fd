"""The ledger's lifts against the true ones, lever by lever, by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from cartwheel.simulator.referee.by_lever import (
    HEADS,
    MEANING,
    cells_of,
    levers_of,
    levers_together,
    recovered_levers,
    text_levers,
)
from cartwheel.simulator.referee.groups import CONNECTED, MEASURED
from cartwheel.simulator.referee.report import write_report
from cartwheel.simulator.referee.results import Run
from tests.simulator.referee.made import run

NAN = float("nan")


def of(lever: str, off: float | None, **more: float) -> dict[str, float]:
    """Return figures of a lever whose truth is 50, held gap 30, interval +-20."""
    about = 50 + (NAN if off is None else off)
    figures = {
        "lift_true_minor": 50.0,
        "held_gap_minor": 30.0,
        "lift_measured_minor": about,
        "lift_low_minor": about - 20,
        "lift_high_minor": about + 20,
        "units_reached": 80.0,
        "units_held_out": 20.0,
        "of_products": 0.0,
        **more,
    }
    return {f"{lever}_{name}": value for name, value in figures.items()}


def played(seed: int, *parts: dict[str, float], **more: Any) -> Run:
    figures = {name: value for part in parts for name, value in part.items()}
    return run(MEASURED, seed, figures=figures, **more)


RUNS = [
    played(1, of("price", 0, of_products=1), of("wheel", 0)),
    # Off the truth of 50, and on the contrast of 20.
    played(2, of("price", None, of_products=1), of("wheel", -30)),
    played(3, of("price", None, units_reached=0), of("wheel", -6)),
    run(MEASURED, 4, state="failed", reason="broke"),
    run(CONNECTED, 1),
]


def test_by_hand() -> None:
    assert levers_of(RUNS) == ["wheel", "price"]
    wheel, price = recovered_levers(RUNS)
    assert (wheel.lever, wheel.unit) == ("wheel", "customer")
    assert (wheel.coverage.n, wheel.not_told, wheel.never, wheel.failed) == (3, 0, 0, 1)
    assert wheel.coverage.share == pytest.approx(2 / 3)
    # The contrast of 20 is in 0..40 and 24..64 is not, nor 30..70.
    assert wheel.contrast.share == pytest.approx(1 / 3)
    assert wheel.off.mean == pytest.approx(-12)
    assert (wheel.true_minor, wheel.width_minor, wheel.units) == (50, 40, 100)
    assert (wheel.held_gap.mean, wheel.held_gap.n) == (30, 3)
    assert (price.lever, price.unit) == ("price", "product")
    assert (price.coverage.n, price.not_told, price.never, price.failed) == (1, 1, 1, 1)
    assert price.coverage.share == 1


def test_a_lever_over_all_worlds_is_told_in_widths() -> None:
    other = [played(1, of("wheel", 20), world="hostile")]
    wheel, price = levers_together([*RUNS, *other])
    assert wheel.coverage.n == 4
    assert wheel.coverage.share == pytest.approx(3 / 4)
    assert wheel.off_widths.mean == pytest.approx((0 - 30 - 6 + 20) / 4 / 40)
    assert price.coverage.n == 1


def test_the_text_holds_every_figure() -> None:
    rows = recovered_levers(RUNS)
    text = text_levers(rows, levers_together(RUNS))
    assert all(len(cells_of(row)) == len(HEADS) for row in rows)
    assert "66.7 %" in text
    assert "+50.00 EUR cents" in text
    assert MEANING in text


def test_runs_without_levers_say_nothing() -> None:
    assert recovered_levers([run(CONNECTED, 1)]) == []
    assert text_levers([], []) == ""
    (row,) = recovered_levers([played(1, of("wheel", None))])
    assert (row.coverage.n, row.not_told) == (0, 1)
    assert math.isnan(row.off.mean)
    assert text_levers([row], levers_together([played(1, of("wheel", None))]))


def test_the_report_has_both_tables(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_report(RUNS, page, title="t")
    text = page.read_text(encoding="utf-8")
    assert "The ledger of earnings against the truth" in text
    assert "Each lever over all worlds" in text
    write_report([run(CONNECTED, 1)], page, title="t")
    assert "The ledger of earnings" not in page.read_text(encoding="utf-8")
