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
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.api.interleaving import Shared, share_list
from cartwheel.api.pins import PINNED, from_first_slot, place_pins
from cartwheel.channels.storefront import Cards
from cartwheel.levers.base import Answer, Model, OnlineLever, Request, Slot
from cartwheel.merchandising import (
    ShopRule,
    rules_for,
    rules_in_force,
    today_in,
)
from cartwheel.operations import reading, turns

if TYPE_CHECKING:
    from cartwheel.measure.experiment.team_draft import Team
    from cartwheel.measure.experiment.trial import InForce
    from cartwheel.shop import Shop

LEVER = "recommend"
SEARCH = "search"
SUPPORT = "support"
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
        cards: What a page shows of each product, or None for a turn without.
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
    cards: Cards | None = None
    arm_model: Model | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An answer and who gave it.

    Attributes:
        answer: The answer.
        arm: Whether the lever answered, the untouched rule, or the fallback.
        turn: Turn that published the model.
        option_arm: Arm of an experiment on an option of the lever, "" for none.
        teams: Whose pick each slot was, where the rankings of both arms share the
            list; empty where they do not.
    """

    answer: Answer
    arm: Arm
    turn: int | None
    option_arm: str = ""
    teams: tuple[Team, ...] = ()


class Serving:
    """Answers requests from the newest published turn.

    Args:
        shop: The shop.
        lever: The online lever, or None to find it by its entry point.
        name: Name of the lever.
    """

    def __init__(
        self, shop: Shop, lever: OnlineLever | None = None, *, name: str = LEVER
    ) -> None:
        self._shop = shop
        self._lever = lever
        self.name = name
        self._published: Published | None = None
        self._rules: tuple[ShopRule, ...] = ()
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
    def rules(self) -> tuple[ShopRule, ...]:
        """The merchant's rules in force, at most a second old."""
        return self._rules

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
            self._rules = rules_in_force(
                self._shop.database, today_in(self._shop.settings.timezone)
            )
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
        folder = self._shop.turn_folder(turn) / "models" / self.name
        if self.name != LEVER and not folder.is_dir():
            # A turn of before the lever was there; recommending is in every turn.
            self._published, self._broken_turn = None, turn
            self._note("")
            return
        try:
            lever = self._lever or find_lever(self.name)
            self._published = load_published(turn, folder, lever)
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
            log.warning("answers are degraded", lever=self.name, problem=problem)
        self.problem = problem


def newest_turn(engine: Engine) -> int | None:
    """Return the number of the newest published turn, or None."""
    query = select(func.max(turns.c.number)).where(turns.c.state == "published")
    with reading(engine) as connection:
        number: int | None = connection.execute(query).scalar_one()
    return number


def find_lever(name: str = LEVER) -> OnlineLever:
    """Return an online lever, found as a third party's would be."""
    (entry,) = entry_points(group="cartwheel.levers", name=name)
    lever = entry.load()()
    if not isinstance(lever, OnlineLever):
        raise TypeError(f"the lever {name} has no answer()")
    return lever


def load_published(turn: int, folder: Path, lever: OnlineLever) -> Published:
    """Load a model and try it: a model that cannot answer is never swapped in."""
    model = Model.load(folder, mapped=True)
    excluded = read_excluded(folder.parent.parent)
    trial = Request(
        placement="home", limit=FALLBACK_SLOTS, holdout=True, excluded=excluded
    )
    untouched = lever.answer(model, trial, rng=np.random.default_rng(turn))
    if lever.name == SEARCH:
        asked = Request(placement=SEARCH, query="under 10: a large one", limit=1)
        lever.answer(model, asked, rng=np.random.default_rng(turn))
    if lever.name == SUPPORT:  # the first question loads what tells languages apart
        asked = Request(placement=SUPPORT, query="How long does a parcel take?")
        lever.answer(model, asked, rng=np.random.default_rng(turn))
    arm_folder = folder.with_name(f"{lever.name}@treated")
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
        cards=Cards.load(folder.parent.parent),
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


