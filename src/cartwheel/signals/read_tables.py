"""Tables by name that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class ReadTables(Mapping[str, "pa.Table"]):
    """Tables of which each is made at its first reading, after what it is made from.

    Args:
        names: Names that can be read, in the order to be gone through.
        reads: By name, these and steps between them: the steps each is made from.
        run: Makes one; returns its rows, or None for a step, which keeps its own.

    Attributes:
        failed: The last error in making one, whoever caught it; None without any.
    """

    def __init__(
        self,
        names: Iterable[str],
        reads: Mapping[str, Iterable[str]],
        run: Callable[[str], pa.Table | None],
    ) -> None:
        self._names = tuple(names)
        self._reads = reads
        self._run = run
        self._made: dict[str, pa.Table | None] = {}
        self._open = True
        self.failed: Exception | None = None

    def __getitem__(self, name: str) -> pa.Table:
        """Return a table; make it unless it was read before.

        Raises:
            KeyError: If there is none of that name.
            RuntimeError: If the tables were let go.
            Exception: What it could not be made for.
        """
        if name not in self:
            raise KeyError(name)
        if not self._open:
            raise RuntimeError(f"table {name} is read after the tables were let go")
        if name not in self._made:
            try:
                self._make(name)
            except Exception as error:
                self.failed = error
                raise
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether a table can be read, without making it."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many can be read."""
        return len(self._names)

    def _make(self, name: str) -> None:
        for step in self._reads.get(name, ()):
            if step not in self._made:
                self._make(step)
        self._made[name] = self._run(name)

    def close(self) -> None:
        """Let all tables go."""
        self._open = False
        self._made.clear()
