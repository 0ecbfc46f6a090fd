"""Results of runs as Parquet: one file a run, so that a kill costs one run at most."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cartwheel.errors import Failure

Array = np.ndarray[Any, Any]
Key = tuple[str, str, int, str]

RESULTS = "results.parquet"
"""Name of the flat table of all runs, beside their files."""

_FORMAT = {b"cartwheel_referee": b"1"}
_CURRENCY = b"cartwheel_currency"
_PLAIN = [
    ("world", pa.string()),
    ("size", pa.string()),
    ("seed", pa.int64()),
    ("arm", pa.string()),
    ("state", pa.string()),
    ("reason", pa.string()),
    ("seconds", pa.float64()),
    ("visits", pa.int64()),
    ("orders", pa.int64()),
    ("profit_minor", pa.int64()),
]
_KEY = ("world", "size", "seed", "arm")
_SCHEMA = pa.schema(
    [
        *_PLAIN,
        ("parts", pa.map_(pa.string(), pa.int64())),
        ("figures", pa.map_(pa.string(), pa.float64())),
        ("days", pa.map_(pa.string(), pa.list_(pa.float64()))),
    ],
    metadata=_FORMAT,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One arm played in one world.

    Attributes:
        world: Name of the world.
        size: Size it was played in.
        seed: Seed of the world; arms with the same seed met the same people.
        arm: Name of the arm.
        state: "done", or "failed" when the arm did not reach the last day.
        reason: Why it failed, "" when it is done.
        seconds: Time it took.
        visits: Visits after warm-up.
        orders: Orders after warm-up.
        profit_minor: Profit after warm-up, booked, in minor units.
        parts: Ledger components in minor units by name, costs negative, so that they
            add up to the profit.
        figures: Service figures by name, such as a fill rate.
        currency: Currency of its amounts, ISO 4217; "" when it is not known.
        days: Series by name, one value a day after warm-up, all of one length (days,).

    Raises:
        ValueError: If the state is neither or the series differ in length.
    """

    world: str
    size: str
    seed: int
    arm: str
    state: Literal["done", "failed"]
    reason: str = ""
    seconds: float = 0.0
    visits: int = 0
    orders: int = 0
    profit_minor: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    days: Mapping[str, Array] = field(default_factory=dict)
    currency: str = ""

    def __post_init__(self) -> None:
        if self.state not in ("done", "failed"):
            raise ValueError(f"state is {self.state!r}; expected 'done' or 'failed'")
        lengths = {name: np.shape(series) for name, series in self.days.items()}
        if len(set(lengths.values())) > 1 or any(len(s) != 1 for s in lengths.values()):
            raise ValueError(f"days have shapes {lengths}; expected one length for all")

    @property
    def key(self) -> Key:
        """World, size, seed and arm."""
        return (self.world, self.size, self.seed, self.arm)


def file_name(key: Key) -> str:
    """Return the name of a run's file.

    Whatever is no letter or digit becomes a dash, so a part of a digest keeps apart the
    runs whose names then look alike.
    """
    text = "-".join(str(part) for part in key)
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:100]
    digest = hashlib.blake2b(repr(key).encode("utf-8", "backslashreplace"))
    return f"{plain}-{digest.hexdigest()[:8]}.parquet"


def write_run(folder: Path, run: Run) -> Path:
    """Write a run's file, whole or not at all, over an earlier one of the same run.

    Args:
        folder: Folder of the results, made when there is none.
        run: The run.

    Returns:
        The file.

    Raises:
        Failure: If the file cannot be written.
    """
    row = {name: getattr(run, name) for name, _ in _PLAIN}
    row["reason"] = run.reason.encode("utf-8", "replace").decode("utf-8")
    row["parts"] = [(name, int(value)) for name, value in run.parts.items()]
    row["figures"] = [(name, float(value)) for name, value in run.figures.items()]
    row["days"] = [
        (name, np.asarray(series, float).tolist()) for name, series in run.days.items()
    ]
    path = folder / file_name(run.key)
    # Beside the columns, so that results from before it was kept are still read.
    named = _SCHEMA.with_metadata({**_FORMAT, _CURRENCY: run.currency.encode()})
    _write_parquet(pa.Table.from_pylist([row], schema=named), path)
    return path


