"""The lever contract: learn from signals, write signals, decide.

`learn`, `emit`, `decide` and `answer` are pure: data and seed in, values out; no
clock, no network, no global random state. A lever below its data floor, or one that
failed, is given its fallback's model; the same `emit` and `decide` run on it, so a
fallback needs no second code path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

from cartwheel.signals.base import Signal, Signals

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.levers.report import Report
    from cartwheel.text.drafting import Wishes


PLACEMENTS = (
    "home",
    "category",
    "product",
    "goes_with",
    "cart",
    "thanks",
    "email",
    "search",
    "support",
)
"""Where on the storefront, or beside it, an online lever answers."""


class Group(StrEnum):
    """Part of the shop a lever belongs to."""

    GROWTH = "growth"
    PRODUCTIVITY = "productivity"
    VALUE_CHAIN = "value chain"
    PROFITABILITY = "profitability"


class Autonomy(StrEnum):
    """How far a kind of decision may go without a person."""

    SUGGEST = "suggest"  # shown; nothing happens
    APPROVE = "approve"  # carried out once a person approves
    AUTO = "auto"  # carried out within the guardrails


class State(StrEnum):
    """State of a lever in a turn."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"  # it failed; its last healthy model decided
    FALLBACK = "fallback"  # its named rule decided
    ABSTAINED = "abstained"  # it decided nothing and says why


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of decision.

    Attributes:
        name: Unique name, such as "reorder".
        title: What a merchant calls it.
        autonomy: Default autonomy; the shop's settings may change it.
        expires_days: Days after which an unanswered proposal lapses.
    """

    name: str
    title: str
    autonomy: Autonomy
    expires_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing a lever needs before its model may decide.

    Attributes:
        what: What is counted, in the merchant's words ("orders with two products").
        at_least: Smallest count that is enough.
        count: Counts it in the lever's signals.
    """

    what: str
    at_least: float
    count: Callable[[Signals], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The data a lever needs, and what it does meanwhile.

    Attributes:
        needs: All must be met.
        meanwhile: What the fallback does, in the merchant's words.
    """

    needs: tuple[Need, ...]
    meanwhile: str

    def lacks(self, data: Signals) -> tuple[str, ...]:
        """Return one sentence for every need that is not met."""
        found = [(need, need.count(data)) for need in self.needs]
        return tuple(
            f"needs {need.at_least:,.0f} {need.what}, has {count:,.0f}"
            for need, count in found
            if count < need.at_least
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Predicted value of a decision with an interval.

    Attributes:
        metric: What is predicted, with its unit as affix ("units_28d", "margin_minor").
        value: Central value.
        low: Lower end.
        high: Upper end.
        level: Share of outcomes the interval should hold.
    """

    metric: str
    value: float
    low: float
    high: float
    level: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A choice made by a lever, before the turn stamps it.

    Attributes:
        kind: Name of one of the lever's kinds.
        subject: What it is about: `variant:ID`, `product:ID`, `customer:ID`,
            `placement:NAME`, `query:TEXT`, `category:NAME`.
        action: What to do; JSON values only.
        reason: One or two sentences a merchant understands, with the numbers.
        options: Alternatives weighed, each a JSON object; the chosen one included.
        propensity: Probability of this choice when it was drawn at random, else None.
        predicted: Predicted value, or None when the lever cannot say.
        worth_minor: Money at stake, for sorting what a person should see first.
        cost_minor: What carrying it out costs.
        evidence: Inputs behind the reason, for "why this?"; JSON values only.
        promotes: Product ids it puts in front of a shopper.
    """

    kind: str
    subject: str
    action: Mapping[str, Any]
    reason: str
    options: tuple[Mapping[str, Any], ...] = ()
    propensity: float | None = None
    predicted: Prediction | None = None
    worth_minor: int | None = None
    cost_minor: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    promotes: tuple[str, ...] = ()

    def canonical(self) -> str:
        """Return the decision as one canonical JSON line, for byte comparison."""
        # Not `asdict`: it copies every value in depth, which takes longer than the
        # rest of a turn's bookkeeping.
        fields = {name: getattr(self, name) for name in _DECISION_FIELDS}
        if self.predicted is not None:
            fields["predicted"] = {
                name: getattr(self.predicted, name) for name in _PREDICTION_FIELDS
            }
        return _CANONICAL.encode(fields)


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_DECISION_FIELDS = tuple(field.name for field in dataclass_fields(Decision))
_PREDICTION_FIELDS = tuple(field.name for field in dataclass_fields(Prediction))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a lever learned: named arrays and a JSON description. No pickles.

    Arrays are stored one file each, so a server maps them into memory. Text arrays
    use numpy's fixed-width `U` type.

    Attributes:
        rule: Name of the method ("ease", "popularity"), shown to people.
        arrays: Arrays by name.
        meta: JSON values.
    """

    rule: str
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the model into a new or existing folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            if array.dtype == object:
                raise ValueError(f"array {name} has dtype object; use a fixed type")
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        description = {
            "rule": self.rule,
            "arrays": sorted(self.arrays),
            "meta": self.meta,
        }
        text = json.dumps(description, sort_keys=True, ensure_ascii=False)
        (folder / "model.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, *, mapped: bool = False) -> Model:
        """Read a model; `mapped` maps arrays into memory instead of reading them."""
        text = (folder / "model.json").read_text(encoding="utf-8")
        description = json.loads(text)
        mode: Literal["r"] | None = "r" if mapped else None
        # A plain view of the map: numpy's memmap class costs at each element read.
        arrays = {
            name: np.asarray(
                np.load(folder / f"{name}.npy", mmap_mode=mode, allow_pickle=False)
            )
            for name in description["arrays"]
        }
        return cls(rule=description["rule"], arrays=arrays, meta=description["meta"])

    def fingerprint(self) -> str:
        """Return a hash of the content, equal for equal models."""
        digest = hashlib.blake2b(digest_size=12)
        digest.update(self.rule.encode())
        digest.update(json.dumps(self.meta, sort_keys=True).encode())
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fallback: a named simple rule that always yields a model.

    Attributes:
        name: Name shown to people ("bestsellers").
        doc: What it does, in the merchant's words.
        model: Makes the model from whatever data there is, even none.
    """

    name: str
    doc: str
    model: Callable[[Signals], Model]


class Abstain(Exception):
    """Raised by `learn` or `decide` when silence is the right answer.

    The text is a sentence for the merchant: what is missing and what would change it.
    """


@runtime_checkable
class Lever(Protocol):
    """A unit that learns from signals and decides."""

    name: str
    title: str
    group: Group
    reads: tuple[Signal, ...]
    writes: tuple[Signal, ...]
    floor: Floor
    kinds: tuple[Kind, ...]

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Learn from the declared signals; `previous` is the last healthy model."""
        ...

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Return the signals it writes, by name (all of `writes`)."""
        ...

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Return its decisions; `data` also holds its own emitted signals if read."""
        ...

    def fallback(self) -> Rule:
        """Return the named rule used when there is no healthy model."""
        ...

    def report(self, model: Model, data: Signals) -> Report:
        """Return what its console page shows: figures, charts, tables."""
        ...


@runtime_checkable
class DraftingLever(Lever, Protocol):
    """A lever that lets the shop's text service draft before it decides.

    It only says what it wants: the turn asks, keeps the answers as the signal `drafts`
    with the turn, and the lever reads them there. So `decide` stays pure.
    """

    def wishes(self, data: Signals) -> Wishes | None:
        """Return what is to be drafted; None where the shop has no service."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to an online lever.

    Attributes:
        placement: Where on the storefront: one of `PLACEMENTS`.
        customer: Customer id, if known and allowed to be used.
        visitor: Device or session id.
        context: Product ids of this visit, oldest first.
        remembered: Product ids that whoever looks took or looked at before, the most
            telling first; only where that may be used.
        limit: Slots to fill.
        holdout: Whoever looks is left alone: answer with the untouched rule.
        excluded: Product ids that must not be shown: the gate keeps them out of every
            slot, or the page cannot show them.
        query: What was searched for, as typed; "" outside a search.
        filters: Values a search is narrowed to, by facet.
        category: Category whose page asks, for the placement `category`.
        offset: Slots to leave out before the first, for later pages of a search.
        boosts: Factors by which the merchant wants products' scores multiplied.
    """

    placement: str
    customer: str | None = None
    visitor: str | None = None
    context: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    limit: int = 10
    holdout: bool = False
    excluded: frozenset[str] = frozenset()
    query: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    category: str | None = None
    offset: int = 0
    boosts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One filled slot: what is shown, how likely it was, and why."""

    product_id: str
    propensity: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An online decision: the slate with the probability of each slot.

    Attributes:
        slots: What to show, best first; `propensity` is the probability, given the
            slots before it, that this product filled the slot.
        eligible_hash: Fingerprint of the set that could have been chosen.
        rule: Method that answered.
        about: What goes with the slots: facets, chips, a corrected spelling; JSON
            values only.
        kept_from: Products this reader must not be shown, such as those of open
            returns; the merchant's pins keep to it too.
    """

    slots: tuple[Slot, ...]
    eligible_hash: str
    rule: str
    about: Mapping[str, Any] = field(default_factory=dict)
    kept_from: frozenset[str] = frozenset()


@runtime_checkable
class OnlineLever(Lever, Protocol):
    """A lever that also answers one request at a time. numpy only, no I/O."""

    def answer(
        self, model: Model, request: Request, *, rng: np.random.Generator
    ) -> Answer:
        """Answer one request from the published model."""
        ...


@runtime_checkable
class SuggestingLever(OnlineLever, Protocol):
    """A lever that also suggests while somebody types. numpy only, no I/O."""

    def suggest(self, model: Model, request: Request) -> Mapping[str, Any]:
        """Return suggestions for the query typed so far; JSON values only.

        `queries` is a list of texts, `products` of objects with `product_id` and
        `title`, `categories` of objects with `category`, `label` and `count`.
        """
        ...
