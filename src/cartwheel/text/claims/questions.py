"""Of what a question asks, and of what a sentence tells, by its first words."""

from __future__ import annotations

import re

_PLACE = re.compile(r"\b(?:in|during|at|on) ((?:the )?[a-z]{2,20})\?$")


def place(question: str) -> str:
    """Return where or when a question asks about: "in winter", "in the bathroom".

    A no followed by what is to be done, or by what it is not fit for, speaks of it.
    """
    found = _PLACE.search(question)
    return found[1] if found else ""


_IT = re.compile(r"(?:it|they|this|that|these) ")
_SUBJECT = re.compile(
    r"(?:is|are|does|do|can|could|will|has|have|may) (?:the|this|these|your|an?) "
    r"((?:[a-z-]{3,20} )?[a-z-]{2,20}) (?:be|have|fit|come|go|make|contain|include"
    r"|included|supplied|removable|replaceable|detachable|adjustable|waterproof)\b"
)


_COMES_WITH = re.compile(r"\b(?:includ|suppli|come)")


def subject(question: str, rest: str) -> str:
    """Return of what a question asks: "a rain cover", of which the answer goes on.

    "No, it can be bought": it is the cover that is asked about. After "is it included?"
    only such an "it" says so.

    Args:
        question: The question.
        rest: The answer after its no.
    """
    found = _SUBJECT.match(question)
    if not found or (_COMES_WITH.search(question) and not _IT.match(rest)):
        return ""
    return found[1]


_SUBJECTS = re.compile(
    r"((?:[a-z0-9-]+ ){1,6}?)(?:takes?|is|are|can|cannot|has|have|costs?|must|may|will"
    r"|runs?|lasts?|comes?|covers?)\b"
)


def opening(plain: str) -> str:
    """Return of what a sentence tells: what stands before its verb, "" for unknown."""
    found = _SUBJECTS.match(plain)
    return found[1] if found else ""
