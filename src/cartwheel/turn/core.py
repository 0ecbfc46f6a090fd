"""The pure core of a turn: signals in, decisions out.

Nothing here reads a clock, a disk or a network. The durable workflow stages each
lever's run in a process of its own; a simulator calls `turn_core` directly. Both run
`run_lever`, so the code tested is the code shipped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cartwheel.levers.base import Abstain, Decision, Lever, Model, State
from cartwheel.signals.base import ShopContext, Signals, beside
from cartwheel.wheel import cuts_of

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.settings import Settings
    from cartwheel.signals.base import When


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverRun:
    """What one lever did in a turn.

    Attributes:
        lever: Its name.
        state: healthy, degraded, fallback or abstained.
        rule: Method of the model that decided, "" when none did.
        reason: What it did or lacks, in the merchant's words.
        model: The model that decided, or None.
        emitted: Signals it wrote, by name.
        decisions: Its decisions.
        report: Its console page as JSON values; empty when no page was asked for.
    """

    lever: str
    state: State
    rule: str
    reason: str
    model: Model | None
    emitted: Mapping[str, pa.Table] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


def context_of(settings: Settings, when: When) -> ShopContext:
    """Return what levers may know of the shop besides signals."""
    guardrails = settings.guardrails.model_dump(mode="json")
    return ShopContext(
        currency=settings.currency,
        minor_digits=settings.minor_digits,
        when=when,
        holdout_share=settings.holdout.share_bps / 10_000,
        holdout_salt=settings.holdout.salt,
        options={**settings.levers, "guardrails": guardrails},
        parcel_minor=settings.costs.parcel_minor,
        contact_minor=settings.costs.contact_minor,
    )


def lever_seed(seed: int, lever: str, as_of: str) -> int:
    """Return a lever's own seed, so that levers do not share random draws."""
    digest = hashlib.blake2b(f"{seed}:{lever}:{as_of}".encode(), digest_size=4)
    return int.from_bytes(digest.digest(), "big")


def view_of(
    lever: Lever,
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    cuts: Iterable[str],
) -> Signals:
    """Return what a lever may see: its declared reads, cut links emptied."""
    names = {signal.name for signal in lever.reads}
    return Signals(tables, context).restricted(names, cuts_of(lever.name, cuts))


def run_lever(
    lever: Lever,
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    *,
    cuts: Iterable[str],
    previous: Model | None,
    seed: int,
    pages: bool = True,
    learn: bool = True,
) -> LeverRun:
    """Learn, emit and decide; fall back, degrade or abstain instead of failing.

    A lever below its floor decides by its fallback. One that raises decides with its
    last healthy model, or else by its fallback. One that raises even then abstains.

    Args:
        lever: The lever.
        tables: Signals so far, made from the lake, lagged or written by levers.
        context: The shop and the day.
        cuts: Names of cut links.
        previous: Last healthy model, or None.
        seed: Seed of the turn.
        pages: Make its console page too; no decision depends on it.
        learn: Learn anew; else the last healthy model decides, if there is one. It
            passed the floor when it learned, so that is not counted again.
    """
    cuts = tuple(cuts)
    data = view_of(lever, tables, context, cuts)
    own_seed = lever_seed(seed, lever.name, context.when.as_of.isoformat())
    learning = learn or previous is None
    try:
        lacks = lever.floor.lacks(data) if learning else ()
    except Exception as error:
        return abstained(lever, f"it could not read its data: {describe(error)}")
    if lacks:
        said = f"{'; '.join(lacks)}. Meanwhile: {lever.floor.meanwhile}"
        return _fall_back(lever, tables, context, cuts, own_seed, said, pages)
    try:
        model = previous
        if learning or model is None:
            model = lever.learn(data, previous, seed=own_seed)
        return finish(
            lever, model, tables, context, cuts, own_seed, State.HEALTHY, pages
        )
    except Abstain as silence:
        return abstained(lever, str(silence))
    except Exception as error:
        said = f"learning failed: {describe(error)}"
    return stand_in(lever, tables, context, cuts, previous, own_seed, said, pages)


def stand_in(
    lever: Lever,
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    cuts: Sequence[str],
    previous: Model | None,
    own_seed: int,
    said: str,
    pages: bool = True,
) -> LeverRun:
    """Decide without a new model: the last healthy one, else the fallback."""
    if previous is not None:
        try:
            run = finish(
                lever, previous, tables, context, cuts, own_seed, State.DEGRADED, pages
            )
        except Exception as error:
            said = f"{said}; its last model failed too: {describe(error)}"
        else:
            return _with_reason(run, f"{said}; the last healthy model decided")
    return _fall_back(lever, tables, context, cuts, own_seed, said, pages)


