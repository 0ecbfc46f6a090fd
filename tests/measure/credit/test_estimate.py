"""What a fix of each kind takes back, in the light of the others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from cartwheel.measure.credit.effects import KindEffect, LogRatio
from cartwheel.measure.credit.estimate import Estimate, estimates


def effect(value: float = math.log(0.4), error: float = 0.2, **more: Any) -> KindEffect:
    plain: dict[str, Any] = {
        "experiment": "notes",
        "objection": "size_fit",
        "form": "size note",
        "over": True,
        "unit": "product",
        "fixed": 14,
        "held_out": 15,
        "counted": "returns",
        "control_rate": 0.3,
        "per_objection": 1.0,
        "times": LogRatio(value=value, error=error),
        "conversion": None,
    }
    return KindEffect(**{**plain, **more})


def one(*effects: KindEffect, kind: str = "size_fit") -> Estimate:
    (found,) = [o for o in estimates(effects) if o.objection == kind]
    return found


def test_nothing_tested_is_nothing_told() -> None:
    assert estimates([]) == []


def test_a_sure_test_speaks_for_itself() -> None:
    found = one(effect(error=0.01))
    assert found.share == pytest.approx(0.6, abs=0.01)
    assert found.share_low < found.share < found.share_high
    assert found.change == pytest.approx(-0.18)
    assert found.change_low < found.change < found.change_high < 0
    assert (found.experiments, found.harm) == ("notes", None)


def test_an_unsure_test_is_drawn_to_nothing_and_keeps_its_own_figures() -> None:
    found = one(effect(error=0.8))
    assert 0 < found.share < 0.45
    assert found.share_low < 0 < found.share_high
    assert found.change == pytest.approx(-0.18)


def test_other_kinds_draw_it_towards_them() -> None:
    alone = one(effect(0.0, 0.5))
    others = [
        effect(math.log(0.4), 0.1, objection=name, form="service note")
        for name in ("damaged", "service", "wrong_item")
    ]
    found = one(effect(0.0, 0.5), *others)
    assert found.share > alone.share + 0.1
    # What is sure hardly moves.
    assert one(*others, kind="service").share == pytest.approx(0.6, abs=0.05)


def test_all_returns_are_put_over_those_for_it() -> None:
    """A tenth fewer returns, half of which are for size, take back a fifth."""
    found = one(effect(math.log(0.9), 0.01, counted="all returns", per_objection=2.0))
    assert found.share == pytest.approx(0.2, abs=0.01)
    assert found.change == pytest.approx(-0.03)


def test_kinds_counted_otherwise_are_compared_by_what_they_take_back() -> None:
    """The others take back 60 % of what they are counted by; so may this."""
    all_returns: Any = {"counted": "all returns", "per_objection": 2.0}
    others = [
        effect(math.log(0.7), 0.02, objection=name, **all_returns)
        for name in ("damaged", "service", "wrong_item")
    ]
    found = one(effect(math.log(0.4), 2.0), *others)
    assert found.share == pytest.approx(0.6, abs=0.1)


def test_tests_of_a_kind_count_together() -> None:
    found = one(
        effect(error=0.2), effect(error=0.2, experiment="more", control_rate=0.5)
    )
    assert found.experiments == "more\nnotes"
    assert (found.fixed, found.held_out) == (28, 30)
    assert found.control_rate == pytest.approx(0.4)
    assert found.share_high - found.share_low < (
        one(effect()).share_high - one(effect()).share_low
    )


def test_products_and_visitors_count_together_each_as_what_they_are() -> None:
    visits = effect(error=0.1, unit="visitor", experiment="shown", control_rate=0.6)
    found = one(effect(error=0.2), replace(visits, fixed=900, held_out=910))
    assert (found.fixed, found.held_out) == (14, 15)
    assert (found.shown, found.not_shown) == (900, 910)
    assert found.control_rate == pytest.approx(0.54), "by what each is sure of"
    harmful = effect(conversion=LogRatio(value=-0.5, error=0.2), unit="visitor")
    assert one(harmful).harm == "fewer orders per visitor"


def test_messages_do_not_mix_with_returns() -> None:
    found = one(effect(), effect(0.9, 0.01, counted="messages", experiment="more"))
    assert (found.counted, found.experiments) == ("returns", "notes")


@pytest.mark.parametrize(
    ("more", "harm"),
    [
        ({"value": 0.5, "error": 0.2}, "more returns for it"),
        ({"value": 0.5, "error": 0.2, "over": False}, None),
        ({"value": 0.5, "error": 0.24}, None),
        ({"conversion": LogRatio(value=-0.5, error=0.2)}, "fewer orders per view"),
        ({"conversion": LogRatio(value=-0.5, error=0.24)}, None),
        ({"conversion": LogRatio(value=0.5, error=0.1)}, None),
    ],
)
def test_harm_is_told_by_tests_that_are_over(more: Any, harm: str | None) -> None:
    assert one(effect(**more)).harm == harm
