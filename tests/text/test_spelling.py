from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.spelling import corrected, distance, learn_spelling, split

COUNTS = {
    "shower": 40.0,
    "shovel": 10.0,
    "ratchet": 5.0,
    "vacuum": 9.0,
    "champagne": 2.0,
    "chain": 30.0,
    "link": 20.0,
    "door": 50.0,
    "кружка": 3.0,
}
SPELLING = learn_spelling(COUNTS)


def best(word: str) -> str | None:
    found = corrected(SPELLING, word)
    return found[0][0] if found else None


def test_slips_are_mended() -> None:
    assert best("showr") == "shower"
    assert best("rachet") == "ratchet"
    assert best("vaccum") == "vacuum"
    assert best("chanpayne") == "champagne"
    assert best("dor") is None  # too short to say
    assert best("кружкa") is not None


def test_the_commoner_of_two_equally_near_wins() -> None:
    found = dict(corrected(SPELLING, "shover", most=3))
    assert found["shower"] > found["shovel"]


def test_nothing_near_is_left_alone() -> None:
    assert best("zzzzzzz") is None
    assert best("d00r") is None
    assert best("a" * 1000) is None
    assert corrected(learn_spelling({}), "shower") == []


def test_words_written_as_one_are_split() -> None:
    assert split("chainlink", lambda w: COUNTS.get(w, 0.0)) == ("chain", "link")
    assert split("abcdef", lambda w: COUNTS.get(w, 0.0)) is None


@given(st.text("abcde", max_size=8), st.text("abcde", max_size=8))
def test_distance_is_symmetric_and_zero_for_equals(one: str, other: str) -> None:
    assert distance(one, one, 9) == 0
    assert abs(distance(one, other, 99) - distance(other, one, 99)) < 1e-9


@given(st.sampled_from(sorted(COUNTS)), st.data())
def test_one_letter_left_out_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 1))
    slip = word[:at] + word[at + 1 :]
    if len(slip) >= 4 and slip not in COUNTS:
        assert word in [name for name, _ in corrected(SPELLING, slip, most=5)]
