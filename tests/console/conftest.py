from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cartwheel.api.app import create_app
from cartwheel.shop import Shop, make_shop, open_shop
from tests.console.seed import link_for, make_published


@pytest.fixture(scope="session")
def published_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop made once; each test works on a copy."""
    shop = make_published(tmp_path_factory.mktemp("console") / "shop")
    shop.database.dispose()
    return shop.folder


@pytest.fixture
def shop(tmp_path: Path, published_folder: Path) -> Shop:
    shutil.copytree(published_folder, tmp_path / "shop")
    return open_shop(tmp_path / "shop")


@pytest.fixture
def empty_shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "empty", currency="EUR", name="New shop")


@pytest.fixture
def signed_in() -> Iterator[Callable[[Shop, str], TestClient]]:
    opened: list[TestClient] = []

    def open_client(shop: Shop, role: str = "owner") -> TestClient:
        client = TestClient(create_app(shop), headers={"accept": "text/html"})
        client.__enter__()
        opened.append(client)
        token = link_for(shop, role, role).partition("token=")[2]
        answer = client.post("/sign-in", data={"token": token}, follow_redirects=False)
        assert answer.status_code == 303
        return client

    yield open_client
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def owner(shop: Shop, signed_in: Callable[[Shop, str], TestClient]) -> TestClient:
    return signed_in(shop, "owner")


@pytest.fixture
def viewer(shop: Shop, signed_in: Callable[[Shop, str], TestClient]) -> TestClient:
    return signed_in(shop, "viewer")
