"""A lever's options from the shop's settings, checked by name and type."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from cartwheel.errors import Misuse
from cartwheel.signals.base import Signals

Chosen = TypeVar("Chosen")


def read_options(kind: type[Chosen], data: Signals, lever: str) -> Chosen:
    """Return the options of a lever, defaults where the shop sets none.

    Args:
        kind: Frozen dataclass whose fields are the options, all with defaults.
        data: Signals of the turn, whose context holds the settings.
        lever: Name of the lever.

    Raises:
        Misuse: If an option is unknown, not a number of at least 0, or not text where
            the default is.
    """
    given: dict[str, Any] = dict(data.context.options.get(lever, {}))
    known = {one.name: one.default for one in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise Misuse(
                f"levers.{lever}.{name} is not an option; options are {list(known)}.",
                "Correct it in the shop's settings file.",
            )
        if isinstance(known[name], str):
            if not isinstance(value, str):
                raise Misuse(
                    f"levers.{lever}.{name} is {value!r}; expected text.",
                    "Correct it in the shop's settings file.",
                )
            continue
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if not plain or not value >= 0:
            raise Misuse(
                f"levers.{lever}.{name} is {value!r}; expected a number of at least 0.",
                "Correct it in the shop's settings file.",
            )
    return kind(**given)
