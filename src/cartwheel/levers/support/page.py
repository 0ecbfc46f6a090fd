"""The support lever's console page: what it can answer from, and what is missing."""

from __future__ import annotations

from collections import Counter

from cartwheel.levers.base import Model
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.levers.support.evidence import policies_known
from cartwheel.levers.support.notices import LEAST_DELIVERED, usual_days
from cartwheel.signals.base import Signals
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS

TOPICS = (
    "shipping",
    "returns",
    "payment",
    "guarantee",
    "privacy",
    "contact",
    "other",
)


def page(model: Model, data: Signals) -> Report:
    """Return what answers rest on.

    Args:
        model: The turn's model.
        data: The lever's signals.
    """
    counted = Counter(row["topic"] for row in data.table(POLICIES).to_pylist())
    asked = data.table(QUESTIONS).to_pylist()
    answered = sum(bool((row["answer"] or "").strip()) for row in asked)
    missing = [topic for topic in TOPICS[:-1] if not counted[topic]]
    lacking = f" Nothing is written about {', '.join(missing)}." if missing else ""
    usual = usual_days(data)
    return Report(
        summary=(
            f"Answers rest on {policies_known(model):,} policies, {answered:,} "
            f"answered questions and the products' own facts.{lacking} What they do "
            "not say is handed to a person."
        ),
        figures=(
            Figure(
                label="Questions that were answered",
                value=answered / len(asked) if asked else None,
                unit="share",
                definition="Of the questions on product pages, those with an answer.",
                not_yet="Needs questions about products.",
            ),
            Figure(
                label="Nine in ten parcels take at most",
                value=None if usual is None else float(usual),
                unit="days",
                definition=(
                    "Days from order to delivery of the last 180 days. A parcel that "
                    "takes longer is late where no day was promised."
                ),
                not_yet=f"Needs {LEAST_DELIVERED} orders with a day of delivery.",
            ),
        ),
        grids=(
            Grid(
                title="What the shop has written",
                columns=("topic", "policies"),
                units=("", "units"),
                rows=tuple((topic, counted[topic]) for topic in TOPICS),
                note="Each of these is asked about in most shops.",
            ),
        ),
    )
