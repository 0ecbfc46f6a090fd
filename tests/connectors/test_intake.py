from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cartwheel.connectors import registry
from cartwheel.connectors.base import CELL_LIMIT, Harvest, Reject, SourceFile
from cartwheel.connectors.intake import append_harvest, import_source, read_rejects
from cartwheel.errors import Failure, Misuse
from cartwheel.shop import Shop, make_shop, open_shop

NOW = datetime(2026, 1, 10, 12)
DAY = datetime(2025, 12, 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "shop"
    make_shop(folder, currency="EUR", timezone="Europe/Berlin")
    return folder


@pytest.fixture
def shop(tmp_path: Path, template: Path) -> Shop:
    # Copying an empty shop is faster than making one; the catalogue names its folder.
    folder = tmp_path / "shop"
    shutil.copytree(template, folder)
    with closing(sqlite3.connect(folder / "lake" / "catalogue.sqlite")) as catalogue:
        catalogue.execute(
            "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'",
            [f"{folder / 'lake' / 'data'}/"],
        )
        catalogue.commit()
    return open_shop(folder)


def harvest_of(
    facts: dict[str, list[dict[str, Any]]],
    *,
    rows: int | None = None,
    rejects: tuple[Reject, ...] = (),
    duplicates: tuple[int, ...] = (),
    supporting: tuple[int, ...] = (),
) -> Harvest:
    """A harvest whose facts carry their source row as `row`."""
    tables = {}
    last = -1
    for name, given_rows in facts.items():
        listed = [
            {**{k: v for k, v in row.items() if k != "row"}, "_source_row": row["row"]}
            for row in given_rows
        ]
        last = max([last, *(row["_source_row"] for row in listed)])
        names = list(dict.fromkeys(key for row in listed for key in row))
        tables[name] = pa.table({n: [row.get(n) for row in listed] for n in names})
    file = SourceFile(
        name="made.csv",
        first_row=0,
        rows=last + 1 if rows is None else rows,
        note="made",
    )
    return Harvest(
        files=(file,),
        facts=tables,
        rejects=rejects,
        duplicates=duplicates,
        supporting=supporting,
    )


def order(order_id: str, row: int, **more: Any) -> dict[str, Any]:
    return {
        "row": row,
        "order_id": order_id,
        "placed_at": DAY,
        "status": "paid",
        "currency": "EUR",
        **more,
    }


def line(order_id: str, line_id: str, row: int, **more: Any) -> dict[str, Any]:
    return {
        "row": row,
        "order_id": order_id,
        "line_id": line_id,
        "placed_at": DAY,
        "kind": "product",
        "product_id": "p",
        "quantity_units": 1,
        "unit_price_minor": 100,
        **more,
    }


def product(row: int, **more: Any) -> dict[str, Any]:
    return {"row": row, "product_id": "p", "title": "Cup", **more}


def take(shop: Shop, harvest: Harvest, now: datetime = NOW) -> dict[str, Any]:
    return append_harvest(shop, harvest, "made", Path("made.csv"), now).to_json()


def read(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.lake.attached(read_only=True) as con:
        return con.execute(query).fetchall()


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return (
        report["rows_kept"],
        report["rows_duplicate"],
        report["rows_rejected"],
        report["facts_added"],
    )


def test_import_keeps_facts_and_writes_the_ledger(shop: Shop) -> None:
    report = take(shop, harvest_of({"products": [product(0, created_at=DAY)]}))
    assert counts(report) == (1, 0, 0, 1)
    assert report["by_table"] == {"products": 1}
    assert list(report) == [
        "batch",
        "kind",
        "rows_read",
        "rows_kept",
        "rows_duplicate",
        "rows_rejected",
        "facts_added",
        "by_table",
        "notes",
        "seconds",
    ]
    json.dumps(report)
    rows = read(shop, "SELECT title, known_at, imported_at, batch FROM lake.products")
    assert rows == [("Cup", DAY, NOW, report["batch"])]
    ledger = read(shop, "SELECT batch, kind, started_at, rows_read FROM lake.imports")
    assert ledger == [(report["batch"], "made", NOW, 1)]


def test_second_import_adds_nothing_but_its_ledger_row(shop: Shop) -> None:
    harvest = harvest_of(
        {
            "products": [product(0)],
            "orders": [order("1", 1)],
            "order_lines": [line("1", "1", 1), line("1", "2", 2, unit_price_minor=-1)],
        }
    )
    first = take(shop, harvest)
    again = take(shop, harvest, NOW + timedelta(days=1))
    assert counts(first) == (2, 0, 1, 3)
    assert counts(again) == (0, 2, 1, 0)
    assert first["batch"] != again["batch"]
    assert len(read(shop, "FROM lake.imports")) == 2
    assert len(read_rejects(shop)) == 1


FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("orders", order("", 0), "order_id", "missing"),
    ("orders", order("1", 0, placed_at=None), "placed_at", "missing"),
    ("orders", order("1", 0, currency="USD"), "currency", "another currency"),
    ("orders", order("1", 0, status="odd"), "status", "expected open, paid"),
    (
        "orders",
        order("1", 0, placed_at=NOW + timedelta(hours=25)),
        "placed_at",
        "in the future",
    ),
    ("orders", order("1", 0, placed_at=datetime(1969, 1, 1)), "placed_at", "1970"),
    (
        "orders",
        order("1", 0, promised_at=datetime(2999, 1, 1)),
        "promised_at",
        "in the future",
    ),
    (
        "order_lines",
        line("1", "1", 0, unit_price_minor=-5),
        "unit_price_minor",
        "at least 0",
    ),
    (
        "order_lines",
        line("1", "1", 0, quantity_units="two"),
        "quantity_units",
        "whole number",
    ),
    (
        "order_lines",
        line("1", "1", 0, quantity_units=1.5),
        "quantity_units",
        "whole number",
    ),
    (
        "products",
        product(0, title="x" * (CELL_LIMIT + 1)),
        "title",
        "longer than 100000",
    ),
    (
        "consents",
        {
            "row": 0,
            "customer_id": "c",
            "purpose": "personalisation",
            "granted": "perhaps",
            "changed_at": DAY,
        },
        "granted",
        "yes or no",
    ),
]


def test_check_rejects_each_fault_with_its_reason(shop: Shop) -> None:
    # One column type a table: the mistyped values go in by an import of their own.
    plain = [case for case in FAULTS if not isinstance(case[1].get(case[2]), float)]
    texts = [case for case in plain if case[1].get(case[2]) not in ("two",)]
    for cases in (
        texts,
        [c for c in FAULTS if c not in texts and c in plain],
        [c for c in FAULTS if c not in plain],
    ):
        facts: dict[str, list[dict[str, Any]]] = {}
        for row, (table, fact, _, _) in enumerate(cases):
            facts.setdefault(table, []).append({**fact, "row": row})
        report = take(shop, harvest_of(facts))
        assert counts(report) == (0, 0, len(cases), 0)
        found = {
            r["line"] - 2: r
            for r in read_rejects(shop)
            if r["batch"] == report["batch"]
        }
        for row, (_, fact, field, reason) in enumerate(cases):
            assert found[row]["file"] == "made.csv"
            assert (found[row]["field"], found[row]["value"]) == (
                field,
                str(fact[field] or "")[:200],
            )
            assert reason in found[row]["reason"]


def test_check_accepts_the_limits(shop: Shop) -> None:
    report = take(
        shop,
        harvest_of(
            {
                "products": [product(0, title="x" * CELL_LIMIT)],
                "orders": [
                    order("1", 1, placed_at=NOW + timedelta(hours=24)),
                    order("2", 2, promised_at=NOW + timedelta(days=90)),
                ],
                "order_lines": [line("1", "1", 3, unit_price_minor=0)],
            }
        ),
    )
    assert counts(report) == (4, 0, 0, 4)


def test_ten_million_character_cell_is_rejected_and_cut(shop: Shop) -> None:
    facts = {"products": [product(0, title="y" * 10_000_000), product(1)]}
    assert counts(take(shop, harvest_of(facts))) == (1, 0, 1, 1)
    assert read_rejects(shop)[0]["value"] == "y" * 200


def test_faulty_fact_takes_its_row_but_not_the_order_of_other_rows(shop: Shop) -> None:
    report = take(
        shop,
        harvest_of(
            {
                "orders": [order("1", 0), order("2", 2)],
                "order_lines": [
                    line("1", "1", 0, unit_price_minor=-1),
                    line("1", "2", 1),
                    line("2", "1", 2, unit_price_minor=-1),
                ],
            }
        ),
    )
    # Order 1 stays for its second line; order 2 has lost its only one.
    assert counts(report) == (1, 0, 2, 2)
    assert read(shop, "SELECT order_id FROM lake.orders") == [("1",)]
    assert read(shop, "SELECT order_id, line_id FROM lake.order_lines") == [("1", "2")]


def test_connector_reject_drops_the_facts_of_its_row(shop: Shop) -> None:
    reject = Reject(source_row=0, field="Qty", value="z" * 500, reason="odd")
    facts = {"order_lines": [line("1", "1", 0), line("1", "2", 1)]}
    report = take(shop, harvest_of(facts, rejects=(reject,)))
    assert counts(report) == (1, 0, 1, 1)
    assert read_rejects(shop)[0]["value"] == "z" * 200


def test_lines_of_an_order_in_another_currency_are_rejected(shop: Shop) -> None:
    facts = {
        "orders": [order("1", 0, currency="USD"), order("2", 2)],
        "order_lines": [line("1", "1", 0), line("1", "2", 1), line("2", "1", 2)],
    }
    assert counts(take(shop, harvest_of(facts))) == (1, 0, 2, 2)
    assert read(shop, "SELECT order_id FROM lake.order_lines") == [("2",)]
    reasons = [(r["line"], r["reason"]) for r in read_rejects(shop)]
    assert reasons == [
        (2, "another currency than the shop's; expected EUR"),
        (3, "its order was rejected"),
    ]


def test_lines_stay_when_the_lake_has_the_order(shop: Shop) -> None:
    take(shop, harvest_of({"orders": [order("1", 0)]}))
    facts = {
        "orders": [order("1", 0, updated_at=datetime(2099, 1, 1))],
        "order_lines": [line("1", "1", 1)],
    }
    assert counts(take(shop, harvest_of(facts))) == (1, 0, 1, 1)


def test_missing_update_time_of_an_order_is_its_placing(shop: Shop) -> None:
    take(shop, harvest_of({"orders": [order("1", 0)]}))
    assert read(shop, "SELECT updated_at, known_at FROM lake.orders") == [(DAY, DAY)]


def test_undated_first_version_is_known_always_later_ones_from_import(
    shop: Shop,
) -> None:
    take(shop, harvest_of({"suppliers": [{"row": 0, "supplier_id": "s", "name": "A"}]}))
    later = NOW + timedelta(days=2)
    change = harvest_of({"suppliers": [{"row": 0, "supplier_id": "s", "name": "B"}]})
    assert take(shop, change, later)["facts_added"] == 1
    assert take(shop, change, later + timedelta(days=1))["facts_added"] == 0
    rows = read(shop, "SELECT name, known_at FROM lake.suppliers ORDER BY known_at")
    assert rows == [("A", datetime(1970, 1, 1)), ("B", later)]


def test_undated_value_of_a_dated_table_is_known_always(shop: Shop) -> None:
    take(shop, harvest_of({"products": [product(0)]}))
    assert read(shop, "SELECT known_at FROM lake.products") == [(datetime(1970, 1, 1),)]


def test_return_to_an_older_content_is_the_newest_version(shop: Shop) -> None:
    for days, name in enumerate(["A", "B", "A", "A"]):
        fact = {"row": 0, "supplier_id": "s", "name": name}
        take(shop, harvest_of({"suppliers": [fact]}), NOW + timedelta(days=days))
    rows = read(shop, "SELECT name FROM lake.suppliers ORDER BY known_at")
    assert rows == [("A",), ("B",), ("A",)]


def test_changed_content_of_the_same_date_is_known_from_the_import(shop: Shop) -> None:
    # The new title must not be visible on days before it was imported.
    take(shop, harvest_of({"products": [product(0, created_at=DAY)]}))
    later = NOW + timedelta(days=5)
    change = harvest_of({"products": [product(0, created_at=DAY, title="Mug")]})
    take(shop, change, later)
    rows = read(shop, "SELECT title, known_at FROM lake.products ORDER BY known_at")
    assert rows == [("Cup", DAY), ("Mug", later)]


def test_later_dated_version_keeps_its_date(shop: Shop) -> None:
    facts = {
        "orders": [
            order("1", 0),
            order("1", 1, status="fulfilled", updated_at=DAY + timedelta(days=3)),
        ]
    }
    assert counts(take(shop, harvest_of(facts))) == (2, 0, 0, 2)
    assert counts(take(shop, harvest_of(facts))) == (0, 2, 0, 0)
    rows = read(shop, "SELECT status, known_at FROM lake.orders ORDER BY known_at")
    assert rows == [("paid", DAY), ("fulfilled", DAY + timedelta(days=3))]


def test_same_id_with_other_content_in_one_source_is_noted(shop: Shop) -> None:
    facts = {"products": [product(0), product(1, title="Mug"), product(2)]}
    harvest = harvest_of(facts)
    report = take(shop, harvest)
    assert counts(report) == (2, 1, 0, 2)
    assert any("came again with different content" in n for n in report["notes"])
    # The last one met, the cup, is the newest version; importing again agrees.
    rows = read(shop, "SELECT title FROM lake.products ORDER BY known_at")
    assert rows == [("Mug",), ("Cup",)]
    assert counts(take(shop, harvest)) == (0, 3, 0, 0)


def event(event_id: str, row: int, **more: Any) -> dict[str, Any]:
    return {
        "row": row,
        "event_id": event_id,
        "kind": "view",
        "occurred_at": DAY,
        **more,
    }


def test_immutable_id_reused_is_rejected(shop: Shop) -> None:
    take(shop, harvest_of({"events": [event("a", 0, product_id="p")]}))
    report = take(
        shop,
        harvest_of(
            {
                "events": [
                    event("a", 0, product_id="q"),  # other content than in the lake
                    event("a", 1, product_id="p"),  # same content
                    event("b", 2, product_id="p"),
                    event("b", 3, product_id="q"),  # other content than two rows above
                ]
            }
        ),
    )
    assert counts(report) == (1, 1, 2, 1)
    found = [(r["line"], r["field"], r["value"]) for r in read_rejects(shop)]
    assert found == [(2, "event_id", "a"), (5, "event_id", "b")]
    assert "already used" in read_rejects(shop)[0]["reason"]


def test_supporting_rows_follow_the_import(shop: Shop) -> None:
    harvest = harvest_of({"products": [product(0)]}, rows=3, supporting=(1, 2))
    assert counts(take(shop, harvest)) == (3, 0, 0, 1)
    assert counts(take(shop, harvest)) == (0, 3, 0, 0)


def test_duplicates_of_the_connector_count(shop: Shop) -> None:
    harvest = harvest_of({"products": [product(0)]}, rows=2, duplicates=(1,))
    assert counts(take(shop, harvest)) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    ("harvest", "message"),
    [
        (harvest_of({"products": [product(0)]}, rows=3), "no account of 2 source rows"),
        (harvest_of({"products": [product(4)]}, rows=1), "outside 0 to 0"),
        (harvest_of({"products": [product(-2)]}, rows=1), "outside 0 to 0"),
        (harvest_of({"nothing": [product(0)]}), "'nothing' that does not exist"),
        (
            harvest_of({"products": [product(0, colour="red")]}),
            "unknown columns colour",
        ),
    ],
)
def test_broken_connector_is_a_failure_and_changes_nothing(
    shop: Shop, harvest: Harvest, message: str
) -> None:
    with pytest.raises(Failure, match=message):
        take(shop, harvest)
    assert read(shop, "FROM lake.imports") == []
    assert read(shop, "FROM lake.products") == []


