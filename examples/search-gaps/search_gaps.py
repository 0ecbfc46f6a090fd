"""An example lever: list what shoppers search for and do not find."""

from cartwheel.levers.base import (
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Rule,
)
from cartwheel.levers.report import Figure, Report
from cartwheel.signals.intent import SEARCHES


def _gaps(data):
    rows = data.table(SEARCHES).to_pylist()
    gaps = [[r["query"], r["without_result"]] for r in rows if r["without_result"] > 0]
    return sorted(gaps, key=lambda gap: (-gap[1], gap[0]))


class SearchGaps:
    name, title, group = "search-gaps", "Search gaps", Group.GROWTH
    reads, writes = (SEARCHES,), ()
    kinds = (
        Kind(name="stock_gap", title="Missing product", autonomy=Autonomy.SUGGEST),
    )
    floor = Floor(
        needs=(Need(what="searches", at_least=20, count=lambda d: _searches(d)),),
        meanwhile="nothing is listed",
    )

    def learn(self, data, previous, *, seed):
        return Model(rule="count", meta={"gaps": _gaps(data)[:20]})

    def emit(self, model, data):
        return {}

    def decide(self, model, data, *, seed):
        for query, times in model.meta["gaps"]:
            reason = f"{times} searches for “{query}” in 90 days found nothing."
            action = {"query": query, "do": "add a product or a synonym"}
            yield Decision(
                kind="stock_gap", subject=f"query:{query}", action=action, reason=reason
            )

    def fallback(self):
        return Rule(
            name="none",
            doc="Lists nothing.",
            model=lambda data: Model(rule="none", meta={"gaps": []}),
        )

    def report(self, model, data):
        found = len(model.meta["gaps"])
        definition = "Searches of the last 90 days that showed no result."
        figure = Figure(label="Gaps", value=found, unit="", definition=definition)
        return Report(summary=f"{found} searches find nothing.", figures=(figure,))


def _searches(data):
    return sum(row["searches"] for row in data.table(SEARCHES).to_pylist())
