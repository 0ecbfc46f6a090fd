from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cartwheel.shop import Shop
from cartwheel.storefront.app import create_app
from tests.storefront.made import HOSTILE, HOSTILE_ID, make_store, rows_of

API = "http://127.0.0.1:8642"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    hostile = {"product_id": HOSTILE_ID, "title": HOSTILE, "category": HOSTILE}
    bare = {"product_id": "bare", "title": None, "category": None}
    return make_store(tmp_path / "store", [*rows_of(), hostile, bare])


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    app = create_app(shop, api=API, key="cw_key")
    with TestClient(app, follow_redirects=False) as opened:
        yield opened