def test_whole_file_reject_is_listed_but_no_row(shop: Shop) -> None:
    reject = Reject(source_row=-1, field="", value="", reason="file skipped")
    report = take(shop, harvest_of({"products": [product(0)]}, rejects=(reject,)))
    assert counts(report) == (1, 0, 0, 1)
    assert read_rejects(shop)[0]["line"] == 0


def test_read_rejects_limit(shop: Shop) -> None:
    facts = {"products": [product(i, title="x" * 100_001) for i in range(3)]}
    take(shop, harvest_of(facts))
    assert [r["line"] for r in read_rejects(shop, 2)] == [2, 3]


def test_empty_harvest_is_accounted(shop: Shop) -> None:
    assert counts(take(shop, harvest_of({}, rows=0))) == (0, 0, 0, 0)


titles = st.one_of(st.none(), st.text("ab=:;|1", max_size=4))
made = st.lists(
    st.tuples(st.sampled_from("ab"), titles, titles, st.integers(0, 2)), max_size=8
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=made)
def test_import_again_changes_nothing_whatever_the_rows(
    shop: Shop, rows: list[tuple[Any, ...]]
) -> None:
    # The examples share a shop; each has products of its own.
    example = len(read(shop, "FROM lake.imports"))
    facts = [
        {
            "row": i,
            "product_id": f"{example} {key}",
            "title": title,
            "brand": brand,
            "created_at": None if day == 0 else DAY + timedelta(days=day),
        }
        for i, (key, title, brand, day) in enumerate(rows)
    ]
    harvest = harvest_of({"products": facts} if facts else {}, rows=len(facts))
    first = take(shop, harvest)
    assert sum(counts(first)[:3]) == len(rows)
    distinct = {(k, t or None, b or None, d) for k, t, b, d in rows}
    assert first["facts_added"] == len(distinct)
    again = take(shop, harvest, NOW + timedelta(days=1))
    assert counts(again) == (0, len(rows), 0, 0)


