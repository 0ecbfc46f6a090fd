"""What shoppers look for and do not find, written by search for whoever can mend it."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal


def _count(name: str, unit: str, doc: str) -> Field:
    return Field(name=name, type="int", unit=unit, doc=doc, neutral=0)


WEAK_SEARCHES = Signal(
    name="weak_searches",
    keys=(
        Field(
            name="query",
            type="text",
            unit="",
            doc="Search text, lower case, spaces folded.",
        ),
    ),
    fields=(
        _count("searches", "events", "Searches in the last 90 days."),
        _count("without_result", "events", "Of these, with no result."),
        _count("clicks", "events", "Products opened after one."),
        _count("found", "products", "Products on sale that say all of its words."),
        _count("sold_out", "products", "Products that do, and cannot be bought now."),
        Field(
            name="category",
            type="text",
            unit="",
            doc="Category it asks for, going by what was opened, else by its words.",
            neutral=None,
        ),
        Field(
            name="missed_minor",
            type="int",
            unit="minor",
            doc="At most missed: searches without result times what others put into "
            "carts; null where that is unknown.",
            neutral=None,
        ),
    ),
    writer="search",
    doc="Queries that find nothing, or nothing that is opened.",
)
