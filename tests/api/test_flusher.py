"""What waits for the disk, and what does not."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from cartwheel.api import flusher, inbox_writer
from cartwheel.api.errors import Refused
from cartwheel.api.flusher import Flusher
from cartwheel.api.inbox_writer import InboxWriter, Ticket
from cartwheel.inbox_rows import Row
from cartwheel.operations import begin_unflushed, flush, inbox, open_database

PATIENCE = 20.0


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(tmp_path / "operations.db")
    yield engine
    engine.dispose()


def row(number: int) -> Row:
    return Row(kind="events", id=f"e-{number}", body="{}")


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(inbox)).scalar())


class Disk:
    """A disk that confirms when it is let."""

    def __init__(self, trouble: OSError | None = None) -> None:
        self.asked, self.free = threading.Event(), threading.Event()
        self.trouble = trouble
        self.flushes = 0

    def __call__(self, *_: object) -> None:
        self.asked.set()
        assert self.free.wait(PATIENCE)
        self.flushes += 1
        if self.trouble is not None:
            raise self.trouble


def with_writer(
    engine: Engine, what: Callable[[InboxWriter], object]
) -> None:  # `what` makes a coroutine
    writer = InboxWriter(engine)
    writer.start()
    try:
        asyncio.run(asyncio.wait_for(what(writer), PATIENCE))
    finally:
        writer.stop()


async def answered(writer: InboxWriter, number: int) -> list[str]:
    """Hand over the row of an answer and return what became of it."""
    ticket = Ticket(asyncio.get_running_loop())
    writer.put([row(number)], ticket)
    return list(await ticket.future)


def test_events_wait_for_the_disk_and_answers_do_not(engine, monkeypatch):
    disk = Disk()
    monkeypatch.setattr(inbox_writer, "flush", disk)

    async def ask(writer):
        event = asyncio.create_task(writer.write([row(1)]))
        await asyncio.to_thread(disk.asked.wait, PATIENCE)
        # The disk is busy with the event's flush: an answer's row is taken meanwhile.
        assert await answered(writer, 2) == ["stored"]
        assert stored(engine) == 2
        assert not event.done()
        disk.free.set()
        assert await event == ["stored"]

    with_writer(engine, ask)
    assert disk.flushes >= 2


def test_events_a_disk_refused_are_not_acknowledged(engine, monkeypatch):
    disk = Disk(OSError("no space left"))
    disk.free.set()
    monkeypatch.setattr(inbox_writer, "flush", disk)

    async def ask(writer):
        assert await answered(writer, 1) == ["stored"]
        with pytest.raises(Refused) as refused:
            await writer.write([row(2)])
        assert refused.value.status == 503
        disk.trouble = None
        assert await writer.write([row(2)]) == ["duplicate"]

    with_writer(engine, ask)


def test_one_flush_serves_all_who_wait(engine, monkeypatch):
    disk = Disk()
    monkeypatch.setattr(inbox_writer, "flush", disk)

    async def ask(writer):
        first = asyncio.create_task(writer.write([row(0)]))
        await asyncio.to_thread(disk.asked.wait, PATIENCE)
        others = [asyncio.create_task(writer.write([row(n)])) for n in range(1, 30)]
        while await asyncio.to_thread(stored, engine) < 30:
            await asyncio.sleep(0)
        disk.free.set()
        await asyncio.gather(first, *others)

    with_writer(engine, ask)
    assert disk.flushes <= 4


def test_what_nobody_waits_for_is_flushed_too(monkeypatch):
    monkeypatch.setattr(flusher, "MOST_SECONDS", 0.0)
    disk = Disk()
    disk.free.set()
    one = Flusher(disk)
    one.start()
    one.put(None)
    assert disk.asked.wait(PATIENCE)
    one.stop()


def test_an_answer_alone_reaches_the_disk(engine, monkeypatch):
    monkeypatch.setattr(flusher, "MOST_SECONDS", 0.0)
    disk = Disk()
    disk.free.set()
    monkeypatch.setattr(inbox_writer, "flush", disk)

    async def ask(writer):
        assert await answered(writer, 1) == ["stored"]
        assert await asyncio.to_thread(disk.asked.wait, PATIENCE)

    with_writer(engine, ask)


def test_who_waits_at_the_end_is_told():
    disk = Disk()
    one = Flusher(disk)
    one.start()
    told: list[bool] = []
    one.put(told.append)
    assert disk.asked.wait(PATIENCE)
    one.put(told.append)
    one._queue.put(False)  # as `stop` does, which would wait here
    disk.free.set()
    one.stop()
    assert told == [True, True]


def test_the_end_flushes_what_was_left():
    disk = Disk()
    disk.free.set()
    one = Flusher(disk)
    one.start()
    one.put(None)
    one.stop()
    assert disk.flushes == 1
    one.stop()


def test_each_transaction_says_what_it_waits_for(engine):
    def synchronous(connection) -> int:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar()

    full, normal = 2, 1
    for _ in range(2):
        with begin_unflushed(engine) as connection:
            assert synchronous(connection) == normal
        with engine.begin() as connection:
            assert synchronous(connection) == full
        with engine.connect() as connection:
            connection.begin()
            assert synchronous(connection) == full


def test_a_flush_is_of_the_log_and_of_its_name(engine, monkeypatch):
    flushed: list[int] = []
    for name in ("fdatasync", "fsync"):
        if hasattr(os, name):
            monkeypatch.setattr(
                os, name, lambda file: flushed.append(os.fstat(file).st_ino)
            )
    with begin_unflushed(engine) as connection:
        connection.execute(
            inbox.insert().values(kind="events", id="1", body="{}", received_at="x")
        )
    log = Path(f"{engine.url.database}-wal")
    flush(engine)
    assert flushed == [log.stat().st_ino, log.parent.stat().st_ino]


def test_nothing_is_flushed_where_there_is_no_log(engine):
    engine.dispose()
    assert not Path(f"{engine.url.database}-wal").exists()
    flush(engine)
    memory = open_database(Path(":memory:"))
    flush(memory)
    memory.dispose()
