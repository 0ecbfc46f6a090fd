"""What a text service answered this turn, kept so that the turn can be replayed."""

from __future__ import annotations

from cartwheel.signals.base import Field, Signal


def _said(name: str, doc: str) -> Field:
    return Field(name=name, type="text", unit="", doc=doc, neutral=None)


DRAFTS = Signal(
    name="drafts",
    keys=(
        Field(
            name="request",
            type="text",
            unit="",
            doc="Hash of the model and of all that was sent.",
        ),
    ),
    fields=(
        _said("model", "Model that was asked."),
        _said("sentences", "Its draft, a JSON list of texts with the facts they cite."),
        _said("failed", "Why there is no draft; null where there is one."),
    ),
    writer="text service",
    doc="Paragraphs that the shop's text service drafted, before they are checked.",
    optional=True,
)
