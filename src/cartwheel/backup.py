"""Backup of a shop into one file, and restore."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from pathlib import Path

from cartwheel.errors import Failure, Misuse
from cartwheel.settings import FILE_NAME
from cartwheel.shop import WORLD, Shop, open_shop

DATABASES = ("workflows.sqlite", "operations.sqlite", "lake/catalogue.sqlite")
"""In this order: a step that workflows call done is then done in what is copied after
it, so a turn that runs meanwhile can be resumed from the backup."""

FOLDERS = ("lake/data", "turns", "outbox", WORLD)


def write_backup(shop: Shop, file: Path) -> int:
    """Write the whole shop into one `.tar.gz`; return its size in bytes.

    Writers wait while it runs, so that catalogue, Parquet files and ledger belong
    together. The file appears under its name only when it is complete.

    Raises:
        Misuse: If the file exists, or the shop keeps its data in PostgreSQL.
        Failure: If it cannot be written.
    """
    if file.exists():
        raise Misuse(f"{file} already exists.", "Choose another name.")
    if shop.settings.database_url or shop.settings.lake_catalogue_url:
        raise Misuse(
            "This shop keeps databases in PostgreSQL, which this command cannot copy.",
            "Back those up with pg_dump and copy the shop's folder.",
        )
    partial = file.with_name(file.name + ".part")
    try:
        with (
            shop.lake.lock(),
            tempfile.TemporaryDirectory(dir=shop.folder) as copies,
            tarfile.open(partial, "w:gz", compresslevel=3) as archive,
        ):
            archive.add(shop.folder / FILE_NAME, FILE_NAME)
            for name in DATABASES:
                _add_database(archive, shop.folder / name, name, Path(copies))
            for name in FOLDERS:
                if (shop.folder / name).exists():
                    archive.add(shop.folder / name, name)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Failure(
            f"The backup could not be written: {error.strerror or error}.",
            "Check the folder and free disk space.",
        ) from error
    return file.stat().st_size


def restore_backup(file: Path, folder: Path) -> Shop:
    """Restore a shop into a new or empty folder, all of it or nothing.

    Raises:
        Misuse: If the file is missing or not a backup, or the folder is not empty.
        Failure: If the folder cannot be written.
    """
    if not file.is_file():
        raise Misuse(f"There is no file {file}.", "Check the path.")
    folder = folder.expanduser().resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misuse(
            f"{folder} is not an empty folder.",
            "Name a new folder with --shop.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".restore-"))
    try:
        _check_whole(file)
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(beside, filter="data")
        if not (beside / FILE_NAME).is_file():
            raise Misuse(f"{file} holds no shop.", "Name a file written by backup.")
        if folder.exists():
            folder.rmdir()
        beside.chmod(0o700)
        beside.rename(folder)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Misuse(
            f"{file} is not a complete backup: {str(error).rstrip('.')}.",
            "Nothing was restored. Use another backup.",
        ) from error
    except OSError as error:
        raise Failure(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Nothing was restored. Check its permissions and the free disk space.",
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_shop(folder)


def _check_whole(file: Path) -> None:
    """Read the file to its end, where gzip keeps a checksum.

    `tarfile` takes a damaged header in the middle for the end of the archive.
    """
    with gzip.open(file) as stream:
        while stream.read(1 << 20):
            pass


def _add_database(
    archive: tarfile.TarFile, source: Path, name: str, copies: Path
) -> None:
    if not source.exists():
        return
    copy = copies / name.replace("/", "-")
    # SQLite's own backup gives a consistent copy while others write.
    with sqlite3.connect(source) as live, sqlite3.connect(copy) as target:
        live.backup(target)
    live.close()
    target.close()
    archive.add(copy, name)
