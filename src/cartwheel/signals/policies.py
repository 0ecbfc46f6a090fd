"""What the shop promises: shipping, returns, guarantee and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When

if TYPE_CHECKING:
    import ibis.expr.types as ir


def make_policies(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return the policies in force."""
    return facts["policies"].select("policy_id", "topic", "title", "body")


def _said(name: str, doc: str) -> Field:
    return Field(name=name, type="text", unit="", doc=doc, neutral=None)


POLICIES = Signal(
    name="policies",
    keys=(Field(name="policy_id", type="text", unit="", doc="Policy."),),
    fields=(
        _said(
            "topic", "shipping, returns, payment, guarantee, privacy, contact, other."
        ),
        _said("title", "Heading."),
        _said("body", "Text, without mark-up."),
    ),
    writer="lake",
    doc="What the shop promises, a text for each topic.",
    facts=("policies",),
    reads=(),
    lagged=False,
    freshness_days=90,
    make=make_policies,
)
