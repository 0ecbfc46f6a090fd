"""What keeps people from buying, told by `voice` to whoever can mend it."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal


def _count(name: str, unit: str, doc: str) -> Field:
    return Field(name=name, type="int", unit=unit, doc=doc, neutral=0)


def _money(name: str, doc: str) -> Field:
    return Field(name=name, type="int", unit="minor", doc=doc, neutral=None)


OBJECTIONS = Signal(
    name="objections",
    keys=(
        Field(name="product_id", type="text", unit="", doc="Product."),
        Field(name="objection", type="text", unit="", doc="Code of its class."),
    ),
    fields=(
        _count(
            "mentions",
            "texts",
            "Texts that raise it, reasons of returns too.",
        ),
        _count("texts", "texts", "Reviews and messages about the product in a year."),
        _count("recent", "texts", "Texts of the last 28 days that raise it."),
        _count("before", "texts", "Of the 28 days before."),
        _count("contacts", "texts", "Messages among the texts that raise it."),
        _count("returned_units", "units", "Units that came back for it in a year."),
        _count("smaller", "texts", "Of size and fit: texts that find it too small."),
        _count("larger", "texts", "Of size and fit: texts that find it too large."),
        _count("displeased", "texts", "Texts that raise it in displeasure."),
        _money("stake_minor", "Money at stake a year; null where no part is known."),
        _money("low_minor", "Lower end of its 95 % interval."),
        _money("high_minor", "Upper end."),
        Field(
            name="quotes",
            type="text",
            unit="",
            doc="Up to three sentences that raise it, masked, the newest first, a line "
            "each.",
            neutral=None,
        ),
    ),
    writer="voice",
    doc="Objections by product: how often, how lately, and what they may cost.",
)
