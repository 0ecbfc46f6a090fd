"""`GET /v1/page-block`: a fix for the arm of a test, and nothing for anybody else."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from cartwheel.api import page_block
from cartwheel.channels.act import act
from cartwheel.channels.visitor_fixes import to_visitors
from cartwheel.measure.assign import held_out_of
from cartwheel.measure.experiment.trial import CONTROL, TREATED, Trial
from cartwheel.shop import Shop
from tests.api.conftest import publish
from tests.page_fixes import fix, put

DAY = date(2026, 1, 2)
HOSTILE = '"><img src=x onerror=alert(1)>'


def trial(**more: Any) -> Trial:
    plain: dict[str, Any] = {
        "name": "notes",
        "lever": "content",
        "unit": "visitor",
        "salt": "experiment/notes",
        "control_share": 0.5,
        "starts_on": DAY,
        "ends_on": date(2026, 3, 1),
        "products": ("P1", "P2"),
    }
    return Trial(**{**plain, **more})


def visitor(arm: str) -> str:
    names = (f"v{n}" for n in range(100))
    return next(n for n in names if trial().arm_of(DAY, visitor=n) == arm)


def run(shop: Shop, app: Any, *trials: Trial) -> None:
    """Publish a turn that was pinned with these tests."""
    folder = shop.turn_folder(1) / "gate"
    folder.mkdir(parents=True, exist_ok=True)
    body = {"day": DAY.isoformat(), "trials": [one.to_json() for one in trials]}
    (folder / "trials.json").write_text(json.dumps(body))
    publish(shop, 1, ["a"])
    app.state.serving.check()


@pytest.fixture
def shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have a fix of P1 delivered to visitors; return its id."""
    monkeypatch.setattr(page_block, "CHECK_SECONDS", 0.0)
    name = put(
        shop, fix(said=({"text": HOSTILE, "question": "", "sources": ["attribute:A"]},))
    )
    to_visitors(shop.database, [name], actor="ann")
    act(shop, "approve", [name], actor="ann")
    return name


def ask(client: TestClient, **query: str) -> Any:
    answer = client.get("/v1/page-block", params={"product": "P1", **query})
    assert answer.status_code == 200
    return answer.json()


NOTHING = {"decision": None, "arm": "none", "block": None}


def test_the_arm_is_given_the_block_as_text_and_the_control_nothing(
    client: TestClient, shop: Shop, app: Any, shown: str
) -> None:
    run(shop, app, trial())
    assert ask(client, visitor=visitor(TREATED)) == {
        "decision": shown,
        "arm": "treated",
        "block": {
            "heading": "Size and fit",
            "lines": [{"text": HOSTILE, "question": ""}],
        },
    }
    control = ask(client, visitor=visitor(CONTROL))
    assert control == {"decision": None, "arm": "control", "block": None}


def test_without_a_visitor_or_a_test_the_page_stays(
    client: TestClient, shop: Shop, app: Any, shown: str
) -> None:
    assert ask(client, visitor=visitor(TREATED)) == NOTHING  # before any turn
    run(shop, app, trial())
    assert ask(client) == NOTHING
    assert ask(client, visitor=visitor(TREATED), product="P2") == NOTHING
    assert ask(client, visitor=visitor(TREATED), product="P9") == NOTHING


@pytest.mark.parametrize(
    "more",
    [
        {"products": ("P2",)},
        {"lever": "recommend"},
        {"unit": "product"},
        {"ends_on": DAY.replace(day=1)},
    ],
)
def test_another_test_shows_nothing(
    client: TestClient, shop: Shop, app: Any, shown: str, more: dict[str, Any]
) -> None:
    run(shop, app, trial(**more))
    assert ask(client, visitor=visitor(TREATED)) == NOTHING


def test_an_undo_takes_it_away(
    client: TestClient, shop: Shop, app: Any, shown: str
) -> None:
    run(shop, app, trial())
    act(shop, "undo", [shown], actor="ann")
    assert ask(client, visitor=visitor(TREATED)) == NOTHING


def test_people_of_a_holdout_are_left_alone(
    client: TestClient, shop: Shop, app: Any, shown: str
) -> None:
    run(shop, app, trial())
    holdout = shop.settings.holdout
    names = [str(n) for n in range(1000)]
    held = next(n for n in names if held_out_of(n, "content", holdout))
    free = next(n for n in names if not held_out_of(n, "content", holdout))
    device = visitor(TREATED)
    assert ask(client, visitor=device, customer=held)["arm"] == "holdout"
    assert ask(client, visitor=device, customer=held)["block"] is None
    assert ask(client, visitor=device, customer=free)["arm"] == "treated"


def test_a_database_that_is_down_leaves_the_page_as_it_is(
    client: TestClient,
    shop: Shop,
    app: Any,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(shop, app, trial())

    def down(*_: object) -> None:
        raise OperationalError("select", {}, Exception("locked"))

    monkeypatch.setattr(page_block, "visitor_blocks", down)
    assert ask(client, visitor=visitor(TREATED)) == NOTHING


def test_it_needs_a_product(client: TestClient) -> None:
    assert client.get("/v1/page-block").status_code == 422
    assert client.get("/v1/page-block?product=P1&odd=1").status_code == 422


def test_it_needs_a_key(anonymous: TestClient) -> None:
    assert anonymous.get("/v1/page-block?product=P1").status_code == 401


def test_the_script_is_small_and_writes_no_mark_up(anonymous: TestClient) -> None:
    from cartwheel.api.snippet import FOLDER, PAGE_FIX, read_snippet

    assert len(read_snippet(PAGE_FIX).packed) < 2 * 1024
    text = Path(FOLDER / PAGE_FIX).read_text(encoding="utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
        assert word not in text, word
    for word in ("eval(", "new Function", "import(", "document.cookie", "setItem"):
        assert word not in text, word
    answer = anonymous.get("/page-fix.js", headers={"Origin": "https://shop.example"})
    assert answer.content == read_snippet(PAGE_FIX).plain
    assert answer.headers["access-control-allow-origin"] == "*"
