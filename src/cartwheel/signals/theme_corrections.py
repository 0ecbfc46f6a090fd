"""What the merchant says of how texts are read, in the order in which it was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_theme_corrections(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return every correction ever made; those taken back have a row that says so."""
    import ibis

    said = facts["theme_corrections"]
    order = ibis.window(order_by=[said.made_at, said.correction_id])
    return said.select(
        "correction_id",
        "kind",
        "objection",
        "into_objection",
        "sentence",
        "beside",
        "words",
        "title",
        "takes_back",
        position=ibis.row_number().over(order),
    )


def _said(name: str, doc: str) -> Field:
    return Field(name=name, type="text", unit="", doc=doc, neutral=None)


THEME_CORRECTIONS = Signal(
    name="theme_corrections",
    keys=(Field(name="correction_id", type="text", unit="", doc="Correction."),),
    fields=(
        Field(
            name="position",
            type="int",
            unit="",
            doc="Place in the order in which they were made, from 0.",
            neutral=None,
        ),
        _said("kind", "not_this, move, merge, split, teach, dismiss or take_back."),
        _said("objection", "Class it is about, null for none."),
        _said("into_objection", "Class instead, of a move, a merge or a teaching."),
        _said("sentence", "Fingerprint of the sentence, of not_this or a move."),
        _said("beside", "Fingerprints of the sentences that were shown beside it."),
        _said("words", "Words of a split or a new theme, a line each."),
        _said("title", "Name of a split or of the new theme."),
        _said("takes_back", "Correction that is taken back."),
    ),
    writer="lake",
    doc="What the merchant says of how texts are read.",
    facts=("theme_corrections",),
    reads=(),
    lagged=False,
    freshness_days=365,
    make=make_theme_corrections,
)
