"""A file of the outbox, there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def put_file(path: Path, text: str | None) -> None:
    """Write a file in place of the one before, byte for byte; None takes it away.

    Args:
        path: Where it stands; its folder is made.
        text: What it holds.
    """
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(text.encode("utf-8", "surrogatepass"))
    os.replace(beside, path)
