"""What measured visitors leave behind: one row for each thing they did."""

from __future__ import annotations

from collections.abc import Sequence
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
        "event_id": [f"e{log.day}-{i}" for i in order.tolist()],
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
    """Return what is written of each event; a thing it has not is None, or masked.

    Texts are picked from short lists of objects: millions of rows share a few names.
    """
    person = log.visits.person[rows["visit"]]
    each, place = np.unique(person, return_inverse=True)
    devices = [state.device(p) for p in each.tolist()]
    profiles = [state.profile(p) for p in each.tolist()]
    known = log.visits.recognised[rows["visit"]]
    queries, results = _searches(state, log, rows)
    return {
        "kind": _picked(KINDS, rows["kind"]),
        "occurred_at": instants(zero, rows["second"]),
        "visitor_id": _picked(devices, place),
        "customer_id": _picked(profiles, np.where(known, place, NONE)),
        "product_id": _picked(state.goods.product_ids.tolist(), rows["product"]),
        "variant_id": _picked(state.goods.variant_ids.tolist(), rows["variant"]),
        "query": queries,
        "result_count": results,
        "quantity_units": np.ma.masked_less_equal(rows["units"], 0),
        "position": np.ma.masked_less_equal(rows["position"], 0),
        "placement": _picked(PLACEMENTS, rows["placement"]),
    }


def _picked(names: Sequence[str], numbers: Array) -> Array:
    """Return the names of some numbers as objects, None for `NONE`."""
    listed = np.array([*names, None], object)
    result: Array = listed[numbers]
    return result


def _searches(state: State, log: DayLog, rows: dict[str, Array]) -> tuple[Array, Array]:
    """Return the text of each search and what it found; of other events, neither."""
    categories = state.spec.goods.categories
    luck = state.draws.uniform("query", log.visits.person, log.day)
    sizes = np.bincount(
        state.goods.category[state.goods.launched <= log.day],
        minlength=len(categories),
    )
    count = len(rows["kind"])
    queries = np.full(count, None, object)
    results = np.full(count, NONE)
    for at in np.flatnonzero(rows["kind"] == KINDS.index("search")).tolist():
        visit = rows["visit"][at]
        category = int(log.visits.interest[visit])
        nouns = categories[category].nouns
        if luck[0, visit] < ZERO_RESULTS:
            queries[at] = NOT_SOLD[int(luck[1, visit] * len(NOT_SOLD))]
            results[at] = 0
        else:
            queries[at] = nouns[int(luck[1, visit] * len(nouns))]
            results[at] = int(sizes[category])
    return queries, np.ma.masked_less(results, 0)
