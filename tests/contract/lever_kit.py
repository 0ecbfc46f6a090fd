"""What every lever must hold to, ours and a plugin author's.

Call `check_lever` with a lever and some shops; it raises `AssertionError` naming the
promise that broke. Each check is a function of its own, so one can be run alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from cartwheel.levers.base import (
    Abstain,
    Answer,
    Autonomy,
    Decision,
    Group,
    Lever,
    Model,
    OnlineLever,
    Request,
)
from cartwheel.levers.report import Report
from cartwheel.signals.base import Field, Signal, Signals

SEED = 7
SUBJECTS = ("variant", "product", "customer", "placement", "query", "category")
UNDECLARED = Signal(
    name="undeclared",
    keys=(Field(name="id", type="text", unit="", doc="Nobody reads it."),),
    fields=(),
    writer="nobody",
    doc="A signal no lever declares.",
)


def found_levers() -> list[Lever]:
    """Return every installed lever, in the order of their names."""
    points = sorted(entry_points(group="cartwheel.levers"), key=lambda one: one.name)
    levers = []
    for point in points:
        try:
            levers.append(point.load()())
        except ModuleNotFoundError as error:  # named, so that a test can report it
            raise AssertionError(
                f"lever {point.name} does not load: {error}"
            ) from error
    return levers


def handed(lever: Lever, data: Signals, cut: Iterable[str] = ()) -> Signals:
    """Return what the turn hands to a lever: its declared reads, `cut` emptied."""
    return data.restricted([signal.name for signal in lever.reads], cut)


def with_own(lever: Lever, data: Signals, model: Model) -> Signals:
    """Return the data of `decide`: also what the lever just emitted, if it reads it."""
    read = {signal.name for signal in lever.reads}
    own = {k: v for k, v in lever.emit(model, data).items() if k in read}
    return data.with_tables(own)


def learned(lever: Lever, data: Signals, seed: int = SEED) -> Model:
    """Return the lever's model, or its fallback's where it abstains."""
    try:
        return lever.learn(data, None, seed=seed)
    except Abstain:
        return lever.fallback().model(data)


def decisions(
    lever: Lever, model: Model, data: Signals, seed: int = SEED
) -> list[Decision]:
    """Return the lever's decisions; none where it abstains with a sentence."""
    try:
        return list(lever.decide(model, with_own(lever, data, model), seed=seed))
    except Abstain as silence:
        sentence = str(silence)
    assert sentence.strip(), f"{lever.name} abstains without a sentence"
    return []


def check_declaration(lever: Lever) -> None:
    """Names, group, kinds and floor are declared and of the right types."""
    assert isinstance(lever, Lever), f"{lever!r} does not have the shape of a lever"
    assert lever.name == lever.name.lower()
    assert lever.title
    assert lever.group in tuple(Group)
    assert lever.kinds or lever.writes, f"{lever.name} neither decides nor writes"
    for kind in lever.kinds:
        assert kind.autonomy in tuple(Autonomy)
        assert kind.title
    for signal in lever.writes:
        assert signal.writer == lever.name, f"{signal.name} belongs to {signal.writer}"
    assert lever.floor.needs, f"{lever.name} has no data floor"
    assert lever.floor.meanwhile
    assert lever.fallback().name
    assert lever.fallback().doc


def check_repeatable(lever: Lever, data: Signals) -> None:
    """The same data and seed give the same model, signals and decisions, by byte."""
    data = handed(lever, data)
    first, second = learned(lever, data), learned(lever, data)
    assert first.fingerprint() == second.fingerprint(), f"{lever.name}: models differ"
    assert _emitted(lever, first, data) == _emitted(lever, second, data)
    assert _lines(lever, first, data) == _lines(lever, second, data)


def check_inputs_unchanged(lever: Lever, data: Signals) -> None:
    """No call changes the signals or the model it was given."""
    data = handed(lever, data)
    before = _bytes_of(lever, data)
    model = learned(lever, data)
    mark = model.fingerprint()
    decisions(lever, model, data)
    lever.report(model, with_own(lever, data, model))
    _answers(lever, model)
    assert _bytes_of(lever, data) == before, f"{lever.name} changed its signals"
    assert model.fingerprint() == mark, f"{lever.name} changed its model"


