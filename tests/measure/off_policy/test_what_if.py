"""Other policies from a shop's own answers: replayed and valued, or refused."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cartwheel.cli import app
from cartwheel.errors import Misuse
from cartwheel.gate.base import MESSAGE_KINDS
from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import NOBODY, NOTHING
from cartwheel.levers.recommend.scoring import scores
from cartwheel.measure.off_policy import what_if as module
from cartwheel.measure.off_policy.ask_slates import answering_turns, ask_slates
from cartwheel.measure.off_policy.figures import Part, WhatIf
from cartwheel.measure.off_policy.page import what_if_page
from cartwheel.measure.off_policy.questions import contexts_of, questions_of
from cartwheel.measure.off_policy.replay import (
    BESTSELLERS,
    NEWEST,
    OLDEST,
    SALE_ONLY,
    filled_by,
    replay,
)
from cartwheel.measure.off_policy.slates import read_slates, slates_of
from cartwheel.measure.off_policy.table import HEADER
from cartwheel.measure.off_policy.what_if import what_if
from cartwheel.measure.off_policy_command import to_lines
from tests.contract.tiny_lake import TinyLake
from tests.measure.off_policy.made_answers import (
    LIMIT,
    Answered,
    answered,
    learned,
    publish,
)
from tests.measure.off_policy.test_offers import NONE, add, add_turn

ON = date(2025, 7, 20)
SINCE, UNTIL = datetime(2025, 7, 1), datetime(2025, 8, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    return answered(tmp_path_factory.mktemp("answered"))


@pytest.fixture(scope="module")
def part(made: Answered) -> Part:
    return what_if(made.lake.shop, ON, ["recommend"]).parts[0]


def test_the_levers_own_answers_are_asked_again_and_come_out_alike(
    made: Answered,
) -> None:
    """Where the lever changes how it answers, this says so: nothing matches then."""
    log = read_slates(made.lake.shop, since=SINCE, until=UNTIL)
    every = np.arange(len(log.decision_id))
    with made.lake.shop.lake.attached(read_only=True) as con:
        asked = questions_of(con, log, schema="lake", answers=every, cutoff=UNTIL)
    turns = answering_turns(made.lake.shop, ON)
    found, left_out = replay(log, asked, turns, newest=1)
    assert left_out == {"model not kept": 0, "not answered so again": 0}
    assert found[SALE_ONLY].answer.tolist() == every.tolist()
    assert found[NEWEST].answer.tolist() == every.tolist()
    # The model that answered, asked as another, would always draw what it ranks first.
    _, chance = filled_by(found[NEWEST], log)
    _, same = filled_by(found[OLDEST], log)
    assert chance.tolist() == same.tolist()
    assert found[NEWEST].others == 0
    assert found[BESTSELLERS].others > 0.5
    # What is wanted could always be drawn, so weights have mean 1.
    drawn = log.drawn
    for one in found.values():
        _, chance = filled_by(one, log)
        weight = chance[drawn] / log.propensity[drawn]
        assert abs(weight.mean() - 1) < 4 * weight.std() / np.sqrt(drawn.sum())


def test_questions_the_model_does_not_answer_so_are_left_out(made: Answered) -> None:
    log = read_slates(made.lake.shop, since=SINCE, until=UNTIL)
    with made.lake.shop.lake.attached(read_only=True) as con:
        asked = questions_of(
            con, log, schema="lake", answers=np.arange(50), cutoff=UNTIL
        )
    turns = answering_turns(made.lake.shop, ON)
    other = learned(seed=2, products=12)
    changed = type(turns[1])(
        model=other,
        excluded=turns[1].excluded,
        as_of=turns[1].as_of,
        after=turns[1].after,
    )
    _, left_out = replay(log, asked, {1: changed}, newest=1)
    assert left_out["not answered so again"] == 50
    _, left_out = replay(log, asked, {}, newest=None)
    assert left_out["model not kept"] == 50


def test_policies_hold_the_truth(made: Answered, part: Part) -> None:
    """What each ranking would have been clicked, from appeals nobody told it."""
    log = read_slates(made.lake.shop, since=SINCE, until=UNTIL)
    figures = {one.name: one.figures[0] for one in part.policies}
    appeal = np.array([made.appeal[name] for name in log.product.tolist()])
    before = np.bincount(log.answer, weights=appeal * ~log.drawn)
    ran = float(np.bincount(log.answer, weights=appeal).mean())
    assert figures["as-ran"].low is not None
    assert figures["as-ran"].high is not None
    assert figures["as-ran"].low <= 100 * ran <= figures["as-ran"].high
    assert figures["as-ran"].gain is None
    with made.lake.shop.lake.attached(read_only=True) as con:
        asked = questions_of(
            con, log, schema="lake", answers=np.arange(len(before)), cutoff=UNTIL
        )
    found, _ = replay(log, asked, answering_turns(made.lake.shop, ON), newest=1)
    for name in (SALE_ONLY, BESTSELLERS, NEWEST):
        wanted = [made.appeal[p] for p in found[name].product.tolist()]
        truth = 100 * float((before + wanted).mean())
        one = figures[name]
        assert one.refused == "", name
        assert one.low is not None
        assert one.high is not None
        # Five intervals of 95 %, one shop: a seed that holds them all.
        assert one.low <= truth <= one.high, name
        assert one.effective_rows < one.rows / 3
        assert "asked after" in part.policies[-1].note


def test_a_policy_the_log_never_shows_is_refused_and_says_why(part: Part) -> None:
    never = next(one for one in part.policies if one.name == "never-explore")
    # Everything was drawn: no product was the likeliest by far.
    assert all("None of the" in one.refused for one in never.figures)
    assert all(one.value is None for one in never.figures)
    assert all(one.sentence.startswith("Not known: none of") for one in never.figures)
    spent = next(one for one in part.policies if one.name == SALE_ONLY).figures[1]
    assert spent.refused != "", "nobody bought anything"


def test_a_newer_model_is_asked_only_what_it_cannot_have_learned_from(
    tmp_path: Path,
) -> None:
    shop = answered(tmp_path, answers=200)
    half = (datetime(2025, 7, 1, 9) + timedelta(minutes=300)).date()
    publish(shop.lake, 2, learned(seed=5), as_of=half.isoformat())
    part = ask_slates(shop.lake.shop, ON)
    newest = next(one for one in part.policies if one.name == NEWEST)
    assert newest.figures[0].rows == 0, "all were answered by the end of that day"
    assert f"Turn 2, on questions asked after {half}" in newest.note
    oldest = next(one for one in part.policies if one.name == OLDEST)
    assert oldest.figures[0].rows == 200
    # A turn rolled back is no policy of the shop, and its answers have no model.
    publish(shop.lake, 3, learned(seed=6), as_of="2025-07-09", state="rolled_back")
    assert set(answering_turns(shop.lake.shop, ON)) == {1, 2}
    assert set(answering_turns(shop.lake.shop, date(2025, 6, 30))) == {1}


def test_few_answers_are_drawn_and_the_rest_is_said(made: Answered) -> None:
    part = ask_slates(made.lake.shop, ON, most=500)
    assert part.left_out is not None
    assert part.left_out["not asked again"] == 2_500
    sale = next(one for one in part.policies if one.name == SALE_ONLY)
    assert sale.figures[0].rows == 500
    assert "500 rows are worth" in sale.figures[0].refused


def test_margin_weight_nothing_is_the_chance_of_a_sale(made: Answered) -> None:
    model = made.model
    free = {**model.arrays, "factor": model.arrays["sale_factor"]}
    plain = scores(
        Model(rule=model.rule, arrays=free, meta=model.meta),
        NOBODY,
        NOTHING,
    )
    own = scores(model, NOBODY, NOTHING)
    scale = model.arrays["sale_factor"] / model.arrays["factor"]
    assert own * scale == pytest.approx(plain, rel=1e-5)
    options = {"recommend": {"margin_weight": 0.0}}
    from tests.levers.made import for_lever, made_signals
    from tests.measure.off_policy.made_answers import LEVER

    data = made_signals(customers=150, products=14, options=options)
    without = LEVER.learn(for_lever(LEVER, data), None, seed=1)
    np.testing.assert_allclose(
        without.arrays["factor"], model.arrays["sale_factor"], rtol=1e-6
    )


def test_contexts_end_with_the_visit_and_allow_for_a_late_view() -> None:
    at = datetime(2025, 7, 1, 12)
    minutes = [-90, -40, -15, -15, 0]
    times = [at + timedelta(minutes=m) for m in minutes]
    times.append(at + timedelta(seconds=4))
    found = contexts_of(times, ["a", "b", "c", "b", "d", "e"], at)
    assert found == (
        ("b", "c", "b", "d"),
        ("b", "c", "d"),
        ("b", "c", "b", "d", "e"),
        ("b", "c", "d", "e"),
        (),
    )
    assert contexts_of([], [], at) == ((),)


# --- offers, send time, the whole


def test_offers_are_asked_by_segment_and_refused_below_the_floor(
    tmp_path: Path,
) -> None:
    lake = TinyLake(tmp_path)
    add_turn(lake, 1, "2026-01-31")
    add(lake, "d1", "a")
    add(lake, "d2", "b", NONE)
    lake.sale("o", "v", "2026-02-03 10:00:00", customer="a")
    lake.write()
    found = what_if(lake.shop, date(2026, 6, 30), ["lifecycle"]).parts[0]
    assert [one.name for one in found.policies] == [
        "as-ran",
        "offer-to-all",
        "offer-to-none",
    ]
    assert "2 draws: 1 to get an offer, 1 to get none" in found.says
    for one in found.policies:
        assert all("200 are needed" in figure.refused for figure in one.figures)
    soon = what_if(lake.shop, date(2026, 3, 1), ["lifecycle"]).parts[0]
    assert soon.cannot.startswith("Not yet: 2 customers were drawn")


def test_offers_that_earn_are_told_from_those_that_do_not(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    add_turn(lake, 1, "2026-01-31")
    rng = np.random.default_rng(7)
    for n in range(700):
        offered = bool(rng.random() < 0.5)
        action = {"offer": "discount"} if offered else NONE
        add(lake, f"d{n}", f"c{n}", action, propensity=0.5)
        if rng.random() < (0.6 if offered else 0.3):
            lake.sale(f"o{n}", "v", "2026-02-03 10:00:00", customer=f"c{n}")
    lake.write()
    found = what_if(lake.shop, date(2026, 6, 30), ["lifecycle"]).parts[0]
    orders = {one.name: one.figures[1] for one in found.policies}
    for name, truth in (("as-ran", 45.0), ("offer-to-all", 60), ("offer-to-none", 30)):
        assert orders[name].low is not None
        assert orders[name].high is not None
        assert orders[name].low <= truth <= orders[name].high
    assert orders["offer-to-all"].decided
    assert "more than what ran" in orders["offer-to-all"].sentence
    assert orders["offer-to-none"].decided
    assert "less than what ran" in orders["offer-to-none"].sentence


def test_send_time_cannot_be_told_and_says_what_would_change_that(
    tmp_path: Path,
) -> None:
    lake = TinyLake(tmp_path)
    empty = what_if(lake.shop, ON, ["send-time"]).parts[0]
    assert "no message was approved or carried out yet" in empty.cannot
    add_turn(lake, 1, "2025-07-02")
    add(lake, "d1", "a")
    add(lake, "d2", "b", state="proposed")
    add(lake, "d3", "c", kind="reorder")
    found = what_if(lake.shop, ON, ["send-time"]).parts[0]
    assert "1 messages were approved or carried out" in found.cannot
    assert "Draw the hour" in found.would_need
    assert module.MESSAGE_KINDS == MESSAGE_KINDS


def test_a_shop_without_answers_says_what_to_do(tmp_path: Path) -> None:
    lake = TinyLake(tmp_path)
    found = what_if(lake.shop, ON)
    assert [one.about for one in found.parts] == ["recommend", "lifecycle", "send-time"]
    assert all(one.cannot.startswith("Not known: ") for one in found.parts)
    assert all(one.would_need for one in found.parts)
    lake.add(
        "answers",
        decision_id="h",
        answered_at="2025-07-01 00:00:00",
        lever="recommend",
        arm="holdout",
        slate="[]",
    )
    lake.write()
    part = what_if(lake.shop, ON, ["recommend"]).parts[0]
    assert "none of the 1 answers logged can be used (1 holdout)" in part.cannot
    with pytest.raises(Misuse, match="nothing to ask about 'price'"):
        what_if(lake.shop, ON, ["price"])


def test_facts_known_later_change_nothing(made: Answered, part: Part) -> None:
    shop = made.lake.shop
    early = ask_slates(shop, date(2025, 7, 10))
    with shop.lake.attached(read_only=True) as con:
        then = slates_of(
            con,
            schema="lake",
            since=SINCE,
            until=datetime(2025, 7, 11),
            cutoff=datetime(2025, 7, 11),
        )
    assert early.policies[0].figures[0].rows == len(then.decision_id) < 3_000
    assert part.policies[0].figures[0].rows == 3_000


def test_command_json_table_and_csv_say_the_same(
    made: Answered, part: Part, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    place = ["off-policy", "recommend", "--shop", str(made.lake.shop.folder)]
    place += ["--on", ON.isoformat()]
    done = CliRunner().invoke(app, [*place, "--json", "--csv", str(file)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 2 * len(found["parts"][0]["policies"])
    told = found["parts"][0]["policies"][2]["figures"][0]
    assert float(rows[4]["value"]) == pytest.approx(told["value"], abs=1e-3)
    assert rows[2]["value"] == "", "refused: empty, not zero"
    said = "\n".join(to_lines(WhatIf(on=ON.isoformat(), parts=(part,))))
    assert told["sentence"] in said
    wrong = CliRunner().invoke(app, ["off-policy", "fun", *place[2:]])
    assert isinstance(wrong.exception, Misuse)
    lost = ["--csv", str(tmp_path / "no" / "x")]
    nowhere = CliRunner().invoke(app, ["off-policy", "send-time", *place[2:], *lost])
    assert isinstance(nowhere.exception, Misuse)


def test_a_page_that_fails_says_so_and_stops_nothing(
    made: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = what_if_page(made.lake.shop, ON)
    assert body["failed"] == ""
    assert body["csv"][0] == list(HEADER)
    json.dumps(body, allow_nan=False)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is gone\nand more")

    monkeypatch.setattr("cartwheel.measure.off_policy.page.what_if", broken)
    body = what_if_page(made.lake.shop, ON)
    assert body["failed"] == "RuntimeError: the disk is gone"
    assert (body["parts"], body["csv"]) == ([], [])


def test_slates_are_as_long_as_asked(made: Answered) -> None:
    log = read_slates(made.lake.shop, since=SINCE, until=UNTIL)
    assert set(np.bincount(log.answer).tolist()) == {LIMIT}