def finish(
    lever: Lever,
    model: Model,
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    cuts: Sequence[str],
    own_seed: int,
    state: State,
    pages: bool = True,
) -> LeverRun:
    """Emit, decide and report with a given model; replay enters here."""
    data = view_of(lever, tables, context, cuts)
    emitted = _emit(lever, model, data)
    own = {
        name: table
        for name, table in emitted.items()
        if name in {s.name for s in lever.reads if not s.lagged}
    }
    after = view_of(lever, beside(own, tables), context, cuts)
    try:
        decisions = tuple(lever.decide(model, after, seed=own_seed))
        reason = str(model.meta.get("summary", ""))
    except Abstain as silence:
        decisions, reason = (), str(silence)
        state = State.ABSTAINED if state is State.HEALTHY else state
    _check(lever, decisions)
    report = lever.report(model, after).to_json() if pages else {}
    return LeverRun(
        lever=lever.name,
        state=state,
        rule=model.rule,
        reason=reason or report.get("summary", ""),
        model=model,
        emitted=emitted,
        decisions=decisions,
        report=report,
    )


def turn_core(
    levers: Sequence[Lever],
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    *,
    cuts: Iterable[str],
    previous: Mapping[str, Model],
    seed: int,
    pages: bool = True,
    learn: bool = True,
) -> dict[str, LeverRun]:
    """Run levers in the order given, each seeing what those before it wrote.

    Args:
        levers: The levers, writers before readers.
        tables: Signals made from the lake, and lagged ones.
        context: The shop and the day.
        cuts: Names of cut links.
        previous: Last healthy model by lever.
        seed: Seed of the turn.
        pages: Make the levers' console pages too; nobody reads them in a simulated
            world, and they cost a seventh of a turn.
        learn: Learn anew; else the last healthy models decide on fresh signals, and
            only levers that have none learn.
    """
    cuts = tuple(cuts)
    known = tables
    lagged = {s.name for lever in levers for s in lever.writes if s.lagged}
    runs = {}
    for lever in levers:
        run = run_lever(
            lever,
            known,
            context,
            cuts=cuts,
            previous=previous.get(lever.name),
            seed=seed,
            pages=pages,
            learn=learn,
        )
        runs[lever.name] = run
        # A lagged signal is what the previous turn wrote; this turn's is not shown.
        shown = {n: t for n, t in run.emitted.items() if n not in lagged}
        known = beside(shown, known)
    return runs


def describe(error: BaseException) -> str:
    """Return an error in one line."""
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def abstained(lever: Lever, reason: str) -> LeverRun:
    """Return the run of a lever that decided nothing and has no model."""
    return LeverRun(
        lever=lever.name, state=State.ABSTAINED, rule="", reason=reason, model=None
    )


def _emit(lever: Lever, model: Model, data: Signals) -> dict[str, pa.Table]:
    written = lever.emit(model, data)
    declared = {signal.name: signal for signal in lever.writes}
    if set(written) != set(declared):
        raise ValueError(
            f"{lever.name} wrote {sorted(written)}, declared are {sorted(declared)}"
        )
    return {name: declared[name].conform(table) for name, table in written.items()}


def _check(lever: Lever, decisions: Sequence[Decision]) -> None:
    kinds = {kind.name for kind in lever.kinds}
    seen: set[tuple[str, str]] = set()
    for decision in decisions:
        if decision.kind not in kinds:
            raise ValueError(f"{lever.name} decided an undeclared kind {decision.kind}")
        if (decision.kind, decision.subject) in seen:
            raise ValueError(
                f"{lever.name} decided twice on {decision.kind} {decision.subject}"
            )
        seen.add((decision.kind, decision.subject))
        body = decision.canonical()
        if "NaN" in body or "Infinity" in body:  # in a text, or as a number
            json.loads(body, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"a decision holds {constant}, which is no JSON value")


def _fall_back(
    lever: Lever,
    tables: Mapping[str, pa.Table],
    context: ShopContext,
    cuts: Sequence[str],
    own_seed: int,
    said: str,
    pages: bool,
) -> LeverRun:
    rule = lever.fallback()
    try:
        model = rule.model(view_of(lever, tables, context, cuts))
        run = finish(
            lever, model, tables, context, cuts, own_seed, State.FALLBACK, pages
        )
    except Exception as error:
        return abstained(lever, f"{said}; its rule failed: {describe(error)}")
    if not run.decisions:
        return LeverRun(
            lever=run.lever,
            state=State.ABSTAINED,
            rule=run.rule,
            reason=said,
            model=run.model,
            emitted=run.emitted,
            report=run.report,
        )
    return _with_reason(run, said)


def _with_reason(run: LeverRun, reason: str) -> LeverRun:
    return LeverRun(
        lever=run.lever,
        state=run.state,
        rule=run.rule,
        reason=reason,
        model=run.model,
        emitted=run.emitted,
        decisions=run.decisions,
        report=run.report,
    )
