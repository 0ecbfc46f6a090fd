"""The published model in memory.

The model of the newest published turn is mapped into memory and swapped for the next
one in a single assignment, so a request sees one or the other. When the next one is
broken the old one stays; when there is none the slate is empty and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
import uuid
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.levers.base import Answer, Model, OnlineLever, Request, Slot
from cartwheel.operations import reading, turns

if TYPE_CHECKING:
    from cartwheel.measure.experiment.trial import InForce
    from cartwheel.shop import Shop

LEVER = "recommend"
CHECK_SECONDS = 1.0
FALLBACK_SLOTS = 100
Arm = Literal["treated", "holdout", "fallback"]

log = structlog.get_logger("cartwheel.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published model ready to answer.

    Attributes:
        turn: Turn that published it.
        lever: The lever that answers.
        model: Its model, mapped into memory.
        untouched: What the untouched rule shows, best first; the fallback.
        products: Product ids the model knows, or None when it does not say.
        excluded: Products the gate keeps out of every slot.
        trials: Experiments in force, or None.
        arm_model: Model of the arm of an experiment on one of the lever's options, or
            None.
    """

    turn: int
    lever: OnlineLever
    model: Model
    untouched: tuple[Slot, ...]
    products: frozenset[str] | None
    excluded: frozenset[str] = frozenset()
    trials: InForce | None = None
    arm_model: Model | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An answer and who gave it.

    Attributes:
        answer: The answer.
        arm: Whether the lever answered, the untouched rule, or the fallback.
        turn: Turn that published the model.
        option_arm: Arm of an experiment on an option of the lever, "" for none.
    """

    answer: Answer
    arm: Arm
    turn: int | None
    option_arm: str = ""


class Serving:
    """Answers requests from the newest published turn.

    Args:
        shop: The shop.
        lever: The online lever, or None to find it by its entry point.
    """

    def __init__(self, shop: Shop, lever: OnlineLever | None = None) -> None:
        self._shop = shop
        self._lever = lever
        self._published: Published | None = None
        self._checked_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None
        self._broken_turn: int | None = None
        self.problem = ""

    @property
    def published(self) -> Published | None:
        """What answers now, or None before the first turn."""
        return self._published

    @property
    def model(self) -> Model | None:
        """The model that answers now, or None before the first turn."""
        return self._published.model if self._published else None

    @property
    def trials(self) -> InForce | None:
        """Experiments in force, or None."""
        return self._published.trials if self._published else None

    @property
    def turn(self) -> int | None:
        """Turn that answers now, or None."""
        return self._published.turn if self._published else None

    @property
    def known_products(self) -> frozenset[str] | None:
        """Product ids the published model knows, or None when nothing says."""
        return self._published.products if self._published else None

    def check(self) -> None:
        """Look for a newer turn now and load it; keeps the old one on any trouble."""
        self._checked_at = time.monotonic()
        try:
            newest = newest_turn(self._shop.database)
        except SQLAlchemyError as error:
            self._note(f"the database cannot be read: {type(error).__name__}")
            return
        if newest is None:
            self._published = None
            self._note("")
        elif newest != self.turn and newest != self._broken_turn:
            self._load(newest)

    def check_soon(self) -> None:
        """Look for a newer turn in the background, at most once a second."""
        if time.monotonic() - self._checked_at < CHECK_SECONDS:
            return
        if self._refreshing is None or self._refreshing.done():
            self._checked_at = time.monotonic()
            self._refreshing = asyncio.create_task(asyncio.to_thread(self.check))

    def _load(self, turn: int) -> None:
        folder = self._shop.turn_folder(turn) / "models" / LEVER
        try:
            self._published = load_published(turn, folder, self._lever or find_lever())
        except Exception as error:
            # Broken files or a lever that cannot read them: the old model stays. Not
            # tried again each second; the next turn brings a new one.
            self._broken_turn = turn
            self._note(f"turn {turn}'s model cannot be used: {type(error).__name__}")
            log.exception("model not loaded, keeping the old one", turn=turn)
        else:
            self._broken_turn = None
            self._note("")
            log.debug("model loaded", turn=turn, rule=self._published.model.rule)

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("recommendations are degraded", problem=problem)
        self.problem = problem


def newest_turn(engine: Engine) -> int | None:
    """Return the number of the newest published turn, or None."""
    query = select(func.max(turns.c.number)).where(turns.c.state == "published")
    with reading(engine) as connection:
        number: int | None = connection.execute(query).scalar_one()
    return number


def find_lever() -> OnlineLever:
    """Return the lever that recommends, found as a third party's would be."""
    (entry,) = entry_points(group="cartwheel.levers", name=LEVER)
    lever = entry.load()()
    if not isinstance(lever, OnlineLever):
        raise TypeError(f"the lever {LEVER} has no answer()")
    return lever


