"""The turn asks a text service, keeps what it answered, and replays without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cartwheel.errors import Misuse
from cartwheel.ledger.replay import replay
from cartwheel.ledger.store import list_decisions
from cartwheel.levers.base import DraftingLever
from cartwheel.signals.drafts import DRAFTS
from cartwheel.text.drafting import (
    DraftRequest,
    Fact,
    ServiceFailed,
    Terms,
    TextService,
    Wishes,
)
from cartwheel.turn.drafts import GIVES_UP, ask_service, wishes_of
from cartwheel.turn.stage import ASKED, Stage
from cartwheel.turn.steps import run_staged, stage_of
from cartwheel.turn.workflow import run_turn
from tests.text_service import every_fact, text_service
from tests.turned import SECOND_DAY, copy_of, turned_in

TERMS = Terms(url="https://e.org", model="small", key_variable="", seconds=9, most=9)


def request(name: str) -> DraftRequest:
    fact = Fact(id="f1", name="Care", text=name)
    return DraftRequest(
        model="small", purpose="p", product=name, about="a", facts=(fact,)
    )


def wishes(*names: str) -> Wishes:
    return Wishes(terms=TERMS, requests=tuple(map(request, names)))


class Scripted:
    """A service without a wire: says "It is NAME." or fails for the names given."""

    def __init__(self, *failing: str) -> None:
        self.model = "small"
        self.failing = failing
        self.heard: list[str] = []
        self.terms: Terms | None = None

    def open(self, terms: Terms) -> TextService:
        self.terms = terms
        return self

    def complete(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
    ) -> str:
        name = json.loads(messages[1]["content"])["product"]
        self.heard.append(name)
        if name in self.failing:
            raise ServiceFailed("it answered with status 500")
        return json.dumps({"sentences": [{"text": f"It is {name}.", "facts": ["f1"]}]})


def kept(stage: Stage) -> dict[str, dict[str, Any]]:
    table = stage.read_tables(ASKED).get(DRAFTS.name)
    return {} if table is None else {r["request"]: r for r in table.to_pylist()}


def ask(service: Scripted, stage: Stage, before: Stage | None, *names: str) -> None:
    ask_service(stage, before, [wishes(*names)], seconds=60, opened=service.open)


def test_answers_are_kept_with_the_turn_failures_with_their_reason(
    tmp_path: Path,
) -> None:
    stage, service = Stage(folder=tmp_path / "1"), Scripted("b")
    ask(service, stage, None, "a", "b")
    rows = kept(stage)
    assert rows[request("a").key]["sentences"] == (
        '[{"text": "It is a.", "facts": ["f1"]}]'
    )
    assert rows[request("a").key]["failed"] is None
    assert rows[request("b").key]["failed"] == "it answered with status 500"
    assert rows[request("b").key]["sentences"] is None
    assert service.heard == ["a", "b", "b"]


def test_a_turn_begun_again_asks_only_for_the_rest(tmp_path: Path) -> None:
    stage, service = Stage(folder=tmp_path / "1"), Scripted("b")
    ask(service, stage, None, "a", "b")
    again = Scripted()
    ask(again, stage, None, "a", "b", "c")
    assert again.heard == ["c"]
    assert len(kept(stage)) == 3


def test_the_next_turn_asks_for_nothing_twice_but_what_failed(tmp_path: Path) -> None:
    first, second = Stage(folder=tmp_path / "1"), Stage(folder=tmp_path / "2")
    ask(Scripted("b"), first, None, "a", "b", "gone")
    service = Scripted()
    ask(service, second, first, "a", "b")
    assert service.heard == ["b"]
    assert set(kept(second)) == {request("a").key, request("b").key}
    assert kept(second)[request("a").key] == kept(first)[request("a").key]


def test_a_service_that_keeps_failing_is_left_alone_for_the_turn(
    tmp_path: Path,
) -> None:
    names = [f"n{at}" for at in range(GIVES_UP + 2)]
    service, stage = Scripted(*names), Stage(folder=tmp_path / "1")
    ask(service, stage, None, *names)
    assert len(set(service.heard)) == GIVES_UP
    assert len(kept(stage)) == GIVES_UP


def test_no_time_no_request(tmp_path: Path) -> None:
    service, stage = Scripted(), Stage(folder=tmp_path / "1")
    ask_service(stage, None, [wishes("a")], seconds=-1, opened=service.open)
    assert service.heard == []
    ask_service(stage, None, [wishes("a")], seconds=10, opened=service.open)
    assert service.terms is not None
    assert service.terms.seconds == 5  # both tries fit


def test_wrong_terms_are_told_as_the_reason(tmp_path: Path) -> None:
    def refused(terms: Terms) -> TextService:
        raise Misuse("The address is wrong.", "Correct it.")

    stage = Stage(folder=tmp_path / "1")
    ask_service(stage, None, [wishes("a")], seconds=9, opened=refused)
    assert kept(stage)[request("a").key]["failed"] == "The address is wrong."


def test_a_lever_that_cannot_say_what_it_wants_stops_no_turn() -> None:
    from cartwheel.levers.content import Content
    from tests.levers.made import empty_signals

    lever = Content()
    assert isinstance(lever, DraftingLever)
    wrong = empty_signals(options={"content": {"text_service": 5}})
    assert wishes_of(lever, [wrong]) == []


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return turned_in(tmp_path_factory.getbasetemp())


def test_a_turn_with_a_service_is_published_and_replays_without_it(
    turned: Any, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "s")
    play = every_fact(lambda fact: f"The {fact['name'].lower()} is {fact['text']}.")
    with text_service(play) as service:
        with open(shop.folder / "cartwheel.toml", "a", encoding="utf-8") as file:
            file.write(
                f'[levers.content]\ntext_service = "{service.url}"\n'
                'text_service_model = "small"\n'
            )
        shop.database.dispose()
        shop = copy_of(shop.folder, tmp_path / "served")
        number = run_turn(shop, as_of=SECOND_DAY)["turn"]
        asked = len(service.heard)
    (fix,) = list_decisions(shop.database, kind="page_fix", turn=number, limit=None)
    assert fix.state == "proposed"  # it passed the gate
    assert fix.action["writer"] == "service:small"
    assert fix.action["said"][0]["text"].startswith("The colour is ")
    (row,) = kept(stage_of(shop, number)).values()
    assert json.loads(row["sentences"])[0]["text"] == fix.action["said"][0]["text"]
    # The service is gone: what it answered stands with the turn.
    (again,) = replay(shop, [fix.id])
    assert again.identical
    # A lever that is run anew for the same turn asks for nothing either.
    run = run_staged(shop, number, "content")
    (same,) = [one for one in run.decisions if one.kind == "page_fix"]
    assert same.canonical() == again.recorded
    assert len(service.heard) == asked == 1


def test_a_cut_link_asks_for_nothing(turned: Any, tmp_path: Path) -> None:
    import cartwheel.turn.steps as steps

    shop = copy_of(turned.folder, tmp_path / "s")
    row = steps.read_turn(shop, 2)
    with text_service(every_fact(lambda fact: fact["text"])) as service:
        own = {"text_service": service.url, "text_service_model": "small"}
        settings = row.settings.model_copy(update={"levers": {"content": own}})
        lever = steps.find_levers()["content"]
        cut = replace(row, settings=settings, cuts=("drafts→content",))
        steps._draft(shop, cut, lever, None)
        assert service.heard == []
        steps._draft(shop, replace(cut, cuts=()), lever, None)
        assert len(service.heard) > 0
