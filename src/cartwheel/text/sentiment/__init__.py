"""Whether a text recommends, and what it holds of each thing it speaks of."""

from cartwheel.text.sentiment.aspects import Aspects, fit_aspects
from cartwheel.text.sentiment.recommends import Recommends, fit

__all__ = ["Aspects", "Recommends", "fit", "fit_aspects"]
