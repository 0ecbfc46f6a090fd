"""The hour an offer goes out at: habit, draw, and what the ledger keeps of both."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.levers.base import Decision
from cartwheel.levers.lifecycle.draws import ALL, quarter_draw
from cartwheel.levers.lifecycle.lever import Lifecycle
from cartwheel.levers.lifecycle.offers import left_out
from cartwheel.levers.lifecycle.send_hours import (
    HOURS,
    SHOP_WEIGHT,
    hour_chances,
    send_hour,
    usual_hours,
)
from cartwheel.signals.active_hours import ACTIVE_HOURS
from cartwheel.signals.base import Signals
from cartwheel.signals.customers import CONSENT
from tests.levers.made import (
    empty_signals,
    for_lever,
    made_signals,
    replace,
    with_options,
)

LEVER = Lifecycle()
ON = date(2025, 5, 5)
OF_BEFORE = 16_988_627_072_772_267_304  # hash of "s|winback|2025Q2|c1"
PEOPLE = [f"c{n}" for n in range(6_000)]
SHARES = st.floats(0, 1)


@pytest.fixture(scope="module")
def shop() -> Signals:
    return for_lever(LEVER, made_signals(customers=600, products=20, days=540))


def offers(data: Signals, **options: float) -> list[Decision]:
    """Return the win-backs of a turn that propose an offer."""
    data = with_options(data, {"lifecycle": options})
    model = LEVER.learn(data, None, seed=1)
    seen = data.with_tables(LEVER.emit(model, data))
    found = list(LEVER.decide(model, seen, seed=1))
    return [one for one in found if one.kind == "winback" and one.promotes]


def active(*rows: tuple[str, int, int]) -> Signals:
    """Return a shop of which only active hours are known."""
    frame = pd.DataFrame(rows, columns=["customer_id", "hour", "days"])
    return replace(empty_signals(), ACTIVE_HOURS, frame)


# --- habit


@pytest.mark.parametrize(
    ("hour", "nearest"),
    [(2, 8), (7, 8), (9, 8), (10, 12), (13, 12), (14, 16), (17, 16), (18, 20), (1, 20)],
)
def test_usual_hour_is_the_nearest_round_the_clock(hour: int, nearest: int) -> None:
    assert usual_hours(active(("a", hour, 1)), ["a"]) == {"a": nearest}


def test_an_hour_here_and_there_does_not_hide_the_usual_one() -> None:
    # Their mean is 15:00, at which this customer never is.
    data = active(("a", 9, 5), ("a", 21, 6), ("a", 22, 1))
    assert usual_hours(data, ["a"]) == {"a": 20}


def test_the_shops_habit_stands_until_the_own_one_is_known() -> None:
    evening = [(f"e{n}", 19, 10) for n in range(20)]
    few = active(*evening, ("a", 8, int(SHOP_WEIGHT) - 1))
    many = active(*evening, ("a", 8, int(SHOP_WEIGHT) + 1))
    assert usual_hours(few, ["a", "new"]) == {"a": 20, "new": 20}
    assert usual_hours(many, ["a", "new"]) == {"a": 8, "new": 20}


def test_a_shop_of_which_nothing_is_known_has_an_hour() -> None:
    assert usual_hours(empty_signals(), ["a", "b"]) == {"a": 8, "b": 8}
    assert usual_hours(empty_signals(), []) == {}


def test_who_objects_is_offered_at_no_hour_of_their_own(shop: Signals) -> None:
    consent = shop.frame(CONSENT)
    objecting = consent.loc[~consent["personalisation"], "customer_id"].tolist()
    assert objecting
    assert set(usual_hours(shop, objecting).values()) == {
        usual_hours(shop, ["nobody"])["nobody"]
    }
    assert not {f"customer:{who}" for who in objecting} & {
        one.subject for one in offers(shop)
    }


# --- draw


@given(st.sampled_from(HOURS), SHARES)
def test_chances_sum_to_one(usual: int, share: float) -> None:
    chances = hour_chances(usual, share=share)
    assert tuple(chances) == HOURS
    assert sum(chances.values()) == pytest.approx(1)
    assert all(chance >= 0 for chance in chances.values())
    assert max(chances, key=lambda hour: chances[hour]) == usual or share == 1


@given(st.text(max_size=12), st.sampled_from(HOURS), SHARES, st.dates())
def test_propensity_is_that_of_the_hour_and_holds_a_quarter(
    customer: str, usual: int, share: float, on: date
) -> None:
    more: Any = {"salt": "s", "share": share}
    found = send_hour(customer, usual, on=on, **more)
    expected = hour_chances(usual, share=share)[found.hour]
    assert found.propensity == pytest.approx(expected, abs=1e-9)
    assert found.usual == usual
    assert found.drawn or found.hour == usual
    first = on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1)
    assert send_hour(customer, usual, on=first, **more) == found


@given(st.text(max_size=12), st.sampled_from(HOURS), st.sampled_from(HOURS), SHARES)
def test_what_is_drawn_does_not_depend_on_the_habit(
    customer: str, usual: int, other: int, share: float
) -> None:
    more: Any = {"salt": "s", "share": share, "on": ON}
    one, two = (send_hour(customer, u, **more) for u in (usual, other))
    assert one.drawn == two.drawn
    assert one.hour == two.hour or not one.drawn


@given(st.text(max_size=12), st.sampled_from(HOURS), st.dates())
def test_nothing_and_everything_can_be_drawn(
    customer: str, usual: int, on: date
) -> None:
    never = send_hour(customer, usual, salt="s", on=on, share=0)
    assert (never.hour, never.propensity, never.drawn) == (usual, 1.0, False)
    for share in (1.0, 7.0):
        always = send_hour(customer, usual, salt="s", on=on, share=share)
        assert (always.propensity, always.drawn) == (1 / len(HOURS), True)


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_hours_come_as_often_as_they_should(share: float) -> None:
    found = [send_hour(p, 12, salt="s", on=ON, share=share).hour for p in PEOPLE]
    for hour, chance in hour_chances(12, share=share).items():
        spread = 4 * np.sqrt(chance * (1 - chance) / len(PEOPLE))
        assert np.mean(np.array(found) == hour) == pytest.approx(chance, abs=spread)


def test_hour_tells_nothing_of_the_offer_or_of_another_quarter() -> None:
    def hours(on: date) -> np.ndarray:
        return np.array(
            [send_hour(p, 8, salt="s", on=on, share=1).hour for p in PEOPLE]
        )

    none = np.array([left_out(p, salt="s", on=ON, share=0.5) for p in PEOPLE])
    drawn = np.array(
        [send_hour(p, 8, salt="s", on=ON, share=0.5).drawn for p in PEOPLE]
    )
    spread = 4 * 0.5 / np.sqrt(len(PEOPLE) / 4)
    assert np.mean(drawn[none]) == pytest.approx(0.5, abs=spread)
    now, later = hours(ON), hours(date(2025, 7, 1))
    for hour in HOURS:
        of = now == hour
        assert np.mean(none[of]) == pytest.approx(0.5, abs=spread)
        assert np.mean(later[of] == hour) == pytest.approx(0.25, abs=spread)


def test_draws_of_offers_are_those_of_before() -> None:
    # Customers stay in the arm they were drawn into before draws had a purpose.
    assert quarter_draw("c1", salt="s", purpose="winback", on=ON) == OF_BEFORE
    assert quarter_draw("c1", salt="s", purpose="send hour", on=ON) != OF_BEFORE
    assert left_out("c1", salt="s", on=ON, share=(OF_BEFORE + 2**20) / ALL)
    assert not left_out("c1", salt="s", on=ON, share=(OF_BEFORE - 2**20) / ALL)


# --- decisions


def test_every_offer_has_an_hour_and_its_probability(shop: Signals) -> None:
    found = offers(shop)
    assert len(found) > 100
    seen = set()
    for one in found:
        hour, usual = one.action["send_hour"], one.evidence["usual_send_hour"]
        chances = hour_chances(usual, share=0.2)
        assert one.evidence["send_hour_propensity"] == pytest.approx(chances[hour])
        assert one.propensity == pytest.approx(0.9), "of the offer, as ever"
        assert f"To go out at {hour}:00" in one.reason
        seen.add((hour, usual))
    assert {hour for hour, _ in seen} == {usual for _, usual in seen} == set(HOURS)
    moved = np.mean(
        [one.action["send_hour"] != one.evidence["usual_send_hour"] for one in found]
    )
    assert 0.05 < moved < 0.27


def test_who_is_drawn_to_get_none_has_no_hour(shop: Signals) -> None:
    assert offers(shop, no_offer_share=1.0) == []
    model = LEVER.learn(shop, None, seed=1)
    seen = shop.with_tables(LEVER.emit(model, shop))
    none = [
        one
        for one in LEVER.decide(model, seen, seed=1)
        if one.kind == "winback" and one.action == {"offer": "none"}
    ]
    assert none
    assert all("send_hour_propensity" not in one.evidence for one in none)
    assert all("To go out" not in one.reason for one in none)


def test_without_a_draw_every_offer_has_its_usual_hour(shop: Signals) -> None:
    found = offers(shop, draw_hour_share=0)
    assert all(
        one.action["send_hour"] == one.evidence["usual_send_hour"] for one in found
    )
    assert {one.evidence["send_hour_propensity"] for one in found} == {1.0}
    assert not any("drawn" in one.reason.lower() for one in found)


def test_share_of_hours_changes_no_offer(shop: Signals) -> None:
    def whom(share: float) -> list[tuple[Any, ...]]:
        return [
            (one.subject, one.propensity, one.promotes, one.worth_minor)
            for one in offers(shop, draw_hour_share=share)
        ]

    assert whom(0) == whom(0.2) == whom(1)


def test_cut_link_leaves_the_shop_without_a_habit(shop: Signals) -> None:
    cut = shop.restricted([s.name for s in LEVER.reads], ["active_hours"])
    found = offers(cut)
    assert {one.evidence["usual_send_hour"] for one in found} == {8}
    told = ["drawn, so that another" in one.reason for one in found]
    assert any(told)
    assert all(
        drawn or "active is not known yet" in one.reason
        for drawn, one in zip(told, found, strict=True)
    )
