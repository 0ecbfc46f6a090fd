"""Which language a text is in, or nothing where it is too short to tell."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SHORTEST = 20
"""Characters from which a language is told; "too small" would be Oromo."""

LONGEST = 1_000
"""Characters looked at."""

LANGUAGES = (
    *("ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hr"),
    *("hu", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk"),
    *("sl", "sv", "th", "tr", "uk", "vi", "zh"),
)
"""Languages told apart, by ISO 639-1."""


def language_of(text: str) -> str:
    """Return the language of a text as ISO 639-1, "" for one that is too short."""
    seen = text[:LONGEST].strip()
    if len(seen) < SHORTEST:
        return ""
    # Half of a surrogate pair is no text for the model.
    found: str = _model().classify(seen.encode("utf-8", "replace").decode())[0]
    return found


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(list(LANGUAGES))
    return model
