"""A private PostgreSQL server for the tests that need one.

The server listens on loopback and a socket in its own folder, keeps nothing and is
ended by its process id. It refuses to run as root, so root hands it to `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        port: Its port on 127.0.0.1.
    """

    port: int

    def make_database(self, name: str) -> None:
        """Make an empty database."""
        with psycopg.connect(self._text("postgres"), autocommit=True) as con:
            con.execute(f'CREATE DATABASE "{name}"')

    def catalogue_url(self, name: str) -> str:
        """Return what the setting `lake_catalogue_url` takes."""
        return self._text(name)

    def database_url(self, name: str) -> str:
        """Return what the setting `database_url` takes."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def _text(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={name}"


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server in a temporary folder and end it; skip where there is none."""
    programs = _programs()
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="cartwheel-pg-"))
    if user:
        shutil.chown(folder, user)
    try:
        as_user = ["runuser", "-u", user, "--"] if user else []
        data = folder / "data"
        subprocess.run(
            [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "postgres",
             "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        port = _free_port()
        control = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run(
            [*control, "-l", str(folder / "log"), "-o", options, "start"],
            check=True, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield Server(port=port)
        finally:
            # pg_ctl reads the process id from the data folder.
            subprocess.run(
                [*control, "-m", "immediate", "stop"],
                check=True, cwd=folder, stdout=subprocess.DEVNULL,
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Return the newest installed server's programs, or skip."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    if other is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    return Path(other).parent


def _unprivileged() -> str | None:
    """Return the user to run as, None for the present one; skip when there is none."""
    if os.geteuid() != 0:
        return None
    if shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root and runuser is not installed")
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("PostgreSQL does not run as root and there is no user postgres")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
