from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.simulator.living.living import begin
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.turn.workflow import run_turn
from tests.turned import copy_of

WARM_UNTIL = date(2026, 9, 20)
SIZE = Size(products=40, customers=1_500, warmup_days=42, days=70)


def made_demo(folder: Path) -> Shop:
    """Make a small demo shop with a world, after its warm-up."""
    shop = make_shop(
        folder,
        currency="EUR",
        demo=True,
        sections={"holdout": {"share_bps": 2_000}},
    )
    spec = load_world("apparel").model_copy(update={"visitors": 2.0})
    begin(shop, spec, SIZE, 7, until=WARM_UNTIL)
    return shop


@pytest.fixture(scope="session")
def begun_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop after its warm-up, before any turn; made once."""
    shop = made_demo(tmp_path_factory.mktemp("begun") / "shop")
    shop.database.dispose()
    return shop.folder


@pytest.fixture(scope="session")
def turned_folder(begun_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop after its first turn, with proposals that wait; made once."""
    shop = copy_of(begun_folder, tmp_path_factory.mktemp("turned") / "shop")
    run_turn(shop)
    shop.database.dispose()
    return shop.folder


@pytest.fixture
def begun(begun_folder: Path, tmp_path: Path) -> Shop:
    return copy_of(begun_folder, tmp_path / "begun")


@pytest.fixture
def turned(turned_folder: Path, tmp_path: Path) -> Shop:
    return copy_of(turned_folder, tmp_path / "turned")


@pytest.fixture
def real(tmp_path: Path) -> Shop:
    make_shop(tmp_path / "real", currency="EUR", name="Real shop")
    return open_shop(tmp_path / "real")
