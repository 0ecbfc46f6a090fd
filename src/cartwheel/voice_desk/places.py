"""Where in what a turn published of themes somebody is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cartwheel.errors import NotFound
from cartwheel.voice_desk.shown import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A theme of a class, one product of it, or a theme beneath it.

    Attributes:
        theme: What the turn published of the theme.
        product: What it published of one product of it, None for all of them.
        split: The theme of its own beneath it that is looked at, None for none.
    """

    theme: Mapping[str, Any]
    product: Mapping[str, Any] | None = None
    split: Mapping[str, Any] | None = None

    @property
    def quotes(self) -> list[Mapping[str, Any]]:
        """Quotes that are shown here together: of one product."""
        return [] if self.product is None else list(self.product["quotes"])

    @property
    def shown(self) -> Shown:
        """The sentences that can be corrected here."""
        keys = tuple(dict.fromkeys(str(one["key"]) for one in self.quotes))
        return Shown(objection=str(self.theme["objection"]), keys=keys)


def find_place(
    published: Mapping[str, Any], objection: str, product: str | None, split: str | None
) -> Place:
    """Return a place of what a turn published.

    Args:
        published: What the turn published of themes, {} for nothing.
        objection: Class.
        product: Product of it, None for all.
        split: Correction that made a theme beneath it, None for none.

    Raises:
        NotFound: If nobody said such a thing.
    """
    found = _named(published.get("themes", ()), "objection", objection)
    beneath = _named(found["splits"], "correction_id", split) if split else None
    if product is None:
        return Place(theme=found, split=beneath)
    one = _named((beneath or found)["products"], "product_id", product)
    return Place(theme=found, product=one, split=beneath)


def find_fresh(published: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a new theme that a turn published.

    Args:
        published: What the turn published of themes, {} for nothing.
        key: What the theme is known by.

    Raises:
        NotFound: If it published no such theme.
    """
    return _named(published.get("fresh", ()), "key", key)


def find_own(published: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a theme of the shop's own that stands beneath no class.

    Args:
        published: What the turn published of themes, {} for nothing.
        name: Correction that made it.

    Raises:
        NotFound: If it published no such theme.
    """
    return _named(published.get("own", ()), "correction_id", name)


def _named(rows: Iterable[Mapping[str, Any]], key: str, name: str) -> Mapping[str, Any]:
    found = next((one for one in rows if one[key] == name), None)
    if found is None:
        raise NotFound(
            f"The published turn tells nothing of {name[:80]!r} here.",
            "See the themes on the page Voice.",
        )
    return dict(found)
