"""A whole turn with catalogue and operational database on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cartwheel.channels.act import act
from cartwheel.connectors.intake import append_harvest
from cartwheel.ledger.replay import drawn, replay
from cartwheel.ledger.store import list_decisions
from cartwheel.shop import make_shop
from cartwheel.simulator.sample import harvest, make_sample
from cartwheel.turn.workflow import run_turn
from tests.postgres import running_server


@pytest.mark.postgres
def test_a_turn_lives_on_postgresql(tmp_path: Path) -> None:
    with running_server() as server:
        for name in ("catalogue", "operations"):
            server.make_database(name)
        shop = make_shop(
            tmp_path / "shop",
            currency="EUR",
            lake_catalogue_url=server.catalogue_url("catalogue"),
            database_url=server.database_url("operations"),
        )
        tables = make_sample(
            seed=3, start=date(2026, 1, 1), days=120, products=25, customers=150
        )
        now = datetime.now(UTC).replace(tzinfo=None)
        append_harvest(shop, harvest(tables), "sample", Path("sample"), now)
        assert run_turn(shop)["state"] == "published"
        proposed = list_decisions(shop.database, state="proposed", limit=1)
        act(shop, "approve", [proposed[0].id], actor="ann")
        assert all(r.identical for r in replay(shop, drawn(shop, 20, seed=1)))
        shop.database.dispose()
