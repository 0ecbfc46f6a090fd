"""A shop: one merchant's workspace on disk, and what opens it.

SHOP/
  cartwheel.toml        settings
  operations.sqlite     inbox, ledger, turns, users, keys
  workflows.sqlite      durable workflows of the turn
  lake/                 catalogue.sqlite, data/ (Parquet), writer.lock
  turns/000007/         what turn 7 staged and published: models, signals
  outbox/               files the shop sends out: purchase orders, price lists
  world/                a demo shop only: the made world behind it, by its last day
  storefront.key        a demo shop only: the key that stands in its storefront's pages
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from cartwheel.errors import Misuse
from cartwheel.lake.store import Lake
from cartwheel.operations import open_database
from cartwheel.settings import (
    FILE_NAME,
    Settings,
    check_settings,
    read_settings,
    write_settings,
)

WORLD = "world"
"""Folder of the made world behind a demo shop."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An open shop.

    Attributes:
        folder: Its folder.
        settings: Its settings.
    """

    folder: Path
    settings: Settings

    @property
    def lake(self) -> Lake:
        """Its lake."""
        return Lake(
            folder=self.folder / "lake",
            catalogue_url=self.settings.lake_catalogue_url,
        )

    @cached_property
    def database(self) -> Engine:
        """Its operational database, opened on first use."""
        return open_database(
            self.folder / "operations.sqlite", self.settings.database_url
        )

    @property
    def outbox(self) -> Path:
        """Folder of files the shop sends out."""
        return self.folder / "outbox"

    @property
    def worlds(self) -> list[Path]:
        """Folders of a demo shop's made world, named by its last day, oldest first."""
        if not self.settings.demo:
            return []
        return sorted(path for path in (self.folder / WORLD).glob("*") if _day(path))

    @property
    def lived_until(self) -> date | None:
        """Last day of the made world: a demo shop's today. None for other shops."""
        folders = self.worlds
        return _day(folders[-1]) if folders else None

    def turn_folder(self, number: int) -> Path:
        """Folder of what a turn staged and published."""
        return self.folder / "turns" / f"{number:06d}"


def _day(path: Path) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(path.name)
    return None


def open_shop(folder: Path) -> Shop:
    """Open a shop.

    Raises:
        Misuse: If the folder holds none or its settings are wrong.
    """
    folder = folder.expanduser().resolve()
    return Shop(folder=folder, settings=read_settings(folder))


def make_shop(
    folder: Path,
    *,
    currency: str,
    timezone: str = "UTC",
    name: str = "My shop",
    demo: bool = False,
    database_url: str | None = None,
    lake_catalogue_url: str | None = None,
    sections: Mapping[str, Mapping[str, str | int]] | None = None,
) -> Shop:
    """Make a new, empty shop.

    Args:
        folder: New or empty folder.
        currency: ISO 4217 code.
        timezone: IANA zone.
        name: Name of the shop.
        demo: The shop holds made data.
        database_url: PostgreSQL address of the operational database, if not SQLite.
        lake_catalogue_url: PostgreSQL connection string of the lake's catalogue.
        sections: Settings of sections such as `holdout` or `holdout.levers`, by
            section and name.

    Raises:
        Misuse: If the folder already holds a shop, is a file, or a value is wrong.
    """
    folder = folder.expanduser().resolve()
    if (folder / FILE_NAME).exists():
        raise Misuse(
            f"{folder} already holds a shop.",
            "Choose another folder, or use this one with --shop.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misuse(
            f"{folder} is not an empty folder.", "Choose an empty or new folder."
        )
    values: dict[str, str | bool] = {
        "name": name,
        "currency": currency,
        "timezone": timezone,
    }
    if demo:
        values["demo"] = True
    if database_url:
        values["database_url"] = database_url
    if lake_catalogue_url:
        values["lake_catalogue_url"] = lake_catalogue_url
    more: dict[str, Any] = {}
    for section, held in (sections or {}).items():
        place = more
        for part in section.split("."):
            place = place.setdefault(part, {})
        place.update(held)
    settings = check_settings({**values, **more}, folder / FILE_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
    except OSError as error:
        raise Misuse(
            f"{folder} cannot be made: {error.strerror}.", "Choose another folder."
        ) from error
    shop = Shop(folder=folder, settings=settings)
    shop.lake.create()
    _ = shop.database
    # Written last: a folder is a shop only once everything in it exists.
    write_settings(folder, values, sections or {})
    return shop
