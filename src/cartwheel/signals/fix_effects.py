"""What tests of page fixes found, by kind of fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, SignalType, When

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_fix_effects(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the newest estimate of every kind that a test told by the cut-off."""
    found = facts["fix_effects"]
    return found.select(*FIX_EFFECTS.column_names)


def _value(name: str, type_: SignalType, unit: str, doc: str) -> Field:
    return Field(name=name, type=type_, unit=unit, doc=doc, neutral=None)


FIX_EFFECTS = Signal(
    name="fix_effects",
    keys=(
        Field(
            name="objection",
            type="text",
            unit="",
            doc="Objection that fixes of this kind answer.",
        ),
        Field(name="form", type="text", unit="", doc="What such a fix is called."),
    ),
    fields=(
        _value("experiments", "text", "", "Tests it rests on, a name a line."),
        _value("fixed", "int", "products", "Products whose page was to be mended."),
        _value("held_out", "int", "products", "Products left alone."),
        _value("shown", "int", "visitors", "Visitors to be shown such a fix."),
        _value("not_shown", "int", "visitors", "Visitors to be shown none."),
        _value(
            "counted",
            "text",
            "",
            "What was counted: all returns, returns for the objection, or messages.",
        ),
        _value("control_rate", "float", "share", "Times a unit sold, left alone."),
        _value("change", "float", "share", "Change of that rate by a fix."),
        _value("change_low", "float", "share", "Lower end of its 95 % interval."),
        _value("change_high", "float", "share", "Upper end."),
        _value(
            "share",
            "float",
            "share",
            "Share of the objection that a fix takes back, drawn to other kinds'.",
        ),
        _value("share_low", "float", "share", "Lower end of its 95 % interval."),
        _value("share_high", "float", "share", "Upper end."),
        _value("harm", "text", "", "What a test told it does harm to."),
    ),
    writer="lake",
    doc="What tests of page fixes found, by objection and form.",
    facts=("fix_effects",),
    reads=(),
    lagged=False,
    freshness_days=365,
    make=make_fix_effects,
)
