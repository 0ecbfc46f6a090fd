from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cartwheel.api.security import COOKIE, create_user, make_sign_in_link
from cartwheel.api.security import use_sign_in_link as use_link
from cartwheel.ledger.store import insert_decisions
from cartwheel.levers.base import Decision
from cartwheel.shop import Shop


@pytest.fixture(autouse=True)
def ledger(shop: Shop) -> None:
    rows = [decision_row(number) for number in range(5)]
    with shop.database.begin() as connection:
        insert_decisions(connection, rows, actor="turn")


def decision_row(number: int) -> dict[str, Any]:
    decision = Decision(
        kind="reorder",
        subject=f"variant:{number}",
        action={"units": number},
        reason="Cover is short.",
        worth_minor=number * 100,
    )
    return {
        "id": f"d{number}",
        "turn": 1,
        "position": number,
        "lever": "replenish",
        "kind": decision.kind,
        "subject": decision.subject,
        "state": "proposed",
        "worth_minor": decision.worth_minor,
        "cost_minor": None,
        "body": decision.canonical(),
        "action": json.dumps(dict(decision.action)),
        "model": "m",
        "refusal": None,
        "expires_on": None,
    }


def signed_in(client: TestClient, shop: Shop, role: Any) -> None:
    create_user(shop.database, role, role)
    token = use_link(shop.database, make_sign_in_link(shop.database, role))
    client.cookies.set(COOKIE, token)


def test_decisions_list_pages_and_filters(client: TestClient) -> None:
    page = client.get("/v1/decisions?limit=2&offset=1").json()
    assert [item["id"] for item in page["items"]] == ["d3", "d2"]
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 1)
    none = client.get("/v1/decisions?state=approved").json()
    assert (none["items"], none["total"]) == ([], 0)
    one = client.get("/v1/decisions?subject=variant:3").json()
    assert one["total"] == 1


@pytest.mark.parametrize("query", ["state=odd", "limit=501", "offset=-1", "colour=red"])
def test_decisions_bad_filter_is_named(client: TestClient, query: str) -> None:
    answer = client.get(f"/v1/decisions?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == query.split("=")[0]


def test_decision_moves_and_keeps_its_history(client: TestClient) -> None:
    path = "/v1/decisions/d1"
    body = client.post(f"{path}/reject", json={"note": "no room"}).json()
    assert body["state"] == "rejected"
    assert client.post(f"{path}/undo").json()["state"] == "proposed"
    assert client.post(f"{path}/approve").json()["state"] == "approved"
    history = client.get(path).json()["history"]
    assert [step["to_state"] for step in history][-3:] == [
        "rejected",
        "proposed",
        "approved",
    ]
    assert history[1]["actor"] == "key:everything"
    assert history[1]["note"] == "no room"


def test_decision_that_cannot_move_is_a_conflict(client: TestClient) -> None:
    client.post("/v1/decisions/d1/approve")
    answer = client.post("/v1/decisions/d1/approve")
    assert answer.status_code == 409
    assert "approved" in answer.json()["error"]["message"]


def test_decisions_move_together_or_not_at_all(client: TestClient) -> None:
    client.post("/v1/decisions/d2/reject")
    ids = {"ids": ["d1", "d2", "d3"]}
    assert client.post("/v1/decisions/approve", json=ids).status_code == 409
    assert client.get("/v1/decisions?state=approved").json()["total"] == 0
    moved = client.post("/v1/decisions/approve", json={"ids": ["d1", "d3"]}).json()
    assert [item["state"] for item in moved["items"]] == ["approved", "approved"]
    assert moved["total"] == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/decisions/none/approve", None, 404),
        ("/v1/decisions/d1/eat", None, 422),
        ("/v1/decisions/d1/approve", {"notes": "x"}, 422),
        ("/v1/decisions/approve", {"ids": []}, 422),
        ("/v1/decisions/approve", {"ids": [1]}, 422),
        ("/v1/decisions/approve", {"ids": ["none"]}, 404),
    ],
)
def test_decisions_bad_request_is_one_clear_error(
    client: TestClient, path: str, body: Any, status: int
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["next_step"]


def test_owner_may_move_decisions_without_a_key(
    anonymous: TestClient, shop: Shop
) -> None:
    signed_in(anonymous, shop, "owner")
    assert anonymous.post("/v1/decisions/d1/approve").status_code == 200
    history = anonymous.get("/v1/decisions/d1").json()["history"]
    assert history[-1]["actor"] == "owner"


def test_viewer_may_read_decisions_and_not_move_them(
    anonymous: TestClient, shop: Shop
) -> None:
    signed_in(anonymous, shop, "viewer")
    assert anonymous.get("/v1/decisions").status_code == 200
    answer = anonymous.post("/v1/decisions/d1/approve")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "owner_needed")


def test_owner_write_from_another_site_is_refused(
    anonymous: TestClient, shop: Shop
) -> None:
    signed_in(anonymous, shop, "owner")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        answer = anonymous.post("/v1/decisions/d1/approve", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            403,
            "cross_site",
        )
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}):
        answer = anonymous.post("/v1/decisions/d4/approve", headers=headers)
        assert answer.status_code in (200, 409)
