"""The panel of a demo shop's world: who may press, what it says, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from cartwheel.console.changes import with_changes
from cartwheel.console.formatting import Formatter
from cartwheel.operations import pages, requests, turns
from cartwheel.shop import Shop, open_shop
from tests.console.seed import add_world, world_page
from tests.console.test_pages import outline

FMT = Formatter(currency="GBP", minor_digits=2, timezone="UTC")
Open = Callable[[Shop, str], TestClient]


@pytest.fixture
def demo(shop: Shop) -> Shop:
    return add_world(shop)


def post(client: TestClient, approve: str = "agreed") -> Any:
    return client.post("/living", data={"approve": approve}, follow_redirects=False)


def asked(shop: Shop) -> list[tuple[str, str]]:
    with shop.database.connect() as con:
        rows = con.execute(select(requests).order_by(requests.c.seq)).all()
    return [(row.what, row.actor) for row in rows]


def publish(shop: Shop, body: Mapping[str, Any]) -> None:
    with shop.database.begin() as con:
        con.execute(
            pages.update().where(pages.c.name == "world").values(body=json.dumps(body))
        )


@pytest.mark.parametrize("path", ["/", "/living"])
def test_an_owner_sees_the_buttons_and_a_viewer_does_not(
    demo: Shop, signed_in: Open, path: str
):
    seen = signed_in(demo, "owner").get(path)
    assert seen.status_code == 200
    assert "19 Nov 2026" in seen.text
    assert "Approve everything and live a week" in seen.text
    viewed = signed_in(demo, "viewer").get(path)
    assert "19 Nov 2026" in viewed.text
    assert 'action="/living"' not in viewed.text


@pytest.mark.parametrize("path", ["/", "/living"])
def test_page_is_sound(demo: Shop, signed_in: Open, path: str):
    answer = signed_in(demo, "owner").get(path)
    found = outline(answer.text)
    assert found.tags.count("h1") == 1
    assert found.inline == []
    assert len(found.ids) == len(set(found.ids))
    assert all(header.get("scope") for header in found.headers)


@pytest.mark.parametrize(
    ("approve", "what"), [("agreed", "live"), ("everything", "live-approving")]
)
def test_a_press_asks_the_worker(demo: Shop, signed_in: Open, approve: str, what: str):
    client = signed_in(demo, "owner")
    answer = post(client, approve)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=live")
    assert asked(demo) == [(what, "owner")]
    shown = client.get("/?done=live").text
    assert "A week is asked for" in shown
    assert shown.count(" disabled>") == 2


def test_the_second_press_is_refused_with_a_clear_sentence(demo: Shop, signed_in: Open):
    client = signed_in(demo, "owner")
    post(client)
    again = post(client)
    assert again.status_code == 409
    assert "A week or a turn waits or runs already." in again.text
    assert client.post("/turn").status_code == 409
    assert len(asked(demo)) == 1


def test_a_week_is_refused_while_a_turn_runs(demo: Shop, signed_in: Open):
    with demo.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=3,
                as_of="2026-11-19",
                state="running",
                seed=1,
                settings="{}",
                started_at="2026-11-20T09:30:00.000000Z",
            )
        )
    assert post(signed_in(demo, "owner")).status_code == 409


def test_a_viewer_may_not_press(demo: Shop, signed_in: Open):
    assert post(signed_in(demo, "viewer")).status_code == 403
    assert asked(demo) == []


def test_a_word_nobody_offers_is_refused(demo: Shop, signed_in: Open):
    assert post(signed_in(demo, "owner"), "nothing").status_code in (400, 422)
    assert asked(demo) == []


def test_a_real_shop_neither_shows_nor_accepts_it(shop: Shop, owner: TestClient):
    assert "/living" not in owner.get("/").text
    assert owner.get("/living").status_code == 404
    refused = post(owner)
    assert refused.status_code == 404
    assert "real shop" in refused.text
    assert asked(shop) == []


def test_a_real_shop_with_a_world_page_shows_nothing(shop: Shop, signed_in: Open):
    add_world(shop, demo=False)
    assert "Live a week" not in signed_in(open_shop(shop.folder), "owner").get("/").text


def test_an_older_demo_shop_says_that_it_cannot_live(shop: Shop, signed_in: Open):
    demo = add_world(shop)
    with demo.database.begin() as con:
        con.execute(pages.delete().where(pages.c.name == "world"))
    client = signed_in(demo, "owner")
    assert "Live a week" not in client.get("/").text
    assert "made by an earlier version" in client.get("/living").text
    assert post(client).status_code == 409


def test_a_world_whose_time_is_over_has_no_buttons(demo: Shop, signed_in: Open):
    publish(demo, {**world_page(), "over": True})
    client = signed_in(demo, "owner")
    assert "time is over" in client.get("/living").text
    assert 'action="/living"' not in client.get("/").text
    assert post(client).status_code == 409


def test_an_interval_that_holds_zero_says_not_yet(demo: Shop, signed_in: Open):
    text = signed_in(demo, "owner").get("/living").text
    assert "holds zero: it cannot be told from luck" in text
    assert "−£12.84 [−£43.02 to £17.34]" in text
    # The truth stands beside it, per customer and for the whole wheel.
    assert "£3.48" in text
    assert "£96.00" in text


def test_an_interval_above_zero_says_the_value(demo: Shop, signed_in: Open):
    body = world_page()
    body["weeks"][-1]["measured"].update(
        value=500.0, low=100.0, high=900.0, holds_zero=False
    )
    publish(demo, body)
    text = signed_in(demo, "owner").get("/living").text
    assert "does not hold zero" in text
    assert "cannot be told from luck" not in text
    assert 'figure-value">£5.00' in text


def test_what_cannot_be_measured_says_why(demo: Shop, signed_in: Open):
    body = world_page()
    body["weeks"][-1]["measured"] = {
        "basis": "margin",
        "reached": 1,
        "held_out": 0,
        "value": None,
        "low": None,
        "high": None,
        "not_yet": "Not yet: each group needs 2 customers or more.",
        "holds_zero": True,
    }
    publish(demo, body)
    client = signed_in(demo, "owner")
    assert "each group needs 2 customers" in client.get("/living").text
    assert client.get("/").status_code == 200


def test_before_the_first_week_the_page_says_so(demo: Shop, signed_in: Open):
    publish(demo, {**world_page(), "weeks": []})
    client = signed_in(demo, "owner")
    assert "No week was lived with the wheel yet." in client.get("/living").text
    assert "Live a week" in client.get("/").text


def figure(value: float | None, unit: str = "minor", label: str = "Revenue") -> Any:
    return {"label": label, "value": value, "unit": unit}


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (figure(150_000), figure(120_000), "+£300 since the turn before"),
        (figure(120_000), figure(150_000), "−£300 since the turn before"),
        (figure(0.276, "share"), figure(0.264, "share"), "+1.2 points since"),
        (figure(0.2760, "share"), figure(0.2761, "share"), "unchanged since"),
        (figure(None), figure(1.0), ""),
        (figure(1.0), figure(None), ""),
        (figure(1.0), figure(2.0, label="Other"), ""),
    ],
)
def test_a_figure_shows_how_it_moved(now: Any, before: Any, said: str):
    (found,) = with_changes([now], [before], FMT)
    assert found["change"].startswith(said)
    assert bool(found["change"]) == bool(said)


def test_the_overview_compares_with_the_turn_before(shop: Shop, owner: TestClient):
    assert "since the turn before" not in owner.get("/").text
    with shop.database.begin() as con:
        body = json.loads(
            con.execute(
                select(pages.c.body).where(pages.c.name == "overview")
            ).scalar_one()
        )
        for item in body["figures"]:
            if item["value"] is not None:
                item["value"] *= 0.5
        body["links"] = [{**row, "value": "12 old things"} for row in body["links"]]
        con.execute(
            turns.insert().values(
                number=1,
                as_of="2026-11-12",
                state="published",
                seed=1,
                settings="{}",
                started_at="2026-11-13T09:30:00.000000Z",
            )
        )
        con.execute(
            pages.insert().values(turn=1, name="overview", body=json.dumps(body))
        )
    text = owner.get("/").text
    assert "since the turn before" in text
    named = any(row.get("name") for row in body["links"])
    assert ("was 12 old things" in text) == named


def test_the_folder_of_a_demo_is_told_by_its_settings(demo: Shop, tmp_path: Path):
    assert demo.settings.demo
    assert demo.lived_until is None, "the console needs no world, only its page"
