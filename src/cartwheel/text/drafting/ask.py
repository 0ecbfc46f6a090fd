"""Asking a text service for a draft: once more where it failed, then no more.

No I/O here: the service does it, and a test answers in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.text.drafting.answer import Sentence, Unreadable, read_answer
from cartwheel.text.drafting.port import ServiceFailed, TextService
from cartwheel.text.drafting.request import SCHEMA, DraftRequest

TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request.

    Attributes:
        sentences: The draft; empty where there is none.
        failed: Why there is none, "" where there is one.
    """

    sentences: tuple[Sentence, ...] = ()
    failed: str = ""


def ask(service: TextService, request: DraftRequest) -> Answer:
    """Return a service's draft, or why there is none.

    Args:
        service: The service.
        request: What is wanted.
    """
    known = [one.id for one in request.facts]
    messages = list(request.messages())
    why = ""
    for _ in range(TRIES):
        try:
            text = service.complete(messages, SCHEMA)
            return Answer(sentences=read_answer(text, known))
        except ServiceFailed as error:
            why = str(error)
        except Unreadable as error:
            why = f"its answer cannot be used: {error}"
            # Only words of ours: what it wrote is not handed back to it.
            said = f"Your answer cannot be used: {error}. Answer anew, with JSON only."
            messages = [*request.messages(), {"role": "user", "content": said}]
    return Answer(failed=why)
