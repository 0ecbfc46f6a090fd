from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient

from cartwheel.api.snippet import CHAT, FOLDER, PAGE_FIX, STOREFRONT, read_snippet

FILE = FOLDER / STOREFRONT

MOST_BYTES = 8_000
"""What a shop's page pays for it at most, packed."""


def test_it_is_small_and_asks_for_nothing_else() -> None:
    assert len(read_snippet().packed) < MOST_BYTES
    text = FILE.read_text(encoding="utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
        assert word not in text, word
    for word in ("eval(", "new Function", "import(", "document.cookie", "unload'"):
        assert word not in text, word


@pytest.mark.parametrize("name", [STOREFRONT, CHAT, PAGE_FIX])
def test_a_page_loads_every_line_but_those_that_only_comment(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    kept = [
        line for line in lines if not line.strip().startswith("//") or line[0] != " "
    ]
    assert read_snippet(name).plain.decode().splitlines() == kept
    assert kept[0].startswith("// ")
    assert len(kept) < len(lines)
    # A text over several lines could lose one of its own.
    assert not [part for part in text.split("`")[1::2] if "\n" in part and "//" in part]


def test_any_page_may_load_it_without_a_key(anonymous: TestClient) -> None:
    answer = anonymous.get("/storefront.js", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age=300" in answer.headers["cache-control"]
    assert answer.content == read_snippet().plain


@pytest.mark.parametrize("coding", ["gzip, br", "identity"])
def test_it_is_sent_once_while_it_does_not_change(
    anonymous: TestClient, coding: str
) -> None:
    accept = {"Accept-Encoding": coding}
    with anonymous.stream("GET", "/storefront.js", headers=accept) as first:
        raw = b"".join(first.iter_raw())
    packed = coding != "identity"
    assert (first.headers.get("content-encoding") == "gzip") is packed
    assert (gzip.decompress(raw) if packed else raw) == read_snippet().plain
    assert first.headers["vary"] == "Accept-Encoding"
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', "*"):
        again = anonymous.get(
            "/storefront.js", headers={**accept, "If-None-Match": known}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    changed = anonymous.get(
        "/storefront.js", headers={**accept, "If-None-Match": '"other"'}
    )
    assert changed.status_code == 200


def test_head_is_answered_without_a_body(anonymous: TestClient) -> None:
    answer = anonymous.head("/storefront.js")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"]
