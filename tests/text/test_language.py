"""The language of a text, and nothing for one that is too short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.language import LANGUAGES, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I love this dress, but it was too tight in the shoulders.", "en"),
        ("O produto ainda não chegou e ninguém responde.", "pt"),
        ("Sehr gute Qualität, aber leider viel zu klein.", "de"),
        ("El producto llegó roto y nadie me contesta.", "es"),
        ("La taille est trop petite, je suis déçue.", "fr"),
        ("too small", ""),
        ("", ""),
    ],
)
def test_a_language_is_told(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_has_a_language_or_none(text: str) -> None:
    assert language_of(text) in ("", *LANGUAGES)
