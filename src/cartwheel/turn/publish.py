"""Passing the gate and publishing: a turn appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, or_, select, update

from cartwheel.channels.storefront import make_cards
from cartwheel.errors import Conflict, Failure
from cartwheel.gate.base import Candidate, GateContext, PastFix, Refusal
from cartwheel.gate.context import excluded_products, make_context
from cartwheel.gate.order import pass_gate
from cartwheel.gate.page_changes import MAIL, REMEMBERED_DAYS, WRITTEN, written_text
from cartwheel.ledger.entry import DecisionState
from cartwheel.ledger.store import expire, insert_decisions, record_moves
from cartwheel.levers.base import Decision, Prediction
from cartwheel.measure.earnings.baseline import freeze, new_baselines
from cartwheel.measure.experiment.options import option_trial, variant_of
from cartwheel.measure.experiment.trial import TREATED
from cartwheel.operations import (
    decisions,
    now_text,
    page_data,
    pages,
    reading,
    transitions,
    turns,
)
from cartwheel.shop import Shop
from cartwheel.turn.stage import Stage
from cartwheel.turn.steps import (
    TurnRow,
    day_after,
    hidden_of,
    in_force_from,
    mark,
    oldest_kept,
    pinned_places,
    read_turn,
    run_child,
    runs_of,
    stage_of,
    trials_of,
)
from cartwheel.turn.variants import Subjects, picked
from cartwheel.wheel import find_kinds, find_levers

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("cartwheel.turn")

SUPERSEDED = "superseded by turn"
COMPACT_SECONDS = 300
"""Longest that joining the lake's small files may take."""


def decision_id(turn: int, lever: str, kind: str, subject: str) -> str:
    """Return the id of a decision; one turn decides once on a kind and subject."""
    text = f"{turn}\x1f{lever}\x1f{kind}\x1f{subject}".encode()
    return f"{turn}-{hashlib.blake2b(text, digest_size=8).hexdigest()}"


def read_decision(line: str) -> Decision:
    """Return a decision from its canonical JSON."""
    value = json.loads(line)
    predicted = value.pop("predicted")
    return Decision(
        **{
            **value,
            "options": tuple(value["options"]),
            "promotes": tuple(value["promotes"]),
        },
        predicted=None if predicted is None else Prediction(**predicted),
    )


def gate(shop: Shop, number: int) -> None:
    """Pass every staged decision through the gate and stage the verdict."""
    row = read_turn(shop, number)
    stage = stage_of(shop, number)
    mark(shop, number, step="gate")
    tables = stage.read_tables("signals")
    candidates = [
        one
        for lever in runs_of(stage)
        for one in _candidates(stage, row, lever, tables.get("catalogue"))
    ]
    context = _gate_context(shop, row, stage, tables)
    verdict = pass_gate(candidates, context)
    rows = [_passed_row(c) for c in verdict.passed]
    rows += [_refused_row(r) for r in verdict.refused]
    stage.write_lines("gate", "rows", (json.dumps(r, sort_keys=True) for r in rows))
    stage.write_json("gate", "excluded", excluded_products(context))
    stage.write_cards(make_cards(tables))


def _candidates(
    stage: Stage, row: TurnRow, lever: str, catalogue: pa.Table | None
) -> Iterator[Candidate]:
    """Yield what a lever decided; of both arms' decisions the one that stands."""
    lines = stage.read_lines("decisions", lever)
    trial = option_trial(trials_of(stage), lever)
    arm = stage.read_json("runs", variant_of(lever))
    if trial is None or arm is None:
        for line in lines:
            yield Candidate(lever=lever, decision=read_decision(line), body=line)
        return
    of_arm = stage.read_lines("decisions", variant_of(lever))
    subjects = Subjects.of(in_force_from(row), catalogue, pinned_places(stage))
    plain, treated = map(read_decision, lines), map(read_decision, of_arm)
    for one, _ in picked(plain, treated, trial, subjects):
        yield Candidate(lever=lever, decision=one, body=one.canonical())


