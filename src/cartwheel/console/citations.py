"""What was tried before on a lever, cited where its proposals are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartwheel.console.experiment_words import told
from cartwheel.console.formatting import Formatter
from cartwheel.measure.experiment.lessons import lessons_of
from cartwheel.measure.experiment.store import Record, list_experiments

if TYPE_CHECKING:
    from sqlalchemy import Engine

MOST_CITED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A closed experiment with what it taught.

    Attributes:
        record: The experiment.
        outcome: "failed", "open" or "worked".
        sentence: The verdict.
    """

    record: Record
    outcome: str
    sentence: str


def tried(
    records: Sequence[Record], fmt: Formatter, lever: str | None = None
) -> list[Tried]:
    """Return closed experiments, failures first, then the newest.

    Args:
        records: Experiments on record, newest first.
        fmt: Writes values.
        lever: Only those on this lever.
    """
    by_name = {record.terms.name: record for record in records}
    return [
        Tried(
            record=by_name[lesson.name],
            outcome=lesson.outcome,
            sentence=told(by_name[lesson.name], fmt),
        )
        for lesson in lessons_of(records, lever)
    ]


def cited(engine: Engine, lever: str, fmt: Formatter) -> list[Tried]:
    """Return the few that a proposal of a lever is read beside."""
    return tried(list_experiments(engine), fmt, lever)[:MOST_CITED] if lever else []