def load_published(turn: int, folder: Path, lever: OnlineLever) -> Published:
    """Load a model and try it: a model that cannot answer is never swapped in."""
    model = Model.load(folder, mapped=True)
    excluded = read_excluded(folder.parent.parent)
    trial = Request(
        placement="home", limit=FALLBACK_SLOTS, holdout=True, excluded=excluded
    )
    untouched = lever.answer(model, trial, rng=np.random.default_rng(turn))
    arm_folder = folder.with_name(f"{LEVER}@treated")
    arm_model = None
    if arm_folder.is_dir():
        arm_model = Model.load(arm_folder, mapped=True)
        lever.answer(arm_model, trial, rng=np.random.default_rng(turn))
    return Published(
        arm_model=arm_model,
        turn=turn,
        lever=lever,
        model=model,
        untouched=untouched.slots,
        products=_product_ids(model),
        excluded=excluded,
        trials=read_trials(folder.parent.parent),
    )


def read_trials(turn_folder: Path) -> InForce | None:
    """Return the experiments the turn was pinned with, None for none."""
    path = turn_folder / "gate" / "trials.json"
    if not path.is_file():
        return None
    from cartwheel.measure.experiment.trial import InForce

    return InForce.from_json(json.loads(path.read_text(encoding="utf-8")))


def read_excluded(turn_folder: Path) -> frozenset[str]:
    """Return the products the turn's gate keeps out of every slot."""
    path = turn_folder / "gate" / "excluded.json"
    if not path.is_file():
        return frozenset()
    return frozenset(json.loads(path.read_text(encoding="utf-8")))


def make_decision_id() -> str:
    """Return a new id: a UUID of version 7, so ids sort by time."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80
    value |= int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def draw(decision_id: str) -> np.random.Generator:
    """Return the generator of a decision's draw; the id replays it."""
    digest = hashlib.blake2b(decision_id.encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def ask(published: Published, request: Request, decision_id: str) -> Served:
    """Ask the lever; whatever it raises goes through."""
    asked = replace(request, excluded=published.excluded | request.excluded)
    option_arm = "" if request.holdout else option_arm_of(published, request)
    model = published.model
    if option_arm == "treated" and published.arm_model is not None:
        model = published.arm_model
    answer = published.lever.answer(model, asked, rng=draw(decision_id))
    arm: Arm = "holdout" if request.holdout else "treated"
    return Served(answer=answer, arm=arm, turn=published.turn, option_arm=option_arm)


def option_arm_of(published: Published, request: Request) -> str:
    """Return the arm of an experiment on an option that whoever looks is in, or ""."""
    force = published.trials
    if force is None or published.arm_model is None:
        return ""
    from cartwheel.measure.assign import looker_of

    who = looker_of(request.customer, request.visitor, model=published.model)
    return force.option_arm(who, LEVER, visitor=request.visitor) or ""


def fallback(published: Published | None, request: Request) -> Served:
    """Return what the untouched rule shows, or an empty slate before any turn."""
    if published is None:
        answer = Answer(slots=(), eligible_hash="", rule="none yet")
        return Served(answer=answer, arm="fallback", turn=None)
    seen = {*request.context, *request.excluded}
    slots = [slot for slot in published.untouched if slot.product_id not in seen]
    answer = Answer(
        slots=tuple(slots[: request.limit]), eligible_hash="", rule="bestsellers"
    )
    return Served(answer=answer, arm="fallback", turn=published.turn)


def _product_ids(model: Model) -> frozenset[str] | None:
    for name in ("product_ids", "product_id", "products"):
        array: Any = model.arrays.get(name)
        if array is not None and array.dtype.kind == "U":
            return frozenset(array.tolist())
    return None
