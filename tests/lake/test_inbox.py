from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update

from cartwheel.lake import inbox as inbox_module
from cartwheel.lake.inbox import RETENTION, drain, read_watermark, tidy
from cartwheel.operations import inbox, now_text
from cartwheel.shop import Shop, make_shop


class Crash(Exception):
    pass


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path / "shop", currency="EUR")


def put(shop: Shop, *ids: str, kind: str = "events", **columns: Any) -> None:
    body = {"kind": "view", "occurred_at": "2026-03-01T12:00:00.000000Z", **columns}
    put_body(shop, *ids, kind=kind, body=json.dumps(body))


def put_body(shop: Shop, *ids: str, kind: str = "events", body: str) -> None:
    with shop.database.begin() as connection:
        for name in ids:
            connection.execute(
                insert(inbox).values(
                    kind=kind, id=name, body=body, received_at=now_text()
                )
            )


def read(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.lake.attached(read_only=True) as con:
        return con.execute(query).fetchall()


def event_ids(shop: Shop) -> list[str]:
    return [row[0] for row in read(shop, "SELECT event_id FROM lake.events")]


def count_inbox(shop: Shop) -> int:
    with shop.database.connect() as connection:
        return connection.execute(select(func.count()).select_from(inbox)).scalar_one()


def test_drain_moves_rows_in_order_and_once(shop: Shop) -> None:
    put(shop, "b", "a", product_id="p", quantity_units=2)
    assert drain(shop) == 2
    assert drain(shop) == 0
    assert event_ids(shop) == ["b", "a"]
    row = read(
        shop,
        "SELECT product_id, quantity_units, occurred_at = known_at, visitor_id "
        "FROM lake.events LIMIT 1",
    )
    assert row == [("p", 2, True, None)]
    assert read_watermark(shop) == 2


def test_drain_takes_at_most_the_limit(shop: Shop) -> None:
    put(shop, "a", "b", "c")
    assert [drain(shop, limit=2) for _ in range(3)] == [2, 1, 0]
    assert event_ids(shop) == ["a", "b", "c"]


def test_drain_waiting_ends_under_steady_traffic(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop, "a", "b", "c")
    tidy = inbox_module.tidy
    more = iter(range(50))

    def busy(*arguments: Any) -> Any:
        put(shop, f"late-{next(more)}")  # a visitor who never stops
        return tidy(*arguments)

    monkeypatch.setattr(inbox_module, "tidy", busy)
    assert inbox_module.drain_waiting(shop) == 3
    assert event_ids(shop) == ["a", "b", "c"]


def test_drain_event_without_instant_counts_from_its_receipt(shop: Shop) -> None:
    put(shop, "a", occurred_at=None)
    drain(shop)
    ((known, imported),) = read(shop, "SELECT known_at, imported_at FROM lake.events")
    assert timedelta(0) <= imported - known < timedelta(minutes=5)


def test_drain_answers_keep_their_slate(shop: Shop) -> None:
    answer = {
        "answered_at": "2026-03-01T12:00:00Z",
        "lever": "recommend",
        "turn": 3,
        "arm": "treated",
        "slate": '[{"product_id":"p","propensity":0.5}]',
    }
    put_body(shop, "d1", kind="answers", body=json.dumps(answer))
    drain(shop)
    found = read(shop, "SELECT decision_id, turn, arm, slate FROM lake.answers")
    assert found == [("d1", 3, "treated", answer["slate"])]


POISON = [
    ("{", ""),
    ("[]", ""),
    ("[" * 100_000, ""),
    ('{"kind":"jump"}', "kind"),
    ('{"kind":null}', "kind"),
    ('{"kind":"view","colour":"red"}', "colour"),
    ('{"kind":"view","quantity_units":1.5}', "quantity_units"),
    ('{"kind":"view","quantity_units":true}', "quantity_units"),
    ('{"kind":"view","quantity_units":-1}', "quantity_units"),
    ('{"kind":"view","result_count":99999999999999999999}', "result_count"),
    ('{"kind":"view","occurred_at":"soon"}', "occurred_at"),
    ('{"kind":"view","occurred_at":7}', "occurred_at"),
    ('{"kind":"view","query":"\\ud800"}', "query"),
    ('{"kind":"view","query":["x"]}', "query"),
]


def test_drain_keeps_poisoned_rows_aside_and_goes_on(shop: Shop) -> None:
    put(shop, "before")
    for number, (body, _) in enumerate(POISON):
        put_body(shop, f"poison {number}", body=body)
    put(shop, "after")
    assert drain(shop) == len(POISON) + 2
    assert event_ids(shop) == ["before", "after"]
    found = read(shop, "SELECT line, field FROM lake.rejects ORDER BY line")
    assert found == [(n, field) for n, (_, field) in enumerate(POISON, 2)]
    assert read(shop, "SELECT count(*) FROM lake.rejects WHERE reason = ''") == [(0,)]


def test_drain_unknown_kind_is_kept_aside(shop: Shop) -> None:
    put(shop, "x", kind="orders")
    assert drain(shop) == 1
    assert read(shop, "SELECT field, value FROM lake.rejects") == [("kind", "orders")]
    assert drain(shop) == 0


def test_drain_event_the_lake_already_has_is_not_added_again(shop: Shop) -> None:
    put(shop, "a", product_id="p")
    drain(shop)
    with shop.database.begin() as connection:  # long ago: its inbox row has gone
        connection.execute(update(inbox).values(received_at="2020-01-01"))
    put(shop, "z")
    drain(shop)
    assert count_inbox(shop) == 1
    put(shop, "a", product_id="p")
    drain(shop)
    assert sorted(event_ids(shop)) == ["a", "z"]
    assert read(shop, "FROM lake.rejects") == []
    put(shop, "last")
    with shop.database.begin() as connection:
        connection.execute(delete(inbox).where(inbox.c.id == "a"))
    put(shop, "a", product_id="other")
    drain(shop)
    assert read(shop, "SELECT field, value FROM lake.rejects") == [("event_id", "a")]
    assert len(event_ids(shop)) == 3


def test_tidy_keeps_young_rows_and_the_newest(shop: Shop) -> None:
    put(shop, "a", "b", "c")
    drain(shop)
    now = datetime.now(UTC)
    tidy(shop.database, 3, now + RETENTION - timedelta(hours=1))
    assert count_inbox(shop) == 3
    tidy(shop.database, 3, now + RETENTION + timedelta(hours=1))
    assert count_inbox(shop) == 1
    put(shop, "d")  # numbered after the newest, so the watermark does not hide it
    assert drain(shop) == 1
    assert event_ids(shop) == ["a", "b", "c", "d"]


def test_tidy_never_deletes_what_is_not_drained(shop: Shop) -> None:
    put(shop, "a", "b")
    tidy(shop.database, 0, datetime.now(UTC) + RETENTION + timedelta(days=1))
    assert count_inbox(shop) == 2


def test_drain_has_the_same_content_hash_as_an_import(shop: Shop) -> None:
    pa = pytest.importorskip("pyarrow")
    from cartwheel.connectors.base import Harvest, SourceFile
    from cartwheel.connectors.intake import append_harvest

    put(shop, "a", product_id="Größe", quantity_units=2)
    drain(shop)
    table = pa.table(
        {
            "event_id": ["a"],
            "kind": ["view"],
            "occurred_at": pa.array([datetime(2026, 3, 1, 12)], pa.timestamp("us")),
            "product_id": ["Größe"],
            "quantity_units": [2],
            "_source_row": pa.array([0], pa.int64()),
        }
    )
    harvest = Harvest(
        files=(SourceFile(name="events.csv", first_row=0, rows=1, note=""),),
        facts={"events": table},
    )
    report = append_harvest(
        shop, harvest, "csv", Path("events.csv"), datetime(2026, 6, 1)
    )
    assert (report.rows_duplicate, report.facts_added) == (1, 0)


STEPS = ("_read_waiting", "append", "tidy", "none")


@settings(max_examples=4, deadline=None, database=None)
@given(
    plan=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(STEPS), st.booleans()),
        min_size=2,
        max_size=2,
    )
)
def test_drain_interrupted_anywhere_loses_and_doubles_nothing(
    crashing_shop: tuple[Shop, list[str]], plan: list[tuple[int, str, bool]]
) -> None:
    shop, sent = crashing_shop
    for count, step, after in plan:
        names = [str(len(sent) + i) for i in range(count)]
        put(shop, *names)
        sent += names
        with pytest.MonkeyPatch.context() as patch:
            if step != "none":
                patch.setattr(inbox_module, step, crashing(step, after=after))
            try:
                drain(shop, limit=2)
            except Crash:
                continue
    while drain(shop):
        pass
    assert event_ids(shop) == sent


@pytest.fixture(scope="module")
def crashing_shop(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Shop, list[str]]:
    folder = tmp_path_factory.mktemp("drain") / "shop"
    return make_shop(folder, currency="EUR"), []


def crashing(step: str, *, after: bool) -> Any:
    real = getattr(inbox_module, step)

    def run(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Crash

    return run
