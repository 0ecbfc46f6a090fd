"""The lever's own sentences, by language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cartwheel.text.asking.lexicon import LANGUAGES

USUAL = "en"


@cache
def sentences_in(language: str) -> Mapping[str, str]:
    """Return the sentences of a language, English for one there are none of.

    Args:
        language: ISO 639-1.
    """
    name = language if language in LANGUAGES else USUAL
    file = files("cartwheel.levers.support") / "wordlists" / f"{name}.toml"
    held: Mapping[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    return held
