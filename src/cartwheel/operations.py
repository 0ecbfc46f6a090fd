"""The operational database: inbox, ledger, turns, people and keys of the console.

SQLite in WAL mode by default, PostgreSQL by setting; the same SQLAlchemy code speaks
to both. Instants are ISO 8601 texts in UTC, JSON values are texts, so that a row reads
the same on either engine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    select,
)

metadata = MetaData()
# SQLite only makes a rowid alias of a column declared INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")

inbox = Table(
    "inbox",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # fact table: events, answers
    Column("id", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON object of the table's columns
    Column("received_at", Text, nullable=False),
    UniqueConstraint("kind", "id", name="inbox_once"),
    # A number is never used twice, or a drained-and-deleted newest row would let an
    # event hide at or below the lake's watermark.
    sqlite_autoincrement=True,
)

turns = Table(
    "turns",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("as_of", Text, nullable=False),
    Column("state", Text, nullable=False),  # running, published, rolled_back, failed
    Column("step", Text, nullable=False, default=""),
    Column("snapshot", BigInteger),
    Column("seed", BigInteger, nullable=False),
    Column("settings", Text, nullable=False),  # JSON used for this turn
    Column("cuts", Text, nullable=False, default="[]"),
    Column("previous", Integer),  # turn whose models and lagged signals were used
    Column("levers", Text, nullable=False, default="{}"),
    Column("seconds", Float),
    Column("started_at", Text, nullable=False),
    Column("published_at", Text),
    Column("error", Text),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # order within the turn
    Column("lever", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("worth_minor", BigInteger),
    Column("cost_minor", BigInteger),
    Column("body", Text, nullable=False),  # the decision's canonical JSON
    Column("action", Text, nullable=False),  # JSON; the gate or a person changed it
    Column("edited", Integer, nullable=False, default=0),  # 1: by a person
    Column("model", Text, nullable=False),  # fingerprint
    Column("refusal", Text),  # JSON {rule, reason} when the gate refused it
    Column("expires_on", Text),
    Index("decisions_by_state", "state", "kind", "worth_minor"),
    Index("decisions_by_turn", "turn", "lever", "position"),
    Index("decisions_by_subject", "subject"),
)

transitions = Table(
    "transitions",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("decision_id", Text, ForeignKey("decisions.id"), nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Index("transitions_by_decision", "decision_id", "seq"),
)

link_cuts = Table(
    "link_cuts",
    metadata,
    Column("link", Text, primary_key=True),  # "signal→reader"
    Column("cut_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("lever", Text, nullable=False),
    Column("state", Text, nullable=False),  # running, stopped, ended
    Column("terms", Text, nullable=False),  # JSON, never changed
    Column("fingerprint", Text, nullable=False),  # of the terms
    Column("created_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("closed_at", Text),
    Column("closed_by", Text),
    Column("why", Text, nullable=False, default=""),
)

experiment_looks = Table(  # what a look at an experiment found, one a day
    "experiment_looks",
    metadata,
    Column("name", Text, ForeignKey("experiments.name"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("standing", Text, nullable=False),  # JSON
)

baselines = Table(  # the shop before a lever first decided; never changed
    "baselines",
    metadata,
    Column("lever", Text, primary_key=True),
    Column("frozen_at", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("day", Text, nullable=False),  # last day of the days before
    Column("window_days", Integer, nullable=False),
    Column("figures", Text, nullable=False),  # JSON: value, low, high a day, by name
)

merchandising = Table(  # the merchant's rules for slots; ended, never deleted
    "merchandising",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # pin, boost, exclude
    Column("product_id", Text, nullable=False),
    Column("placement", Text, nullable=False, default=""),  # "": all
    Column("category", Text),
    Column("query", Text),
    Column("position", Integer),
    Column("factor", Float),
    Column("until", Text),
    Column("made_by", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("ended_by", Text),
    Column("ended_at", Text),
)

contacts = Table(  # what shoppers asked support, and what became of it
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("turn", Integer),
    Column("customer_id", Text),  # only where the shop verified who asked
    Column("visitor_id", Text),
    Column("product_id", Text),
    Column("reply_to", Text),  # e-mail address that a person may answer to
    Column("asked", Text, nullable=False),  # masked
    Column("outcome", Text, nullable=False),  # answered, asked_back, handed_over
    Column("why", Text, nullable=False),
    Column("arm", Text, nullable=False),  # treated, holdout, fallback
    Column("body", Text, nullable=False),  # JSON: what was said, sources, chance
    Column("closed_at", Text),  # a person has dealt with it
    Column("closed_by", Text),
    Index("contacts_by_day", "at"),
    Index("contacts_by_customer", "customer_id", "at"),
    Index("contacts_by_visitor", "visitor_id", "at"),
)

theme_corrections = Table(  # what people said of how texts are read; never changed
    "theme_corrections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON of the lake's columns
    Column("made_at", Text, nullable=False),
)

visitor_fixes = Table(  # page fixes shown to a part of the visitors, not on the page
    "visitor_fixes",
    metadata,
    Column("decision_id", Text, ForeignKey("decisions.id"), primary_key=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
)

pages = Table(  # what a turn publishes for the console, as JSON
    "pages",
    metadata,
    Column("turn", Integer, primary_key=True),
    Column("name", Text, primary_key=True),  # overview, lever:NAME
    Column("body", Text, nullable=False),
)

requests = Table(  # work asked for from the console, done by the worker
    "requests",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("what", Text, nullable=False),  # turn, live, live-approving
    Column("asked_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, running, done, failed
    Column("note", Text, nullable=False, default=""),  # how it goes, then how it went
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),  # owner, viewer
    Column("password_hash", Text),  # null: may only sign in by link
    Column("created_at", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name"), nullable=False),
    Column("expires_at", Text, nullable=False),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name"), nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("used_at", Text),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("prefix", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # space-separated
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
)


def now_text() -> str:
    """Return the present instant as text, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def open_database(path: Path, url: str | None = None) -> Engine:
    """Open the operational database and create what is missing.

    Args:
        path: SQLite file, used when `url` is None.
        url: SQLAlchemy address of a PostgreSQL database.
    """
    if url is None:
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(url, pool_pre_ping=True)
    metadata.create_all(engine)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself, see `_begin_immediate`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # A transaction that reads first and writes later would fail when another process
    # wrote in between; taking the write lock at once waits instead.
    options = connection.get_execution_options()
    wanted = "NORMAL" if options.get("flushed_later") else "FULL"
    # The pool gives a connection to one after another, so each says what it wants.
    if connection.info.get("synchronous", "FULL") != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'IMMEDIATE')}")


