"""Replay: make a past decision again from its snapshot, model and seed.

The turn's signals are computed again from the pinned snapshot, each lever's stored
model emits and decides again, and the result is compared with the ledger byte for
byte. Nothing staged is trusted but the models, the lagged signals and what a text
service answered then, which nobody could ask for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from cartwheel.errors import Failure, Misuse
from cartwheel.ledger.store import find
from cartwheel.levers.base import Model, State
from cartwheel.operations import decisions, reading
from cartwheel.shop import Shop

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.levers.base import Decision, Lever
    from cartwheel.turn.steps import TurnRow
    from cartwheel.turn.variants import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Result of replaying one decision.

    Attributes:
        id: The decision.
        identical: The remade decision equals the recorded one byte for byte.
        recorded: Canonical JSON in the ledger.
        remade: Canonical JSON made again; None when the lever did not decide.
    """

    id: str
    identical: bool
    recorded: str
    remade: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The model a lever decided with in a turn, and the lever's state then."""

    model: Model
    state: State


def replay(shop: Shop, ids: Iterable[str]) -> list[Replay]:
    """Replay decisions, turn by turn.

    Raises:
        NotFound: If an id is unknown.
        Misuse: If the turn's folder is no longer kept.
        Failure: If a stored model does not match its fingerprint.
    """
    entries = [find(shop.database, item) for item in dict.fromkeys(ids)]
    remade: dict[str, str] = {}
    for number in sorted({entry.turn for entry in entries}):
        remade.update(_remake(shop, number))
    recorded = _bodies(shop, [entry.id for entry in entries])
    return [
        Replay(
            id=entry.id,
            identical=remade.get(entry.id) == recorded[entry.id],
            recorded=recorded[entry.id],
            remade=remade.get(entry.id),
        )
        for entry in entries
    ]


def drawn(shop: Shop, count: int, *, seed: int) -> list[str]:
    """Return ids of decisions drawn at random from the turns that are kept."""
    import numpy as np

    query = select(decisions.c.id, decisions.c.turn).order_by(decisions.c.id)
    with reading(shop.database) as con:
        rows = con.execute(query).all()
    kept = {r.turn for r in rows if shop.turn_folder(r.turn).is_dir()}
    ids = [row.id for row in rows if row.turn in kept]
    rng = np.random.default_rng(seed)
    take = min(count, len(ids))
    return [ids[i] for i in sorted(rng.choice(len(ids), size=take, replace=False))]


def _remake(shop: Shop, number: int) -> dict[str, str]:
    from cartwheel.signals.engine import compute_for
    from cartwheel.turn import steps
    from cartwheel.turn.stage import ASKED
    from cartwheel.wheel import find_levers, order_levers

    row = steps.read_turn(shop, number)
    if row.snapshot is None or not shop.turn_folder(number).is_dir():
        raise Misuse(
            f"Turn {number} is no longer kept, so it cannot be replayed.",
            "Raise turn.keep_turns in the settings to keep more turns.",
        )
    levers = order_levers(find_levers())
    models = {lever.name: _stored_model(shop, number, lever.name) for lever in levers}
    when = steps.when_of(shop, row)
    tables = compute_for(shop, when, row.snapshot, frozenset(row.cuts))
    stage = steps.stage_of(shop, number)
    tables.update({**stage.read_tables("lagged"), **stage.read_tables(ASKED)})
    remade: dict[str, str] = {}
    for lever in levers:
        stored = models[lever.name]
        if stored is not None:
            remade.update(_remake_lever(shop, row, lever, stored, tables))
    return remade


def _remake_arm(
    shop: Shop, row: TurnRow, lever: Lever, trial: Trial, tables: dict[str, pa.Table]
) -> tuple[Decision, ...]:
    """Decide again for the arm of an experiment with two models."""
    from cartwheel.turn import steps
    from cartwheel.turn.core import context_of, finish, lever_seed
    from cartwheel.turn.variants import TREATED, cuts_with, variant_of, with_arm

    stored = _stored_model(shop, row.number, variant_of(lever.name))
    if stored is None:
        return ()
    context = with_arm(
        context_of(row.settings, steps.when_of(shop, row)), trial, TREATED
    )
    seed = lever_seed(row.seed, lever.name, row.as_of)
    cuts = cuts_with(row.cuts, trial, TREATED)
    return finish(
        lever, stored.model, tables, context, cuts, seed, stored.state
    ).decisions


def _stored_model(shop: Shop, number: int, lever: str) -> Stored | None:
    """Return the model that decided and the lever's state; None when none decided.

    Raises:
        Failure: If the model's files are missing, unreadable or changed.
    """
    from cartwheel.turn import steps

    stage = steps.stage_of(shop, number)
    run = stage.read_json("runs", lever)
    if run is None or not run["model"]:
        return None
    try:
        model = stage.read_model(lever)
    except (OSError, ValueError, KeyError, EOFError):
        model = None
    if model is None or model.fingerprint() != run["model"]:
        raise Failure(
            f"The stored model of {lever} in turn {number} was changed.",
            "Restore the shop from a backup.",
        )
    return Stored(model=model, state=State(run["state"]))


def _remake_lever(
    shop: Shop,
    row: TurnRow,
    lever: Lever,
    stored: Stored,
    tables: dict[str, pa.Table],
) -> Mapping[str, str]:
    """Decide again with the stored model; add what the lever emits to `tables`."""
    from cartwheel.turn import steps
    from cartwheel.turn.core import context_of, finish, lever_seed
    from cartwheel.turn.publish import decision_id
    from cartwheel.turn.variants import (
        CONTROL,
        Subjects,
        option_trial,
        picked,
        variant_of,
        with_arm,
    )

    stage = steps.stage_of(shop, row.number)
    trial = option_trial(steps.trials_of(stage), lever.name)
    shops = context_of(row.settings, steps.when_of(shop, row))
    context = with_arm(shops, trial, CONTROL)
    seed = lever_seed(row.seed, lever.name, row.as_of)
    arm: tuple[Decision, ...] = ()
    if trial is not None:
        arm = _remake_arm(shop, row, lever, trial, tables)
    made = finish(lever, stored.model, tables, context, row.cuts, seed, stored.state)
    lagged = {signal.name for signal in lever.writes if signal.lagged}
    tables.update({n: t for n, t in made.emitted.items() if n not in lagged})
    standing = list(made.decisions)
    if trial is not None and stage.read_json("runs", variant_of(lever.name)):
        subjects = Subjects.of(
            steps.in_force_from(row),
            tables.get("catalogue"),
            steps.pinned_places(stage),
        )
        standing = [one for one, _ in picked(standing, arm, trial, subjects)]
    return {
        decision_id(row.number, lever.name, d.kind, d.subject): d.canonical()
        for d in standing
    }


def _bodies(shop: Shop, ids: list[str]) -> dict[str, str]:
    with reading(shop.database) as con:
        return {
            item: con.execute(
                select(decisions.c.body).where(decisions.c.id == item)
            ).scalar_one()
            for item in ids
        }
