"""The dependency rule: imports run in the direction of the picture in DESIGN.md.

Read from the source with `ast`, so imports inside functions and for types count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "cartwheel"

FOUNDATION = {"errors", "settings", "shop", "operations"}
"""What a shop is made of; below the picture."""

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "cli_errors": {"errors"},
    "settings": {"errors"},
    "operations": set(),
    "child_process": set(),
    "lake": {"errors", "shop", "operations"},
    "shop": {"errors", "settings", "operations", "lake"},
    "connectors": {"errors", "shop", "lake", "text"},
    "merchandising": {"errors", "operations"},
    "contacts": {"errors", "operations", "text"},
    "inbox_rows": {"operations"},
    "voice_desk": {"errors", "operations", "inbox_rows", "text"},
    "signals": {"shop", "lake"},
    "text": {"errors"},
    "levers": {"errors", "signals", "text"},
    "wheel": {"errors", "operations", "signals", "levers"},
    "gate": {"settings", "levers", "measure", "text"},
    "channels": {*FOUNDATION, "ledger", "levers", "wheel", "text"},
    "ledger": {*FOUNDATION, "levers", "signals", "wheel", "turn"},
    "measure": {
        *FOUNDATION,
        *("lake", "signals", "levers", "wheel", "turn", "contacts", "text"),
    },
    "turn": {
        *FOUNDATION,
        *("lake", "connectors", "signals", "levers", "wheel", "gate", "channels"),
        *("ledger", "measure", "merchandising", "child_process", "text"),
    },
    "simulator": {
        *("errors", "settings", "lake", "connectors", "signals", "levers", "wheel"),
        *("gate", "turn", "measure", "cli_errors", "svg"),
        # Only the living shop; see `test_only_the_living_shop_opens_a_shop`.
        *("shop", "operations", "ledger", "channels"),
    },
    "backup": FOUNDATION,
    "voice_command": {*FOUNDATION, "levers", "text", "turn", "voice_correcting"},
    "voice_correcting": {*FOUNDATION, "text", "turn", "voice_desk"},
    "content_command": {
        *FOUNDATION,
        *("channels", "ledger", "measure", "text", "turn"),
    },
    "support_command": {*FOUNDATION, "contacts", "levers", "turn"},
    "api": {
        *FOUNDATION,
        *("lake", "ledger", "levers", "measure", "channels", "console"),
        *("contacts", "merchandising", "inbox_rows"),
    },
    "svg": set(),
    # It meets the API where a shop's own page does: over HTTP, in the browser.
    "storefront": {*FOUNDATION, "child_process"},
    "console": {
        *FOUNDATION,
        *("ledger", "wheel", "measure", "channels", "api", "svg"),
        *("contacts", "merchandising", "text", "voice_desk"),
    },
}
"""Rooms that each room may import besides itself."""

ENTRIES = {
    "cli": {"api", "serving", "demo", "simulator"},
    "serving": {"api", "storefront"},
    "demo": {"simulator"},
    # Loaded only when a demo shop is asked to live a week.
    "worker": {"simulator"},
}
"""What people and the system start, and which of the top rooms each may open."""

TOP = {"cli", "api", "console", "simulator", "storefront"}
TOP |= {"serving", "demo", "worker"}
LEVERS = {"recommend", "search", "lifecycle", "forecast", "replenish", "price"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield every imported module of a file as its dotted parts."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield tuple(name.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            for name in node.names:
                yield (*node.module.split("."), name.name)


def rooms_imported(path: Path) -> set[str]:
    own = (parts for parts in imported(path) if parts[0] == "cartwheel")
    return {parts[1] for parts in own if len(parts) > 1}


def test_every_room_is_in_the_list() -> None:
    rooms = {room_of(path) for path in FILES} - {"__init__"}
    assert rooms == set(ALLOWED) | set(ENTRIES)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_room_imports_only_what_comes_before_it(room: str) -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in FILES
        if room_of(path) == room
        for other in rooms_imported(path) - ALLOWED[room] - {room}
    }
    assert wrong == set()


def test_nothing_but_the_entries_imports_the_top() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in FILES
        for other in rooms_imported(path) & TOP - {room_of(path)}
        if other not in ENTRIES.get(room_of(path), set())
        # The console is drawn by the API's process and shares its sign-in.
        and {room_of(path), other} != {"api", "console"}
    }
    assert wrong == set()


def test_ibis_lives_in_the_signals_only() -> None:
    users = {
        room_of(path)
        for path in FILES
        if any(parts[0] == "ibis" for parts in imported(path))
    }
    assert users == {"signals"}


def test_no_lever_imports_another() -> None:
    for path in FILES:
        if room_of(path) == "levers":
            others = {
                parts[2]
                for parts in imported(path)
                if parts[:2] == ("cartwheel", "levers") and len(parts) > 2
            } & LEVERS
            assert others <= {path.parent.name}, f"{path.name} imports {others}"


def test_levers_take_declarations_of_signals_and_not_their_engine() -> None:
    for path in FILES:
        if room_of(path) == "levers":
            parts = {parts[:3] for parts in imported(path)}
            assert ("cartwheel", "signals", "engine") not in parts, path.name


def met_by_the_simulator(folder: str) -> set[str]:
    """Return the modules of the product that a folder of the simulator imports."""
    return {
        ".".join(parts[:3])
        for path in FILES
        if room_of(path) == "simulator"
        and path.relative_to(PACKAGE / "simulator").parts[0] in (folder, f"{folder}.py")
        for parts in imported(path)
        if parts[0] == "cartwheel" and parts[1] != "simulator"
    }


def test_a_world_knows_nothing_of_the_product_but_its_tables() -> None:
    tables = {"cartwheel.errors.Misuse", "cartwheel.lake.tables"}
    assert met_by_the_simulator("world") <= tables
    assert met_by_the_simulator("sample") <= {"cartwheel.connectors.base", *tables}


def test_only_the_living_shop_opens_a_shop() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in FILES
        if room_of(path) == "simulator"
        and path.relative_to(PACKAGE / "simulator").parts[0] != "living"
        for other in rooms_imported(path) & {"shop", "operations", "ledger", "channels"}
    }
    assert wrong == set()


def test_the_worker_loads_the_simulator_only_when_asked() -> None:
    path = PACKAGE / "worker.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert not any("simulator" in str(node.module) for node in above)


def test_an_arm_meets_the_product_at_its_contracts() -> None:
    contracts = {
        *("cartwheel.signals.base", "cartwheel.signals.engine"),
        *("cartwheel.signals.prepared", "cartwheel.signals.registry"),
        *("cartwheel.levers.base", "cartwheel.gate.base", "cartwheel.gate.order"),
        *("cartwheel.gate.context", "cartwheel.turn.core", "cartwheel.measure.assign"),
    }
    met = met_by_the_simulator("arms")
    names = {".".join(name.split(".")[:2]) for name in met - contracts}
    assert names <= {"cartwheel.errors", "cartwheel.settings", "cartwheel.wheel"}
