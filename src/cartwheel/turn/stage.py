"""What a turn keeps on disk while it runs and after it is published.

    turns/000007/
      signals/NAME.parquet    signals made from the lake or written by a lever
      lagged/NAME.parquet     signals the previous turn wrote, as this turn saw them
      asked/drafts.parquet    what a text service answered, where the shop has one
      models/LEVER/           arrays and model.json
      runs/LEVER.json         state, rule, reason, seconds, report
      cards/                  what a storefront page shows of each product
      decisions/LEVER.jsonl   decisions as the lever made them

Every file is written beside its place and renamed, so a killed step leaves either the
whole file or none, and running the step again is safe.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartwheel.levers.base import Model

if TYPE_CHECKING:
    import pyarrow as pa


ASKED = "asked"
"""Part of a turn's folder that holds what was asked outside of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The folder of one turn."""

    folder: Path

    def write_table(self, part: str, name: str, table: pa.Table) -> None:
        """Write a signal as Parquet under `signals`, `lagged` or `asked`."""
        import pyarrow.parquet as pq

        path = self.folder / part / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        pq.write_table(table, beside)
        _settle(beside, path)

    def read_tables(self, part: str) -> dict[str, pa.Table]:
        """Return every signal under `signals`, `lagged` or `asked`, by name."""
        import pyarrow.parquet as pq

        return {
            path.stem: pq.read_table(path)
            for path in sorted((self.folder / part).glob("*.parquet"))
        }

    def write_model(self, lever: str, model: Model) -> None:
        """Write a lever's model, replacing an earlier one."""
        self._write_arrays(self.folder / "models" / lever, model)

    def write_cards(self, cards: Model) -> None:
        """Write what a page shows of each product, replacing an earlier try."""
        self._write_arrays(self.folder / "cards", cards)

    def read_model(self, lever: str, *, mapped: bool = False) -> Model | None:
        """Return a lever's model, or None when it has none."""
        place = self.folder / "models" / lever
        return Model.load(place, mapped=mapped) if place.is_dir() else None

    def write_json(self, part: str, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON object."""
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        self._write_text(self.folder / part / f"{name}.json", text)

    def read_json(self, part: str, name: str) -> dict[str, Any] | None:
        """Return a JSON object, or None when it was not written."""
        path = self.folder / part / f"{name}.json"
        if not path.is_file():
            return None
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return value

    def write_lines(self, part: str, name: str, lines: Iterable[str]) -> None:
        """Write texts one a line."""
        text = "".join(f"{line}\n" for line in lines)
        self._write_text(self.folder / part / f"{name}.jsonl", text)

    def read_lines(self, part: str, name: str) -> list[str]:
        """Return texts written by `write_lines`; none when there is no file."""
        path = self.folder / part / f"{name}.jsonl"
        if not path.is_file():
            return []
        # Not splitlines(): it also breaks at separators that JSON leaves unescaped.
        return path.read_text(encoding="utf-8").split("\n")[:-1]

    def _write_arrays(self, place: Path, model: Model) -> None:
        beside = place.with_name(f"{place.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        model.save(beside)
        shutil.rmtree(place, ignore_errors=True)
        os.replace(beside, place)

    def _write_text(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        beside.write_text(text, encoding="utf-8", newline="\n")
        _settle(beside, path)


def _settle(beside: Path, path: Path) -> None:
    with open(beside, "rb") as handle:
        os.fsync(handle.fileno())
    os.replace(beside, path)
