"""Fixtures of the turn's tests."""

from __future__ import annotations

import pytest

from tests.turned import Turned, turned_in


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())
