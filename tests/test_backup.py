"""Backup and restore: the same shop elsewhere, or nothing and a clear line."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cartwheel.backup import DATABASES, restore_backup, write_backup
from cartwheel.errors import Failure, Misuse
from cartwheel.ledger.replay import drawn, replay
from cartwheel.ledger.store import list_decisions
from cartwheel.measure.freshness import table_states
from cartwheel.operations import reading
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.turn.workflow import list_turns
from tests.turned import Turned, turned_in


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def archive(turned: Turned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("backup") / "shop.tar.gz"
    assert write_backup(turned.shop, file) == file.stat().st_size > 10_000
    return file


def everything(shop: Shop) -> list[object]:
    """Return what a person sees of a shop."""
    with reading(shop.database) as con:
        pages = con.exec_driver_sql("SELECT * FROM pages ORDER BY 1, 2").all()
        moves = con.exec_driver_sql("SELECT * FROM transitions ORDER BY seq").all()
    return [
        shop.settings,
        table_states(shop),
        list_turns(shop),
        list_decisions(shop.database, limit=None),
        [tuple(row) for row in pages],
        [tuple(row) for row in moves],
    ]


def test_restored_shop_has_the_same_status_decisions_and_replay(
    turned: Turned, archive: Path, tmp_path: Path
) -> None:
    restored = restore_backup(archive, tmp_path / "copy")
    assert restored.folder == tmp_path / "copy"
    assert everything(restored) == everything(turned.shop)
    results = replay(restored, drawn(restored, 20, seed=2))
    assert len(results) == 20
    assert all(result.identical for result in results)


def test_only_the_owner_may_enter_the_restored_folder(
    archive: Path, tmp_path: Path
) -> None:
    restored = restore_backup(archive, tmp_path / "copy")
    assert restored.folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_restore_fills_an_empty_folder(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    assert (restore_backup(archive, tmp_path / "copy").folder / FILE_NAME).is_file()


def test_workflows_are_copied_before_what_they_speak_of(archive: Path) -> None:
    # A step that the workflows call done must be done in everything copied later.
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    places = [names.index(name) for name in DATABASES]
    assert DATABASES[0] == "workflows.sqlite"
    assert places == sorted(places)
    assert names.index("turns") > max(places)


def test_backup_refuses_an_existing_file(turned: Turned, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(Misuse, match="already exists"):
        write_backup(turned.shop, archive)
    assert archive.read_bytes() == before


def test_backup_into_no_folder_fails_and_leaves_nothing(
    turned: Turned, tmp_path: Path
) -> None:
    with pytest.raises(Failure, match="No such file or directory"):
        write_backup(turned.shop, tmp_path / "nowhere" / "x.tar.gz")
    assert list(tmp_path.iterdir()) == []


def test_backup_of_a_shop_on_postgresql_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(tmp_path / "s", currency="EUR")
    monkeypatch.setenv("CARTWHEEL_LAKE_CATALOGUE_URL", "dbname=x")
    with pytest.raises(Misuse, match="pg_dump"):
        write_backup(open_shop(shop.folder), tmp_path / "x.tar.gz")


# --- archives that are no good


def without_end(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_noise(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(range(250)) * 8 + data[middle + 2000 :]


def no_gzip(data: bytes) -> bytes:
    return b"this is no archive" * 100


def gzip_of_no_tar(data: bytes) -> bytes:
    return gzip.compress(b"this is no archive" * 100)


def nothing(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    "spoil", [without_end, with_noise, no_gzip, gzip_of_no_tar, nothing]
)
def test_spoilt_archive_restores_nothing(
    archive: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "spoilt.tar.gz"
    file.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(Misuse, match=r"spoilt\.tar\.gz is not a complete backup"):
        restore_backup(file, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["spoilt.tar.gz"]


def tar_with(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    with tarfile.open(file, "w:gz") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("lake/../../outside"),
        link("lake", "/etc"),
        link("lake", "../.."),
    ],
    ids=["up", "down-up", "absolute-link", "link-up"],
)
def test_archive_that_reaches_outside_restores_nothing(
    tmp_path: Path, member: tarfile.TarInfo
) -> None:
    file = tmp_path / "evil.tar.gz"
    settings = (tarfile.TarInfo(FILE_NAME), b'currency = "EUR"\n')
    tar_with(file, settings, (member, b""))
    with pytest.raises(Misuse, match="is not a complete backup"):
        restore_backup(file, tmp_path / "inner" / "copy")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "inner" / "outside").exists()
    assert list((tmp_path / "inner").iterdir()) == []


def test_archive_of_something_else_is_said(tmp_path: Path) -> None:
    file = tmp_path / "other.tar.gz"
    tar_with(file, (tarfile.TarInfo("letter.txt"), b"Dear"))
    with pytest.raises(Misuse, match="holds no shop"):
        restore_backup(file, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_missing_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="There is no file"):
        restore_backup(tmp_path / "none.tar.gz", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_restore_leaves_a_folder_in_use_alone(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "file").write_text("mine")
    for place in (tmp_path / "busy", tmp_path / "busy" / "file"):
        with pytest.raises(Misuse, match="is not an empty folder"):
            restore_backup(archive, place)
    assert (tmp_path / "busy" / "file").read_text() == "mine"
