"""Support over HTTP: who may ask what, what is kept, and what never leaves."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from cartwheel.api import support
from cartwheel.api.keys import make_key
from cartwheel.contacts import list_contacts
from cartwheel.lake.inbox import KINDS, Waiting, to_fact
from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.measure.assign import in_holdout
from cartwheel.operations import inbox, reading
from cartwheel.shop import Shop
from tests.api.conftest import publish_row
from tests.levers.made import AS_OF
from tests.levers.made_orders import made_orders
from tests.levers.support_shop import model

LATE = "Where is my order o0032?"


@pytest.fixture
def asking(
    shop: Shop, app: Any, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    monkeypatch.setattr(support, "ANSWER_SECONDS", 60.0)  # a busy machine is not slow
    model(made_orders(AS_OF)).save(shop.turn_folder(1) / "models" / "support")
    publish_row(shop, 1)
    app.state.support_serving.check()
    key = make_key(shop.database, "page", ["support:ask"])
    anonymous.headers["Authorization"] = f"Bearer {key}"
    return anonymous


def verified(shop: Shop) -> dict[str, str]:
    key = make_key(shop.database, "server", ["support:verified"])
    return {"Authorization": f"Bearer {key}"}


def test_a_question_is_answered_with_its_source_and_kept(
    asking: TestClient, shop: Shop
) -> None:
    body = {"text": "How long can I return goods?", "visitor": "v1"}
    found = asking.post("/v1/support", json=body).json()
    assert found["outcome"] == "answered"
    assert found["says"][0]["source"] == "policy:back"
    assert "program" in found["automated"]
    (kept,) = list_contacts(shop.database)
    assert (kept.id, kept.outcome, kept.visitor_id) == (
        found["contact"],
        "answered",
        "v1",
    )
    assert kept.body["says"][0]["source"] == "policy:back"


def test_a_browsers_key_never_tells_of_an_order(asking: TestClient) -> None:
    found = asking.post("/v1/support", json={"text": LATE}).json()
    assert (found["outcome"], found["says"]) == ("asked_back", [])
    forged = asking.post("/v1/support", json={"text": LATE, "customer": "c0003"})
    assert forged.status_code == 422
    refused = asking.post(
        "/v1/support/verified", json={"text": LATE, "customer": "c0003"}
    )
    assert refused.status_code == 403


def test_a_verified_customer_is_told_of_their_own_order(
    asking: TestClient, shop: Shop
) -> None:
    head = verified(shop)
    body = {"text": LATE, "customer": _reached(shop, "c0003")}
    found = asking.post("/v1/support/verified", json=body, headers=head).json()
    assert {one["source"] for one in found["says"]} == {"order:o0032"}
    other = {"text": LATE, "customer": _reached(shop, "c0004")}
    told = asking.post("/v1/support/verified", json=other, headers=head).json()
    assert told["says"] == []
    assert [one.why for one in list_contacts(shop.database)] == [
        "not_yours",
        "late_order",
    ]


def _reached(shop: Shop, customer: str) -> str:
    """Return a customer after seeing that no holdout leaves them alone."""
    holdout = shop.settings.holdout
    assert not in_holdout(customer, holdout.share_bps / 10_000, holdout.salt)
    return customer


def test_pages_of_other_sites_may_ask_but_not_as_a_customer(asking: TestClient) -> None:
    origin = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    asked = asking.post("/v1/support", json={"text": "Hello"}, headers=origin)
    assert asked.headers["access-control-allow-origin"] == "*"
    other = asking.post(
        "/v1/support/verified", json={"text": "x", "customer": "c"}, headers=origin
    )
    assert "access-control-allow-origin" not in other.headers
    assert other.status_code == 403


def test_who_cannot_be_answered_is_asked_for_an_address(
    asking: TestClient, shop: Shop
) -> None:
    body = {"text": "Do you deliver to Norway?"}
    found = asking.post("/v1/support", json=body).json()
    assert "e-mail address" in found["notice"]
    body["reply_to"] = "ann@example.org"
    found = asking.post("/v1/support", json=body).json()
    assert "e-mail address" not in found["notice"]
    assert list_contacts(shop.database)[0].reply_to == "ann@example.org"
    body["reply_to"] = "nobody"
    assert asking.post("/v1/support", json=body).status_code == 422


def test_what_is_personal_is_not_kept(asking: TestClient, shop: Shop) -> None:
    asking.post("/v1/support", json={"text": "I am ann@example.org, do you ship?"})
    (kept,) = list_contacts(shop.database)
    assert "[e-mail]" in kept.asked


def test_what_a_person_has_to_answer_is_a_message_too(
    asking: TestClient, shop: Shop
) -> None:
    asking.post("/v1/support", json={"text": "Can I pay with PayPal?"})
    asking.post("/v1/support", json={"text": "Do you deliver to Norway? a@b.example"})
    with reading(shop.database) as con:
        (row,) = con.execute(select(inbox)).mappings()
    waiting = Waiting(
        **{name: row[name] for name in ("seq", "kind", "id", "body", "received_at")}
    )
    fact = to_fact(TABLE_BY_NAME["messages"], waiting)
    assert (fact["direction"], fact["medium"]) == ("in", "chat")
    assert fact["body"] == "Do you deliver to Norway? [e-mail]"
    assert "messages" in KINDS


def test_without_a_model_or_with_a_broken_one_a_person_answers(
    asking: TestClient, app: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(support, "ask", broken)
    found = asking.post("/v1/support", json={"text": "Can I pay with PayPal?"})
    assert found.status_code == 200
    assert found.json()["outcome"] == "handed_over"
    assert "secret" not in found.text
    (kept,) = list_contacts(shop.database)
    assert (kept.why, kept.arm) == ("no_model", "fallback")


def test_a_contact_that_cannot_be_kept_names_another_way(
    asking: TestClient, shop: Shop
) -> None:
    with shop.database.begin() as con:
        con.execute(text("DROP TABLE contacts"))
    found = asking.post("/v1/support", json={"text": "Do you deliver to Norway?"})
    assert found.status_code == 200
    assert found.json()["contact"] is None
    assert "e-mail" in found.json()["notice"]
    told = asking.post("/v1/support", json={"text": "Can I pay with PayPal?"}).json()
    assert told["says"], "an answer needs no person"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "x" * 2_001},
        {"text": 5},
        {"text": "x", "product": ""},
        {"text": "x", "visitor": "a\nb"},
        {"text": "x", "extra": 1},
    ],
)
def test_wrong_bodies_are_refused(asking: TestClient, body: dict[str, Any]) -> None:
    answer = asking.post("/v1/support", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"]


@pytest.mark.parametrize(
    "said",
    ["<script>alert(1)</script>", "\x00", "'; DROP TABLE contacts; --", "🦖" * 500],
)
def test_hostile_texts_get_an_answer(asking: TestClient, said: str) -> None:
    answer = asking.post("/v1/support", json={"text": said})
    assert answer.status_code == 200
    assert answer.json()["outcome"] in ("asked_back", "handed_over")


def test_the_chat_is_served_small(asking: TestClient) -> None:
    answer = asking.get("/support.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "innerHTML" not in answer.text
    assert len(support_packed()) < 2_000


def support_packed() -> bytes:
    from cartwheel.api.snippet import CHAT, read_snippet

    return read_snippet(CHAT).packed
