"""Voice: what customers object to, by product, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cartwheel.levers.base import (
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Rule,
)
from cartwheel.levers.report import Report
from cartwheel.levers.voice.learn import learn_model, objections_of
from cartwheel.levers.voice.page import page
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.intent import INTENT
from cartwheel.signals.listing import LISTING
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.returns import RETURNS
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.signals.weak_searches import WEAK_SEARCHES

if TYPE_CHECKING:
    import pyarrow as pa

ENOUGH_TEXTS = 30
"""Texts from which counts are added up to money."""


def texts(data: Signals) -> float:
    """Count reviews, messages and reasons of returns."""
    return float(data.table(FEEDBACK).num_rows)


def counted(data: Signals) -> Model:
    """Return the fallback's model: objections counted, nothing priced."""
    return learn_model(data, seed=0, priced=False)


class Voice:
    """Objection classes of sentences by rules; money from returns, contacts, sales."""

    name = "voice"
    title = "Voice of customers"
    group = Group.PRODUCTIVITY
    reads: tuple[Signal, ...] = (
        FEEDBACK,
        CATALOGUE,
        LISTING,
        MARGIN,
        RETURNS,
        INTENT,
        THEME_CORRECTIONS,
        WEAK_SEARCHES,
    )
    writes: tuple[Signal, ...] = (OBJECTIONS,)
    kinds: tuple[Kind, ...] = ()
    floor = Floor(
        needs=(
            Need(
                what="reviews, messages and reasons of returns",
                at_least=ENOUGH_TEXTS,
                count=texts,
            ),
        ),
        meanwhile="Counts objections and says nothing of what they cost.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Read every text, and estimate what objections cost."""
        return learn_model(data, seed=seed)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return the objections by product."""
        return {OBJECTIONS.name: objections_of(model)}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return nothing: what to do about an objection is another lever's."""
        return ()

    def fallback(self) -> Rule:
        """Return the rule used meanwhile."""
        return Rule(
            name="counted",
            doc="Objections are counted; what they cost is not said from so few texts.",
            model=counted,
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return the themes by money, those by product, and what was said."""
        return page(model)
