"""What a customer wants, by a shop's own labelled messages; or that it cannot tell."""

from cartwheel.text.intents.fit import FLOOR, TooFewTexts, fit
from cartwheel.text.intents.model import Intents, Read

__all__ = ["FLOOR", "Intents", "Read", "TooFewTexts", "fit"]
