"""One thing the shop knows of a place, with its numbers and the page behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_EACH = 3
"""Themes, searches or fixes told of one place."""

VOICE = ("/voice", "Voice")
SUPPORT = ("/support", "Support")
SEARCH = ("/levers/search", "Search")
STOCK = ("/levers/replenish", "Reorders")
KPIS = ("/kpis", "KPIs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Something known of the place of a drop-off.

    Attributes:
        what: theme, stock, search, contacts, page_fix or delivery.
        says: One sentence with its numbers.
        numbers: The numbers by name.
        page: Address of the console page behind it.
        page_title: What that page is called.
        quote: A customer's words, masked, "" for none.
    """

    what: str
    says: str
    numbers: Mapping[str, Any]
    page: str
    page_title: str
    quote: str = ""
