"""An answer of a text service, which is not trusted until it was read here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from cartwheel.text.drafting.request import LONGEST_SENTENCE, MOST_SENTENCES

_Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_SENTENCE, strict=True
    ),
]


class Sentence(BaseModel):
    """One sentence of a draft.

    Attributes:
        text: What it says.
        facts: Ids of the facts it says that it rests on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: _Text
    facts: tuple[_Text, ...]


class _Sentences(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sentences: tuple[Sentence, ...]


class Unreadable(ValueError):
    """Raised for an answer that keeps no schema; says why in words of ours."""


def read_answer(text: str, known: Collection[str]) -> tuple[Sentence, ...]:
    """Return the sentences of an answer.

    Args:
        text: The answer, as it came.
        known: Ids of the facts that were sent.

    Raises:
        Unreadable: If it is no JSON, keeps not to the schema, holds no or too many
            sentences, or cites none or unknown facts.
    """
    try:
        found = _Sentences.model_validate_json(text).sentences
    except (ValidationError, UnicodeError, RecursionError):
        raise Unreadable("it is not the JSON that was asked for") from None
    if not 0 < len(found) <= MOST_SENTENCES:
        raise Unreadable(f"it has {len(found)} sentences, not 1 to {MOST_SENTENCES}")
    for one in found:
        if not one.facts or not set(one.facts) <= set(known):
            raise Unreadable("a sentence cites no fact, or one that was not sent")
        if not one.text.isprintable():
            raise Unreadable("a sentence holds signs that nobody can read")
    return found
