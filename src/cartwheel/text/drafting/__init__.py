"""Drafts by a text service of the shop's choice: asked for with facts, and checked."""

from cartwheel.text.drafting.answer import Sentence
from cartwheel.text.drafting.ask import Answer, ask
from cartwheel.text.drafting.port import ServiceFailed, Terms, TextService, Wishes
from cartwheel.text.drafting.request import DraftRequest, Fact

__all__ = [
    "Answer",
    "DraftRequest",
    "Fact",
    "Sentence",
    "ServiceFailed",
    "Terms",
    "TextService",
    "Wishes",
    "ask",
]