def test_unknown_kind_lists_the_kinds(shop: Shop) -> None:
    with pytest.raises(Misuse, match="online-retail"):
        import_source(shop, "excel", Path("x"))


def test_broken_plugin_is_named_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [
        EntryPoint("broken", "no_such_module:Thing", registry.GROUP),
        EntryPoint("odd", "datetime:datetime", registry.GROUP),
        EntryPoint(
            "online-retail",
            "cartwheel.connectors.online_retail:OnlineRetail",
            registry.GROUP,
        ),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert list(registry.connectors()) == ["broken", "odd", "online-retail"]
    assert registry.find_connector("online-retail").kind == "online-retail"
    for kind in ("broken", "odd"):
        with pytest.raises(Failure, match=f"'{kind}'"):
            registry.find_connector(kind)


SCRIPT = """
import os, resource, signal, sys
from datetime import datetime
from pathlib import Path
import numpy as np, pyarrow as pa
from cartwheel.connectors import intake
from cartwheel.connectors.base import Harvest, SourceFile
from cartwheel.errors import Failure
from cartwheel.shop import open_shop

rows, mode = 60_000, sys.argv[2]
facts = pa.table({
    "event_id": [f"{i * 7919 % 1000003:06d}-{i}" for i in range(rows)],
    "kind": ["view"] * rows,
    "occurred_at": pa.array([datetime(2025, 1, 1)] * rows, pa.timestamp("us")),
    "_source_row": np.arange(rows),
})
file = SourceFile(name="made", first_row=0, rows=rows, note="")
harvest = Harvest(files=(file,), facts={"events": facts})
if mode == "kill":
    intake._write_import = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
if mode == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    report = intake.append_harvest(
        open_shop(Path(sys.argv[1])), harvest, "made", Path("made"),
        datetime(2026, 1, 1))
except Failure as error:
    print(error)
    sys.exit(error.exit_code)
print(report.facts_added)
"""


def run_import(shop: Shop, mode: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(shop.folder), mode],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )


def test_killed_import_leaves_nothing_and_the_next_one_works(shop: Shop) -> None:
    killed = run_import(shop, "kill")
    assert killed.returncode == -signal.SIGKILL
    assert read(shop, "FROM lake.events") == []
    assert read(shop, "FROM lake.imports") == []
    after = run_import(shop, "normal")
    assert after.stdout.strip() == "60000", after.stderr
    assert read(shop, "SELECT count(*) FROM lake.events") == [(60_000,)]


def test_full_disk_is_a_failure_and_changes_nothing(shop: Shop) -> None:
    full = run_import(shop, "full")
    assert full.returncode == 1, full.stderr
    assert "Check free disk space" in full.stdout
    assert read(shop, "FROM lake.events") == []
    assert read(shop, "FROM lake.imports") == []
    assert run_import(shop, "normal").stdout.strip() == "60000"
