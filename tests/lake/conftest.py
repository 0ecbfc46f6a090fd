"""The lake on each catalogue it supports."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartwheel.lake.store import Lake
from tests.postgres import Server, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a private PostgreSQL server for the session."""
    with running_server() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """Return a new, created lake."""
    url = None
    if request.param == "postgres":
        found: Server = request.getfixturevalue("server")
        name = f"lake_{uuid.uuid4().hex[:12]}"
        found.make_database(name)
        url = found.catalogue_url(name)
    lake = Lake(folder=tmp_path / "lake", catalogue_url=url)
    lake.create()
    return lake
