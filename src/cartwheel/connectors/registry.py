"""Connectors by kind, found through the entry points `cartwheel.connectors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from cartwheel.connectors.base import Connector, RemoteConnector
from cartwheel.errors import Failure, Misuse

GROUP = "cartwheel.connectors"


Source = Connector | RemoteConnector


class _Plugins(Mapping[str, Source]):
    """Connectors by kind, each loaded when asked for.

    One broken plug-in must not keep the others from importing, so looking at the
    kinds loads nothing.
    """

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = points

    def __getitem__(self, kind: str) -> Source:
        return _load(self._points[kind])

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._points))

    def __len__(self) -> int:
        return len(self._points)


def connectors() -> Mapping[str, Source]:
    """Return every installed connector by kind; each is loaded on first access.

    Raises:
        Failure: On access, when the connector's package cannot be loaded.
    """
    return _Plugins({point.name: point for point in entry_points(group=GROUP)})


def find_connector(kind: str) -> Source:
    """Return the connector of a kind.

    Raises:
        Misuse: If no connector has this kind.
        Failure: If the connector's package cannot be loaded.
    """
    found = connectors()
    if kind not in found:
        raise Misuse(
            f"{kind!r} is no kind of source; expected one of {', '.join(found)}.",
            "Choose a kind from the list, or install the connector's package.",
        )
    return found[kind]


@cache
def _load(point: EntryPoint) -> Source:
    try:
        made = point.load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise Failure(
            f"The connector {point.name!r} ({point.value}) cannot be loaded: {error}.",
            "Update or remove the package that brings it.",
        ) from error
    if not isinstance(made, Connector | RemoteConnector):
        raise Failure(
            f"The connector {point.name!r} ({point.value}) has no kind, accepts or "
            "read (fetch, of what is no file).",
            "Update or remove the package that brings it.",
        )
    return made
