from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cartwheel.channels.csv_files import csv_text, safe_cell
from cartwheel.console.formatting import (
    Formatter,
    ago,
    interval_text,
    percent,
    plain,
    title_of,
    unit_of,
)

GBP = Formatter(currency="GBP", minor_digits=2, timezone="Europe/London")
JPY = Formatter(currency="JPY", minor_digits=0, timezone="Asia/Tokyo")
KWD = Formatter(currency="KWD", minor_digits=3, timezone="UTC")


@pytest.mark.parametrize(
    ("fmt", "minor", "exact", "text"),
    [
        (GBP, 0, False, "£0"),
        (GBP, 1_995, False, "£19.95"),
        (GBP, 124_050, False, "£1,240"),
        (GBP, 124_050, True, "£1,240.50"),
        (GBP, -42_000, False, "−£420"),
        (GBP, -0.2, False, "£0.00"),
        (GBP, None, False, "unknown"),
        (JPY, 1_234, False, "¥1,234"),
        (KWD, 1_500, True, "KWD 1.500"),
    ],
)
def test_money_in_the_shops_currency(
    fmt: Formatter, minor: float | None, exact: bool, text: str
) -> None:
    assert fmt.money(minor, exact=exact) == text


def test_values_by_unit() -> None:
    assert GBP.value(1, "units") == "1 unit"
    assert GBP.value(1_200, "units") == "1,200 units"
    assert GBP.value(0.034, "share") == "3.4%"
    assert GBP.value(1_500, "bps") == "15%"
    assert GBP.value(None, "minor") == "–"
    assert GBP.value(float("nan"), "") == "–"
    assert GBP.cell("2026-11-09", "") == "9 Nov 2026"
    assert plain(-0.001) == "0.00"
    assert percent(-0.5) == "−50%"


def test_units_and_titles_from_names() -> None:
    assert unit_of("margin_minor_28d") == "minor"
    assert unit_of("units") == "units"
    assert unit_of("service_level") == ""
    assert title_of("margin_minor_28d") == "Margin, 28 days"
    assert title_of("expected_28d_units") == "Expected in 28 days"
    assert title_of("on_hand_units") == "On hand"
    assert title_of("units") == "Units"


def test_interval_is_empty_without_both_ends() -> None:
    assert interval_text({"low": 1, "high": None, "unit": ""}, GBP) == ""
    assert interval_text({"low": 1, "high": 2, "unit": "days"}, GBP) == "1 to 2 days"


def test_instants_are_shown_in_the_shops_zone() -> None:
    assert GBP.instant("2026-07-01T12:00:00Z") == "1 Jul 2026, 13:00"
    assert GBP.instant("nonsense") == "nonsense"


def test_ago_in_words() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert ago("2026-11-20T11:59:30Z", now) == "less than a minute ago"
    assert ago("2026-11-20T10:00:00Z", now) == "2 hours ago"
    assert ago("2026-11-19T11:00:00Z", now) == "1 day ago"
    assert ago(None, now) == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_would_be_formulas_are_text(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


def test_csv_keeps_numbers_and_quotes_texts() -> None:
    assert csv_text([["a,b", -3, None, "=x"]]) == '"a,b",-3,,\'=x\r\n'