def _model_of(
    item: Mapping[str, Any],
    runs: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the fingerprint of the model that decided: the arm's for the arm.

    Args:
        item: A decision past the gate.
        runs: Runs by lever.
        arms: Runs of the arms of experiments on options, by lever.
    """
    lever = item["lever"]
    if lever in arms:
        said = json.loads(item["body"])["evidence"].get("experiment")
        if isinstance(said, dict) and said.get("arm") == TREATED:
            return str(arms[lever]["model"])
    return str(runs[lever]["model"])


def _gate_context(
    shop: Shop, row: TurnRow, stage: Stage, tables: Mapping[str, pa.Table]
) -> GateContext:
    """Gather what the rules may look at."""
    return make_context(
        row.settings,
        find_kinds(find_levers()),
        tables,
        _recent_offers(shop, row),
        day=in_force_from(row),
        trials=trials_of(stage),
        hidden=hidden_of(stage),
        places=pinned_places(stage),
        page_fixes=_page_fixes(shop, row),
    )


def publish(shop: Shop, number: int, page_data: Mapping[str, Any]) -> None:
    """Insert decisions and pages and move the published mark in one transaction."""
    row = read_turn(shop, number)
    if row.state == "published":
        return
    stage = stage_of(shop, number)
    runs = runs_of(stage)
    kinds = find_kinds(find_levers())
    arms = {
        name: arm
        for name in runs
        if (arm := stage.read_json("runs", variant_of(name))) is not None
    }
    gated = [json.loads(line) for line in stage.read_lines("gate", "rows")]
    summary = {
        name: {"state": r["state"], "decisions": r["decisions"], "reason": r["reason"]}
        for name, r in runs.items()
    }
    records = [
        {
            **item,
            "id": decision_id(number, item["lever"], item["kind"], item["subject"]),
            "turn": number,
            "position": position,
            "model": _model_of(item, runs, arms),
            "expires_on": day_after(row.as_of, kinds[item["kind"]].expires_days),
        }
        for position, item in enumerate(gated)
    ]
    began = [name for name, run in runs.items() if run["decisions"]]
    day = date.fromisoformat(row.as_of)
    frozen = new_baselines(shop, number, day, began)
    texts = [
        {
            "turn": number,
            "name": name,
            "body": json.dumps(body, ensure_ascii=False, sort_keys=True),
        }
        for name, body in page_data.items()
    ]
    # Answers to shoppers wait for this transaction, so all that can be is made before.
    with shop.database.begin() as con:
        decided = {lever for lever, r in runs.items() if r["state"] != "abstained"}
        _supersede(con, number, decided)
        expire(con, on=row.as_of)
        insert_decisions(con, records, actor=f"turn {number}")
        freeze(con, frozen)
        con.execute(pages.delete().where(pages.c.turn == number))
        if texts:
            con.execute(pages.insert(), texts)
        started = con.execute(
            select(turns.c.started_at).where(turns.c.number == number)
        ).scalar_one()
        con.execute(
            update(turns)
            .where(turns.c.number == number)
            .values(
                state="published",
                step="published",
                levers=json.dumps(summary, sort_keys=True, ensure_ascii=False),
                published_at=now_text(),
                seconds=_seconds_since(started),
            )
        )


def published_turn(shop: Shop) -> int | None:
    """Return the number of the turn in force, or None before the first."""
    query = select(func.max(turns.c.number)).where(turns.c.state == "published")
    with reading(shop.database) as con:
        value: int | None = con.execute(query).scalar_one()
    return value


def turn_in_force(shop: Shop) -> int:
    """Return the number of the published turn.

    Raises:
        Conflict: If none is published.
    """
    number = published_turn(shop)
    if number is None:
        raise Conflict("No turn is published.", "Turn the wheel first: cartwheel turn")
    return number


def page_in_force(shop: Shop, name: str) -> tuple[int, Any]:
    """Return the number of the published turn and a page it published.

    Args:
        shop: The shop.
        name: Name of the page.

    Raises:
        Conflict: If no turn is published, or it published no such page.
    """
    number = turn_in_force(shop)
    body = page_data(shop.database, name, number)
    if body is None:
        raise Conflict(
            f"Turn {number} published no {name}: an earlier version made it.",
            "Turn the wheel again: cartwheel turn",
        )
    return number, body


def roll_back(shop: Shop, number: int, *, actor: str) -> int | None:
    """Take a published turn out of force and restore the one before it.

    Its open decisions lapse; proposals it had superseded stand again.

    Returns:
        The turn now in force, or None.
    """
    with shop.database.begin() as con:
        con.execute(
            update(turns).where(turns.c.number == number).values(state="rolled_back")
        )
        expire(con, turn=number)
        note = f"{SUPERSEDED} {number}"
        ids = [
            r.decision_id
            for r in con.execute(
                select(transitions.c.decision_id).where(transitions.c.note == note)
            )
        ]
        for item in ids:
            con.execute(
                update(decisions)
                .where(and_(decisions.c.id == item, decisions.c.state == "expired"))
                .values(state=DecisionState.PROPOSED.value)
            )
        moves = [(item, "expired", "proposed") for item in ids]
        record_moves(con, moves, actor=actor, note=f"turn {number} rolled back")
    return published_turn(shop)


def tidy(shop: Shop, number: int) -> None:
    """Remove folders of turns too old to replay and join the lake's small files.

    Joining runs in a process of its own: a crash of the engine there costs nothing, the
    turn is published already. What fails, or meets an import, waits for the next turn.
    """
    row = read_turn(shop, number)
    for folder in (shop.folder / "turns").glob("[0-9]*"):
        if folder.name.isdigit() and int(folder.name) < oldest_kept(row):
            shutil.rmtree(folder, ignore_errors=True)
    try:
        run_child(shop, number, "compact", seconds=COMPACT_SECONDS)
    except (TimeoutError, Failure) as error:
        log.warning("The lake's small files were not joined: %s", error)


def _supersede(con: Connection, number: int, levers: Iterable[str]) -> None:
    where = and_(
        decisions.c.state == DecisionState.PROPOSED.value,
        decisions.c.turn < number,
        decisions.c.lever.in_(sorted(levers)),
    )
    old = [row.id for row in con.execute(select(decisions.c.id).where(where))]
    con.execute(update(decisions).where(where).values(state="expired"))
    moves = [(item, "proposed", "expired") for item in old]
    record_moves(con, moves, actor="turn", note=f"{SUPERSEDED} {number}")


def _passed_row(candidate: Candidate) -> dict[str, Any]:
    return _row(candidate, candidate.state, None)


def _refused_row(refusal: Refusal) -> dict[str, Any]:
    why = {"rule": refusal.rule, "reason": refusal.reason}
    return _row(refusal.candidate, refusal.state, why)


def _row(
    candidate: Candidate, state: str, refusal: Mapping[str, str] | None
) -> dict[str, Any]:
    decision = candidate.decision
    return {
        "lever": candidate.lever,
        "kind": decision.kind,
        "subject": decision.subject,
        "state": state,
        "worth_minor": decision.worth_minor,
        "cost_minor": decision.cost_minor,
        "body": candidate.body,
        "action": json.dumps(dict(decision.action), sort_keys=True, ensure_ascii=False),
        "refusal": None if refusal is None else json.dumps(refusal, sort_keys=True),
    }


def _recent_offers(shop: Shop, row: TurnRow) -> dict[str, int]:
    from cartwheel.gate.base import MESSAGE_KINDS

    since = day_after(row.as_of, -30)
    query = (
        select(decisions.c.subject, func.count())
        .join(turns, turns.c.number == decisions.c.turn)
        .where(
            decisions.c.kind.in_(sorted(MESSAGE_KINDS)),
            decisions.c.state.in_(["approved", "applied"]),
            turns.c.as_of > since,
        )
        .group_by(decisions.c.subject)
    )
    with reading(shop.database) as con:
        return {s.partition(":")[2]: int(n) for s, n in con.execute(query)}


def _page_fixes(shop: Shop, row: TurnRow) -> dict[str, tuple[PastFix, ...]]:
    """Return what was decided on pages and mails lately, by product, newest first.

    A mail's paragraph in force is never too old: no page tells that it is there.
    """
    in_force = and_(
        decisions.c.kind == MAIL, decisions.c.state.in_(["approved", "applied"])
    )
    since = day_after(row.as_of, -REMEMBERED_DAYS)
    query = (
        select(
            decisions.c.turn,
            decisions.c.kind,
            decisions.c.state,
            decisions.c.subject,
            decisions.c.action,
            turns.c.as_of,
        )
        .join(turns, turns.c.number == decisions.c.turn)
        .where(
            decisions.c.kind.in_(WRITTEN),
            decisions.c.state.in_(["approved", "applied", "rejected", "reverted"]),
            or_(turns.c.as_of > since, in_force),
        )
        .order_by(decisions.c.turn.desc())
    )
    today = date.fromisoformat(row.as_of)
    found: dict[str, list[PastFix]] = {}
    with reading(shop.database) as con:
        for one in con.execute(query):
            past = PastFix(
                turn=one.turn,
                state=one.state,
                days_ago=(today - date.fromisoformat(one.as_of)).days,
                block=written_text(json.loads(one.action)),
                kind=one.kind,
            )
            found.setdefault(one.subject.partition(":")[2], []).append(past)
    return {product: tuple(past) for product, past in found.items()}


def _seconds_since(started_at: str) -> float:
    started = datetime.strptime(started_at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return round((datetime.now(UTC) - started).total_seconds(), 3)
