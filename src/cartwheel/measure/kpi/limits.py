"""A time limit around queries, so that one large question cannot hold a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from cartwheel.errors import Busy

if TYPE_CHECKING:
    import duckdb


@contextmanager
def limited(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Stop what runs on a connection after some seconds.

    Args:
        con: The connection.
        seconds: Longest that the queries inside may take together.

    Raises:
        Busy: If they took longer.
    """
    import duckdb

    timer = Timer(seconds, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise Busy(
            f"Counting the KPIs took longer than {seconds:.0f} seconds and was "
            "stopped.",
            "Try again when the machine is quieter, or use: cartwheel kpis",
        ) from error
    finally:
        timer.cancel()
