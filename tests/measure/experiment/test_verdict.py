"""A verdict cannot be read as more than was found."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cartwheel.measure.experiment.verdict import number, verdict
from tests.measure.experiment.test_sequential import look


def test_a_winner_needs_an_interval_and_a_corrected_p_value() -> None:
    found = look(0.5, 0.1, 1_000)
    assert "is higher" in verdict(found, adjusted=0.01)
    assert "is lower" in verdict(look(-0.5, 0.1, 1_000), adjusted=0.01)
    several = verdict(found, adjusted=0.2)
    assert several.startswith("Not shown:")
    assert "several comparisons" in several
    rough = verdict(found, adjusted=0.001, rough=True)
    assert rough.startswith("Not yet:")
    assert "is higher" not in rough


def test_what_is_not_shown_says_what_could_have_been() -> None:
    said = verdict(look(0.01, 0.1, 1_000), adjusted=0.9)
    assert said.startswith("Not shown:")
    assert "0.2802" in said  # 2.8 standard errors
    assert "4,000" in said  # four times the units for half of it
    below = verdict(replace(look(0.01, 0.1, 1_000), relative=None), adjusted=0.9)
    assert "%)" not in below.split("effects from")[1]


@given(st.floats(allow_nan=True, allow_infinity=True), st.booleans())
def test_any_number_can_be_written(value: float, sign: bool) -> None:
    said = number(value, sign=sign)
    assert said
    assert "nan" not in said
    assert "inf" not in said
    if not sign and value == abs(value):
        assert not said.startswith("+") or said == "+∞"
