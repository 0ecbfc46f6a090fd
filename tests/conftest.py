"""Fixtures shared by every room's tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Callable[[str], Path]:
    """Return the folder of a real data set, or skip the test when it is absent."""
    base = Path(os.environ.get("CARTWHEEL_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        folder = base / name
        if not folder.is_dir():
            pytest.skip(f"data set {name} is not in CARTWHEEL_DATA")
        return folder

    return find