@contextmanager
def begin_unflushed(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction whose commit does not wait for the disk (SQLite).

    What is committed outlives every process; a power cut can take it until `flush`, or
    any later transaction of another kind, has returned. PostgreSQL commits as ever.
    """
    with (
        engine.connect().execution_options(flushed_later=True) as connection,
        connection.begin(),
    ):
        yield connection


def flush(engine: Engine) -> None:
    """Wait until the disk has all that was committed before this call.

    SQLite's commits are appended to one file, the write-ahead log; what has left it was
    flushed first.

    Raises:
        OSError: The disk refused.

    References:
        SQLite, "Write-Ahead Logging", sections 2.1 and 3.1.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return
    log = Path(f"{engine.url.database}-wal")
    try:
        file = os.open(log, os.O_RDWR)
    except FileNotFoundError:  # moved into the database, which was flushed with it
        return
    try:
        getattr(os, "fdatasync", os.fsync)(file)
    finally:
        os.close(file)
    if os.name == "posix":  # a new log's name is the folder's, and is kept by it
        folder = os.open(log.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def reading(engine: Engine) -> Any:
    """Return a connection for reading only; it never waits for a writer."""
    return engine.connect().execution_options(sqlite_begin="DEFERRED")


def page_data(engine: Engine, name: str, turn: int | None = None) -> Any:
    """Return what a turn published under a name, as JSON values; None for nothing.

    Args:
        engine: Operational database.
        name: Name of the page.
        turn: The turn; None for the newest that published one.
    """
    query = select(pages.c.body).where(pages.c.name == name)
    if turn is not None:
        query = query.where(pages.c.turn == turn)
    with reading(engine) as con:
        body = con.execute(query.order_by(pages.c.turn.desc()).limit(1)).scalar()
    return None if body is None else json.loads(body)
