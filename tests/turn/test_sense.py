"""What a turn does before it looks: take in what waits, widen an older lake."""

from __future__ import annotations

from pathlib import Path

from cartwheel.turn import steps
from tests.turned import Turned, copy_of


def test_a_shop_of_an_earlier_version_turns(turned: Turned, tmp_path: Path) -> None:
    shop = copy_of(turned.folder, tmp_path / "old")
    with shop.lake.transaction("test", "as it was") as con:
        con.execute("DROP TABLE lake.fix_effects")
        con.execute("ALTER TABLE lake.products DROP COLUMN page_html")
    steps.sense(shop, 2)
    with shop.lake.attached(read_only=True) as con:
        assert con.execute("SELECT count(*) FROM lake.fix_effects").fetchone() == (0,)
        con.execute("SELECT page_html FROM lake.products")
    shop.database.dispose()


def test_a_lake_that_lacks_nothing_is_left_as_it_is(
    turned: Turned, tmp_path: Path
) -> None:
    shop = copy_of(turned.folder, tmp_path / "new")
    before = shop.lake.snapshot()
    steps.sense(shop, 2)
    assert shop.lake.snapshot() == before
    shop.database.dispose()
