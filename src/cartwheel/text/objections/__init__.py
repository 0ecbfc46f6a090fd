"""What keeps people from buying: twelve classes, told from a sentence by rules."""

from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.rules import LANGUAGES, MOST, Said, read_sentence

__all__ = ["CLASSES", "LANGUAGES", "MOST", "Said", "read_sentence"]
