"""Words that are added to pages, by language, and texts in one form for comparing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cartwheel.text.tokens import fold


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """Return headings, names of attributes, promises and photo lists in a language."""
    text = files(__package__).joinpath("words", f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def plain(text: str) -> str:
    """Return a text's words in one form, with a space between."""
    return " ".join(re.findall(r"[^\W_]+", fold(text)))
