from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from cartwheel.api.app import create_app
from cartwheel.api.keys import SCOPES, make_key
from cartwheel.levers.base import Answer, Model, Request, Slot
from cartwheel.operations import now_text, turns
from cartwheel.settings import check_settings
from cartwheel.shop import Shop


@dataclass
class ShelfLever:
    """Draws its first slot at random, or fails, or hangs, as a test wants."""

    fails: bool = False
    hang: Callable[[], None] | None = None
    name: str = "recommend"

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        if request.holdout:
            names = list(model.arrays["product_id"])
        elif self.fails:
            raise RuntimeError("secret detail of a lever")
        else:
            if self.hang is not None:
                self.hang()
            names = list(rng.permutation(model.arrays["product_id"]))
        slots = tuple(
            Slot(product_id=str(name), propensity=0.25, reason="on the shelf")
            for name in names
            if name not in {*request.context, *request.excluded}
        )
        return Answer(slots=slots[: request.limit], eligible_hash="e1", rule="shelf")


def publish(shop: Shop, number: int, products: list[str], **arrays: list[str]) -> None:
    own = {name: np.array(values) for name, values in arrays.items()}
    model = Model(rule="shelf", arrays={"product_id": np.array(products), **own})
    model.save(shop.turn_folder(number) / "models" / "recommend")
    publish_row(shop, number)


def publish_row(shop: Shop, number: int) -> None:
    with shop.database.begin() as connection:
        connection.execute(
            turns.insert().values(
                number=number,
                as_of="2026-01-01",
                state="published",
                seed=1,
                settings="{}",
                started_at=now_text(),
            )
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    # Without a lake, which no route needs and which takes a second to make.
    settings = check_settings({"currency": "EUR"}, tmp_path)
    return Shop(folder=tmp_path, settings=settings)


@pytest.fixture
def lever() -> ShelfLever:
    return ShelfLever()


@pytest.fixture
def key(shop: Shop) -> str:
    return make_key(shop.database, "everything", list(SCOPES))


@pytest.fixture
def app(shop: Shop, lever: ShelfLever) -> Any:
    return create_app(shop, console=False, lever=lever)  # type: ignore[arg-type]


@pytest.fixture
def anonymous(app: Any) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(anonymous: TestClient, key: str) -> TestClient:
    anonymous.headers["Authorization"] = f"Bearer {key}"
    return anonymous
