"""Worlds played once for all tests that only look at them."""

from __future__ import annotations

import pytest

from tests.simulator.world.made import Eager, Played, play


@pytest.fixture(scope="session")
def played() -> Played:
    """A busy world played to its end, its facts looked at by nobody before."""
    return play(Eager())
