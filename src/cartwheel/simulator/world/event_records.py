"""What measured visitors leave behind: one row for each thing they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.text import NOT_SOLD
from cartwheel.simulator.world.records import instants
from cartwheel.simulator.world.storefront import ENTRIES, PLACEMENTS

if TYPE_CHECKING:
    from cartwheel.simulator.world.records import Columns
    from cartwheel.simulator.world.state import State
    from cartwheel.simulator.world.world import DayLog

Array = np.ndarray[Any, Any]

KINDS = (
    "search",
    "list",
    "exposure",
    "click",
    "view",
    "add_to_cart",
    "failed_add",
    "checkout",
)
NONE = -1
ZERO_RESULTS = 0.08
"""Searches for something the shop does not sell."""


class _Sheet:
    """Events of a day as columns, in the order they are written down."""

    def __init__(self) -> None:
        self._parts: list[tuple[Array, ...]] = []

    def add(
        self,
        kind: str,
        visit: Array,
        second: Array,
        product: Array | int = NONE,
        variant: Array | int = NONE,
        position: Array | int = 0,
        placement: Array | int = NONE,
        units: Array | int = 0,
    ) -> None:
        code = KINDS.index(kind)
        columns = (code, second, product, variant, position, placement, units)
        filled = [np.broadcast_to(np.asarray(c), visit.shape) for c in columns]
        self._parts.append((visit, *filled))

    def columns(self) -> dict[str, Array]:
        names = (
            "visit",
            "kind",
            "second",
            "product",
            "variant",
            "position",
            "placement",
            "units",
        )
        joined = [np.concatenate(part) for part in zip(*self._parts, strict=True)]
        return dict(zip(names, joined, strict=True))


def events(state: State, log: DayLog, zero: np.datetime64) -> Columns:
    """Return the events that measured visitors left on a day."""
    sheet = _Sheet()
    _note_lists(sheet, log)
    _note_carts(sheet, state, log)
    all_ = sheet.columns()
    kept = np.flatnonzero(_recorded(state, log, all_))
    order = kept[np.argsort(all_["second"][kept], kind="stable")]
    rows = {name: values[order] for name, values in all_.items()}
    return {
        "event_id": [f"e{log.day}-{i}" for i in order],
        **_columns(state, log, zero, rows),
    }


def _note_lists(sheet: _Sheet, log: DayLog) -> None:
    """Write down how visits began, what they met in lists and what they opened."""
    visits, seen = log.visits, log.visits.seen
    rows = np.arange(len(visits.person))
    for kind, entry in (("search", "search"), ("list", "home")):
        began = visits.entry == ENTRIES.index(entry)
        sheet.add(kind, rows[began], visits.second[began])
    met = seen.placement >= 0
    at = visits.second[seen.visit] + 5 + 3 * seen.position
    for kind, which, later in (
        ("exposure", met, 0),
        ("click", met & seen.opened, 1),
        ("view", seen.opened, 2),
    ):
        sheet.add(
            kind,
            seen.visit[which],
            at[which] + later,
            seen.product[which],
            position=seen.position[which],
            placement=NONE if kind == "view" else seen.placement[which],
        )


def _note_carts(sheet: _Sheet, state: State, log: DayLog) -> None:
    """Write down what went into carts, or failed to, and who began to pay."""
    adds, checkouts = log.sales.adds, log.sales.checkouts
    for kind, which in (("add_to_cart", ~adds.failed), ("failed_add", adds.failed)):
        sheet.add(
            kind,
            adds.visit[which],
            adds.second[which],
            state.goods.product_of[adds.variant[which]],
            adds.variant[which],
            units=adds.units[which],
        )
    sheet.add("checkout", checkouts[0], checkouts[1])


def _recorded(state: State, log: DayLog, rows: dict[str, Array]) -> Array:
    """Tell which events were recorded: those of visitors who accept it, undamaged."""
    person = log.visits.person[rows["visit"]]
    kept: Array = state.people.tracked[person]
    if state.spec.noise > 0:
        # Keyed by what happened, so that other goods in a list damage nothing else.
        what = rows["kind"] * (len(PLACEMENTS) + 1) + rows["placement"] + 1
        what = what * (len(state.goods.product_ids) + 1) + rows["product"] + 1
        luck = state.draws.one("noise", person, log.day, what)
        kept = kept & (luck >= state.spec.noise)
    return kept


def _columns(
    state: State, log: DayLog, zero: np.datetime64, rows: dict[str, Array]
) -> Columns:
    kinds = np.array(KINDS)[rows["kind"]]
    person = log.visits.person[rows["visit"]]
    known = log.visits.recognised[rows["visit"]]
    queries, results = _searches(state, log, kinds, rows["visit"])
    return {
        "kind": kinds,
        "occurred_at": instants(zero, rows["second"]),
        "visitor_id": [state.device(int(p)) for p in person],
        "customer_id": [
            state.profile(int(p)) if k else None
            for p, k in zip(person, known, strict=True)
        ],
        "product_id": _names(state.goods.product_ids, rows["product"]),
        "variant_id": _names(state.goods.variant_ids, rows["variant"]),
        "query": queries,
        "result_count": results,
        "quantity_units": [int(n) if n > 0 else None for n in rows["units"]],
        "position": [int(p) if p > 0 else None for p in rows["position"]],
        "placement": [PLACEMENTS[p] if p >= 0 else None for p in rows["placement"]],
    }


def _names(names: Array, numbers: Array) -> list[str | None]:
    return [str(names[n]) if n >= 0 else None for n in numbers]


def _searches(
    state: State, log: DayLog, kind: Array, visit: Array
) -> tuple[list[str | None], list[int | None]]:
    categories = state.spec.goods.categories
    luck = state.draws.uniform("query", log.visits.person, log.day)
    sizes = np.bincount(
        state.goods.category[state.goods.launched <= log.day],
        minlength=len(categories),
    )
    queries: list[str | None] = []
    results: list[int | None] = []
    for what, row in zip(kind, visit, strict=True):
        if what != "search":
            queries.append(None)
            results.append(None)
            continue
        category = int(log.visits.interest[row])
        nouns = categories[category].nouns
        if luck[0, row] < ZERO_RESULTS:
            queries.append(NOT_SOLD[int(luck[1, row] * len(NOT_SOLD))])
            results.append(0)
        else:
            queries.append(nouns[int(luck[1, row] * len(nouns))])
            results.append(int(sizes[category]))
    return queries, results
