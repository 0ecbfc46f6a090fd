"""What shoppers asked about products, and what the shop answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cartwheel.signals.base import Field, Signal, When
from cartwheel.signals.days import day_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

LONGEST_ANSWER = 2_000
"""Characters of a question or an answer that are kept."""


def make_questions(
    facts: Mapping[str, ir.Table], signals: Mapping[str, ir.Table], when: When
) -> ir.Table:
    """Return every question known, with its answer where there is one."""
    asked = facts["questions"]
    return asked.select(
        "question_id",
        "product_id",
        day=day_of(asked.asked_at, when),
        question=asked.question.substr(0, LONGEST_ANSWER),
        answer=asked.answer.substr(0, LONGEST_ANSWER),
    )


QUESTIONS = Signal(
    name="questions",
    keys=(Field(name="question_id", type="text", unit="", doc="Question."),),
    fields=(
        Field(
            name="product_id",
            type="text",
            unit="",
            doc="Product asked about.",
            neutral=None,
        ),
        Field(
            name="day",
            type="date",
            unit="",
            doc="Asked on, in the shop's time zone.",
            neutral=None,
        ),
        Field(name="question", type="text", unit="", doc="Question.", neutral=None),
        Field(
            name="answer",
            type="text",
            unit="",
            doc="The shop's answer; unknown while there is none.",
            neutral=None,
        ),
    ),
    writer="lake",
    doc="Questions about products, and the shop's answers.",
    facts=("questions",),
    reads=(),
    lagged=False,
    freshness_days=7,
    make=make_questions,
)
