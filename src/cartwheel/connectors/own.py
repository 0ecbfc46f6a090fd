"""What is the shop's own in a source, as its owner states it in a file beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from cartwheel.errors import Misuse


def read_own(
    path: Path, name: str, *, fits: Callable[[str], bool], example: str, each: str
) -> tuple[str, ...]:
    """Return what a file beside the source says is the shop's own, lower case.

    Args:
        path: The file or folder that is imported.
        name: Name of the file.
        fits: Whether an entry can be meant.
        example: The file as it may be.
        each: What an entry is.

    Raises:
        Misuse: If the file cannot be read or says something else.
    """
    file = (path if path.is_dir() else path.parent) / name
    if not file.is_file():
        return ()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Misuse(f"{file} cannot be read: {error}.", "Correct the file.") from error
    own = values.get("own")
    right = isinstance(own, list) and all(
        isinstance(one, str) and fits(one) for one in own
    )
    if not right or not own or set(values) != {"own"}:
        raise Misuse(
            f"{file} says {values!r}; expected {example}.",
            f"{each}, for each that is the shop's.",
        )
    return tuple(str(one).strip().lower() for one in own)
