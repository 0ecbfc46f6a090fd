from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from limits import RateLimitItemPerMinute

from cartwheel.api import keys
from cartwheel.api.access import Rates
from cartwheel.api.app import create_app
from cartwheel.api.keys import SCOPES, list_keys, make_key, revoke_key
from cartwheel.errors import Misuse, NotFound
from cartwheel.shop import Shop

ROUTES = [
    ("POST", "/v1/events", "events:write"),
    ("GET", "/v1/recommendations?placement=home", "recommendations:read"),
    ("GET", "/v1/decisions", "decisions:read"),
    ("GET", "/v1/decisions/x", "decisions:read"),
    ("POST", "/v1/decisions/approve", "decisions:write"),
    ("POST", "/v1/decisions/x/approve", "decisions:write"),
    ("GET", "/metrics", "metrics:read"),
]


def call(client: TestClient, method: str, path: str, key: str | None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.request(method, path, headers=headers)


def code(answer: Any) -> str:
    assert answer.json()["error"]["next_step"]
    return answer.json()["error"]["code"]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_route_refuses_no_key_wrong_key_and_wrong_scope(
    anonymous: TestClient, shop: Shop, method: str, path: str, scope: str
) -> None:
    others = [other for other in SCOPES if other != scope]
    wrong = make_key(shop.database, "others", others)
    right = make_key(shop.database, "right", [scope])
    assert call(anonymous, method, path, None).status_code == 401
    answer = call(anonymous, method, path, "cw_wrong")
    assert (answer.status_code, code(answer)) == (401, "key_needed")
    answer = call(anonymous, method, path, wrong)
    assert (answer.status_code, code(answer)) == (403, "scope_missing")
    assert scope in answer.json()["error"]["message"]
    assert call(anonymous, method, path, right).status_code not in (401, 403, 429, 500)


def test_key_in_the_address_opens_only_the_storefront_routes(
    anonymous: TestClient, key: str
) -> None:
    assert anonymous.get(f"/v1/decisions?key={key}").status_code == 401
    path = f"/v1/recommendations?placement=home&key={key}"
    assert anonymous.get(path).status_code == 200


def test_key_is_stored_only_as_a_fingerprint(shop: Shop) -> None:
    token = make_key(shop.database, "page", ["events:write"])
    (kept,) = list_keys(shop.database)
    assert token.startswith("cw_")
    assert token.startswith(kept.prefix)
    assert token not in repr(kept)
    assert len(kept.fingerprint) == 64


def test_key_revoked_stops_working(
    anonymous: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "REFRESH_SECONDS", 0.0)
    token = make_key(shop.database, "page", ["decisions:read"])
    assert call(anonymous, "GET", "/v1/decisions", token).status_code == 200
    revoke_key(shop.database, "page")
    assert call(anonymous, "GET", "/v1/decisions", token).status_code == 401
    with pytest.raises(NotFound):
        revoke_key(shop.database, "page")


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("", ["events:write"]),
        ("x", []),
        ("x", ["everything"]),
        ("taken", ["metrics:read"]),
    ],
)
def test_make_key_refuses_bad_names_and_scopes(
    shop: Shop, name: str, scopes: list[str]
) -> None:
    make_key(shop.database, "taken", ["events:write"])
    with pytest.raises(Misuse):
        make_key(shop.database, name, scopes)


def test_rate_limit_answers_429_with_retry_after(shop: Shop, key: str) -> None:
    once = {scope: RateLimitItemPerMinute(1) for scope in SCOPES}
    app = create_app(shop, console=False, rates=Rates(by_scope=once))
    with TestClient(app) as client:
        assert call(client, "GET", "/v1/decisions", key).status_code == 200
        answer = call(client, "GET", "/v1/decisions", key)
    assert (answer.status_code, code(answer)) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == "60"


def test_guessing_keys_is_stopped_for_an_address(shop: Shop, key: str) -> None:
    rates = Rates(wrong_keys=RateLimitItemPerMinute(2))
    app = create_app(shop, console=False, rates=rates)
    with TestClient(app) as client:
        guesses = [
            call(client, "GET", "/v1/decisions", f"cw_{n}").status_code
            for n in range(3)
        ]
    assert guesses == [401, 401, 429]
