"""`/openapi.json` and the page `/docs` drawn from it: no script, nothing from afar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse

from cartwheel.api.errors import ErrorAnswer
from cartwheel.api.events import Event, EventBatch
from cartwheel.api.keys import SCOPES

TEMPLATES = Path(__file__).parent / "templates"
REFERENCE = "#/components/schemas/"

GUARDS: dict[str, tuple[str, bool]] = {
    "POST /v1/events": ("events:write", False),
    "GET /v1/recommendations": ("recommendations:read", False),
    "GET /v1/search": ("search:read", False),
    "GET /v1/suggest": ("search:read", False),
    "POST /v1/support": ("support:ask", False),
    "GET /v1/page-block": ("recommendations:read", False),
    "POST /v1/support/verified": ("support:verified", False),
    "GET /v1/decisions": ("decisions:read", True),
    "GET /v1/decisions/{id}": ("decisions:read", True),
    "POST /v1/decisions/{verb}": ("decisions:write", True),
    "POST /v1/decisions/{id}/{verb}": ("decisions:write", True),
    "GET /metrics": ("metrics:read", False),
}
"""Scope of each route, and whether a signed-in person may call it too."""

REFUSALS: dict[str, str] = {
    "400": "The body cannot be read.",
    "401": "No key, or an unknown one.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing.",
    "409": "Not possible in the present state.",
    "413": "The body is too large.",
    "422": "A field does not fit; details names each.",
    "429": "Too many requests.",
    "503": "Cannot be done just now; try again.",
}


def install_documentation(app: FastAPI) -> None:
    """Add the schema's refinements and the page `/docs`."""

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = make_schema(app)
        return app.openapi_schema

    app.openapi = schema  # type: ignore[method-assign]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("documentation.html")

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(template.render(**page_content(schema())))

    app.add_api_route(
        "/docs", page, include_in_schema=False, response_class=HTMLResponse
    )


def make_schema(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description: every refusal, scope and event described."""
    schema = get_openapi(
        title="Cartwheel",
        version="1",
        summary="Events in; recommendations, search results and decisions out.",
        routes=app.routes,
    )
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    _, own = models_json_schema(
        [
            (Event, "validation"),
            (EventBatch, "validation"),
            (ErrorAnswer, "serialization"),
        ],
        ref_template=REFERENCE + "{model}",
    )
    parts.update(own["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    schema["components"]["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key; its scopes say what it may do.",
        }
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _describe(f"{method.upper()} {path}", operation)
    return schema


def _describe(route: str, operation: dict[str, Any]) -> None:
    answers = operation.setdefault("responses", {})
    answers.pop("422", None)
    if route not in GUARDS:
        return
    operation["security"] = [{"key": []}]
    operation["x-scope"], operation["x-person"] = GUARDS[route]
    reference = {"$ref": REFERENCE + "ErrorAnswer"}
    for status, description in REFUSALS.items():
        answers[status] = {
            "description": description,
            "content": {"application/json": {"schema": reference}},
        }


def page_content(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows: routes by group, and the shapes they use."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            route = _route(path, method, operation)
            groups.setdefault(operation["tags"][0], []).append(route)
    shapes = [
        {
            "name": name,
            "doc": shape.get("description", ""),
            "fields": _fields(shape),
            "choices": [json.dumps(value) for value in shape.get("enum", [])],
        }
        for name, shape in sorted(schema["components"]["schemas"].items())
    ]
    return {
        "groups": groups,
        "shapes": shapes,
        "scopes": SCOPES,
        "summary": schema["info"]["summary"],
    }


def _route(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    bodies = operation.get("requestBody", {}).get("content", {})
    answers = [
        {
            "status": status,
            "description": answer["description"],
            "shapes": _shapes_of(answer.get("content", {})),
        }
        for status, answer in sorted(operation["responses"].items())
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "doc": operation.get("description", "").split("\n\n"),
        "scope": operation.get("x-scope"),
        "person": operation.get("x-person", False),
        "parameters": [
            {
                "name": parameter["name"],
                "place": parameter["in"],
                "required": parameter.get("required", False),
                "type": _type(parameter["schema"]),
                "doc": parameter.get("description", ""),
            }
            for parameter in operation.get("parameters", [])
        ],
        "media": list(bodies),
        "bodies": _shapes_of(bodies),
        "answers": answers,
    }


def _shapes_of(content: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for media in content.values():
        schema = media.get("schema", {})
        for part in (schema, *schema.get("anyOf", ())):
            name = part.get("$ref", "").removeprefix(REFERENCE)
            if name and name not in found:
                found.append(name)
    return found


def _fields(shape: dict[str, Any]) -> list[dict[str, Any]]:
    required = shape.get("required", [])
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "doc": field.get("description", ""),
        }
        for name, field in shape.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    """Return a schema as a reader's phrase: "text, at most 200 characters"."""
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REFERENCE))
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return "list of " + _type(schema.get("items", {}))
    names = {
        "string": "text",
        "integer": "whole number",
        "boolean": "true or false",
        "object": "object",
        "null": "null",
    }
    name = names.get(schema.get("type", ""), schema.get("type", "any"))
    return (
        "instant" if schema.get("format") == "date-time" else f"{name}{_range(schema)}"
    )


def _range(schema: dict[str, Any]) -> str:
    low = schema.get("minimum")
    high = schema.get("maximum")
    parts = []
    if low is not None:
        parts.append(f"from {low}")
    if high is not None and high < 2**53 - 1:
        parts.append(f"to {high}")
    if "maxLength" in schema:
        parts.append(f"at most {schema['maxLength']} characters")
    return f" ({' '.join(parts)})" if parts else ""
