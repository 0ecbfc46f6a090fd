"""The operational database on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from cartwheel.inbox_rows import Row, store_rows
from cartwheel.operations import (
    decisions,
    inbox,
    metadata,
    now_text,
    open_database,
    reading,
    transitions,
)
from tests.postgres import Server, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = None
    if request.param == "postgres":
        found: Server = request.getfixturevalue("server")
        name = f"operations_{uuid.uuid4().hex[:12]}"
        found.make_database(name)
        url = found.database_url(name)
    engine = open_database(tmp_path / "operations.sqlite", url)
    yield engine
    engine.dispose()


def _put(database: Engine, name: str, body: str = "{}") -> int:
    statement = insert(inbox).values(
        kind="events", id=name, body=body, received_at=now_text()
    )
    with database.begin() as connection:
        (number,) = connection.execute(statement).inserted_primary_key or (0,)
    return int(number)


def _decide(database: Engine, name: str, state: str = "proposed") -> None:
    with database.begin() as connection:
        connection.execute(
            insert(decisions).values(
                id=name,
                turn=1,
                position=0,
                lever="price",
                kind="price",
                subject="variant:v",
                state=state,
                body="{}",
                action="{}",
                model="m",
            )
        )


def test_database_has_every_table_and_opens_twice(
    database: Engine, tmp_path: Path
) -> None:
    assert set(inspect(database).get_table_names()) >= set(metadata.tables)
    metadata.create_all(database)


def test_database_keeps_text_as_given(database: Engine) -> None:
    body = '{"title": "Über–Tasse ☕", "n": 1}'
    _put(database, "e1", body)
    with reading(database) as connection:
        row = connection.execute(select(inbox.c.body, inbox.c.received_at)).one()
    assert row.body == body
    assert row.received_at.endswith("Z")


def test_inbox_numbers_rise_and_an_event_enters_once(database: Engine) -> None:
    first, second = _put(database, "e1"), _put(database, "e2")
    assert second > first
    with pytest.raises(IntegrityError):
        _put(database, "e1")
    with reading(database) as connection:
        assert connection.execute(select(func.count()).select_from(inbox)).scalar() == 2


def test_transaction_that_fails_leaves_nothing(database: Engine) -> None:
    def interrupted() -> None:
        with database.begin() as connection:
            row = {"kind": "k", "id": "1", "body": "{}", "received_at": now_text()}
            connection.execute(insert(inbox).values(row))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with reading(database) as connection:
        assert connection.execute(select(inbox)).all() == []


def test_transition_needs_its_decision(database: Engine) -> None:
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(
            insert(transitions).values(
                decision_id="none",
                from_state="proposed",
                to_state="approved",
                actor="me",
                at=now_text(),
            )
        )


def test_reader_sees_the_state_before_an_open_write(database: Engine) -> None:
    _decide(database, "d1")
    with database.begin() as writer:
        writer.execute(update(decisions).values(state="approved"))
        with reading(database) as connection:
            assert connection.execute(select(decisions.c.state)).scalar() == "proposed"
    with reading(database) as connection:
        assert connection.execute(select(decisions.c.state)).scalar() == "approved"


def test_a_state_is_taken_over_by_one_of_many_writers(database: Engine) -> None:
    _decide(database, "d1")
    won: list[str] = []
    together = threading.Barrier(4)

    def approve(name: str) -> None:
        together.wait(timeout=30)
        with database.begin() as connection:
            changed = connection.execute(
                update(decisions)
                .where(decisions.c.id == "d1", decisions.c.state == "proposed")
                .values(state=f"approved by {name}")
            )
            if changed.rowcount == 1:
                won.append(name)

    threads = [threading.Thread(target=approve, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(won) == 1


def test_rows_of_many_batches_are_told_apart_on_either_database(
    database: Engine,
) -> None:
    def store(*named: tuple[str, str]) -> list[str]:
        rows = [Row(kind="events", id=name, body=body) for name, body in named]
        with database.begin() as connection:
            return list(store_rows(connection, rows))

    assert store(("a", "1"), ("b", "1")) == ["stored", "stored"]
    # Known, unknown, other content, and twice in one batch.
    batch = [("b", "1"), ("c", "1"), ("a", "2"), ("d", "1"), ("d", "1"), ("c", "9")]
    assert store(*batch) == [
        "duplicate",
        "stored",
        "conflict",
        "stored",
        "duplicate",
        "conflict",
    ]
    assert store(("e", "1"), ("e", "1")) == ["stored", "duplicate"]
