"""Support: answers from the shop's own texts and orders, or hands over and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.base import (
    Answer,
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Request,
    Rule,
)
from cartwheel.levers.report import Report
from cartwheel.levers.support.answer import answer_question
from cartwheel.levers.support.learn import READS, learn_model, unlearned
from cartwheel.levers.support.notices import KIND, notices
from cartwheel.levers.support.options import Options
from cartwheel.levers.support.page import page
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.policies import POLICIES

if TYPE_CHECKING:
    import pyarrow as pa


def policies(data: Signals) -> float:
    """Count policies."""
    return float(data.table(POLICIES).num_rows)


class Support:
    """Sentences of policies, products and answered questions, weighed and quoted."""

    name = "support"
    title = "Support"
    group = Group.PRODUCTIVITY
    reads = READS
    writes: tuple[Signal, ...] = ()
    kinds: tuple[Kind, ...] = (
        Kind(name="support", title="Support answer", autonomy=Autonomy.AUTO),
        Kind(
            name=KIND,
            title="Notice of a late parcel",
            autonomy=Autonomy.APPROVE,
            expires_days=3,
        ),
    )
    floor = Floor(
        needs=(
            Need(
                what="policy that says what the shop promises",
                at_least=1,
                count=policies,
            ),
        ),
        meanwhile="Hands every question to a person.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Put the evidence and the orders where answers find them."""
        return learn_model(data)

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return nothing: contacts are messages, which `voice` reads."""
        return {}

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return a notice for every late parcel."""
        return notices(data, Options.of(data))

    def fallback(self) -> Rule:
        """Return the rule used meanwhile: a person answers."""
        return Rule(
            name="a person answers",
            doc="Every question is handed over with a summary.",
            model=unlearned,
        )

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        """Answer one message; numpy only."""
        return answer_question(model, request)

    def report(self, model: Model, data: Signals) -> Report:
        """Return what it can answer from."""
        return page(model, data)
