from __future__ import annotations

import re
import socket
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cartwheel.api.app import serve
from cartwheel.api.documentation import GUARDS
from cartwheel.errors import Failure
from cartwheel.operations import inbox
from cartwheel.shop import Shop


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/events", 405),
        ("DELETE", "/healthz", 405),
        ("BREW", "/healthz", 405),
    ],
)
def test_errors_have_one_shape(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["request_id"] == answer.headers["X-Request-Id"]
    assert set(error) == {"code", "message", "next_step", "request_id"}


def test_unforeseen_failure_leaks_nothing(client: TestClient, app: Any) -> None:
    @app.get("/v1/explode")
    def explode() -> None:
        raise RuntimeError("password=hunter2")

    answer = client.get("/v1/explode")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["error"]["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/healthz", "/docs", "/nothing", "/v1/recommendations"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_other_routes_allow_no_other_origin(client: TestClient) -> None:
    answer = client.get("/v1/decisions", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_health_is_ok_and_counts_the_backlog(client: TestClient) -> None:
    client.post("/v1/events", json={"event_id": "a", "kind": "view"})
    health = client.get("/healthz")
    assert health.status_code == 200
    assert health.json() == {
        "status": "ok",
        "database": "writable",
        "published_turn": None,
        "recommendations": "ok",
        "search": "ok",
        "support": "ok",
        "inbox_backlog": 1,
    }


def test_health_is_503_when_nothing_can_be_kept(client: TestClient, shop: Shop) -> None:
    inbox.drop(shop.database)
    health = client.get("/healthz")
    assert health.status_code == 503
    assert health.json()["status"] == "down"


def test_metrics_count_by_route_template(client: TestClient) -> None:
    client.get("/v1/decisions/secret-id")
    client.post("/v1/events", json={"event_id": "a", "kind": "view"})
    text = client.get("/metrics").text
    assert 'route="/v1/decisions/{id}",status="404"' in text
    assert "secret-id" not in text
    assert 'cartwheel_inbox_backlog_rows{kind="events"} 1.0' in text
    assert "cartwheel_inbox_commit_seconds_count 1.0" in text


def test_documentation_page_shows_every_route_and_needs_nothing_from_afar(
    client: TestClient,
) -> None:
    page = client.get("/docs").text
    schema = client.get("/openapi.json").json()
    for path, operations in schema["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page
    for name in schema["components"]["schemas"]:
        assert f'id="shape-{name}"' in page
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'(?:src|href)="(?!/|#)', page)


def test_documentation_names_the_scope_of_every_guarded_route(
    client: TestClient, anonymous: TestClient
) -> None:
    schema = client.get("/openapi.json").json()
    routes = {
        f"{method.upper()} {path}"
        for path, operations in schema["paths"].items()
        for method in operations
    }
    assert routes - {"GET /healthz"} == set(GUARDS)


def test_serve_on_a_port_in_use_says_so(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"Port {port} .* in use"):
            serve(shop, "127.0.0.1", port, console=False)


def test_serve_on_an_impossible_address_says_so(shop: Shop) -> None:
    with pytest.raises(Failure, match="Cannot listen"):
        serve(shop, "192.0.2.1", 0, console=False)


def test_no_generated_request_breaks_the_contract(app: Any, key: str) -> None:
    # Runs the application by itself, with its lifespan.
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    seen = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/metrics":
            continue  # not JSON

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def conforms(case: Any) -> None:
            nonlocal seen
            seen += 1
            case.call_and_validate(
                headers={"Authorization": f"Bearer {key}"},
                checks=(
                    not_a_server_error,
                    status_code_conformance,
                    content_type_conformance,
                    response_schema_conformance,
                ),
            )

        conforms()
    assert seen > 30