def ask(
    published: Published,
    request: Request,
    decision_id: str,
    rules: Iterable[ShopRule] = (),
) -> Served:
    """Ask the lever; whatever it raises goes through.

    The merchant's exclusions and pins act on everybody, boosts only where the wheel
    ranks.
    """
    said = rules_for(rules, request.placement, request.category, request.query)
    asked = replace(
        request,
        excluded=published.excluded | request.excluded | said.excluded,
        boosts={} if request.holdout else said.boosts,
    )
    shared = _shared(published, asked, decision_id)
    if shared is not None:
        answer = place_pins(shared.answer, said.pins, asked, published.cards)
        teams = tuple(
            "" if slot.reason == PINNED else shared.teams[slot.product_id]
            for slot in answer.slots
        )
        return Served(answer=answer, arm="treated", turn=published.turn, teams=teams)
    option_arm = "" if request.holdout else option_arm_of(published, request)
    model = published.model
    if option_arm == "treated" and published.arm_model is not None:
        model = published.arm_model
    whole = from_first_slot(asked) if said.pins else asked
    answer = published.lever.answer(model, whole, rng=draw(decision_id))
    if said.pins:
        answer = place_pins(answer, said.pins, asked, published.cards)
    arm: Arm = "holdout" if request.holdout else "treated"
    return Served(answer=answer, arm=arm, turn=published.turn, option_arm=option_arm)


def _shared(published: Published, asked: Request, decision_id: str) -> Shared | None:
    """Return the list that both arms of an experiment share, None where none does."""
    force, other = published.trials, published.arm_model
    if asked.holdout or force is None or other is None:
        return None
    trial = force.interleaving(published.lever.name)
    if trial is None:
        return None
    models = (published.model, other)
    return share_list(published.lever, models, asked, trial, decision_id)


def option_arm_of(published: Published, request: Request) -> str:
    """Return the arm of an experiment on an option that whoever looks is in, or ""."""
    force = published.trials
    if force is None or published.arm_model is None:
        return ""
    from cartwheel.measure.assign import looker_of

    who = looker_of(request.customer, request.visitor, model=published.model)
    return force.option_arm(who, published.lever.name, visitor=request.visitor) or ""


def preview(
    published: Published,
    *,
    placement: str,
    customer: str | None = None,
    context: tuple[str, ...] = (),
    category: str | None = None,
    query: str = "",
    limit: int = 10,
    rules: Iterable[ShopRule] = (),
) -> Served:
    """Return what a page would be answered; nothing is logged or counted.

    The same question is always answered alike: its draw has a seed of its own.
    """
    request = Request(
        placement=placement,
        customer=customer,
        context=context,
        category=category,
        query=query,
        limit=limit,
    )
    return ask(published, request, "preview", rules)


def _of_the_page(slot: Slot, request: Request, cards: Cards | None) -> bool:
    """Tell whether a product is of the category whose page asks, if one does."""
    if request.placement != "category" or not request.category or cards is None:
        return True
    card = cards.find(slot.product_id)
    kind = (card.category if card else None) or ""
    return kind == request.category or kind.startswith(request.category + " > ")


def fallback(
    published: Published | None, request: Request, rules: Iterable[ShopRule] = ()
) -> Served:
    """Return what the untouched rule shows, or an empty slate before any turn.

    A search gets an empty one in any case: what sells well is no answer to it.
    """
    if request.placement == SEARCH and request.query.strip():
        turn = None if published is None else published.turn
        answer = Answer(slots=(), eligible_hash="", rule="none yet")
        return Served(answer=answer, arm="fallback", turn=turn)
    if published is None:
        answer = Answer(slots=(), eligible_hash="", rule="none yet")
        return Served(answer=answer, arm="fallback", turn=None)
    said = rules_for(rules, request.placement, request.category, request.query)
    asked = replace(request, excluded=request.excluded | said.excluded)
    seen = {*asked.context, *asked.excluded}
    slots = [
        slot
        for slot in published.untouched
        if slot.product_id not in seen and _of_the_page(slot, asked, published.cards)
    ]
    shown = slots[: request.offset + request.limit]
    answer = Answer(slots=tuple(shown), eligible_hash="", rule="bestsellers")
    answer = place_pins(answer, said.pins, asked, published.cards)
    return Served(answer=answer, arm="fallback", turn=published.turn)


def _product_ids(model: Model) -> frozenset[str] | None:
    for name in ("product_ids", "product_id", "products"):
        array: Any = model.arrays.get(name)
        if array is not None and array.dtype.kind == "U":
            return frozenset(array.tolist())
    return None
