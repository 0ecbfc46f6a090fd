"""Lists that both arms of an experiment share, as the storefront answers them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.api.interleaving import RULE, share_list
from cartwheel.api.pins import PINNED
from cartwheel.api.recommendations import answer_row
from cartwheel.api.serving import Published, ask
from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.measure.experiment.trial import InForce, Trial
from cartwheel.merchandising import ShopRule
from tests.api.test_pins import cards_model

DAY = date(2026, 3, 2)
TRIAL = Trial(
    name="which-list",
    lever="recommend",
    unit="answer",
    salt="experiment/which-list",
    control_share=0.5,
    starts_on=DAY,
    ends_on=DAY + timedelta(days=27),
    option="margin_weight",
    control_value=1.0,
    arm_value=0.0,
)
FORCE = InForce(day=DAY, trials=(TRIAL,))


class Ranks:
    """Answers with the ranking its model holds; the last slot is drawn at random."""

    name = "recommend"

    def answer(self, model: Model, request: Request, *, rng: Any) -> Answer:
        names = [
            name
            for name in model.meta["ranking"]
            if name not in request.excluded and name not in request.context
        ]
        if request.holdout:
            names.sort()
        shown = names[request.offset : request.offset + request.limit]
        slots = [Slot(product_id=n, propensity=1.0, reason="r") for n in shown]
        if model.meta["explores"] == "all":
            slots = [replace(slot, propensity=0.3) for slot in slots]
        elif model.meta["explores"] and slots and not request.holdout:
            rest = names[len(shown) - 1 :]
            drawn = rest[int(rng.integers(len(rest)))]
            slots[-1] = Slot(product_id=drawn, propensity=1 / len(rest), reason="new")
        return Answer(slots=tuple(slots), eligible_hash="h", rule="ranked")


def model(ranking: str, *, explores: bool | str = True) -> Model:
    return Model(
        rule="ranked",
        arrays={"none": np.zeros(0)},
        meta={"ranking": list(ranking), "explores": explores},
    )


def published(control: str, arm: str, **more: Any) -> Published:
    return Published(
        turn=1,
        lever=Ranks(),  # type: ignore[arg-type]
        model=model(control),
        untouched=(),
        products=None,
        trials=FORCE,
        arm_model=model(arm),
        **more,
    )


HOME = Request(placement="home", customer="ann", limit=4)
rankings = st.permutations("abcdefgh").map("".join)


@given(rankings, rankings, st.integers(1, 9), st.uuids())
def test_a_shared_list_holds_what_either_would_show(
    control: str, arm: str, limit: int, decision: Any
) -> None:
    asked = replace(HOME, limit=limit, excluded=frozenset("a"), context=("b",))
    served = ask(published(control, arm), asked, str(decision))
    names = [slot.product_id for slot in served.answer.slots]
    assert len(names) == len(set(names)) == min(limit, 6)
    assert not {"a", "b"} & set(names)
    assert (served.arm, served.option_arm) == ("treated", "")
    assert served.answer.rule == RULE
    # The best of either ranking stands in the first two slots.
    best = {next(n for n in one if n not in "ab") for one in (control, arm)}
    assert best <= set(names[:2]) or limit < 2
    assert all(slot.propensity in (0.5, 1.0) for slot in served.answer.slots)
    assert served == ask(published(control, arm), asked, str(decision))


def test_the_log_says_whose_pick_each_slot_was() -> None:
    served = ask(published("abcdef", "abfedc"), HOME, "d1")
    slate = json.loads(json.loads(answer_row("d1", HOME, served).body)["slate"])
    assert [slot["product_id"] for slot in slate][:2] == ["a", "b"]
    assert [slot["team"] for slot in slate[:2]] == ["", ""]
    assert {slot["team"] for slot in slate[2:]} == {"control", "arm"}
    assert not any("arm" in slot for slot in slate)
    propensities = {slot["propensity"] for slot in slate[2:]}
    assert propensities == {0.5, 1.0}  # who picks first is a coin; then it is known


def test_over_many_answers_each_slot_comes_as_often_as_it_says() -> None:
    first: dict[str, list[float]] = {}
    shop = published("abcd", "dcba")
    for number in range(600):
        slot = ask(shop, HOME, f"d{number}").answer.slots[0]
        first.setdefault(slot.product_id, []).append(slot.propensity)
    assert set(first) == {"a", "d"}
    # Half of 600 with a standard deviation of 12.
    assert abs(len(first["a"]) - 300) < 50
    assert {p for said in first.values() for p in said} == {0.5}


def test_pins_are_nobodys_and_the_holdout_keeps_its_list() -> None:
    cards = cards_model()
    from cartwheel.channels.storefront import Cards

    shop = published("abcdef", "fedcba", cards=Cards(cards))
    pin = ShopRule(kind="pin", product_id="f", position=1)
    served = ask(shop, HOME, "d1", [pin])
    assert served.answer.slots[0].reason == PINNED
    assert served.teams[0] == ""
    assert len(served.teams) == len(served.answer.slots) == 4
    held = ask(shop, replace(HOME, holdout=True), "d1")
    assert (held.arm, held.teams) == ("holdout", ())
    assert [slot.product_id for slot in held.answer.slots] == list("abcd")
    ended = replace(shop, trials=InForce(day=date(2026, 5, 1), trials=(TRIAL,)))
    assert ask(ended, HOME, "d1").teams == ()


def test_pages_of_a_search_are_parts_of_one_list() -> None:
    models = (model("abcdefgh", explores=False), model("hgfedcba", explores=False))
    asked = Request(placement="search", query="red  shoe", visitor="v", limit=8)
    whole = share_list(Ranks(), models, asked, TRIAL, "d0")  # type: ignore[arg-type]
    assert whole is not None
    pages: list[str] = []
    for offset in range(0, 8, 2):
        page = replace(asked, query="red shoe", offset=offset, limit=2)
        found = share_list(Ranks(), models, page, TRIAL, f"d{offset}")  # type: ignore[arg-type]
        assert found is not None
        pages += [slot.product_id for slot in found.answer.slots[offset:]]
    assert pages == [slot.product_id for slot in whole.answer.slots]
    unknown = replace(asked, visitor=None, offset=2)
    assert share_list(Ranks(), models, unknown, TRIAL, "d") is None  # type: ignore[arg-type]


def test_a_ranking_drawn_from_the_first_slot_on_is_not_shared() -> None:
    drawn = model("abcdef", explores="all")
    shop = replace(published("abcdef", "fedcba"), arm_model=drawn)
    served = ask(shop, HOME, "d")
    assert (served.teams, served.answer.rule) == ((), "ranked")