def check_saved_model(lever: Lever, data: Signals) -> None:
    """A model read back, also memory-mapped, decides and answers the same."""
    data = handed(lever, data)
    model = learned(lever, data)
    for array in model.arrays.values():
        assert array.dtype != object
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        for mapped in (False, True):
            again = Model.load(Path(folder), mapped=mapped)
            assert again.fingerprint() == model.fingerprint()
            assert _emitted(lever, again, data) == _emitted(lever, model, data)
            assert _lines(lever, again, data) == _lines(lever, model, data)
            assert _answers(lever, again) == _answers(lever, model)


def check_empty_shop(lever: Lever, empty: Signals) -> None:
    """Without a single row it says what it lacks, and its fallback works."""
    data = handed(lever, empty)
    assert lever.floor.lacks(data), f"{lever.name} lacks nothing in an empty shop"
    for model in (lever.fallback().model(data), learned(lever, data)):
        check_outputs(lever, model, data)


def check_fallback(lever: Lever, data: Signals) -> None:
    """The fallback's model runs through the same code on real data."""
    data = handed(lever, data)
    check_outputs(lever, lever.fallback().model(data), data)


def check_model(lever: Lever, data: Signals) -> None:
    """The learned model's signals, decisions, report and answers keep the contract."""
    data = handed(lever, data)
    check_outputs(lever, learned(lever, data), data)


def check_reads_suffice(lever: Lever, data: Signals) -> None:
    """It works with its declared reads alone; another signal is refused."""
    data = handed(lever, data)
    with pytest.raises(KeyError):
        data.table(UNDECLARED)
    decisions(lever, learned(lever, data), data)


def check_every_link_cut(lever: Lever, data: Signals) -> None:
    """With any one link cut, and with all cut, it still keeps the contract."""
    names = [signal.name for signal in lever.reads]
    for cut in [(name,) for name in names] + [tuple(names)]:
        seen = handed(lever, data, cut)
        if lever.floor.lacks(seen):
            check_outputs(lever, lever.fallback().model(seen), seen)
        else:
            check_outputs(lever, learned(lever, seen), seen)


def check_outputs(lever: Lever, model: Model, data: Signals) -> None:
    """Everything a model gives keeps the contract."""
    emitted = lever.emit(model, data)
    assert set(emitted) == {signal.name for signal in lever.writes}
    for signal in lever.writes:
        table = emitted[signal.name]
        assert table.schema.names == list(signal.column_names)
        assert signal.conform(table).equals(table.combine_chunks()), signal.name
        keys = table.select([key.name for key in signal.keys])
        distinct = keys.group_by(keys.column_names).aggregate([]).num_rows
        assert distinct == table.num_rows, f"{signal.name} repeats a key"
    kinds = {kind.name for kind in lever.kinds}
    for decision in decisions(lever, model, data):
        check_decision(decision, kinds)
    report = lever.report(model, with_own(lever, data, model))
    check_report(report)
    _answers(lever, model)


def check_decision(decision: Decision, kinds: set[str]) -> None:
    """One decision keeps the contract."""
    assert decision.kind in kinds, f"kind {decision.kind} is not declared"
    subject, _, name = decision.subject.partition(":")
    assert subject in SUBJECTS, decision.subject
    assert name, decision.subject
    assert decision.reason.strip()
    json.loads(decision.canonical(), parse_constant=_refuse)
    if decision.propensity is not None:
        assert 0 < decision.propensity <= 1
    if decision.predicted is not None:
        predicted = decision.predicted
        assert predicted.low <= predicted.value <= predicted.high
        assert 0 < predicted.level < 1
        assert predicted.metric
    for amount in (decision.worth_minor, decision.cost_minor):
        assert amount is None or type(amount) is int
    assert all(type(product) is str for product in decision.promotes)


