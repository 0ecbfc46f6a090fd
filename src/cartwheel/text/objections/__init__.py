"""What keeps people from buying: twelve classes, told from a sentence by rules."""

from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.corrections import (
    Correction,
    Standing,
    sentence_key,
    standing,
)
from cartwheel.text.objections.rules import (
    LANGUAGES,
    MOST,
    Phrase,
    Said,
    phrases_of,
    read_sentence,
)

__all__ = [
    "CLASSES",
    "LANGUAGES",
    "MOST",
    "Correction",
    "Phrase",
    "Said",
    "Standing",
    "phrases_of",
    "read_sentence",
    "sentence_key",
    "standing",
]
