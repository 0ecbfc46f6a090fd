"""A small sample shop that has turned twice, made once for a whole test run.

Tests only read it. One that changes something works on a copy (`copy_of`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cartwheel.connectors.intake import append_harvest
from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.simulator.sample import harvest, make_sample
from cartwheel.turn.pages import publish_imports
from cartwheel.turn.workflow import run_turn

START = date(2025, 1, 1)
DAYS = 150
SECOND_DAY = START + timedelta(days=DAYS - 1)
FIRST_DAY = SECOND_DAY - timedelta(days=28)
IMPORTED_AT = datetime(2026, 1, 1)
ROOT = Path(__file__).resolve().parent.parent
CLI = (sys.executable, "-m", "cartwheel.cli")
ODD_LEVERS = {
    "odd-slow": "Slow",
    "odd-raises": "Raises",
    "odd-dies": "Dies",
    "odd-doomed": "Doomed",
    "odd-garbage": "Garbage",
    "odd-nan": "NotANumber",
}
"""Misbehaving levers of `tests/turn/odd_levers.py` by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """Folders of the same shop.

    Attributes:
        imported: After its import, before any turn.
        folder: After the turns as of `FIRST_DAY` and `SECOND_DAY`.
    """

    imported: Path
    folder: Path

    @property
    def shop(self) -> Shop:
        return open_shop(self.folder)


@cache
def turned_in(base: Path) -> Turned:
    """Make the shop below a folder; made once however often it is asked for."""
    made = Turned(imported=base / "imported-shop", folder=base / "turned-shop")
    shop = make_shop(made.imported, currency="EUR", timezone="Europe/Berlin")
    facts = make_sample(seed=1, start=START, days=DAYS, products=40, customers=300)
    append_harvest(shop, harvest(facts), "sample", Path("sample"), IMPORTED_AT)
    publish_imports(shop)
    shop.database.dispose()
    turned = copy_of(made.imported, made.folder)
    for day in (FIRST_DAY, SECOND_DAY):
        run_turn(turned, as_of=day)
    turned.database.dispose()
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class PluggedIn:
    """A shop turned by the real program beside third-party levers.

    Attributes:
        shop: The shop.
        summary: What `cartwheel turn --json` printed.
        environment: Environment in which the levers are found.
    """

    shop: Shop
    summary: Mapping[str, Any]
    environment: Mapping[str, str]


@cache
def plugged_in(base: Path) -> PluggedIn:
    """Turn a thin shop with the misbehaving levers and the example's.

    The shop knows one product and 30 searches, 12 of which found nothing.
    """
    plugins = base / "plugins"
    odd = {name: f"odd_levers:{kind}" for name, kind in ODD_LEVERS.items()}
    add_plugin(plugins, "odd", odd)
    shutil.copy(ROOT / "tests/turn/odd_levers.py", plugins)
    add_example(plugins)
    shop = make_shop(base / "plugged-shop", currency="EUR")
    _add_searches(shop)
    environment = {
        **os.environ,
        "CARTWHEEL_SHOP": str(shop.folder),
        "CARTWHEEL_TURN__LEVER_SECONDS": "8",
        "PYTHONPATH": str(plugins),
    }
    done = subprocess.run(
        [*CLI, "turn", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    summary = json.loads(done.stdout)
    return PluggedIn(shop=shop, summary=summary, environment=environment)


def add_plugin(folder: Path, name: str, points: Mapping[str, str]) -> None:
    """Write what an installer writes, so that levers are found without one."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    text = "\n".join(f"{key} = {value}" for key, value in points.items())
    (info / "entry_points.txt").write_text(
        f"[cartwheel.levers]\n{text}\n", encoding="utf-8"
    )


def add_example(folder: Path) -> None:
    """Add the example lever with the entry points its pyproject declares."""
    example = ROOT / "examples" / "search-gaps"
    project = tomllib.loads((example / "pyproject.toml").read_text(encoding="utf-8"))
    points = project["project"]["entry-points"]["cartwheel.levers"]
    add_plugin(folder, "cartwheel_search_gaps", points)
    shutil.copy(example / "search_gaps.py", folder)


def _add_searches(shop: Shop) -> None:
    known = "TIMESTAMP '2025-01-01', TIMESTAMP '2025-01-02', 'test'"
    with shop.lake.transaction("test", "a product and searches") as con:
        con.execute(
            "INSERT INTO lake.products (product_id, title, known_at, imported_at, "
            f"batch, content_hash) VALUES ('p', 'P', {known}, 'x')"
        )
        con.execute(
            "INSERT INTO lake.events (event_id, kind, occurred_at, visitor_id, query, "
            "result_count, known_at, imported_at, batch, content_hash) "
            "SELECT 'e' || i, 'search', TIMESTAMP '2025-01-01', 'v' || i, "
            "CASE WHEN i < 12 THEN 'tent' ELSE 'lamp' END, "
            f"CASE WHEN i < 12 THEN 0 ELSE 5 END, {known}, 'h' || i "
            "FROM range(30) AS t(i)"
        )


def copy_of(folder: Path, to: Path) -> Shop:
    """Copy a shop's folder and open the copy; a moved shop works."""
    shutil.copytree(folder, to)
    return open_shop(to)