def read_runs(folder: Path) -> list[Run]:
    """Return every run of a folder, sorted by world, size, seed and arm.

    Raises:
        Failure: If a file cannot be read, is no run, or two hold the same run.
    """
    found: dict[Key, tuple[Path, Run]] = {}
    for path in _files(folder):
        run = _run(_read(path), path)
        if run.key in found:
            raise Failure(
                f"{found[run.key][0].name} and {path.name} in {folder} hold the same "
                f"run: {', '.join(map(str, run.key))}.",
                "Delete the copy, or the world would be counted twice.",
            )
        found[run.key] = (path, run)
    return [found[key][1] for key in sorted(found)]


def done(folder: Path) -> set[Key]:
    """Return which runs need not be played again; failed ones are not among them.

    Raises:
        Failure: If a file cannot be read or is no run.
    """
    rows = [_read(path, [*_KEY, "state"]) for path in _files(folder)]
    return {
        (row["world"], row["size"], row["seed"], row["arm"])
        for row in rows
        if row["state"] == "done"
    }


def to_table(runs: Sequence[Run]) -> pa.Table:
    """Return runs as a flat table: one row a run, one column a part and a figure.

    Columns of parts begin with `part_` and end with `_minor`, those of figures begin
    with `figure_`; a run without one has null there. Series by day are left out.
    """
    schema = [pa.field(name, type_) for name, type_ in _PLAIN]
    schema.append(pa.field("currency", pa.string()))
    columns = [[getattr(run, one.name) for run in runs] for one in schema]
    for part in sorted({name for run in runs for name in run.parts}):
        schema.append(pa.field(f"part_{part}_minor", pa.int64()))
        columns.append([run.parts.get(part) for run in runs])
    for figure in sorted({name for run in runs for name in run.figures}):
        schema.append(pa.field(f"figure_{figure}", pa.float64()))
        columns.append([run.figures.get(figure) for run in runs])
    arrays = [
        pa.array(column, one.type) for column, one in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(schema))


def write_table(folder: Path, runs: Sequence[Run]) -> Path:
    """Write the flat table of runs to `results.parquet` and return the file.

    Raises:
        Failure: If the file cannot be written.
    """
    path = folder / RESULTS
    _write_parquet(to_table(runs), path)
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.parquet") if p.name != RESULTS)


def settle(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all, so that a kill leaves no half of one.

    Args:
        path: The file; folders above it are made.
        write: Writes its content.

    Raises:
        Failure: If it cannot be written.
    """
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: two processes may play the same run by mistake.
        handle, name = tempfile.mkstemp(".part", f"{path.stem[:60]}.", path.parent)
        beside = Path(name)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        raise Failure(
            f"{path} cannot be written: {error}.",
            "Make room or allow writing there, then start again; whole files are kept.",
        ) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    """Return the mask that new files get; a temporary file is for its owner only."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_parquet(table: pa.Table, path: Path) -> None:
    settle(path, lambda file: pq.write_table(table, file, compression="zstd"))


def _read(path: Path, columns: list[str] | None = None) -> dict[str, Any]:
    try:
        schema = pq.read_schema(path)
        if (
            schema.equals(_SCHEMA)
            and (schema.metadata or {}).items() >= _FORMAT.items()
        ):
            rows: list[dict[str, Any]] = pq.read_table(
                path, columns=columns, partitioning=None
            ).to_pylist()
            if len(rows) == 1:
                currency = (schema.metadata or {}).get(_CURRENCY, b"").decode()
                return {**rows[0], "currency": currency}
    except (OSError, pa.ArrowException) as error:
        raise Failure(
            f"The result {path} cannot be read: {error}.",
            "Delete it and start again; only this run is played again.",
        ) from error
    raise Failure(
        f"{path} is not a result of a run.",
        "Move it elsewhere; a folder of results holds nothing but results.",
    )


def _run(row: Mapping[str, Any], path: Path) -> Run:
    values = {name: row[name] for name, _ in _PLAIN}
    try:
        return Run(
            **values,
            parts=dict(row["parts"]),
            figures=dict(row["figures"]),
            days={name: np.asarray(series, float) for name, series in row["days"]},
            currency=row["currency"],
        )
    except (TypeError, ValueError) as error:
        raise Failure(
            f"The result {path} does not hold together: {error}.",
            "Delete it and start again; only this run is played again.",
        ) from error
