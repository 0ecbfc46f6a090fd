"""The search lever's console page."""

from __future__ import annotations

from cartwheel.levers.base import Model
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.signals.base import Signals
from cartwheel.signals.intent import SEARCHES

SHOWN = 20


def page(model: Model, data: Signals) -> Report:
    """Return what is searched for and what finds nothing."""
    rows = data.frame(SEARCHES)
    total = int(rows["searches"].sum()) if len(rows) else 0
    nothing = int(rows["without_result"].sum()) if len(rows) else 0
    return Report(
        summary=(
            f"{model.meta['available']:,} of {model.meta['products']:,} products can "
            f"be found; method: {model.rule}; {total:,} searches in 90 days."
        ),
        figures=(
            Figure(
                label="Searches that found nothing",
                value=nothing / total if total else None,
                unit="share",
                definition="Of the searches of 90 days, those that showed no result.",
                not_yet="Needs a search sent as an event.",
            ),
        ),
        grids=(
            Grid(
                title="Searched for most",
                columns=("query", "searches", "without result"),
                units=("", "units", "units"),
                rows=tuple(
                    (str(q), int(n), int(w))
                    for q, n, w in rows.sort_values(
                        ["searches", "query"], ascending=[False, True]
                    )[["query", "searches", "without_result"]]
                    .head(SHOWN)
                    .itertuples(index=False)
                ),
                note="Texts as typed, lower case, spaces folded.",
            ),
        ),
    )