def check_report(report: Report) -> None:
    """A report is plain JSON, and a figure without value says when it will have one."""
    text = json.dumps(report.to_json(), allow_nan=False)
    assert json.loads(text)["summary"]
    for figure in report.figures:
        assert figure.definition
        assert figure.value is not None or figure.not_yet, figure.label
        if None not in (figure.low, figure.value, figure.high):
            assert figure.low <= figure.value <= figure.high, figure.label
    for grid in report.grids:
        assert len(grid.columns) == len(grid.units)
        assert all(len(row) == len(grid.columns) for row in grid.rows)
    for bars in report.bars:
        assert len(bars.labels) == len(bars.values)
    for line in report.lines:
        assert len(line.x) == len(line.actual)
        for band in (line.predicted, line.low, line.high):
            assert len(band) in (0, len(line.x))


def check_answer(answer: Answer, request: Request) -> None:
    """One online answer keeps the contract."""
    shown = [slot.product_id for slot in answer.slots]
    assert len(shown) <= request.limit
    assert len(set(shown)) == len(shown), "an answer repeats a product"
    assert answer.eligible_hash
    assert answer.rule
    for slot in answer.slots:
        assert 0 < slot.propensity <= 1
        assert slot.reason
        if request.holdout:
            assert slot.propensity == 1.0
    assert not set(shown) & request.excluded, "an answer shows what the gate keeps out"
    if request.placement in ("cart", "product"):
        assert not set(shown) & set(request.context)


CHECKS: tuple[Callable[[Lever, Signals], None], ...] = (
    check_repeatable,
    check_inputs_unchanged,
    check_saved_model,
    check_fallback,
    check_model,
    check_reads_suffice,
    check_every_link_cut,
)


def check_lever(lever: Lever, shops: Sequence[Signals], empty: Signals) -> None:
    """Run every check on a lever.

    Args:
        lever: The lever.
        shops: Shops with rows in every signal it reads.
        empty: A shop without rows.
    """
    check_declaration(lever)
    check_empty_shop(lever, empty)
    for data in shops:
        for check in CHECKS:
            check(lever, data)


def _answers(lever: Lever, model: Model) -> list[Answer]:
    if not isinstance(lever, OnlineLever):
        return []
    known = _names(model, "product_id")
    people = _names(model, "customer_id")
    requests = [
        Request(placement="home"),
        Request(placement="home", visitor="v1", context=("not a product",)),
        Request(placement="product", context=tuple(known[:1]), limit=4),
        Request(placement="cart", context=tuple(known[-3:]), limit=1),
        Request(placement="email", customer="not a customer", limit=50),
        Request(placement="home", customer=people[0] if people else None),
        Request(placement="home", holdout=True),
        Request(placement="home", excluded=frozenset(known[:5])),
        Request(placement="home", holdout=True, excluded=frozenset(known[:5])),
    ]
    found = []
    for request in requests:
        answer = lever.answer(model, request, rng=np.random.default_rng(SEED))
        check_answer(answer, request)
        found.append(answer)
    return found


def _names(model: Model, array: str) -> list[str]:
    return [str(name) for name in model.arrays.get(array, np.zeros(0, "U1"))]


def _lines(lever: Lever, model: Model, data: Signals) -> list[str]:
    return [one.canonical() for one in decisions(lever, model, data)]


def _emitted(lever: Lever, model: Model, data: Signals) -> dict[str, list[object]]:
    return {
        name: [repr(row) for row in table.to_pylist()]
        for name, table in lever.emit(model, data).items()
    }


def _bytes_of(lever: Lever, data: Signals) -> dict[str, list[bytes]]:
    import pyarrow as pa

    found = {}
    for signal in lever.reads:
        sink = pa.BufferOutputStream()
        table = data.table(signal)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        found[signal.name] = [sink.getvalue().to_pybytes()]
    return found


def _refuse(constant: str) -> None:
    raise AssertionError(f"a decision holds {constant}, which is not JSON")
