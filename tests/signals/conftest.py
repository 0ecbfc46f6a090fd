"""A tiny lake per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.tiny_lake import TinyLake


@pytest.fixture
def lake(tmp_path: Path) -> TinyLake:
    """Return an empty shop in UTC to put facts into."""
    return TinyLake(tmp_path)


@pytest.fixture
def berlin(tmp_path: Path) -> TinyLake:
    """Return an empty shop in Europe/Berlin."""
    return TinyLake(tmp_path, timezone="Europe/Berlin")
